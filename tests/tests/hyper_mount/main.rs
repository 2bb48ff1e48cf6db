//! A server mounted in a hyper service behaves as one with a listener of its own.

use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use host::Host;
use socketio_core::eio::CloseReason;
use socketio_tests::apps::{Pace, lab, suite};
use socketio_tests::kit::{
    Close, DEADLINE, Ended, HttpConnection, Polling, Request, Response, settle, socketio,
};
use socketio_tests::testbed::{App, Target};
use socketio_tokio::{
    Async, BodyFailure, HostedError, HostedReply, Peer, Reason, RequestHead, Server, Socket,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

mod host;

#[test]
fn routes_of_the_host_stay_beside_the_server() {
    let host = Host::start(&suite::server::<Async>(Pace::Patient), App::Suite);
    HttpConnection::exchange(&host.target, &Request::get("/hello")).assert_is(200, "hello");
    HttpConnection::exchange(&host.target, &Request::get("/elsewhere")).assert_is(404, "");
    let (mut socket, _) = socketio::join_main(&host.target);
    socket.send(r#"42["message",1]"#);
    socket.expect_text(r#"42["message-back",1]"#);
    HttpConnection::exchange(&host.target, &Request::get("/hello")).assert_is(200, "hello");
}

#[test]
fn a_session_goes_from_polling_to_websocket() {
    let host = Host::start(&lab::server::<Async>(), App::Lab);
    let mut session = socketio::join_main_by_polling(&host.target);
    session.send_get();
    settle(&host.target);
    session.deliver("451-[\"message\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID");
    assert_eq!(
        session.poll_response(),
        [r#"451-["message-back",{"_placeholder":true,"num":0}]"#, "bAQID"]
    );
    let mut socket = session.upgrade();
    socket.send(r#"42["message","over"]"#);
    socket.expect_text(r#"42["message-back","over"]"#);
    socket.send(r#"451-["message",{"_placeholder":true,"num":0}]"#);
    socket.send_binary(&[4, 5]);
    socket.expect_text(r#"451-["message-back",{"_placeholder":true,"num":0}]"#);
    socket.expect_binary(&[4, 5]);
}

#[test]
fn large_messages_cross_the_upgraded_stream() {
    let host = Host::start(&lab::server::<Async>(), App::Lab);
    let (mut socket, _) = socketio::join_main(&host.target);
    let text = "x".repeat(900_000);
    for _ in 0..8 {
        socket.send(&format!(r#"42["message","{text}"]"#));
        socket.expect_text(&format!(r#"42["message-back","{text}"]"#));
    }
}

#[test]
fn every_response_is_that_of_a_standalone_server() {
    let host = Host::start(&suite::server::<Async>(Pace::Patient), App::Suite);
    let own = StandaloneServer::start();
    for request in requests() {
        let hosted = HttpConnection::exchange(&host.target, &request);
        let listened = HttpConnection::exchange(&own.target, &request);
        assert_eq!(essence(&hosted), essence(&listened), "answers to {request:?}");
    }
}

#[test]
fn a_post_that_is_too_large_is_413_mounted_and_standalone() {
    let host = Host::start(&suite::server::<Async>(Pace::Patient), App::Suite);
    let own = StandaloneServer::start();
    let chunk = "x".repeat(250_100);
    let chunks = [chunk.as_str(); 4];
    let answer = |target: &Target| {
        let session = Polling::open(target);
        let announced = HttpConnection::exchange(target, &Request::post_head(session.url(), 1_000_001));
        let chunked = HttpConnection::exchange(target, &Request::post_chunked(session.url(), &chunks));
        (essence(&announced), essence(&chunked))
    };
    let hosted = answer(&host.target);
    assert_eq!((hosted.0.0, hosted.1.0), (413, 413));
    assert_eq!(hosted, answer(&own.target));
}

#[test]
fn aborting_a_parked_poll_closes_the_session_once() {
    let (server, left) = reporting_server();
    let host = Host::start(&server, App::Lab);
    let mut session = socketio::join_main_by_polling(&host.target);
    session.send_get();
    settle(&host.target);
    session.abort_get();
    assert_eq!(
        left.recv_timeout(DEADLINE),
        Ok(Reason::Session(CloseReason::PollLost))
    );
    session.assert_gone();
    server.shutdown(Duration::ZERO).expect("it is served");
    host.end();
    assert_eq!(left.try_iter().count(), 0);
}

#[test]
fn aborting_a_post_closes_the_session() {
    let (server, left) = reporting_server();
    let host = Host::start(&server, App::Lab);
    let mut session = socketio::join_main_by_polling(&host.target);
    let mut post = HttpConnection::open(&host.target);
    post.send(&Request::post_head(session.url(), 100));
    settle(&host.target);
    drop(post);
    assert_eq!(
        left.recv_timeout(DEADLINE),
        Ok(Reason::Session(CloseReason::PostLost))
    );
    session.assert_gone();
}

#[test]
fn shutdown_answers_polls_closes_websockets_and_ends() {
    let (server, left) = reporting_server();
    let host = Host::start(&server, App::Lab);
    let (mut socket, _) = socketio::join_main(&host.target);
    let mut session = socketio::join_main_by_polling(&host.target);
    session.send_get();
    settle(&host.target);
    server.shutdown(DEADLINE).expect("it is served");
    session.get_response().assert_is(200, "1");
    socket.expect_close(Close::Frame(None));
    let late = Request::get("/socket.io/?EIO=4&transport=polling");
    assert_eq!(HttpConnection::exchange(&host.target, &late).status, 503);
    HttpConnection::exchange(&host.target, &Request::get("/hello")).assert_is(200, "hello");
    drop((socket, session));
    host.end();
    let reasons: Vec<_> = left.try_iter().collect();
    assert_eq!(reasons, [Reason::Session(CloseReason::ServerShuttingDown); 2]);
}

#[test]
fn the_second_of_two_posts_cuts_the_first() {
    let host = Host::start(&lab::server::<Async>(), App::Lab);
    let mut session = Polling::open(&host.target);
    let mut first = HttpConnection::open(&host.target);
    first.send(&Request::post_head(session.url(), 100));
    settle(&host.target);
    assert_eq!(session.post("3").status, 400);
    assert_eq!(
        first.try_response().map(|response| response.status),
        Err(Ended::Closed)
    );
    session.assert_gone();
}

#[test]
fn a_server_that_is_not_hosted_says_so() {
    let outcome = run(handle(&lab::server::<Async>(), "GET", "", pending()));
    assert_eq!(outcome.unwrap_err(), HostedError::NotServing);
}

#[test]
fn a_server_that_has_ended_says_so_to_old_and_new_requests() {
    run(async {
        let server = lab::server::<Async>();
        let hosted = tokio::spawn(socketio_tokio::host(&server).expect("nobody serves it yet"));
        let session = sid(&server).await;
        let query = format!("&sid={session}");
        let (wanted, is_wanted) = oneshot::channel();
        let body = async move {
            wanted.send(()).expect("the test waits for it");
            pending().await
        };
        let post = tokio::spawn(handle(&server, "POST", &query, body));
        is_wanted.await.expect("the body is wanted");
        server.shutdown(Duration::ZERO).expect("it is served");
        hosted.await.expect("the server's task does not panic");
        assert_eq!(
            post.await.expect("no panic").unwrap_err(),
            HostedError::NotServing
        );
        let late = handle(&server, "GET", "", pending()).await;
        assert_eq!(late.unwrap_err(), HostedError::NotServing);
    });
}

#[test]
fn dropping_an_upgrade_that_was_not_run_frees_its_session_for_another() {
    run(async {
        let server = lab::server::<Async>();
        let _hosted = socketio_tokio::host(&server).expect("nobody serves it yet");
        let session = sid(&server).await;
        for _ in 0..3 {
            let reply = probe(&server, &session).await.expect("the probe is answered");
            assert!(matches!(reply, HostedReply::Upgrade { .. }));
        }
    });
}

/// Runs a future to its end, within the deadline.
fn run<F: Future>(future: F) -> F::Output {
    let runtime = Runtime::new().expect("a runtime starts");
    runtime.block_on(async {
        tokio::time::timeout(DEADLINE, future)
            .await
            .expect("it ends within the deadline")
    })
}

fn handle(
    server: &Server,
    method: &str,
    query: &str,
    body: impl Future<Output = Result<Bytes, BodyFailure>> + Send + 'static,
) -> impl Future<Output = Result<HostedReply, HostedError>> + Send + 'static {
    let target = format!("/socket.io/?EIO=4&transport=polling{query}");
    let head = RequestHead::from_parts(method, &target, []).expect("the head is sound");
    server.handle(head, Peer::default(), |_| body)
}

async fn probe(server: &Server, session: &str) -> Result<HostedReply, HostedError> {
    let target = format!("/socket.io/?EIO=4&transport=websocket&sid={session}");
    let headers: [(&str, &[u8]); 4] = [
        ("connection", b"upgrade"),
        ("upgrade", b"websocket"),
        ("sec-websocket-version", b"13"),
        ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let head = RequestHead::from_parts("GET", &target, headers).expect("the head is sound");
    server
        .handle(head, Peer::default(), |_| pending::<Result<Bytes, BodyFailure>>())
        .await
}

/// Opens a polling session; its id.
async fn sid(server: &Server) -> String {
    let Ok(HostedReply::Response(response)) = handle(server, "GET", "", pending()).await else {
        panic!("the handshake is answered");
    };
    let socketio_tokio::http::Body::Bytes(body) = response.body() else {
        panic!("the handshake has a body");
    };
    let handshake: serde_json::Value = serde_json::from_slice(&body[1..]).expect("the handshake is JSON");
    handshake["sid"]
        .as_str()
        .expect("the handshake has a sid")
        .to_owned()
}

/// A server that records why its sockets disconnected.
fn reporting_server() -> (Server, Receiver<Reason>) {
    let (sender, left) = channel();
    let server = Server::builder()
        .on_disconnect(move |_: Socket, reason: Reason| {
            // A test that has ended has dropped the receiver.
            let _ = sender.send(reason);
        })
        .build();
    (server, left)
}

/// The suite on a listener of its own.
struct StandaloneServer {
    target: Target,
    _runtime: Runtime,
}

impl StandaloneServer {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        runtime.spawn(socketio_tokio::serve(
            listener,
            suite::server::<Async>(Pace::Patient),
        ));
        Self {
            target: Target {
                address,
                app: App::Suite,
            },
            _runtime: runtime,
        }
    }
}

/// Requests that are refused for different reasons, and preflights.
fn requests() -> Vec<Request> {
    let path = "/socket.io/";
    let origin = |request: Request| request.header("Origin", "https://example.com");
    let upgrade = |query: &str| Request::upgrade(format!("{path}{query}"));
    vec![
        origin(Request::get(path)),
        origin(Request::get(format!("{path}?EIO=3&transport=polling"))),
        origin(Request::get(format!("{path}?EIO=4&transport=carrier-pigeon"))),
        origin(Request::get(format!(
            "{path}?EIO=4&transport=polling&sid=unknown"
        ))),
        origin(Request::post(format!("{path}?EIO=4&transport=polling"), "3")),
        origin(Request::new("PUT", format!("{path}?EIO=4&transport=polling"))),
        Request::get(format!("{path}?EIO=4&transport=websocket")),
        origin(Request::new("OPTIONS", path))
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "x-token"),
        upgrade("?EIO=4&transport=websocket&sid=unknown"),
        upgrade("?EIO=3&transport=websocket"),
        upgrade("?EIO=4&transport=websocket").replace("Sec-WebSocket-Version", "12"),
        upgrade("?EIO=4&transport=websocket").replace("Sec-WebSocket-Key", "short"),
        Request::get("/elsewhere"),
        Request::post("/elsewhere", "a body"),
    ]
}

/// What matters to a client: status, body, and the headers but those that belong to the connection and the host.
fn essence(response: &Response) -> (u16, String, BTreeSet<(String, String)>) {
    const FRAMING: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];
    let headers = response.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    (
        response.status,
        response.text().to_owned(),
        headers
            .filter(|(name, _)| !FRAMING.contains(&name.as_str()))
            .collect(),
    )
}
