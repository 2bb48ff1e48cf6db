//! Applications that wait until the other side is ready before they emit, and those that do not.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::socketio::join_by_polling;
use socketio_tests::kit::{DEADLINE, Frame, Polling, RawWebSocket, wait_until};
use socketio_tests::latch::Latch;
use socketio_tokio::client::TransportOrder;
use socketio_tokio::{Args, Client, Error, Limits, Ready, Reason, Server, Socket};

use crate::support::{Log, TestServer, block_on};

crate::on_every_runtime![
    waiting_before_each_emit_sends_any_amount_over_websocket,
    waiting_before_each_emit_sends_any_amount_over_polling,
    emitting_without_waiting_closes_a_client_that_never_reads_and_ends_all_waits,
    all_waits_end_when_the_client_reads,
    waiting_ends_when_the_server_ends,
    a_client_that_waits_before_each_emit_sends_any_amount_over_websocket,
    a_client_that_waits_before_each_emit_sends_any_amount_over_polling,
    waiting_of_a_client_ends_when_it_disconnects,
];

/// One piece of what is sent.
const PIECE: usize = 64 * 1024;
/// How many of them a server sends: 64 MiB.
const PIECES: usize = 1_024;
/// How many of them a client sends, whose server has to read JSON.
const CLIENT_PIECES: usize = 512;
/// More than the kernel buffers for a peer that does not read, in pieces.
const KERNEL: usize = 300;

/// Hardly more than a sender that waits needs.
fn tight_limits() -> Limits {
    let mut limits = Limits::default();
    limits.queued_bytes = limits.ready_bytes + 2 * PIECE;
    limits
}

/// A server that sends all pieces on an event, and counts them.
fn sender(runtime: TestRuntime, count: &Arc<AtomicUsize>, log: &Log<String>) -> TestServer {
    let (count, left, failed) = (Arc::clone(count), log.clone(), log.clone());
    TestServer::start(
        runtime,
        Server::builder()
            .limits(tight_limits())
            .on("all", move |socket: Socket| {
                let (count, failed) = (Arc::clone(&count), failed.clone());
                async move {
                    let filler = "x".repeat(PIECE);
                    for number in 0..PIECES {
                        let sent = match socket.ready().await {
                            Ok(()) => socket.emit("piece", &(number, &filler)),
                            Err(error) => Err(error),
                        };
                        if let Err(error) = sent {
                            return failed.push(error.to_string());
                        }
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                    failed.push("done".to_owned());
                }
            })
            .on_disconnect(move |reason: Reason| left.push(reason.to_string())),
    )
}

fn assert_is_piece(packet: &[u8], number: usize) {
    let expected = format!("42[\"piece\",{number},\"xxx");
    assert!(
        packet.starts_with(expected.as_bytes()),
        "piece {number} is missing"
    );
    assert!(packet.len() > PIECE);
}

/// Waits until the sender does not send any more.
fn assert_stops_sending(count: &AtomicUsize) {
    wait_until("it sends", || count.load(Ordering::SeqCst) > 0);
    let mut before = 0;
    loop {
        thread::sleep(Duration::from_millis(200));
        let now = count.load(Ordering::SeqCst);
        assert!(
            now < KERNEL,
            "{now} pieces were sent to a client that does not read"
        );
        if now == before {
            return;
        }
        before = now;
    }
}

fn join_raw(server: &TestServer) -> RawWebSocket {
    let mut client = RawWebSocket::open_session(&server.target);
    client.send(&Frame::text("40"));
    assert!(client.message().payload.starts_with(b"40"));
    client
}

fn waiting_before_each_emit_sends_any_amount_over_websocket(runtime: TestRuntime) {
    let (count, log) = (Arc::default(), Log::new());
    let server = sender(runtime, &count, &log);
    let mut client = join_raw(&server);
    client.send(&Frame::text("42[\"all\"]"));
    assert_stops_sending(&count);
    for number in 0..PIECES {
        if number % 128 == 0 {
            thread::sleep(Duration::from_millis(20));
        }
        assert_is_piece(&client.message().payload, number);
        let sent = count.load(Ordering::SeqCst);
        assert!(sent < number + KERNEL, "{sent} were sent when {number} were read");
    }
    assert_eq!(log.wait_for(1), ["done"]);
}

fn waiting_before_each_emit_sends_any_amount_over_polling(runtime: TestRuntime) {
    let (count, log) = (Arc::default(), Log::new());
    let server = sender(runtime, &count, &log);
    let mut client = Polling::open(&server.target);
    join_by_polling(&mut client);
    client.deliver("42[\"all\"]");
    assert_stops_sending(&count);
    assert!(count.load(Ordering::SeqCst) <= 5, "nobody polls");
    let mut number = 0;
    while number < PIECES {
        for packet in client.poll() {
            assert_is_piece(packet.as_bytes(), number);
            number += 1;
        }
        if number % 128 < 4 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    assert_eq!(log.wait_for(1), ["done"]);
}

/// Whether it is ready at once.
fn is_ready(ready: Ready) -> Option<Result<(), Error>> {
    block_on(async {
        let mut ready = pin!(ready);
        poll_fn(|task| {
            Poll::Ready(match ready.as_mut().poll(task) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            })
        })
        .await
    })
}

/// Emits until the client is not ready for more.
fn fill(socket: &Socket) {
    let filler = "x".repeat(PIECE);
    for _ in 0..KERNEL {
        // Other threads write what was emitted.
        thread::sleep(Duration::from_millis(1));
        if is_never_ready(socket) {
            return;
        }
        socket.emit("piece", &filler).expect("it is ready");
    }
    panic!("it is always ready");
}

/// Whether the client stays not ready for a second: the kernel may still take some of what is queued.
fn is_never_ready(socket: &Socket) -> bool {
    let mut looks = 0..5;
    is_ready(socket.ready()).is_none()
        && looks.all(|_| {
            thread::sleep(Duration::from_millis(200));
            is_ready(socket.ready()).is_none()
        })
}

/// Several futures that wait, each on a thread of its own; one more was dropped while it waited.
fn waiting(socket: &Socket) -> Receiver<Result<(), Error>> {
    let (sender, outcomes) = channel();
    for _ in 0..3 {
        let (sender, ready) = (sender.clone(), socket.ready());
        thread::spawn(move || sender.send(block_on(ready)));
    }
    assert_eq!(is_ready(socket.ready()), None);
    outcomes
}

/// The same, but each waits again when the client is ready: the kernel may take more later.
fn waiting_for_the_end(socket: &Socket) -> Receiver<Result<(), Error>> {
    let (sender, outcomes) = channel();
    for _ in 0..3 {
        let (sender, socket) = (sender.clone(), socket.clone());
        thread::spawn(move || {
            loop {
                let outcome = block_on(socket.ready());
                if outcome.is_err() {
                    return sender.send(outcome);
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
    }
    outcomes
}

#[track_caller]
fn assert_all_end_with(outcomes: &Receiver<Result<(), Error>>, expected: &Result<(), Error>) {
    for _ in 0..3 {
        let outcome = outcomes.recv_timeout(DEADLINE).expect("every wait ends");
        assert_eq!(&outcome, expected);
    }
}

fn emitting_without_waiting_closes_a_client_that_never_reads_and_ends_all_waits(runtime: TestRuntime) {
    let (count, log) = (Arc::default(), Log::new());
    let server = sender(runtime, &count, &log);
    let client = join_raw(&server);
    let socket = server.handle.sockets().expect("it is served").remove(0);
    fill(&socket);
    let outcomes = waiting_for_the_end(&socket);
    let filler = "x".repeat(PIECE);
    for _ in 0..100 {
        socket.volatile().emit("piece", &filler).expect("it is dropped");
    }
    assert!(socket.connected());
    let refused = (0..100).find_map(|_| socket.emit("piece", &filler).err());
    assert_eq!(refused, Some(Error::QueueFull));
    assert_all_end_with(&outcomes, &Err(Error::Disconnected));
    let reason = log.wait_for(1).remove(0);
    assert!(reason.contains("does not read"), "{reason}");
    assert_eq!(is_ready(socket.ready()), Some(Err(Error::Disconnected)));
    drop(client);
}

fn all_waits_end_when_the_client_reads(runtime: TestRuntime) {
    let (count, log) = (Arc::default(), Log::new());
    let server = sender(runtime, &count, &log);
    let mut client = join_raw(&server);
    let socket = server.handle.sockets().expect("it is served").remove(0);
    fill(&socket);
    let outcomes = waiting(&socket);
    assert!(outcomes.recv_timeout(Duration::from_millis(100)).is_err());
    let reading = thread::spawn(move || while client.frame().is_ok() {});
    assert_all_end_with(&outcomes, &Ok(()));
    drop(server);
    reading.join().expect("it reads");
}

fn waiting_ends_when_the_server_ends(runtime: TestRuntime) {
    let (count, log) = (Arc::default(), Log::new());
    let server = sender(runtime, &count, &log);
    let client = join_raw(&server);
    let socket = server.handle.sockets().expect("it is served").remove(0);
    fill(&socket);
    let outcomes = waiting(&socket);
    server.abort();
    assert_all_end_with(&outcomes, &Err(Error::Disconnected));
    drop(client);
}

/// A server whose handlers wait at the latch, so that it does not read when many do.
fn server_with_stuck_handlers(runtime: TestRuntime, log: &Log<usize>, latch: &Latch) -> TestServer {
    let (log, latch) = (log.clone(), latch.clone());
    let handler = move |Args((number, _)): Args<(usize, String)>| {
        let (log, latch) = (log.clone(), latch.clone());
        async move {
            log.push(number);
            latch.wait().await;
        }
    };
    TestServer::start(runtime, Server::builder().on("piece", handler))
}

async fn connect(server: &TestServer, order: TransportOrder) -> Client {
    let builder = Client::builder(format!("http://{}", server.target.address));
    let builder = builder.transports(order).upgrade(false).limits(tight_limits());
    socketio_tokio::connect(builder).await.expect("it connects")
}

fn a_client_sends_all(runtime: TestRuntime, order: TransportOrder) {
    let (log, latch) = (Log::new(), Latch::closed());
    let server = server_with_stuck_handlers(runtime, &log, &latch);
    let count = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&count);
    let watching = thread::spawn(move || {
        assert_stops_sending(&count);
        latch.open();
    });
    block_on(async {
        let client = connect(&server, order).await;
        let filler = "x".repeat(PIECE);
        for number in 0..CLIENT_PIECES {
            client.ready().await.expect("it is connected");
            client.emit("piece", &(number, &filler)).expect("there is room");
            sent.fetch_add(1, Ordering::SeqCst);
        }
        client.disconnect();
        client.closed().await;
    });
    watching.join().expect("it halts");
    let expected: Vec<_> = (0..CLIENT_PIECES).collect();
    assert_eq!(log.wait_for(CLIENT_PIECES), expected);
}

fn a_client_that_waits_before_each_emit_sends_any_amount_over_websocket(runtime: TestRuntime) {
    a_client_sends_all(runtime, TransportOrder::WebSocket);
}

fn a_client_that_waits_before_each_emit_sends_any_amount_over_polling(runtime: TestRuntime) {
    a_client_sends_all(runtime, TransportOrder::Polling);
}

fn waiting_of_a_client_ends_when_it_disconnects(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let server = server_with_stuck_handlers(runtime, &log, &latch);
    block_on(async {
        let client = connect(&server, TransportOrder::WebSocket).await;
        let socket = client.of("/").expect("it is the main one");
        let filler = "x".repeat(PIECE);
        let filling = async {
            for number in 0.. {
                if let Err(error) = socket.ready().await {
                    return error;
                }
                socket.emit("piece", &(number, &filler)).expect("there is room");
            }
            unreachable!("numbers do not end")
        };
        let leaving = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            client.disconnect();
        };
        let (outcome, ()) = tokio::join!(filling, leaving);
        assert_eq!(outcome, Error::Disconnected);
        assert_eq!(client.ready().await, Err(Error::Disconnected));
        latch.open();
        drop((client, socket));
    });
}
