//! How serving ends.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use socketio_tests::binding::Ground;
use socketio_tests::kit::socketio::join_main_by_polling;
use socketio_tests::kit::{Close, Frame, HttpConnection, RawWebSocket, settle};
use socketio_tokio::{Error, Limits, Reason, Reply, Server};
use tokio::net::TcpListener;

use crate::support::{Door, Log, Served, block_on, eventually};

crate::on_every_ground![
    shutdown_tells_every_client_and_serve_returns,
    shutdown_lets_nobody_new_in_while_it_waits,
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
/// What a loaded machine may add to a deadline.
const MARGIN: Duration = Duration::from_secs(3);

fn noting(log: &Log<String>) -> socketio_tokio::ServerBuilder<socketio_tokio::Async> {
    let left = log.clone();
    Server::builder()
        .on("echo", || Reply(()))
        .on_disconnect(move |reason: Reason| left.push(reason.to_string()))
}

fn shutdown_tells_every_client_and_serve_returns(ground: Ground) {
    let log = Log::new();
    let served = Served::start(ground, noting(&log));
    let mut polling = join_main_by_polling(&served.target);
    polling.send_get();
    settle(&served.target);
    let mut websocket = served.join();
    let idle = HttpConnection::open(&served.target);
    served.server.shutdown(MARGIN).expect("it is served");
    let poll = polling.get_response();
    assert_eq!(
        (poll.status, poll.packets().last().map(String::as_str)),
        (200, Some("1"))
    );
    assert_eq!(websocket.closed(), Close::Frame(None));
    // Clients close their ends; the server waits for them.
    drop((polling, websocket, idle));
    assert!(served.outcome(MARGIN).is_ok());
    assert_eq!(log.wait_for(2), ["server shutting down", "server shutting down"]);
    assert!(
        TcpStream::connect(served.target.address).is_err(),
        "nobody new is let in"
    );
}

fn shutdown_lets_nobody_new_in_while_it_waits(ground: Ground) {
    let log = Log::new();
    let served = Served::start(ground, noting(&log));
    let mut client = served.join();
    served.server.shutdown(MARGIN).expect("it is served");
    client.closed();
    eventually("connections are refused", || {
        TcpStream::connect(served.target.address).is_err()
    });
    drop(client);
    assert!(served.outcome(MARGIN).is_ok());
}

fn what_is_queued_is_written_before_the_end(ground: Ground) {
    const MESSAGES: usize = 200;
    let served = Served::start(ground, Server::builder());
    let mut client = served.join();
    let filler = "x".repeat(20_000);
    for number in 0..MESSAGES {
        served.server.emit("e", &(number, &filler)).expect("it is served");
    }
    served
        .server
        .shutdown(Duration::from_secs(10))
        .expect("it is served");
    for number in 0..MESSAGES {
        assert!(client.text().starts_with(&format!("42[\"e\",{number},")));
    }
    assert_eq!(client.closed(), Close::Frame(None));
    drop(client);
    assert!(served.outcome(MARGIN).is_ok());
}

fn serve_returns_in_time_with_a_client_that_never_reads(ground: Ground) {
    let mut limits = Limits::default();
    limits.queued_bytes = 64 * 1024 * 1024;
    let log = Log::new();
    let served = Served::start(ground, noting(&log).limits(limits));
    let mut client = RawWebSocket::open_session(&served.target);
    client.send(&Frame::text("40"));
    assert!(client.message().payload.starts_with(b"40"));
    for _ in 0..1_000 {
        served
            .server
            .emit("e", &"x".repeat(20_000))
            .expect("it is served");
    }
    let begun = Instant::now();
    served.server.shutdown(GRACE).expect("it is served");
    assert!(served.outcome(GRACE + MARGIN).is_ok());
    assert!(
        begun.elapsed() >= GRACE,
        "it gives up too early: {:?}",
        begun.elapsed()
    );
    assert_eq!(log.wait_for(1), ["server shutting down"]);
    drop(client);
}

fn connections_are_cut_at_the_deadline(ground: Ground) {
    let mut limits = Limits::default();
    limits.queued_bytes = 64 * 1024 * 1024;
    let served = Served::start(ground, Server::builder().limits(limits));
    let mut client = RawWebSocket::open_session(&served.target);
    client.send(&Frame::text("40"));
    assert!(client.message().payload.starts_with(b"40"));
    for _ in 0..1_000 {
        served
            .server
            .emit("e", &"x".repeat(20_000))
            .expect("it is served");
    }
    served.server.shutdown(GRACE).expect("it is served");
    assert!(served.outcome(GRACE + MARGIN).is_ok());
    thread::sleep(Duration::from_millis(500));
    // What the kernels hold may still come, all that was queued may not.
    let rest = client.connection.rest();
    assert!(
        rest.len() < 1_000 * 20_000,
        "the server wrote on after the deadline"
    );
}

fn a_connection_that_sends_nothing_does_not_hold_up_the_end(ground: Ground) {
    let served = Served::start(ground, Server::builder());
    let mut idle = HttpConnection::open(&served.target);
    let mut begun = HttpConnection::open(&served.target);
    begun.send_bytes(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n");
    settle(&served.target);
    served
        .server
        .shutdown(Duration::from_secs(5))
        .expect("it is served");
    idle.expect_end();
    begun.rest();
    drop((idle, begun));
    assert!(served.outcome(MARGIN).is_ok());
}

fn handlers_that_wait_go_on_after_shutdown(ground: Ground) {
    let (log, door) = (Log::new(), Door::closed());
    let (noted, waited_at) = (log.clone(), door.clone());
    let served = Served::start(
        ground,
        Server::builder().on("e", move || {
            let (log, door) = (noted.clone(), waited_at.clone());
            async move {
                log.push("started");
                door.pass().await;
                log.push("ended");
            }
        }),
    );
    let mut client = served.join();
    client.send("42[\"e\"]");
    log.wait_for(1);
    served.server.shutdown(GRACE).expect("it is served");
    drop(client);
    assert!(served.outcome(GRACE + MARGIN).is_ok());
    door.open();
    assert_eq!(log.wait_for(2), ["started", "ended"]);
}

fn a_server_is_served_once(ground: Ground) {
    let served = Served::start(ground, Server::builder().on("echo", || Reply(())));
    let again = || {
        let server = served.server.clone();
        block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            socketio_tokio::serve(listener, server).await
        })
    };
    let refused = again().expect_err("it is served already");
    assert_eq!(refused.to_string(), Error::AlreadyServing.to_string());
    // The first is not disturbed.
    let mut client = served.join();
    client.send("421[\"echo\"]");
    client.expect_text("431[]");
    drop(client);
    served.server.shutdown(GRACE).expect("it is served");
    assert!(served.outcome(GRACE + MARGIN).is_ok());
    assert_eq!(
        again().expect_err("it was served").to_string(),
        Error::AlreadyServing.to_string()
    );
}

fn dropping_the_future_of_serve_ends_its_connections(ground: Ground) {
    let log = Log::new();
    let served = Served::start(ground, noting(&log));
    let mut websocket = served.join();
    let mut idle = HttpConnection::open(&served.target);
    let mut polling = join_main_by_polling(&served.target);
    polling.send_get();
    settle(&served.target);
    served.abort();
    websocket.closed();
    idle.expect_end();
    eventually("connections are refused", || {
        TcpStream::connect(served.target.address).is_err()
    });
    assert_eq!(log.wait_for(2), ["server shutting down", "server shutting down"]);
    assert_eq!(
        served
            .server
            .sockets()
            .map(|sockets| sockets.len())
            .unwrap_or_default(),
        0
    );
}

fn shutdown_works_inside_a_handler_and_twice(ground: Ground) {
    let served = Served::start(
        ground,
        Server::builder().on("stop", |socket: socketio_tokio::Socket| {
            socket.server().shutdown(Duration::from_secs(2))
        }),
    );
    let mut client = served.join();
    client.send("42[\"stop\"]");
    client.send("42[\"stop\"]");
    assert_eq!(client.closed(), Close::Frame(None));
    drop(client);
    assert!(served.outcome(MARGIN).is_ok());
    let _ = served.server.shutdown(GRACE);
}

fn a_grace_that_the_clock_cannot_express_is_a_long_one(ground: Ground) {
    let log = Log::new();
    let served = Served::start(ground, noting(&log));
    let mut client = served.join();
    assert_eq!(served.server.shutdown(Duration::MAX), Ok(()));
    assert_eq!(client.closed(), Close::Frame(None));
    drop(client);
    assert!(served.outcome(MARGIN).is_ok());
    assert_eq!(log.wait_for(1), ["server shutting down"]);
}
