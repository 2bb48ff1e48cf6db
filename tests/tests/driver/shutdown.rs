//! How serving ends.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::socketio::join_main_by_polling;
use socketio_tests::kit::{Close, Frame, HttpConnection, RawWebSocket, settle, wait_until};
use socketio_tests::latch::Latch;
use socketio_tokio::{Error, Limits, Reason, Reply, Server};
use tokio::net::TcpListener;

use crate::support::{Log, TestServer, block_on};

crate::on_every_runtime![
    shutdown_tells_every_client_and_serve_returns,
    shutdown_accepts_no_connections_while_it_waits,
    what_is_queued_is_written_before_the_end,
    serve_returns_in_time_with_a_client_that_never_reads,
    connections_are_cut_at_the_deadline,
    a_connection_that_sends_nothing_does_not_hold_up_the_end,
    handlers_that_wait_go_on_after_shutdown,
    a_server_is_served_once,
    dropping_the_future_of_serve_ends_its_connections,
    shutdown_works_inside_a_handler_and_twice,
    a_grace_that_the_clock_cannot_express_is_a_long_one,
];

const GRACE: Duration = Duration::from_millis(300);
/// What a loaded machine may add to a deadline; less than the 5 s that a connection's last words take.
const MARGIN: Duration = Duration::from_secs(4);

fn noting(log: &Log<String>) -> socketio_tokio::ServerBuilder<socketio_tokio::Async> {
    let left = log.clone();
    Server::builder()
        .on("echo", || Reply(()))
        .on_disconnect(move |reason: Reason| left.push(reason.to_string()))
}

fn shutdown_tells_every_client_and_serve_returns(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(runtime, noting(&log));
    let mut polling = join_main_by_polling(&server.target);
    polling.send_get();
    settle(&server.target);
    let mut websocket = server.join();
    let idle = HttpConnection::open(&server.target);
    server.handle.shutdown(MARGIN).expect("it is served");
    let poll = polling.get_response();
    assert_eq!(
        (poll.status, poll.packets().last().map(String::as_str)),
        (200, Some("1"))
    );
    assert_eq!(websocket.closed(), Close::Frame(None));
    // Clients close their ends; the server waits for them.
    drop((polling, websocket, idle));
    assert!(server.outcome(MARGIN).is_ok());
    assert_eq!(log.wait_for(2), ["server shutting down", "server shutting down"]);
    assert!(
        TcpStream::connect(server.target.address).is_err(),
        "new connections are refused"
    );
}

fn shutdown_accepts_no_connections_while_it_waits(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(runtime, noting(&log));
    let mut client = server.join();
    server.handle.shutdown(MARGIN).expect("it is served");
    client.closed();
    wait_until("connections are refused", || {
        TcpStream::connect(server.target.address).is_err()
    });
    drop(client);
    assert!(server.outcome(MARGIN).is_ok());
}

fn what_is_queued_is_written_before_the_end(runtime: TestRuntime) {
    const MESSAGES: usize = 200;
    let server = TestServer::start(runtime, Server::builder());
    let mut client = server.join();
    let filler = "x".repeat(20_000);
    for number in 0..MESSAGES {
        server.handle.emit("e", &(number, &filler)).expect("it is served");
    }
    server
        .handle
        .shutdown(Duration::from_secs(10))
        .expect("it is served");
    for number in 0..MESSAGES {
        assert!(client.text().starts_with(&format!("42[\"e\",{number},")));
    }
    assert_eq!(client.closed(), Close::Frame(None));
    drop(client);
    assert!(server.outcome(MARGIN).is_ok());
}

fn serve_returns_in_time_with_a_client_that_never_reads(runtime: TestRuntime) {
    let mut limits = Limits::default();
    limits.queued_bytes = 64 * 1024 * 1024;
    let log = Log::new();
    let server = TestServer::start(runtime, noting(&log).limits(limits));
    let mut client = RawWebSocket::open_session(&server.target);
    client.send(&Frame::text("40"));
    assert!(client.message().payload.starts_with(b"40"));
    for _ in 0..1_000 {
        server
            .handle
            .emit("e", &"x".repeat(20_000))
            .expect("it is served");
    }
    let begun = Instant::now();
    server.handle.shutdown(GRACE).expect("it is served");
    assert!(server.outcome(GRACE + MARGIN).is_ok());
    assert!(
        begun.elapsed() >= GRACE,
        "it gives up too early: {:?}",
        begun.elapsed()
    );
    assert_eq!(log.wait_for(1), ["server shutting down"]);
    drop(client);
}

fn connections_are_cut_at_the_deadline(runtime: TestRuntime) {
    let mut limits = Limits::default();
    limits.queued_bytes = 64 * 1024 * 1024;
    let server = TestServer::start(runtime, Server::builder().limits(limits));
    let mut client = RawWebSocket::open_session(&server.target);
    client.send(&Frame::text("40"));
    assert!(client.message().payload.starts_with(b"40"));
    for _ in 0..1_000 {
        server
            .handle
            .emit("e", &"x".repeat(20_000))
            .expect("it is served");
    }
    server.handle.shutdown(GRACE).expect("it is served");
    assert!(server.outcome(GRACE + MARGIN).is_ok());
    thread::sleep(Duration::from_millis(500));
    // What the kernels hold may still come, all that was queued may not.
    let rest = client.connection.rest();
    assert!(
        rest.len() < 1_000 * 20_000,
        "the server wrote on after the deadline"
    );
}

fn a_connection_that_sends_nothing_does_not_hold_up_the_end(runtime: TestRuntime) {
    let server = TestServer::start(runtime, Server::builder());
    let mut idle = HttpConnection::open(&server.target);
    let mut begun = HttpConnection::open(&server.target);
    begun.send_bytes(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n");
    settle(&server.target);
    server
        .handle
        .shutdown(Duration::from_secs(5))
        .expect("it is served");
    idle.expect_end();
    begun.rest();
    drop((idle, begun));
    assert!(server.outcome(MARGIN).is_ok());
}

fn handlers_that_wait_go_on_after_shutdown(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let (noted, waited_at) = (log.clone(), latch.clone());
    let server = TestServer::start(
        runtime,
        Server::builder().on("e", move || {
            let (log, latch) = (noted.clone(), waited_at.clone());
            async move {
                log.push("started");
                latch.wait().await;
                log.push("ended");
            }
        }),
    );
    let mut client = server.join();
    client.send("42[\"e\"]");
    log.wait_for(1);
    server.handle.shutdown(GRACE).expect("it is served");
    drop(client);
    assert!(server.outcome(GRACE + MARGIN).is_ok());
    latch.open();
    assert_eq!(log.wait_for(2), ["started", "ended"]);
}

fn a_server_is_served_once(runtime: TestRuntime) {
    let server = TestServer::start(runtime, Server::builder().on("echo", || Reply(())));
    let again = || {
        let server = server.handle.clone();
        block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            socketio_tokio::serve(listener, server).await
        })
    };
    let refused = again().expect_err("it is served already");
    assert_eq!(refused.to_string(), Error::AlreadyServing.to_string());
    // The first is not disturbed.
    let mut client = server.join();
    client.send("421[\"echo\"]");
    client.expect_text("431[]");
    drop(client);
    server.handle.shutdown(GRACE).expect("it is served");
    assert!(server.outcome(GRACE + MARGIN).is_ok());
    assert_eq!(
        again().expect_err("it was served").to_string(),
        Error::AlreadyServing.to_string()
    );
}

fn dropping_the_future_of_serve_ends_its_connections(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(runtime, noting(&log));
    let mut websocket = server.join();
    let mut idle = HttpConnection::open(&server.target);
    let mut polling = join_main_by_polling(&server.target);
    polling.send_get();
    settle(&server.target);
    server.abort();
    websocket.closed();
    idle.expect_end();
    wait_until("connections are refused", || {
        TcpStream::connect(server.target.address).is_err()
    });
    assert_eq!(log.wait_for(2), ["server shutting down", "server shutting down"]);
    assert_eq!(
        server
            .handle
            .sockets()
            .map(|sockets| sockets.len())
            .unwrap_or_default(),
        0
    );
}

fn shutdown_works_inside_a_handler_and_twice(runtime: TestRuntime) {
    let server = TestServer::start(
        runtime,
        Server::builder().on("stop", |socket: socketio_tokio::Socket| {
            socket.server().shutdown(Duration::from_secs(2))
        }),
    );
    let mut client = server.join();
    client.send("42[\"stop\"]");
    client.send("42[\"stop\"]");
    assert_eq!(client.closed(), Close::Frame(None));
    drop(client);
    assert!(server.outcome(MARGIN).is_ok());
    let _ = server.handle.shutdown(GRACE);
}

fn a_grace_that_the_clock_cannot_express_is_a_long_one(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(runtime, noting(&log));
    let mut client = server.join();
    assert_eq!(server.handle.shutdown(Duration::MAX), Ok(()));
    assert_eq!(client.closed(), Close::Frame(None));
    drop(client);
    assert!(server.outcome(MARGIN).is_ok());
    assert_eq!(log.wait_for(1), ["server shutting down"]);
}
