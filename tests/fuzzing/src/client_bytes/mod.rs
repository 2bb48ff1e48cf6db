//! A whole Socket.IO client: connections to a server that says anything, time, and every verb in any order.

mod ledger;
mod link;
mod verbs;

use crate::life::{MOVES, Timers, assert_same};
use crate::pieces::Pieces;
use crate::script::Script;
use ledger::Ledger;
use link::Link;
use socketio_core::eio::client::{Fallback, Remembered, TransportOrder};
use socketio_core::sio::client::{AckToken, Attempts, Client, Config, Event, Initial, Offline};
use socketio_core::sio::{Encoder, NamespaceId};
use std::time::{Duration, Instant};

/// Connections one input may see.
const CONNECTIONS: usize = 24;

/// Bytes the client may queue here.
const QUEUED_BYTES: usize = 2_000;

/// What may stand in a connection's output: its high-water mark, the queue, a request, and what answers pings.
const OUTPUT_BYTES: usize = 192 * 1024;

/// The first byte chooses the configuration; every other is a step or an argument of one.
///
/// How bytes arrive and how often timers fire changes neither what the application hears nor what the server
/// receives. Every join, acknowledgement and connection ends once, queues are bounded, and a client that is closed
/// comes to rest.
pub fn client_bytes(data: &[u8]) {
    assert_same(data.len() as u8, |pieces, timers| {
        Life::new(data, pieces, timers).run(data)
    });
}

/// What the world saw of a client.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    /// What the application heard, and what its verbs answered.
    told: Vec<String>,
    /// What each connection carried to the server.
    sent: Vec<String>,
}

struct Life {
    client: Client,
    encoder: Encoder,
    now: Instant,
    pieces: Pieces,
    timers: Timers,
    namespaces: Vec<NamespaceId>,
    links: Vec<Link>,
    ledger: Ledger,
    tokens: Vec<AckToken>,
    told: Vec<String>,
}

impl Life {
    fn new(data: &[u8], pieces: Pieces, timers: Timers) -> Self {
        let now = Instant::now();
        let choice = data.first().copied().unwrap_or_default();
        let mut client = Client::new(config(choice), [9; 32], now);
        let namespaces = ["/", "/chat"];
        let namespaces = namespaces.map(|name| client.add_namespace(now, name).expect("a new name"));
        Self {
            client,
            encoder: Encoder::new(),
            now,
            pieces,
            timers,
            namespaces: namespaces.to_vec(),
            links: Vec::new(),
            ledger: Ledger::default(),
            tokens: Vec::new(),
            told: Vec::new(),
        }
    }

    fn run(mut self, data: &[u8]) -> Trace {
        let mut script = Script::new(data.get(1..).unwrap_or_default());
        while let Some(step) = script.step() {
            self.fire_without_need();
            match step % 64 {
                step @ 0..34 => self.network(step, &mut script),
                step => self.verb(step - 34, &mut script),
            }
            self.pump();
            self.check();
        }
        self.finish();
        let sent = self.links.iter().map(Link::summary).collect();
        let told = self.told;
        Trace { told, sent }
    }

    fn network(&mut self, step: u8, script: &mut Script<'_>) {
        match step {
            0..4 => self.open_all(),
            4 => self.lose_a_dial(),
            5..10 => {
                let answer = |link: &Link| link.good_answer(0, &[]);
                self.open_all();
                self.answer_all(answer);
            }
            10..16 => {
                let (kind, text) = (script.byte(), script.text());
                self.answer_all(|link| link.good_answer(kind, text));
            }
            16..23 => {
                let text = script.text();
                self.answer_all(|link| link.message(text));
            }
            23 => {
                let bytes = script.bytes();
                self.answer_all(|link| link.binary(bytes));
            }
            24 | 25 => {
                let bytes = script.bytes();
                self.on_a_link(script, |_| bytes.to_vec());
            }
            26 => {
                let (kind, bytes) = (script.byte(), script.bytes());
                self.on_a_link(script, |link| link.bad_answer(kind, bytes));
            }
            27 => {
                if let Some(place) = self.link(script) {
                    self.end(place);
                }
            }
            28 => {
                if let Some(place) = self.link(script) {
                    self.lose(place);
                }
            }
            29..31 => self.wait(Duration::from_millis(script.word().into())),
            31 => self.wait(Duration::from_secs(script.byte().into())),
            32 => self.now += Duration::from_millis(script.word().into()),
            _ => self.now += Duration::from_secs(script.byte().into()),
        }
    }

    /// The connection an argument names, counted from the newest.
    fn link(&self, script: &mut Script<'_>) -> Option<usize> {
        let places: Vec<usize> = (0..self.links.len()).collect();
        script.choose(&places)
    }

    fn open_all(&mut self) {
        for place in 0..self.links.len() {
            if !self.links[place].is_dialled() {
                continue;
            }
            let id = self.links[place].id;
            if self.client.handle_open(self.now, id) {
                let wire = self.client.wire();
                self.links[place].open(wire);
            } else {
                self.lose(place);
            }
            self.pump();
        }
    }

    fn lose_a_dial(&mut self) {
        if let Some(place) = self.links.iter().position(Link::is_dialled) {
            self.lose(place);
        }
    }

    fn answer_all(&mut self, answer: impl Fn(&Link) -> Vec<u8>) {
        for place in 0..self.links.len() {
            let bytes = answer(&self.links[place]);
            self.say(place, &bytes);
        }
    }

    fn on_a_link(&mut self, script: &mut Script<'_>, answer: impl Fn(&Link) -> Vec<u8>) {
        if let Some(place) = self.link(script) {
            let bytes = answer(&self.links[place]);
            self.say(place, &bytes);
        }
    }

    fn say(&mut self, place: usize, bytes: &[u8]) {
        let pieces = self.pieces;
        for piece in pieces.of(bytes) {
            self.links[place].read(piece);
            self.pump();
            self.fire_without_need();
        }
    }

    /// The server ends its side.
    fn end(&mut self, place: usize) {
        self.links[place].end();
        self.pump();
        self.lose(place);
    }

    fn lose(&mut self, place: usize) {
        if self.links[place].lose() {
            self.client.handle_lost(self.now, self.links[place].id);
        }
    }

    /// Moves everything that can move, and hears of it.
    fn pump(&mut self) {
        for _ in 0..MOVES {
            self.dial();
            self.transmit_ready();
            if !(0..self.links.len()).any(|place| self.move_once(place)) {
                self.hear();
                return;
            }
        }
        panic!("the client never comes to rest");
    }

    fn dial(&mut self) {
        while let Some(dial) = self.client.poll_dial() {
            if self.links.len() < CONNECTIONS {
                self.links.push(Link::dialled(dial.connection));
            } else {
                self.client.handle_lost(self.now, dial.connection);
            }
        }
    }

    fn transmit_ready(&mut self) {
        while let Some(id) = self.client.poll_ready() {
            let Some(place) = self.links.iter().position(|link| link.id == id) else {
                continue;
            };
            if let Some(wire) = self.links[place].wire() {
                self.client.poll_transmit(id, wire);
            } else if !self.client.is_wanted(id) {
                self.lose(place);
            }
        }
    }

    fn move_once(&mut self, place: usize) -> bool {
        let link = &mut self.links[place];
        let id = link.id;
        let Some(wire) = link.wire() else { return false };
        self.client.poll_transmit(id, wire);
        let item = wire.poll_item();
        let has_written = link.write();
        if let Some(item) = item {
            self.client.handle_item(self.now, id, item);
            return true;
        }
        if self.links[place].is_over() {
            self.lose(place);
            return true;
        }
        has_written
    }

    fn hear(&mut self) {
        let mut is_closed = false;
        while let Some(event) = self.client.poll_event() {
            self.told.push(format!("{event:?}"));
            is_closed = matches!(event, Event::Closed { .. });
            self.ledger.enter(event, &mut self.tokens);
        }
        // Deliveries that were asked for since `connect` wait for the next connection.
        let is_wanted = self
            .namespaces
            .iter()
            .any(|namespace| self.client.wants(*namespace));
        if is_closed && !is_wanted {
            self.ledger.assert_nothing_owed();
        }
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.client.poll_timeout().filter(|due| *due <= end) {
            self.fire(due);
        }
        self.fire(end);
    }

    fn fire(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.client.handle_timeout(self.now);
        let next = self.client.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "what is due was done");
        self.pump();
    }

    fn fire_without_need(&mut self) {
        let next = self.client.poll_timeout();
        if self.timers == Timers::Always && next.is_none_or(|next| next > self.now) {
            self.client.handle_timeout(self.now);
            assert!(self.client.poll_timeout().is_none_or(|next| next > self.now));
            self.pump();
        }
    }

    fn check(&self) {
        self.ledger.check(&self.client, &self.namespaces);
        for link in &self.links {
            assert!(link.output_bytes() <= OUTPUT_BYTES, "{}", link.output_bytes());
        }
    }

    /// The application wants no more; whatever time is owed passes.
    fn finish(&mut self) {
        self.client.close(self.now);
        self.pump();
        for _ in 0..MOVES {
            let Some(due) = self.client.poll_timeout() else {
                break;
            };
            self.fire(due);
        }
        assert_eq!(self.client.poll_timeout(), None, "a closed client comes to rest");
        for place in 0..self.links.len() {
            self.lose(place);
            self.pump();
        }
        self.check();
        self.ledger.assert_over();
        assert_eq!(self.client.pending_acks(), 0);
        assert_eq!(self.client.queued_bytes(), 0);
        assert!(self.client.poll_dial().is_none() && self.client.transport().is_none());
        self.use_stale_handles();
    }
}

fn config(choice: u8) -> Config {
    let mut config = Config::default();
    let engine = &mut config.engine;
    engine.transports = match choice & 3 {
        0 => TransportOrder::PollingFirst,
        1 => TransportOrder::WebSocket,
        2 => TransportOrder::WebSocketFirst,
        _ => TransportOrder::Polling,
    };
    engine.max_payload = 2_000;
    engine.limits.queued_bytes = QUEUED_BYTES;
    engine.limits.pending_acks = 8;
    engine.limits.attachments = 3;
    engine.limits.json_depth = 20;
    engine.limits.packets_per_payload = 20;
    if choice & 4 != 0 {
        engine.remembered = Remembered::Upgrade;
        engine.fallback = Fallback::None;
    }
    config.offline = match choice >> 3 & 3 {
        0 => Offline::Refuse,
        1 => Offline::Drop,
        _ => Offline::Buffer {
            packets: 4,
            bytes: 1_500,
        },
    };
    if choice & 0x20 != 0 {
        config.reconnection.initial = Initial::Retry;
    }
    config.reconnection.attempts = Attempts::AtMost(5);
    config
}
