//! Every transport, text and binary, acknowledgements in both directions, TLS and Unix sockets.

use std::io::{Read, Write};
use std::net::TcpStream;

use socketio_blocking::bare::EngineServer;
use socketio_blocking::client::TransportOrder;
use socketio_blocking::net::tls::{TlsClient, TlsServer};
use socketio_blocking::{
    Arg, Args, Blocking, Bytes, Client, Reply, Server, ServerBuilder, Socket, Transport, Wait,
};

use crate::support::{Channel, TIMEOUT, listen, started};

fn echo() -> ServerBuilder<Blocking> {
    Server::builder()
        .on("echo", |Args((number, data)): Args<(i64, Bytes)>| {
            Reply((number, data))
        })
        .on("tell", |socket: Socket, Arg(text): Arg<String>| {
            socket.emit("told", &text)
        })
        .on("ask", |socket: Socket, Arg(number): Arg<i64>| {
            let answer: i64 = socket.call("double", &number).timeout(TIMEOUT).wait()?;
            Ok::<_, socketio_blocking::CallError>(Reply(answer + 1))
        })
}

fn talk(order: TransportOrder, ends_on: Transport) {
    let server = started(echo());
    let messages = Channel::new();
    let sender = messages.sender();
    let builder = Client::builder(server.url.as_str())
        .transports(order)
        .on("double", |Arg(number): Arg<i64>| Reply(2 * number))
        .on("told", move |Arg(text): Arg<String>| sender.send(text));
    let client = socketio_blocking::connect(builder).expect("connects");
    exchange(&client);
    client.emit("tell", "grüße").expect("is sent");
    assert_eq!(messages.recv(), "grüße");
    assert_eq!(client.call::<i64>("ask", &20).timeout(TIMEOUT).wait(), Ok(41));
    let events = client.events();
    if client.transport() != Some(ends_on) {
        let upgraded = events.into_iter().find(|_| client.transport() == Some(ends_on));
        assert!(upgraded.is_some(), "the client is gone");
        assert_eq!(client.call::<i64>("ask", &1).timeout(TIMEOUT).wait(), Ok(3));
    }
}

/// Sends text and much binary data there and back.
fn exchange(client: &Client) {
    let data = Bytes::from(vec![7; 1_000_000 / 2]);
    let answer = client
        .emit_with_ack("echo", &(41, data.clone()))
        .timeout(TIMEOUT)
        .wait();
    let (number, back): (i64, Bytes) = answer.expect("answers").parse().expect("has the shape");
    assert_eq!((number, back), (41, data));
}

#[test]
fn polling() {
    talk(TransportOrder::Polling, Transport::Polling);
}

#[test]
fn websocket() {
    talk(TransportOrder::WebSocket, Transport::WebSocket);
}

#[test]
fn upgrade() {
    talk(TransportOrder::PollingFirst, Transport::WebSocket);
}

#[test]
fn tls() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("is made");
    let tls = TlsServer::builder(cert.pem(), signing_key.serialize_pem())
        .build()
        .expect("builds");
    let (listener, url) = listen();
    let serving = socketio_blocking::start_server(tls.wrap(listener), echo().build()).expect("starts");
    let trust = || {
        TlsClient::builder()
            .only_ca_pem(cert.pem())
            .build()
            .expect("builds")
    };
    for order in [TransportOrder::Polling, TransportOrder::WebSocket] {
        let builder = Client::builder(url.replace("http", "https"))
            .tls(trust())
            .transports(order);
        let client = socketio_blocking::connect(builder).expect("connects");
        exchange(&client);
    }
    drop(serving);
}

#[cfg(unix)]
#[test]
fn unix() {
    let path = std::env::temp_dir().join(format!("socketio-blocking-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("binds");
    let serving = socketio_blocking::start_server(listener, echo().build()).expect("starts");
    let url = format!("unix:{}", path.display());
    let client = socketio_blocking::connect(Client::builder(url.as_str())).expect("connects");
    exchange(&client);
    drop(client);
    drop(serving);
    std::fs::remove_file(&path).expect("was there");
    let error = socketio_blocking::connect(Client::builder(url.as_str())).expect_err("is gone");
    assert!(error.to_string().contains("cannot connect to"), "{error}");
}

#[test]
fn names_are_resolved_and_a_missing_server_is_an_error() {
    let server = started(echo());
    let url = server.url.replace("127.0.0.1", "localhost");
    exchange(&socketio_blocking::connect(Client::builder(url.as_str())).expect("connects"));
    drop(server);
    let error = socketio_blocking::connect(Client::builder(url.as_str())).expect_err("is gone");
    assert!(error.to_string().contains("cannot connect to"), "{error}");
}

#[test]
fn an_engine_server_is_served_too() {
    let (listener, url) = listen();
    let server = EngineServer::builder()
        .on_message(|session, message| drop(session.send(&message)))
        .build();
    let serving = socketio_blocking::start_engine(listener, server).expect("starts");
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("connects");
    stream
        .write_all(
            b"GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        )
        .expect("is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("\"sid\""),
        "{answer}"
    );
    drop(serving);
}
