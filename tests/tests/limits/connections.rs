//! How many connections and sessions there may be.

use socketio_core::eio::Config as EngineConfig;
use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::{DEADLINE, HttpConnection, Request, settle, wait_until};
use socketio_tests::testbed::{App, Target};
use socketio_tokio::RefusalContext as Context;
use socketio_tokio::bare::EngineServer;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::support::{LimitedServer, POLLING};

crate::on_every_runtime!(
    one_connection_too_many_is_503,
    one_connection_too_many_from_an_address_is_429,
    far_too_many_connections_are_closed_at_once,
    of_too_many_half_open_connections_the_oldest_ends,
    silent_connections_that_made_room_for_others_do_not_count_any_more,
    one_session_too_many_is_503,
);

/// Whether a new client gets a session now.
fn can_open_session(server: &LimitedServer) -> bool {
    let mut connection = server.connect();
    connection.offer_bytes(&Request::get(POLLING).render());
    connection
        .try_response()
        .is_ok_and(|response| response.status == 200)
}

fn one_connection_too_many_is_503(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.connections = 1);
    let (first, response) = server.handshake();
    assert_eq!(response.status, 200);
    let (mut second, response) = server.handshake();
    assert_eq!(
        (response.status, response.header("connection")),
        (503, Some("close"))
    );
    second.expect_end();
    assert_eq!(server.refused(), Context::TooManyConnections);
    server.assert_no_other_refusal();
    drop(first);
}

fn one_connection_too_many_from_an_address_is_429(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.connections_per_address = 1);
    let (first, response) = server.handshake();
    assert_eq!(response.status, 200);
    let (mut second, response) = server.handshake();
    assert_eq!(
        (response.status, response.header("connection")),
        (429, Some("close"))
    );
    second.expect_end();
    assert_eq!(server.refused(), Context::TooManyFromAddress);
    drop((first, second));
    // There is room again as soon as the server notices that they are closed.
    wait_until("there is room again", || can_open_session(&server));
}

fn far_too_many_connections_are_closed_at_once(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.connections = 2);
    let mut silent = [(); 6].map(|()| server.connect());
    // One is accepted to get a response; the others are closed unread.
    for connection in silent.iter_mut().skip(3) {
        let _ = connection.rest();
        assert_eq!(server.refused(), Context::TooManyConnections);
    }
    server.assert_no_other_refusal();
}

fn of_too_many_half_open_connections_the_oldest_ends(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.half_open = 2);
    let mut slow = server.connect();
    slow.send_bytes(b"GET / HTTP/1.1\r\nHost: slow\r\n");
    settle(&server.target);
    let silent = [server.connect(), server.connect()];
    assert_eq!(slow.response().status, 408);
    slow.expect_end();
    assert_eq!(server.refused(), Context::UnknownSession);
    assert_eq!(server.refused(), Context::TooManyHalfOpen);
    assert_eq!(server.handshake().1.status, 200);
    drop(silent);
}

fn silent_connections_that_made_room_for_others_do_not_count_any_more(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| {
        limits.half_open = 2;
        limits.connections = 4;
    });
    let flood: Vec<_> = (0..20).map(|_| server.connect()).collect();
    wait_until("they are gone", || can_open_session(&server));
    drop(flood);
}

fn one_session_too_many_is_503(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.sessions = 1);
    assert_eq!(server.handshake().1.status, 200);
    assert_eq!(server.handshake().1.status, 503);
    assert_eq!(server.refused(), Context::TooManySessions);
}

#[test]
fn a_panic_of_the_hook_is_caught() {
    let server = LimitedServer::with(
        TestRuntime::MultiThread,
        |_| {},
        |builder| builder.on_refused(|_| panic!("a hook that panics")),
    );
    for _ in 0..3 {
        let response = HttpConnection::exchange(&server.target, &Request::get("/socket.io/?EIO=3"));
        assert_eq!(response.status, 400);
    }
    assert_eq!(server.handshake().1.status, 200);
}

#[test]
fn a_bare_engine_reports_too() {
    let (sender, contexts) = std::sync::mpsc::channel();
    let mut config = EngineConfig::default();
    config.limits.sessions = 0;
    let server = EngineServer::builder()
        .config(config)
        .on_refused(move |refused| {
            let _ = sender.send(refused.context);
        })
        .build();
    let runtime = Runtime::new().expect("a runtime starts");
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("a port is free");
    let target = Target {
        address: listener.local_addr().expect("it is bound"),
        app: App::Engine,
    };
    runtime.spawn(socketio_tokio::serve_engine(listener, server));
    let request = Request::get(POLLING.replace("socket.io", "engine.io"));
    assert_eq!(HttpConnection::exchange(&target, &request).status, 503);
    let context = contexts.recv_timeout(DEADLINE);
    assert_eq!(context, Ok(Context::TooManySessions));
}
