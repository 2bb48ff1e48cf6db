//! Clients that are too fast for their handlers, and clients that do not read.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::{Frame, Incoming, RawWebSocket, wait_until};
use socketio_tests::latch::Latch;
use socketio_tokio::{Arg, Limits, Reason, Reply, Server, Socket};

use crate::support::{Log, TestServer};

crate::on_every_runtime![
    a_client_whose_handlers_are_stuck_is_not_read_while_others_are_served,
    the_end_of_a_connection_is_noticed_while_its_handlers_are_stuck,
    a_server_with_stuck_handlers_can_be_shut_down,
    two_namespaces_of_one_client_are_held_together_and_go_on,
    calls_are_answered_while_as_many_handlers_wait_as_may,
    a_client_that_answers_pings_stays_while_its_handlers_are_stuck,
    a_client_is_read_again_as_soon_as_one_stuck_handler_ends,
    a_slow_client_is_closed_and_the_others_get_everything,
    volatile_packets_are_dropped_for_a_slow_client_which_stays,
    on_disconnect_runs_when_it_arrives_with_the_event_that_uses_the_last_place,
    a_client_that_closes_while_its_handlers_are_stuck_does_not_block_others,
    a_client_that_reads_slowly_reads_everything_before_its_connection_ends,
    a_client_that_asks_for_more_than_it_reads_waits_like_any_writer,
];

/// The default of `Limits::handlers_in_flight`.
const IN_FLIGHT: usize = 64;
/// A connection hands over at most this many items before it looks at the limit.
const BATCH: usize = 32;

/// A server with a handler that waits at the latch and one that answers.
fn server_with_stuck_handlers(runtime: TestRuntime, log: &Log<u32>, latch: &Latch) -> TestServer {
    let (noted, left, waited_at) = (log.clone(), log.clone(), latch.clone());
    TestServer::start(
        runtime,
        Server::builder()
            .on("stuck", move |Arg((number, _)): Arg<(u32, String)>| {
                let (log, latch) = (noted.clone(), waited_at.clone());
                async move {
                    log.push(number);
                    latch.wait().await;
                }
            })
            .on("echo", |Arg(number): Arg<u32>| Reply(number))
            .on_disconnect(move || left.push(u32::MAX)),
    )
}

fn join_raw(server: &TestServer) -> RawWebSocket {
    let mut client = RawWebSocket::open_session(&server.target);
    client.send(&Frame::text("40"));
    assert!(client.message().payload.starts_with(b"40"));
    client
}

fn stuck_frame(number: usize, filler: &str) -> Vec<u8> {
    Frame::text(&format!("42[\"stuck\",[{number},\"{filler}\"]]")).encode()
}

fn a_client_whose_handlers_are_stuck_is_not_read_while_others_are_served(runtime: TestRuntime) {
    const EVENTS: usize = 8_000;
    let (log, latch) = (Log::new(), Latch::closed());
    let server = server_with_stuck_handlers(runtime, &log, &latch);
    let mut other = server.join();
    let mut client = join_raw(&server);
    let (finished, all_written) = channel();
    let writer = thread::spawn(move || {
        let filler = "x".repeat(2_000);
        for number in 0..EVENTS {
            client.connection.send_bytes(&stuck_frame(number, &filler));
        }
        let _ = finished.send(());
        client
    });
    log.wait_for(IN_FLIGHT);
    assert_eq!(
        all_written.recv_timeout(Duration::from_millis(700)),
        Err(RecvTimeoutError::Timeout),
        "the server reads on"
    );
    for number in 0..100 {
        other.send(&format!("421[\"echo\",{number}]"));
        other.expect_text(&format!("431[{number}]"));
    }
    let started = log.len();
    assert!(
        (IN_FLIGHT..IN_FLIGHT + BATCH).contains(&started),
        "{started} handlers have started"
    );
    latch.open();
    let expected: Vec<_> = (0..EVENTS as u32).collect();
    assert_eq!(log.wait_for(EVENTS), expected);
    drop(writer.join().expect("it writes"));
    assert_eq!(log.wait_for(EVENTS + 1)[EVENTS], u32::MAX);
}

fn the_end_of_a_connection_is_noticed_while_its_handlers_are_stuck(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let server = server_with_stuck_handlers(runtime, &log, &latch);
    let mut client = join_raw(&server);
    for number in 0..IN_FLIGHT + BATCH + 10 {
        client.connection.send_bytes(&stuck_frame(number, ""));
    }
    log.wait_for(IN_FLIGHT);
    assert_eq!(server.handle.sockets().expect("it is served").len(), 1);
    drop(client);
    wait_until("the client is gone", || {
        server.handle.sockets().is_ok_and(|sockets| sockets.is_empty())
    });
    wait_until("on_disconnect has run", || {
        log.entries().last() == Some(&u32::MAX)
    });
}

fn a_server_with_stuck_handlers_can_be_shut_down(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let server = server_with_stuck_handlers(runtime, &log, &latch);
    let mut client = join_raw(&server);
    // More than is read ahead, less than the kernel takes.
    for number in 0..200 {
        client
            .connection
            .send_bytes(&stuck_frame(number, &"x".repeat(1_000)));
    }
    log.wait_for(IN_FLIGHT);
    server
        .handle
        .shutdown(Duration::from_secs(2))
        .expect("it is served");
    assert_eq!(client.message().first, 0x88, "a close frame");
    drop(client);
    assert!(server.outcome(Duration::from_secs(5)).is_ok());
    wait_until("on_disconnect has run", || log.entries().contains(&u32::MAX));
}

fn two_namespaces_of_one_client_are_held_together_and_go_on(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let (noted, waited_at) = (log.clone(), latch.clone());
    let handler = move |Arg(number): Arg<u32>| {
        let (log, latch) = (noted.clone(), waited_at.clone());
        async move {
            log.push(number);
            latch.wait().await;
        }
    };
    let (main, other) = (handler.clone(), handler);
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on("e", main)
            .namespace("/other", |namespace| namespace.on("e", other)),
    );
    let mut client = server.join();
    client.send("40/other,");
    assert!(client.text().starts_with("40/other,"));
    for number in 0..500 {
        client.send(&format!("42[\"e\",{number}]"));
        client.send(&format!("42/other,[\"e\",{number}]"));
    }
    log.wait_for(IN_FLIGHT);
    latch.open();
    assert_eq!(log.wait_for(1_000).len(), 1_000);
}

fn calls_are_answered_while_as_many_handlers_wait_as_may(runtime: TestRuntime) {
    let log = Log::new();
    let noted = log.clone();
    let server = TestServer::start(
        runtime,
        Server::builder().on("ask", move |socket: Socket, Arg(number): Arg<u32>| {
            let log = noted.clone();
            async move {
                let answer = socket
                    .call::<u32>("question", &number)
                    .timeout(Duration::from_secs(2));
                log.push(answer.await);
            }
        }),
    );
    let mut client = server.join();
    for number in 0..IN_FLIGHT {
        client.send(&format!("42[\"ask\",{number}]"));
    }
    let questions: Vec<_> = (0..IN_FLIGHT).map(|_| client.text()).collect();
    for question in questions {
        let (id, _) = question.split_once('[').expect("a question");
        client.send(&format!("43{}[7]", &id[2..]));
    }
    assert_eq!(log.wait_for(IN_FLIGHT), vec![Ok(7); IN_FLIGHT]);
}

fn a_client_that_answers_pings_stays_while_its_handlers_are_stuck(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let (noted, waited_at, left) = (log.clone(), latch, log.clone());
    let server = TestServer::start(
        runtime,
        Server::builder()
            .ping_interval(Duration::from_millis(100))
            .ping_timeout(Duration::from_secs(10))
            .on("stuck", move || {
                let (log, latch) = (noted.clone(), waited_at.clone());
                async move {
                    log.push("started".to_owned());
                    latch.wait().await;
                }
            })
            .on_disconnect(move |reason: Reason| left.push(reason.to_string())),
    );
    let mut client = server.join();
    for _ in 0..IN_FLIGHT {
        client.send("42[\"stuck\"]");
    }
    for _ in 0..5 {
        assert_eq!(client.next_raw(), Incoming::Text("2".to_owned()));
        client.send("3");
    }
    assert_eq!(log.entries(), vec!["started"; IN_FLIGHT]);
}

fn a_client_is_read_again_as_soon_as_one_stuck_handler_ends(runtime: TestRuntime) {
    let mut limits = Limits::default();
    limits.handlers_in_flight = 2;
    let (log, step) = (Log::new(), Latch::closed());
    let (noted, waited_at) = (log.clone(), step.clone());
    let server = TestServer::start(
        runtime,
        Server::builder()
            .limits(limits)
            .on("e", move |Arg(number): Arg<u32>| {
                let (log, latch) = (noted.clone(), waited_at.clone());
                async move {
                    log.push(number);
                    latch.wait().await;
                }
            }),
    );
    let mut client = server.join();
    for number in 0..1_000 {
        client.send(&format!("42[\"e\",{number}]"));
    }
    // Each handler that ends lets others start, until all have.
    for _ in 0..1_000 {
        step.release(1);
    }
    let expected: Vec<u32> = (0..1_000).collect();
    assert_eq!(log.wait_for(1_000), expected);
}

fn a_slow_client_is_closed_and_the_others_get_everything(runtime: TestRuntime) {
    const MESSAGES: usize = 1_000;
    let mut limits = Limits::default();
    limits.queued_bytes = 512 * 1024;
    let log = Log::new();
    let left = log.clone();
    let server = TestServer::start(
        runtime,
        Server::builder()
            .limits(limits)
            .on_disconnect(move |reason: Reason| left.push(reason.to_string())),
    );
    let slow = server.join();
    let mut others = [server.join(), server.join()];
    let filler = "x".repeat(20_000);
    for number in 0..MESSAGES {
        server.handle.emit("e", &(number, &filler)).expect("it is served");
        for other in &mut others {
            assert!(other.text().starts_with(&format!("42[\"e\",{number},")));
        }
    }
    assert_eq!(log.wait_for(1).len(), 1);
    assert_eq!(server.handle.sockets().expect("it is served").len(), 2);
    drop(slow);
}

fn volatile_packets_are_dropped_for_a_slow_client_which_stays(runtime: TestRuntime) {
    const MESSAGES: usize = 2_000;
    let mut limits = Limits::default();
    limits.queued_bytes = 512 * 1024;
    let server = TestServer::start(runtime, Server::builder().limits(limits));
    let mut slow = server.join();
    let socket = server.handle.sockets().expect("it is served").remove(0);
    let filler = "x".repeat(20_000);
    for number in 0..MESSAGES {
        server
            .handle
            .volatile()
            .emit("e", &(number, &filler))
            .expect("it is served");
        socket
            .volatile()
            .emit("e", &(number, &filler))
            .expect("it is served");
    }
    assert!(socket.connected());
    socket.emit("last", &()).expect("it is connected");
    let mut received = Vec::new();
    loop {
        let text = slow.text();
        if text == "42[\"last\"]" {
            break;
        }
        let number: usize = text
            .split(',')
            .nth(1)
            .and_then(|number| number.parse().ok())
            .expect("a number");
        received.push(number);
    }
    assert!(
        (1..2 * MESSAGES).contains(&received.len()),
        "{} came",
        received.len()
    );
    assert!(received.is_sorted());
}

fn on_disconnect_runs_when_it_arrives_with_the_event_that_uses_the_last_place(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let server = server_with_stuck_handlers(runtime, &log, &latch);
    let mut client = join_raw(&server);
    for number in 1..IN_FLIGHT {
        client.connection.send_bytes(&stuck_frame(number, ""));
    }
    log.wait_for(IN_FLIGHT - 1);
    let mut together = stuck_frame(IN_FLIGHT, "");
    together.extend(Frame::text("41").encode());
    client.connection.send_bytes(&together);
    let entries = log.wait_for(IN_FLIGHT + 1);
    assert_eq!(entries[IN_FLIGHT - 1..], [IN_FLIGHT as u32, u32::MAX]);
}

fn a_client_that_closes_while_its_handlers_are_stuck_does_not_block_others(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let server = server_with_stuck_handlers(runtime, &log, &latch);
    let mut others: Vec<_> = (0..4).map(|_| server.join()).collect();
    let mut client = join_raw(&server);
    for number in 0..IN_FLIGHT {
        client.connection.send_bytes(&stuck_frame(number, ""));
    }
    log.wait_for(IN_FLIGHT);
    // More than may be queued, and the end of the WebSocket right behind it.
    let mut together = stuck_frame(IN_FLIGHT, &"x".repeat(300_000));
    together.extend(Frame::new(8, 1000_u16.to_be_bytes()).encode());
    client.connection.send_bytes(&together);
    for number in 0..100 {
        for other in &mut others {
            other.send(&format!("421[\"echo\",{number}]"));
            other.expect_text(&format!("431[{number}]"));
        }
    }
    latch.open();
    let entries = log.wait_for(IN_FLIGHT + 2);
    assert_eq!(entries[IN_FLIGHT..], [IN_FLIGHT as u32, u32::MAX]);
}

fn a_client_that_reads_slowly_reads_everything_before_its_connection_ends(runtime: TestRuntime) {
    const MESSAGES: usize = 40;
    const SIZE: usize = 1024 * 1024;
    let limits = {
        let mut limits = Limits::default();
        limits.queued_bytes = 2 * MESSAGES * SIZE;
        limits
    };
    let server = TestServer::start(
        runtime,
        Server::builder().limits(limits).on("all", |socket: Socket| {
            let filler = "x".repeat(SIZE);
            for _ in 0..MESSAGES {
                socket.emit("part", &filler).expect("there is room");
            }
            socket.disconnect_client().expect("it is served");
        }),
    );
    let mut client = join_raw(&server);
    client.send(&Frame::text("42[\"all\"]"));
    // Longer than flushing may take without a byte being read, and more than the kernel holds.
    for part in 0..MESSAGES / 4 {
        thread::sleep(Duration::from_millis(800));
        let read = client.connection.take(4 * SIZE);
        assert!(
            read.is_ok_and(|read| read.len() == 4 * SIZE),
            "cut off in part {part}"
        );
    }
}

fn a_client_that_asks_for_more_than_it_reads_waits_like_any_writer(runtime: TestRuntime) {
    const REQUESTS: usize = 4_000;
    let answer = "x".repeat(10_000);
    let (sent, failures) = (Log::new(), Log::new());
    let (noted, failed) = (sent.clone(), failures.clone());
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on("request", move |socket: Socket| {
                noted.push(());
                socket.emit("answer", &answer)
            })
            .on_error(move |report| failed.push(report.to_string())),
    );
    let mut client = join_raw(&server);
    let request = Frame::text("42[\"request\"]").encode();
    client.connection.send_bytes(&request.repeat(REQUESTS));
    // All answers together are far more than may be queued for one client, so the server has to stop reading.
    let mut answered = 0;
    while sent.len() > answered || answered == 0 {
        answered = sent.len();
        thread::sleep(Duration::from_millis(200));
    }
    for _ in 0..REQUESTS {
        assert!(client.message().payload.starts_with(b"42[\"answer\""));
    }
    assert_eq!(failures.entries(), Vec::<String>::new());
}
