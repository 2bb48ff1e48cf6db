//! What messages cost core and driver together: allocations, counted in the steady state of the real loop, with
//! the handlers of the load generator's application, on a runtime that allocates nothing itself.

mod runtime;

use allocation_counter::measure;
use runtime::{InMemoryRuntime, Pipe};
use socketio_driver::Async;
use socketio_driver::engine::serve;
use socketio_tests::apps::bench::{Data, server};
use socketio_tests::kit::{Frame, Request};

/// Rounds before counting, and rounds that are counted.
const ROUNDS: usize = 1_000;
/// The argument of all events.
const ARGUMENT: &str = r#""abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx""#;
const RECIPIENTS: usize = 1_000;

/// A server on a runtime of its own, with its clients.
struct InMemoryServer {
    runtime: InMemoryRuntime,
    clients: Vec<Pipe>,
}

impl InMemoryServer {
    fn new(clients: usize) -> Self {
        let mut runtime = InMemoryRuntime::new();
        let listener = runtime.listener();
        let serve = serve(runtime.handle(), listener, server::<Async>(Data::Raw));
        runtime.start(async { serve.await.unwrap() });
        let mut server = Self {
            runtime,
            clients: Vec::new(),
        };
        (0..clients).for_each(|_| server.join());
        server
    }

    /// A client on a WebSocket that is in the namespace `/`.
    fn join(&mut self) {
        let client = self.runtime.dial();
        self.runtime.run();
        let upgrade = Request::upgrade("/socket.io/?EIO=4&transport=websocket");
        for bytes in [upgrade.render(), Frame::text("40").encode()] {
            client.send(&bytes);
            self.runtime.run();
        }
        client.assert_received_and_forget("40{\"sid\":");
        self.clients.push(client);
    }

    /// One client sends these bytes, and everything runs until it is idle. Returns how many bytes all received.
    fn round(&mut self, frames: &[u8], mark: &str) -> usize {
        self.clients[0].send(frames);
        self.runtime.run();
        let received = self
            .clients
            .iter()
            .map(|client| client.assert_received_and_forget(mark));
        received.sum()
    }
}

/// Counts the allocations of `rounds` in which one of `clients` sends `event` `window` times and all receive `answer` as
/// often.
fn allocations(clients: usize, rounds: usize, event: &str, answer: &str, window: usize) -> u64 {
    let mut server = InMemoryServer::new(clients);
    let frames = Frame::text(event).encode().repeat(window);
    let expected = clients * window * Frame::text(answer).unmasked().encode().len();
    let mut round = || assert_eq!(server.round(&frames, answer), expected);
    (0..rounds).for_each(|_| round());
    measure(|| (0..rounds).for_each(|_| round())).count_total
}

fn reply_allocations(window: usize) -> u64 {
    let (event, answer) = (format!("421[\"echo\",{ARGUMENT}]"), format!("431[{ARGUMENT}]"));
    allocations(1, ROUNDS, &event, &answer, window)
}

fn emit_allocations(window: usize) -> u64 {
    let (event, answer) = (
        format!("42[\"say\",{ARGUMENT}]"),
        format!("42[\"said\",{ARGUMENT}]"),
    );
    allocations(1, ROUNDS, &event, &answer, window)
}

fn broadcast_allocations(rounds: usize, argument: &str, window: usize) -> u64 {
    let (event, answer) = (
        format!("42[\"cast\",{argument}]"),
        format!("42[\"casted\",{argument}]"),
    );
    allocations(RECIPIENTS, rounds, &event, &answer, window)
}

#[test]
fn a_reply_allocates_nothing() {
    assert_eq!(reply_allocations(1), 0);
}

#[test]
fn sixteen_replies_to_one_read_allocate_nothing() {
    assert_eq!(reply_allocations(16), 0);
}

#[test]
fn an_event_sent_back_allocates_nothing() {
    assert_eq!(emit_allocations(1), 0);
}

#[test]
fn sixteen_events_sent_back_allocate_nothing() {
    assert_eq!(emit_allocations(16), 0);
}

#[test]
fn a_broadcast_allocates_at_most_once_and_nothing_per_recipient() {
    let count = broadcast_allocations(20, ARGUMENT, 1);
    assert!(count <= 20, "{count} in 20 broadcasts");
}

#[test]
fn eight_broadcasts_in_one_read_allocate_at_most_once_each() {
    let count = broadcast_allocations(10, ARGUMENT, 8);
    assert!(count <= 80, "{count} in 80 broadcasts");
}

#[test]
fn a_large_broadcast_allocates_at_most_once_and_nothing_per_recipient() {
    let argument = format!("\"{}\"", "x".repeat(8 * 1024));
    let count = broadcast_allocations(20, &argument, 1);
    assert!(count <= 20, "{count} in 20 broadcasts");
}
