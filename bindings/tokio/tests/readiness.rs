//! Bare Engine.IO sessions that are sent no more than their clients read.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socketio_tokio::bare::{EngineServer, Session};
use socketio_tokio::{Error, serve_engine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A message, with which a frame is 64 KiB long: four bytes of header, and the type of the packet.
const PIECE: usize = FRAME - 5;
const FRAME: usize = 64 * 1024;
/// More than the kernel takes off the hands of who sends to somebody that does not read.
const PIECES: usize = 512;

async fn send_all(session: Session, sent: Arc<AtomicUsize>) -> Result<(), Error> {
    for number in 0..PIECES {
        session.ready().await?;
        session.send_text(format!("{number:0>PIECE$}"))?;
        sent.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

/// A WebSocket that has read its open packet, and the session at its other end.
async fn open(sessions: &mut mpsc::UnboundedReceiver<Session>, address: SocketAddr) -> (TcpStream, Session) {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let request = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        answer.push(stream.read_u8().await.expect("reads"));
    }
    (stream, sessions.recv().await.expect("opens"))
}

#[tokio::test]
async fn a_session_is_sent_no_more_than_its_client_reads() {
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await;
    let listener = listener.expect("binds");
    let address = listener.local_addr().expect("is bound");
    let (opened, mut sessions) = mpsc::unbounded_channel();
    let server = EngineServer::builder()
        .configure(|config| config.limits.queued_bytes = config.limits.ready_bytes + 2 * FRAME)
        .on_open(move |session| drop(opened.send(session.clone())))
        .build();
    tokio::spawn(serve_engine(listener, server));

    let (mut stream, session) = open(&mut sessions, address).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn(send_all(session, Arc::clone(&sent)));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(sent.load(Ordering::SeqCst) < PIECES, "nobody reads");
    for number in 0..PIECES {
        let mut frame = vec![0; FRAME];
        stream.read_exact(&mut frame).await.expect("reads");
        let text = std::str::from_utf8(&frame[5..]).expect("is text");
        assert_eq!(
            text.trim_start_matches('0'),
            number.to_string().trim_start_matches('0')
        );
    }
    assert_eq!(sending.await.expect("ends"), Ok(()));

    let (stream, session) = open(&mut sessions, address).await;
    let sending = tokio::spawn(send_all(session.clone(), sent));
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    assert_eq!(sending.await.expect("ends"), Err(Error::Disconnected));
    assert_eq!(session.ready().await, Err(Error::Disconnected));
}

/// The answer to a request on a connection of its own, which the client does not close when the server is done.
async fn get(address: SocketAddr, query: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let request = format!(
        "GET /engine.io/?EIO=4&transport=polling{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("reads");
    (stream, answer)
}

#[tokio::test]
async fn a_poll_that_was_answered_to_the_end_does_not_count_although_its_client_keeps_the_connection() {
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await;
    let listener = listener.expect("binds");
    let address = listener.local_addr().expect("is bound");
    let (opened, mut sessions) = mpsc::unbounded_channel();
    let server = EngineServer::builder()
        .configure(|config| config.limits.ready_bytes = FRAME)
        .on_open(move |session| drop(opened.send(session.clone())))
        .build();
    tokio::spawn(serve_engine(listener, server));

    let (_first, handshake) = get(address, "").await;
    let sid = handshake.split('"').nth(3).expect("a sid").to_owned();
    let session = sessions.recv().await.expect("opens");
    session.send_text("x".repeat(4 * FRAME)).expect("is queued");
    let waiting = tokio::spawn(session.ready());
    let (_second, answer) = get(address, &format!("&sid={sid}")).await;
    assert!(answer.ends_with('x'));
    let ready = tokio::time::timeout(Duration::from_secs(2), waiting).await;
    assert_eq!(
        ready
            .expect("it is told as soon as all is written")
            .expect("ends"),
        Ok(())
    );
}
