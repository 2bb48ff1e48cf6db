//! Clients that read more slowly than is sent to them, and an application that waits for them.

use crate::pair::{App, Conn, POLLING, Pair, ms};
use proptest::prelude::*;
use socketio_core::eio::{CloseReason, Delivery, Event, Message, Readiness, SessionId, Transport};

const READY: usize = 1_000;
const LARGEST: usize = 600;
/// Heads of answers, headers of frames, and the protocol's own packets.
const EXTRA: usize = 700;

fn pair() -> Pair {
    let mut pair = Pair::with(|config| {
        config.ping_interval = ms(100_000);
        config.limits.ready_bytes = READY;
        config.limits.queued_bytes = READY + LARGEST + EXTRA;
    });
    pair.app = App::Silent;
    pair
}

fn watch_ready(pair: &mut Pair, session: SessionId) -> Readiness {
    pair.server.watch_ready(pair.now, session)
}

/// How many [`Event::Ready`] there were since the last call.
fn take_ready_events(pair: &mut Pair) -> usize {
    let before = pair.events.len();
    pair.events.retain(|event| !matches!(event, Event::Ready { .. }));
    before - pair.events.len()
}

fn emit(pair: &mut Pair, session: SessionId, size: usize) {
    pair.emit(session, &"x".repeat(size));
}

/// Two messages are queued, and the application waits until the session is ready.
fn wait_for_ready(pair: &mut Pair, session: SessionId) {
    emit(pair, session, 600);
    emit(pair, session, 600);
    assert_eq!(watch_ready(pair, session), Readiness::Awaited);
}

/// A polling session that the application [waits for](wait_for_ready).
fn awaited_polling(pair: &mut Pair) -> (String, SessionId) {
    let (sid, session) = pair.open_polling_session();
    wait_for_ready(pair, session);
    (sid, session)
}

/// A poll on a connection of its own whose client does not read.
fn unread_poll(pair: &mut Pair, sid: &str) -> Conn {
    let poll = pair.connect();
    pair.set_window(poll, 0);
    pair.request(poll, "GET", &format!("{POLLING}&sid={sid}"), "", "");
    poll
}

#[test]
fn a_websocket_is_ready_once_most_was_read() {
    let mut pair = pair();
    let conn = pair.open_websocket();
    let session = pair.session();
    assert_eq!(watch_ready(&mut pair, session), Readiness::Ready);
    pair.set_window(conn, 0);
    emit(&mut pair, session, 600);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Ready);
    emit(&mut pair, session, 600);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Awaited);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Awaited);
    assert_eq!(pair.server.bytes_under_way(session), 1_210);
    pair.set_window(conn, 200);
    assert_eq!((take_ready_events(&mut pair), pair.unread(conn)), (0, 1_010));
    pair.set_window(conn, 11);
    assert_eq!((take_ready_events(&mut pair), pair.unread(conn)), (1, 999));
    pair.set_window(conn, usize::MAX);
    emit(&mut pair, session, 600);
    assert_eq!(
        take_ready_events(&mut pair),
        0,
        "the application does not wait again"
    );
}

#[test]
fn a_polling_client_is_ready_once_it_has_read_the_answer_to_its_poll() {
    let mut pair = pair();
    let (sid, session) = awaited_polling(&mut pair);
    let poll = unread_poll(&mut pair, &sid);
    assert_eq!(pair.server.queued_bytes(session), 0);
    assert_eq!(
        take_ready_events(&mut pair),
        0,
        "it was handed over, and is not written"
    );
    assert_eq!(watch_ready(&mut pair, session), Readiness::Awaited);
    pair.set_window(poll, 1_000);
    assert_eq!(take_ready_events(&mut pair), 1);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Ready);
    pair.set_window(poll, usize::MAX);
    assert_eq!(pair.server.bytes_under_way(session), 0);
}

#[test]
fn polls_on_ever_new_connections_that_are_not_read_make_no_session_ready() {
    let mut pair = pair();
    let (sid, session) = pair.open_polling_session();
    let mut sent = 0;
    for _ in 0..100 {
        if watch_ready(&mut pair, session) == Readiness::Ready {
            emit(&mut pair, session, 600);
            sent += 1;
        }
        unread_poll(&mut pair, &sid);
        if sent == 2 {
            break;
        }
    }
    assert_eq!(watch_ready(&mut pair, session), Readiness::Awaited);
    assert_eq!(sent, 2);
}

#[test]
fn an_answer_that_is_lost_counts_no_longer() {
    let mut pair = pair();
    let (sid, session) = awaited_polling(&mut pair);
    let poll = unread_poll(&mut pair, &sid);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Awaited);
    pair.lose(poll);
    assert_eq!(take_ready_events(&mut pair), 1);
    assert_eq!(pair.server.bytes_under_way(session), 0);
}

#[test]
fn what_waits_during_an_upgrade_counts_until_the_websocket_has_written_it() {
    let mut pair = pair();
    let (sid, session) = awaited_polling(&mut pair);
    let conn = pair.upgrading(&sid);
    pair.send_text(conn, "2probe");
    assert_eq!(pair.text(conn), "3probe");
    assert_eq!(take_ready_events(&mut pair), 0);
    pair.set_window(conn, 0);
    pair.send_text(conn, "5");
    assert_eq!(take_ready_events(&mut pair), 0);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Awaited);
    pair.set_window(conn, usize::MAX);
    assert_eq!(take_ready_events(&mut pair), 1);
}

#[test]
fn one_message_larger_than_the_limit_makes_wait_until_it_is_nearly_written() {
    let mut pair = pair();
    let conn = pair.open_websocket();
    let session = pair.session();
    pair.set_window(conn, 0);
    emit(&mut pair, session, 50_000);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Awaited);
    pair.set_window(conn, 40_000);
    assert_eq!(take_ready_events(&mut pair), 0);
    pair.set_window(conn, 9_900);
    assert_eq!(take_ready_events(&mut pair), 1);
}

#[test]
fn the_least_limit_means_that_everything_has_left() {
    let mut pair = Pair::with(|config| config.limits.ready_bytes = 0);
    let conn = pair.open_websocket();
    let session = pair.session();
    assert_eq!(watch_ready(&mut pair, session), Readiness::Ready);
    pair.set_window(conn, 0);
    emit(&mut pair, session, 1);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Awaited);
    pair.set_window(conn, usize::MAX);
    assert_eq!(take_ready_events(&mut pair), 1);
}

#[test]
fn a_session_that_is_gone_or_closing_is_never_ready() {
    let mut pair = pair();
    let conn = pair.open_websocket();
    let session = pair.session();
    pair.set_window(conn, 0);
    wait_for_ready(&mut pair, session);
    pair.lose(conn);
    assert_eq!(pair.closed(), [CloseReason::TransportClose]);
    assert_eq!(take_ready_events(&mut pair), 0);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Never);

    let (sid, session) = awaited_polling(&mut pair);
    pair.close(session);
    assert_eq!(watch_ready(&mut pair, session), Readiness::Never);
    assert_eq!(pair.poll_now(&sid).0, 200);
    assert_eq!(take_ready_events(&mut pair), 0);
}

/// One thing that happens between an application that waits before each message and its client.
#[derive(Clone, Debug)]
enum Step {
    Send(usize),
    Poll,
    Window(usize, usize),
    Probe,
    Upgrade,
    Lose(usize),
    Wait(u64),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let connection = 0_usize..4;
    let step = prop_oneof![
        12 => (1..LARGEST).prop_map(Step::Send),
        6 => Just(Step::Poll),
        6 => (connection.clone(), 0_usize..1_500).prop_map(|(connection, window)| Step::Window(connection, window)),
        1 => Just(Step::Probe),
        1 => Just(Step::Upgrade),
        1 => connection.prop_map(Step::Lose),
        1 => (0_u64..400).prop_map(Step::Wait),
    ];
    let last = prop::option::weighted(0.1, Just(Step::Close));
    (prop::collection::vec(step, 0..80), last).prop_map(|(mut steps, last)| {
        steps.extend(last);
        steps
    })
}

struct WaitingApplication {
    pair: Pair,
    session: SessionId,
    sid: String,
    conns: Vec<Conn>,
    probe: Option<Conn>,
    /// Whether a poll was sent that nothing has answered.
    is_polling: bool,
    is_waiting: bool,
}

impl WaitingApplication {
    fn new(is_websocket: bool) -> Self {
        let mut pair = pair();
        let (sid, conns) = match is_websocket {
            true => (String::new(), vec![pair.open_websocket()]),
            false => (pair.open_polling(), Vec::new()),
        };
        for conn in &conns {
            pair.set_window(*conn, 0);
        }
        Self {
            session: pair.session(),
            pair,
            sid,
            conns,
            probe: None,
            is_polling: false,
            is_waiting: false,
        }
    }

    /// A connection, counted from the newest.
    fn conn(&self, index: usize) -> Option<Conn> {
        self.conns.iter().rev().nth(index).copied()
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Send(size) => self.send(size),
            // Two at once would be against the protocol.
            Step::Poll if self.is_polling => {}
            Step::Poll => {
                self.is_polling = self.pair.server.queued_bytes(self.session) == 0;
                let poll = unread_poll(&mut self.pair, &self.sid);
                self.conns.push(poll);
            }
            Step::Window(index, window) => {
                if let Some(conn) = self.conn(index) {
                    self.pair.set_window(conn, window);
                }
            }
            Step::Probe if self.pair.server.transport(self.session) != Some(Transport::Polling) => {}
            Step::Probe if self.probe.is_some() => {}
            Step::Probe => {
                self.is_polling = false;
                let conn = self.pair.upgrading(&self.sid);
                self.pair.send_text(conn, "2probe");
                self.conns.push(conn);
                self.probe = Some(conn);
            }
            Step::Upgrade => {
                if let Some(conn) = self.probe.take() {
                    self.pair.set_window(conn, 0);
                    self.pair.send_text(conn, "5");
                }
            }
            Step::Lose(index) => {
                if let Some(conn) = self.conn(index) {
                    self.pair.lose(conn);
                }
            }
            Step::Wait(time) => self.pair.wait(ms(time)),
            Step::Close => self.pair.close(self.session),
        }
        self.check();
    }

    /// Only a client that is ready is sent anything.
    fn send(&mut self, size: usize) {
        match watch_ready(&mut self.pair, self.session) {
            Readiness::Ready => {
                let message = Message::Text("x".repeat(size).into());
                let (now, server) = (self.pair.now, &mut self.pair.server);
                assert_eq!(
                    server.send(now, self.session, &message, Delivery::Reliable),
                    Ok(())
                );
                self.is_polling = false;
                self.pair.settle();
            }
            Readiness::Awaited => self.is_waiting = true,
            Readiness::Never => assert_ne!(self.closed(), 0),
        }
    }

    fn closed(&self) -> usize {
        let closed = |event: &&Event| matches!(event, Event::Closed { .. });
        self.pair.events.iter().filter(closed).count()
    }

    /// The application is told once that it need not wait any more, and nothing grows while the client does not read.
    fn check(&mut self) {
        let count = take_ready_events(&mut self.pair);
        assert!(count <= usize::from(self.is_waiting), "told {count} times");
        self.is_waiting &= count == 0 && self.closed() == 0;
        let unread: usize = self.conns.iter().map(|conn| self.pair.unread(*conn)).sum();
        let memory = self.pair.server.queued_bytes(self.session) + unread;
        let heads = 300 * self.conns.len();
        assert!(memory < READY + LARGEST + EXTRA + heads, "{memory} bytes");
        let slow = |event: &Event| {
            matches!(
                event,
                Event::Closed {
                    reason: CloseReason::SlowConsumer,
                    ..
                }
            )
        };
        assert!(!self.pair.events.iter().any(slow));
    }

    /// The client reads everything.
    fn finish(&mut self) {
        for conn in self.conns.clone() {
            self.pair.set_window(conn, usize::MAX);
        }
        if !self.sid.is_empty() && self.pair.server.queued_bytes(self.session) > 0 {
            let poll = self.pair.poll(&self.sid);
            self.conns.push(poll);
        }
        self.check();
        assert!(!self.is_waiting, "the client has read everything");
        if self.closed() == 0 {
            assert_eq!(self.pair.server.bytes_under_way(self.session), 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_application_that_waits_is_told_once_and_a_client_that_does_not_read_costs_little(
        is_websocket in any::<bool>(),
        steps in steps(),
    ) {
        let mut application = WaitingApplication::new(is_websocket);
        for step in &steps {
            application.apply(step);
        }
        application.finish();
    }
}
