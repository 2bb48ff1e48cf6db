//! Servers behind every kind of listener, reached through the connector of clients.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socketio_tokio::bytes::BytesMut;
use socketio_tokio::engine::Listener;
use socketio_tokio::engine::{BoxStream, Stream};
use socketio_tokio::net::tls::{TlsClient, TlsServer};
use socketio_tokio::net::{Connector, Direct, Endpoint, Proxy};
use socketio_tokio::{Server, Tokio};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, TcpStream};

const LOCALHOST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Until the test's runtime ends.
fn start(listener: impl Listener<Tokio>) {
    tokio::spawn(socketio_tokio::serve(listener, Server::builder().build()));
}

fn certificate() -> (TlsServer, TlsClient) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("is made");
    let server = TlsServer::builder(cert.pem(), signing_key.serialize_pem()).build();
    let client = TlsClient::builder().only_ca_pem(cert.pem()).build();
    (server.expect("builds"), client.expect("builds"))
}

async fn connect(url: &str, tls: Option<TlsClient>, proxy: Proxy) -> io::Result<BoxStream> {
    let endpoint = Endpoint::parse(url).expect("parses");
    Direct::new(Tokio::current(), tls, proxy).connect(&endpoint).await
}

/// Opens a session by long-polling; says how the answer begins.
async fn open_session(mut stream: BoxStream) -> io::Result<String> {
    let request = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let count = poll_fn(|task| stream.poll_write(task, &[IoSlice::new(request)])).await?;
    assert_eq!(count, request.len());
    poll_fn(|task| stream.poll_flush(task)).await?;
    let mut answer = BytesMut::new();
    while !answer.ends_with(b"}") {
        answer.reserve(4096);
        let count = poll_fn(|task| stream.poll_read(task, &mut answer)).await?;
        assert!(count > 0, "the connection ended after {answer:?}");
    }
    poll_fn(|task| stream.poll_shutdown(task)).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn tcp() {
    let listener = TcpListener::bind(LOCALHOST).await.expect("binds");
    let url = format!(
        "http://localhost:{}",
        listener.local_addr().expect("is bound").port()
    );
    start(listener);
    let stream = connect(&url, None, Proxy::None).await.expect("connects");
    assert!(
        open_session(stream)
            .await
            .expect("answers")
            .starts_with("HTTP/1.1 200 ")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn unix() {
    let path = std::env::temp_dir().join(format!("socketio-reach-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    start(UnixListener::bind(&path).expect("binds"));
    let url = format!("unix:{}", path.display());
    let stream = connect(&url, None, Proxy::None).await.expect("connects");
    assert!(
        open_session(stream)
            .await
            .expect("answers")
            .starts_with("HTTP/1.1 200 ")
    );
    std::fs::remove_file(&path).expect("was there");
    let error = connect(&url, None, Proxy::None)
        .await
        .err()
        .expect("is gone")
        .to_string();
    assert!(
        error.starts_with(&format!("cannot connect to {}: ", path.display())),
        "{error}"
    );
}

#[tokio::test]
async fn tls() {
    let listener = TcpListener::bind(LOCALHOST).await.expect("binds");
    let port = listener.local_addr().expect("is bound").port();
    let (tls, client) = certificate();
    start(tls.wrap(listener));
    let stream = connect(
        &format!("https://localhost:{port}"),
        Some(client.clone()),
        Proxy::None,
    )
    .await;
    let answer = open_session(stream.expect("connects")).await.expect("answers");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let wrong = connect(&format!("wss://127.0.0.1:{port}"), Some(client), Proxy::None).await;
    assert_eq!(
        wrong.err().expect("is refused").to_string(),
        format!(
            "cannot speak TLS with 127.0.0.1:{port}: the server's certificate is for localhost; not for 127.0.0.1"
        )
    );
}

#[tokio::test]
async fn a_client_that_says_nothing_does_not_keep_others_from_their_handshakes() {
    let listener = TcpListener::bind(LOCALHOST).await.expect("binds");
    let address = listener.local_addr().expect("is bound");
    let (tls, client) = certificate();
    start(tls.wrap(listener));
    let silent = TcpStream::connect(address).await.expect("connects");
    let url = format!("https://localhost:{}", address.port());
    let stream = connect(&url, Some(client), Proxy::None).await.expect("connects");
    assert!(
        open_session(stream)
            .await
            .expect("answers")
            .starts_with("HTTP/1.1 200 ")
    );
    drop(silent);
}

#[tokio::test]
async fn tls_through_a_proxy() {
    let listener = TcpListener::bind(LOCALHOST).await.expect("binds");
    let address = listener.local_addr().expect("is bound");
    let (tls, client) = certificate();
    start(tls.wrap(listener));
    let proxy = TcpListener::bind(LOCALHOST).await.expect("binds");
    let proxy_address = proxy.local_addr().expect("is bound");
    let relay = tokio::spawn(async move {
        let (mut inner, _) = proxy.accept().await?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(inner.read_u8().await?);
        }
        let mut outer = TcpStream::connect(address).await?;
        inner
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
        copy_bidirectional(&mut inner, &mut outer).await?;
        io::Result::Ok(String::from_utf8_lossy(&request).into_owned())
    });
    let url = format!("wss://localhost:{}", address.port());
    let through = Proxy::parse(&format!("http://me:secret@{proxy_address}")).expect("parses");
    let stream = connect(&url, Some(client), through).await.expect("connects");
    assert!(
        open_session(stream)
            .await
            .expect("answers")
            .starts_with("HTTP/1.1 200 ")
    );
    let request = relay.await.expect("runs").expect("relays");
    let port = address.port();
    assert_eq!(
        request,
        format!(
            "CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\nProxy-Authorization: Basic \
             bWU6c2VjcmV0\r\n\r\n"
        )
    );
}

#[tokio::test]
async fn nobody_there() {
    let listener = TcpListener::bind(LOCALHOST).await.expect("binds");
    let address = listener.local_addr().expect("is bound");
    drop(listener);
    let error = connect(&format!("ws://{address}"), None, Proxy::None)
        .await
        .err()
        .expect("is refused");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot connect to {address}: Connection refused")),
        "{error}"
    );
}
