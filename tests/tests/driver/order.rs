//! A client's events start in the order in which they were sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::{Frame, HttpConnection, RawWebSocket, Request, WebSocketClient, wait_until};
use socketio_tests::latch::Latch;
use socketio_tokio::{Arg, Limits, Reason, Reply, Server};

use crate::support::{Log, TestServer};

crate::on_every_runtime![
    on_disconnect_runs_once_and_after_every_earlier_event_has_started,
    events_that_came_before_the_end_of_a_held_connection_still_start,
    pipelined_events_for_a_sync_handler_start_in_order,
    pipelined_events_for_an_async_handler_start_in_order,
    pipelined_events_for_both_kinds_of_handlers_start_in_order,
    no_event_starts_before_on_connect_has_finished,
    a_client_that_leaves_while_on_connect_waits_gets_one_on_disconnect,
    serial_handlers_of_one_client_run_one_at_a_time,
    a_polling_session_on_several_connections_keeps_the_order,
];

const ENTRY_TIMEOUT: Duration = Duration::from_secs(20);

/// Joins `/` on a WebSocket whose frames the test writes itself.
fn join_raw(server: &TestServer) -> RawWebSocket {
    let mut client = RawWebSocket::open_session(&server.target);
    client.send(&Frame::text("40"));
    assert!(client.message().payload.starts_with(b"40"));
    client
}

/// The frames of numbered events, whose names `name` chooses.
fn events(count: u32, name: impl Fn(u32) -> &'static str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..count {
        bytes.extend(Frame::text(&format!("42[\"{}\",{number}]", name(number))).encode());
    }
    bytes
}

#[track_caller]
fn assert_in_order(log: &[u32], count: u32) {
    let inversions = log.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    assert_eq!((log.len(), inversions), (count as usize, 0));
}

fn pipelined(runtime: TestRuntime, count: u32, name: impl Fn(u32) -> &'static str) {
    let log = Log::new();
    let (now, later) = (log.clone(), log.clone());
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on("sync", move |Arg(number): Arg<u32>| now.push(number))
            .on("async", move |Arg(number): Arg<u32>| {
                let log = later.clone();
                async move {
                    log.push(number);
                    match number {
                        _ if number % 1_001 == 0 => drop(smol::Timer::after(Duration::from_millis(1)).await),
                        _ if number % 7 == 0 => tokio::task::yield_now().await,
                        _ => {}
                    }
                }
            }),
    );
    let mut client = join_raw(&server);
    let bytes = events(count, name);
    for part in bytes.chunks(30_011) {
        client.connection.send_bytes(part);
    }
    assert_in_order(&log.wait_long(count as usize, ENTRY_TIMEOUT), count);
}

fn pipelined_events_for_a_sync_handler_start_in_order(runtime: TestRuntime) {
    pipelined(runtime, 200_000, |_| "sync");
}

fn pipelined_events_for_an_async_handler_start_in_order(runtime: TestRuntime) {
    pipelined(runtime, 200_000, |_| "async");
}

fn pipelined_events_for_both_kinds_of_handlers_start_in_order(runtime: TestRuntime) {
    pipelined(
        runtime,
        50_000,
        |number| if number % 3 == 0 { "async" } else { "sync" },
    );
}

fn no_event_starts_before_on_connect_has_finished(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let (connect, sync, later) = (log.clone(), log.clone(), log.clone());
    let at_connect = latch.clone();
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on_connect(move || {
                let (log, latch) = (connect.clone(), at_connect.clone());
                async move {
                    log.push("connecting".to_owned());
                    latch.wait().await;
                    log.push("connected".to_owned());
                }
            })
            .on("sync", move |Arg(number): Arg<u32>| {
                sync.push(format!("event {number}"))
            })
            .on("async", move |Arg(number): Arg<u32>| {
                let log = later.clone();
                async move { log.push(format!("event {number}")) }
            })
            .namespace("/other", |other| other.on("seen", || Reply(()))),
    );
    let mut client = server.join();
    for number in 0..40 {
        let name = if number % 2 == 0 { "sync" } else { "async" };
        client.send(&format!("42[\"{name}\",{number}]"));
    }
    // The answer of another namespace shows that the server has read the events before.
    client.send("40/other,");
    assert!(client.text().starts_with("40/other,"));
    client.send("42/other,1[\"seen\"]");
    client.expect_text("43/other,1[]");
    assert_eq!(log.entries(), ["connecting"]);
    latch.open();
    let mut expected = vec!["connecting".to_owned(), "connected".to_owned()];
    expected.extend((0..40).map(|number| format!("event {number}")));
    assert_eq!(log.wait_for(expected.len()), expected);
}

/// How a client disconnects.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    Packet,
    CloseFrame,
    Vanishing,
}

fn leave(mut client: WebSocketClient, leaving: Leaving) {
    match leaving {
        Leaving::Packet => client.send("41"),
        Leaving::CloseFrame => client.close(),
        Leaving::Vanishing => {}
    }
}

fn on_disconnect_runs_once_and_after_every_earlier_event_has_started(runtime: TestRuntime) {
    leaving_after(runtime, 500, Limits::default().handlers_in_flight + 1_000);
}

fn events_that_came_before_the_end_of_a_held_connection_still_start(runtime: TestRuntime) {
    leaving_after(runtime, 500, 2);
}

/// Disconnects clients in every way right after `events`, with a limit of handlers in flight.
fn leaving_after(runtime: TestRuntime, events: u32, handlers_in_flight: usize) {
    let mut limits = Limits::default();
    limits.handlers_in_flight = handlers_in_flight;
    for leaving in [Leaving::Packet, Leaving::CloseFrame, Leaving::Vanishing] {
        let log = Log::new();
        let (later, gone) = (log.clone(), log.clone());
        let server = TestServer::start(
            runtime,
            Server::builder()
                .limits(limits.clone())
                .on("e", move |Arg(number): Arg<u32>| {
                    let log = later.clone();
                    async move {
                        log.push(number.to_string());
                        tokio::task::yield_now().await;
                    }
                })
                .on_disconnect(move |reason: Reason| gone.push(reason.to_string())),
        );
        let mut client = server.join();
        for number in 0..events {
            client.send(&format!("42[\"e\",{number}]"));
        }
        leave(client, leaving);
        let seen = log.wait_for(events as usize + 1);
        let expected: Vec<_> = (0..events).map(|number| number.to_string()).collect();
        assert_eq!(seen[..events as usize], expected, "{leaving:?}");
        thread::sleep(Duration::from_millis(20));
        assert_eq!(
            log.len(),
            seen.len(),
            "{leaving:?}: {:?}",
            &log.entries()[seen.len()..]
        );
    }
}

fn a_client_that_leaves_while_on_connect_waits_gets_one_on_disconnect(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let (connect, event, gone, at_connect) = (log.clone(), log.clone(), log.clone(), latch.clone());
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on_connect(move || {
                let (log, latch) = (connect.clone(), at_connect.clone());
                async move {
                    latch.wait().await;
                    log.push("connected");
                }
            })
            .on("e", move || event.push("event"))
            .on_disconnect(move || gone.push("disconnected")),
    );
    let mut client = server.join();
    client.send("42[\"e\"]");
    drop(client);
    wait_until("the client is gone", || {
        server
            .handle
            .sockets()
            .is_ok_and(|sockets| sockets.iter().all(|socket| !socket.connected()))
    });
    assert!(log.entries().is_empty());
    latch.open();
    assert_eq!(log.wait_for(3), ["connected", "event", "disconnected"]);
    thread::sleep(Duration::from_millis(20));
    assert_eq!(log.len(), 3);
}

fn serial_handlers_of_one_client_run_one_at_a_time(runtime: TestRuntime) {
    const EVENTS: u32 = 1_000;
    let log = Log::new();
    let running = Arc::new(AtomicUsize::new(0));
    let (later, gone, at_end) = (log.clone(), log.clone(), running.clone());
    let server = TestServer::start(
        runtime,
        Server::builder()
            .serial()
            .on("e", move |Arg(number): Arg<u32>| {
                let (log, running) = (later.clone(), running.clone());
                async move {
                    let others = running.fetch_add(1, Ordering::SeqCst);
                    if number % 3 == 0 {
                        tokio::task::yield_now().await;
                    }
                    if number % 101 == 0 {
                        smol::Timer::after(Duration::from_millis(1)).await;
                    }
                    log.push((number, others));
                    running.fetch_sub(1, Ordering::SeqCst);
                }
            })
            .on_disconnect(move || gone.push((EVENTS, at_end.load(Ordering::SeqCst)))),
    );
    let mut client = join_raw(&server);
    client.connection.send_bytes(&events(EVENTS, |_| "e"));
    client.send(&Frame::text("41"));
    let expected: Vec<_> = (0..=EVENTS).map(|number| (number, 0)).collect();
    assert_eq!(log.wait_for(expected.len()), expected);
}

fn a_polling_session_on_several_connections_keeps_the_order(runtime: TestRuntime) {
    const POSTS: u32 = 400;
    const PACKETS: u32 = 5;
    let log = Log::new();
    let later = log.clone();
    let server = TestServer::start(
        runtime,
        Server::builder().on("e", move |Arg(number): Arg<u32>| {
            let log = later.clone();
            async move {
                log.push(number);
                if number % 5 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }),
    );
    let session = socketio_tests::kit::socketio::join_main_by_polling(&server.target);
    let mut connections: Vec<_> = (0..5).map(|_| HttpConnection::open(&server.target)).collect();
    for post in 0..POSTS {
        let packets: Vec<_> = (0..PACKETS)
            .map(|packet| format!("42[\"e\",{}]", post * PACKETS + packet))
            .collect();
        let place = post as usize % connections.len();
        connections[place].send(&Request::post(session.url(), packets.join("\x1e")));
        connections[place].response().assert_is(200, "ok");
    }
    assert_in_order(&log.wait_for((POSTS * PACKETS) as usize), POSTS * PACKETS);
}
