//! What holds for every input.

use crate::pair::{Conn, POLLING, Pair, UPGRADE, WEBSOCKET, frame, ms};
use proptest::prelude::*;
use socketio_core::eio::{Event, RequestId};
use socketio_core::http::{Response, StatusCode};
use socketio_core::ws::OpCode;

/// Everything one client stream brings about: the events of the application and what the client received.
fn outcome(bytes: &[u8], sizes: &[usize]) -> (Vec<String>, Vec<u8>, bool) {
    let mut pair = Pair::new();
    pair.open_polling();
    pair.events.clear();
    let conn = pair.connect();
    let mut rest = bytes;
    let mut sizes = sizes.iter().copied().chain(std::iter::repeat(usize::MAX));
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
        pair.send(conn, piece);
        rest = after;
    }
    let events = pair.events.iter().map(|event| format!("{event:?}")).collect();
    (events, pair.raw(conn).to_vec(), pair.is_closed(conn))
}

/// The id of the first session, which follows from the seed.
fn first_sid() -> String {
    Pair::new().open_polling()
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let sid = first_sid();
    let target = format!("{POLLING}&sid={sid}");
    let request = |method: &str, target: &str, headers: &str, body: &str| {
        format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}").into_bytes()
    };
    let http = vec![
        request("GET", POLLING, "", ""),
        request("POST", &target, "Content-Length: 6\r\n", "4hello"),
        request(
            "POST",
            &target,
            "Content-Length: 9\r\nExpect: 100-continue\r\n",
            "4a\x1e4b\x1ebAQ",
        ),
        request(
            "POST",
            &target,
            "Transfer-Encoding: chunked\r\n",
            "2\r\n4a\r\n1\r\nb\r\n0\r\n\r\n",
        ),
        request("POST", &target, "Content-Length: 3\r\n", "4a\x1e"),
        request("POST", &target, "Content-Length: 1\r\n", "1"),
        request("PUT", &target, "", ""),
        request("GET", &target, "", ""),
        request("GET", "/engine.io/?EIO=4&transport=abc", "", ""),
        request("POST", POLLING, "Content-Length: 3\r\n", "abc"),
        b"garbage\r\n\r\n".to_vec(),
    ];
    let websocket = vec![request("GET", WEBSOCKET, UPGRADE, "")];
    let probe = vec![
        [
            request("GET", &format!("{WEBSOCKET}&sid={sid}"), UPGRADE, ""),
            frame(OpCode::Text, b"2probe"),
        ]
        .concat(),
    ];
    let frames = vec![
        frame(OpCode::Text, b"4hello"),
        frame(OpCode::Text, b"5"),
        frame(OpCode::Binary, &[1, 2, 3]),
        frame(OpCode::Binary, &[7; 300]),
        frame(OpCode::Ping, b"x"),
        frame(OpCode::Text, b"3"),
        frame(OpCode::Text, b"2probe"),
        frame(OpCode::Text, b"abc"),
        frame(OpCode::Text, b"4\xff"),
        frame(OpCode::Close, &[3, 232]),
        vec![0x81, 1, b'4'],
    ];
    let some = |pieces: Vec<Vec<u8>>, most: usize| {
        prop::collection::vec(prop::sample::select(pieces), 0..most).prop_map(|pieces| pieces.concat())
    };
    let handshake = prop::sample::select([websocket, probe].concat());
    prop_oneof![
        some(http.clone(), 8),
        (some(http, 2), handshake, some(frames, 12))
            .prop_map(|(before, handshake, after)| [before, handshake, after].concat()),
    ]
}

/// One thing that happens in a world of a few clients.
#[derive(Clone, Debug)]
enum Step {
    Connect,
    Bytes(usize, Vec<u8>),
    Handshake,
    OpenWebSocket,
    Upgrade(usize),
    Poll(usize),
    Post(usize, &'static str),
    Frame(usize, &'static str),
    Lose(usize),
    Window(usize, usize),
    Wait(u64),
    SleepThrough(u64),
    Emit(usize),
    Close(usize),
    Answer,
    Shutdown,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0_usize..6;
    let step = prop_oneof![
        3 => Just(Step::Connect),
        1 => (who.clone(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(who, bytes)| Step::Bytes(who, bytes)),
        4 => Just(Step::Handshake),
        2 => Just(Step::OpenWebSocket),
        3 => who.clone().prop_map(Step::Upgrade),
        6 => who.clone().prop_map(Step::Poll),
        4 => (who.clone(), prop::sample::select(vec!["4a", "1", "3", "2", "4a\x1e4b\x1ebAQ", "x", ""]))
            .prop_map(|(who, body)| Step::Post(who, body)),
        6 => (who.clone(), prop::sample::select(vec!["2probe", "5", "5", "4a", "1", "3", "x"]))
            .prop_map(|(who, text)| Step::Frame(who, text)),
        2 => who.clone().prop_map(Step::Lose),
        1 => (who.clone(), 0_usize..300).prop_map(|(who, window)| Step::Window(who, window)),
        3 => (0_u64..400).prop_map(Step::Wait),
        1 => (0_u64..60_000).prop_map(Step::SleepThrough),
        3 => who.clone().prop_map(Step::Emit),
        1 => who.prop_map(Step::Close),
        1 => Just(Step::Answer),
    ];
    let last = prop::option::of(Just(Step::Shutdown));
    (prop::collection::vec(step, 0..60), last).prop_map(|(mut steps, last)| {
        steps.extend(last);
        steps
    })
}

/// A few clients that do as they please.
struct World {
    pair: Pair,
    conns: usize,
    sids: Vec<String>,
    /// Connections on which a well-formed poll is waiting.
    polls: Vec<Conn>,
}

impl World {
    fn new() -> Self {
        let pair = Pair::with(|config| {
            config.limits.queued_bytes = 200;
            config.upgrade_timeout = ms(700);
        });
        Self {
            pair,
            conns: 0,
            sids: Vec::new(),
            polls: Vec::new(),
        }
    }

    fn conn(&self, who: usize) -> Option<Conn> {
        self.conns
            .checked_sub(1)
            .map(|last| Conn(last - who % self.conns))
    }

    fn sid(&self, who: usize) -> String {
        let index = self
            .sids
            .len()
            .checked_sub(1)
            .map(|last| last - who % self.sids.len());
        index.map_or_else(|| "AAAAAAAAAAAAAAAAAAAA".into(), |index| self.sids[index].clone())
    }

    fn fresh(&mut self) -> Conn {
        let conn = self.pair.connect();
        self.conns = conn.0 + 1;
        conn
    }

    fn session(&self, who: usize) -> Option<socketio_core::eio::SessionId> {
        let mut opened: Vec<_> = self
            .pair
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Opened { session } => Some(*session),
                _ => None,
            })
            .collect();
        let index = who.checked_rem(opened.len())?;
        Some(opened.swap_remove(index))
    }

    fn request(&self) -> Option<RequestId> {
        self.pair.events.iter().rev().find_map(|event| match event {
            Event::Request { request, .. } => Some(*request),
            _ => None,
        })
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Connect => {
                self.fresh();
                self.pair.settle();
            }
            Step::Bytes(who, bytes) => {
                if let Some(conn) = self.conn(*who) {
                    self.pair.send(conn, bytes);
                }
            }
            Step::Handshake => {
                let conn = self.fresh();
                self.pair.request(conn, "GET", POLLING, "", "");
                if let Some(answer) = self.pair.answer(conn).filter(|answer| answer.status == 200) {
                    self.sids.push(crate::pair::sid_of(&answer.body));
                }
            }
            Step::OpenWebSocket => {
                let conn = self.fresh();
                self.pair.request(conn, "GET", WEBSOCKET, UPGRADE, "");
            }
            Step::Upgrade(who) => {
                let target = format!("{WEBSOCKET}&sid={}", self.sid(*who));
                let conn = self.fresh();
                self.pair.request(conn, "GET", &target, UPGRADE, "");
            }
            Step::Poll(who) => {
                let target = format!("{POLLING}&sid={}", self.sid(*who));
                let conn = self.fresh();
                self.pair.request(conn, "GET", &target, "", "");
                self.polls.push(conn);
            }
            Step::Post(who, body) => {
                let target = format!("{POLLING}&sid={}", self.sid(*who));
                let conn = self.fresh();
                self.pair.request(conn, "POST", &target, "", body);
            }
            other => self.take_other(other),
        }
    }

    fn take_other(&mut self, step: &Step) {
        let now = self.pair.now;
        match step {
            Step::Frame(who, text) => {
                if let Some(conn) = self.conn(*who) {
                    self.pair.send(conn, frame(OpCode::Text, text.as_bytes()));
                }
            }
            Step::Lose(who) => {
                if let Some(conn) = self.conn(*who) {
                    self.polls.retain(|poll| *poll != conn);
                    self.pair.lose(conn);
                }
            }
            Step::Window(who, window) => {
                if let Some(conn) = self.conn(*who) {
                    self.pair.set_window(conn, *window);
                }
            }
            Step::Wait(time) => self.pair.wait(ms(*time)),
            Step::SleepThrough(time) => self.pair.sleep_through(ms(*time)),
            Step::Emit(who) => {
                if let Some(session) = self.session(*who) {
                    let message = socketio_core::eio::Message::Text("hello".into());
                    let delivery = socketio_core::eio::Delivery::Reliable;
                    let _ = self.pair.server.send(now, session, &message, delivery);
                    self.pair.settle();
                }
            }
            Step::Close(who) => {
                if let Some(session) = self.session(*who) {
                    self.pair.close(session);
                }
            }
            Step::Answer => {
                if let Some(request) = self.request() {
                    self.pair
                        .server
                        .respond(now, request, Response::new(StatusCode::OK));
                    self.pair.settle();
                }
            }
            Step::Shutdown => self.pair.shutdown(),
            _ => {}
        }
    }

    /// Timers that fire early. What is due stays due.
    fn fire_without_need(&mut self) {
        let now = self.pair.now;
        if self
            .pair
            .server
            .poll_timeout()
            .is_none_or(|deadline| deadline > now)
        {
            self.pair.server.handle_timeout(now);
            self.pair.settle();
        }
    }

    /// Opened and closed sessions are the same ones, each closed once.
    fn assert_each_closed_once(&self) {
        let mut opened = Vec::new();
        let mut closed = Vec::new();
        for event in &self.pair.events {
            match event {
                Event::Opened { session } => opened.push(*session),
                Event::Closed { session, .. } => closed.push(*session),
                Event::Message { session, .. } => {
                    assert!(!closed.contains(session), "an event after its end")
                }
                _ => {}
            }
        }
        opened.sort_unstable();
        closed.sort_unstable();
        assert_eq!(opened, closed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_segmentation_brings_about_the_same(
        stream in streams(),
        sizes in prop::collection::vec(1_usize..60, 0..40),
    ) {
        let whole = outcome(&stream, &[]);
        prop_assert_eq!(&outcome(&stream, &sizes), &whole);
        prop_assert_eq!(&outcome(&stream, &vec![1; stream.len()]), &whole);
    }

    #[test]
    fn whatever_clients_do_polls_are_answered_and_nothing_is_left(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        for conn in 0..world.conns {
            world.pair.set_window(Conn(conn), usize::MAX);
        }
        // Longer than heartbeat, linger and every deadline of a connection, none of which anybody answers.
        world.pair.wait(ms(200_000));
        for poll in world.polls.clone() {
            prop_assert!(world.pair.answer(poll).is_some() || world.pair.raw(poll).is_empty() && world.pair.is_closed(poll), "a poll waits");
        }
        prop_assert_eq!(world.pair.server.session_count(), 0);
        world.assert_each_closed_once();
        world.pair.lose_all();
        world.pair.assert_empty();
    }

    #[test]
    fn a_timer_that_fires_without_need_changes_nothing(steps in steps()) {
        let mut undisturbed = World::new();
        let mut disturbed = World::new();
        for step in &steps {
            undisturbed.take(step);
            disturbed.fire_without_need();
            disturbed.take(step);
            disturbed.fire_without_need();
        }
        for conn in 0..undisturbed.conns {
            let conn = Conn(conn);
            prop_assert_eq!(undisturbed.pair.is_closed(conn), disturbed.pair.is_closed(conn));
            prop_assert_eq!(undisturbed.pair.raw(conn), disturbed.pair.raw(conn));
        }
        let events = |world: &World| format!("{:?}", world.pair.events.iter().map(|event| match event {
            Event::Closed { reason, .. } => format!("{reason:?}"),
            other => format!("{other:?}"),
        }).collect::<Vec<_>>());
        prop_assert_eq!(events(&undisturbed), events(&disturbed));
    }
}
