//! A whole Socket.IO server: several connections, bytes, time, and every verb in any order.

mod ledger;
mod line;
mod verbs;

use crate::life::{MOVES, Timers, assert_same};
use crate::pieces::Pieces;
use crate::script::Script;
use ledger::Ledger;
use line::{Line, Reading};
use socketio_core::eio::{ClientBundle, Gate, Peer};
use socketio_core::http::{Cors, CorsOrigin, RequestHead};
use socketio_core::sio::{AckToken, Config, ConnId, Counts, Encoder, NamespaceId, RequestId, Server};
use std::time::{Duration, Instant};

/// Connections one input may open.
const CONNECTIONS: usize = 12;

/// Bytes the server may queue for one client here.
const QUEUED_BYTES: usize = 3_000;

/// What may stand in a connection's output: the high-water mark of 64 KiB, one queue, and the last words.
const OUTPUT_BYTES: usize = 64 * 1024 + 2 * QUEUED_BYTES + 16 * 1024;

/// The first byte chooses the configuration; every other is a step or an argument of one.
///
/// How bytes arrive and how often timers fire changes neither what the application hears nor what clients receive.
/// Handles that are stale do nothing, every socket and acknowledgement ends once, queues are bounded, and once all
/// connections are lost and their time is over nothing is left.
pub fn server_bytes(data: &[u8]) {
    assert_same(data.len() as u8, |pieces, timers| {
        Life::new(data, pieces, timers).run(data)
    });
}

/// What the world saw of a server.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    /// What the application heard, and what its verbs answered.
    told: Vec<String>,
    /// What each connection received, and whether it was closed from here.
    received: Vec<(String, bool)>,
}

struct Life {
    server: Server,
    encoder: Encoder,
    now: Instant,
    pieces: Pieces,
    timers: Timers,
    namespaces: Vec<NamespaceId>,
    lines: Vec<Line>,
    ledger: Ledger,
    tokens: Vec<AckToken>,
    requests: Vec<RequestId>,
    told: Vec<String>,
}

impl Life {
    fn new(data: &[u8], pieces: Pieces, timers: Timers) -> Self {
        let now = Instant::now();
        let mut server = Server::new(config(data.first().copied().unwrap_or_default()), [7; 32], now);
        let names = ["/", "/chat", "/\u{e9}"];
        let namespaces = names
            .map(|name| server.add_namespace(name).expect("a new name"))
            .to_vec();
        Self {
            server,
            encoder: Encoder::new(),
            now,
            pieces,
            timers,
            namespaces,
            lines: Vec::new(),
            ledger: Ledger::default(),
            tokens: Vec::new(),
            requests: Vec::new(),
            told: Vec::new(),
        }
    }

    fn run(mut self, data: &[u8]) -> Trace {
        let mut script = Script::new(data.get(1..).unwrap_or_default());
        while let Some(step) = script.step() {
            self.fire_without_need();
            match step % 64 {
                step @ 0..32 => self.network(step, &mut script),
                step => self.verb(step - 32, &mut script),
            }
            self.pump();
            self.check();
        }
        self.finish();
        let received = self.lines.iter().map(Line::summary).collect();
        let told = self.told;
        Trace { told, received }
    }

    fn network(&mut self, step: u8, script: &mut Script<'_>) {
        match step {
            0 | 1 => self.open(None),
            2..12 => {
                let sids: Vec<String> = self.lines.iter().flat_map(Line::sids).collect();
                let request = line::request(script, &sids);
                // Mostly on a connection of its own, as browsers with several in their pools do.
                if step < 9 {
                    self.open(None);
                    self.send_to_last(&request);
                } else {
                    self.send(script, &request);
                }
            }
            12 => {
                let sids: Vec<String> = self.lines.iter().flat_map(Line::sids).collect();
                if let Some((head, body)) = line::hosted_request(script, &sids) {
                    self.open(Some((head, body)));
                }
            }
            13..20 => {
                let frame = line::text_frame(script);
                self.send(script, &frame);
            }
            20 | 21 => {
                let frame = line::other_frame(script);
                self.send(script, &frame);
            }
            22 | 23 => {
                let bytes = script.bytes();
                self.send(script, bytes);
            }
            24 => {
                if let Some(place) = self.line(script) {
                    self.lose(place);
                }
            }
            25 => {
                let reading = if script.is_even() {
                    Reading::Everything
                } else {
                    Reading::Nothing
                };
                if let Some(place) = self.line(script) {
                    self.lines[place].reading = reading;
                }
            }
            26..29 => self.wait(Duration::from_millis(script.word().into())),
            29 => self.wait(Duration::from_secs(script.byte().into())),
            30 => self.wait_asleep(Duration::from_millis(script.word().into())),
            _ => self.wait_asleep(Duration::from_secs(script.byte().into())),
        }
    }

    /// The connection an argument names, counted from the newest.
    fn line(&self, script: &mut Script<'_>) -> Option<usize> {
        let places: Vec<usize> = (0..self.lines.len()).collect();
        script.choose(&places)
    }

    fn open(&mut self, hosted: Option<(RequestHead, Vec<u8>)>) {
        if self.lines.len() >= CONNECTIONS {
            return;
        }
        let id = self.server.open(self.now, Peer::Unknown);
        let line = match hosted {
            None => Line::new(id, self.server.wire()),
            Some((head, body)) => Line::hosted(id, self.server.hosted_wire(head), body),
        };
        self.lines.push(line);
        self.pump();
    }

    fn send(&mut self, script: &mut Script<'_>, bytes: &[u8]) {
        if let Some(place) = self.line(script) {
            self.send_on(place, bytes);
        }
    }

    fn send_to_last(&mut self, bytes: &[u8]) {
        if let Some(last) = self.lines.len().checked_sub(1) {
            self.send_on(last, bytes);
        }
    }

    fn send_on(&mut self, place: usize, bytes: &[u8]) {
        let pieces = self.pieces;
        for piece in pieces.of(bytes) {
            self.lines[place].read(piece);
            self.pump();
            self.fire_without_need();
        }
    }

    fn lose(&mut self, place: usize) {
        if self.lines[place].lose() {
            self.server.handle_lost(self.now, self.lines[place].id);
        }
    }

    /// Moves everything that can move, and hears of it. One item at a time, so that what one connection brings
    /// about on another does not depend on how much of it was read at once.
    fn pump(&mut self) {
        for _ in 0..MOVES {
            self.transmit_ready();
            if !(0..self.lines.len()).any(|place| self.move_once(place)) {
                self.hear();
                return;
            }
        }
        panic!("the server never comes to rest");
    }

    fn transmit_ready(&mut self) {
        while let Some(id) = self.server.poll_ready() {
            if let Some(line) = self.lines.iter_mut().find(|line| line.id == id && line.is_open()) {
                self.server.poll_transmit(id, &mut line.wire);
            }
        }
    }

    /// One item, one reply or one write of a connection; whether there was any.
    fn move_once(&mut self, place: usize) -> bool {
        let line = &mut self.lines[place];
        if !line.is_open() {
            return false;
        }
        self.server.poll_transmit(line.id, &mut line.wire);
        let had_output = line.write();
        if let Some(item) = line.poll_item() {
            let id = line.id;
            self.server.handle_item(self.now, id, item);
            self.server.poll_transmit(id, &mut self.lines[place].wire);
            return true;
        }
        if line.is_over() {
            self.lose(place);
            return true;
        }
        had_output
    }

    fn hear(&mut self) {
        while let Some(event) = self.server.poll_event() {
            self.told.push(format!("{event:?}"));
            self.ledger.enter(event, &mut self.tokens, &mut self.requests);
        }
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.server.poll_timeout().filter(|due| *due <= end) {
            self.fire(due);
        }
        self.fire(end);
    }

    /// The timer is late: what happens next comes first.
    fn wait_asleep(&mut self, duration: Duration) {
        self.now += duration;
    }

    fn fire(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.server.handle_timeout(self.now);
        let next = self.server.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "what is due was done");
        self.pump();
    }

    fn fire_without_need(&mut self) {
        let next = self.server.poll_timeout();
        if self.timers == Timers::Always && next.is_none_or(|next| next > self.now) {
            self.server.handle_timeout(self.now);
            assert!(self.server.poll_timeout().is_none_or(|next| next > self.now));
            self.pump();
        }
    }

    fn check(&self) {
        self.ledger.check(&self.server);
        let counts = self.server.counts();
        let open = self.lines.iter().filter(|line| line.is_open()).count();
        assert_eq!(counts.connections, open);
        for line in &self.lines {
            assert!(line.output_bytes() <= OUTPUT_BYTES, "{}", line.output_bytes());
        }
    }

    /// Everybody goes away; whatever time is owed passes.
    fn finish(&mut self) {
        for place in 0..self.lines.len() {
            self.lose(place);
            self.pump();
        }
        for _ in 0..MOVES {
            let Some(due) = self.server.poll_timeout() else {
                self.check();
                assert_eq!(self.server.counts(), Counts::default());
                self.ledger.assert_over();
                return self.use_stale_handles();
            };
            self.fire(due);
        }
        panic!("time never runs out");
    }

    fn connection(&self, script: &mut Script<'_>) -> Option<ConnId> {
        self.line(script).map(|place| self.lines[place].id)
    }
}

fn config(choice: u8) -> Config {
    let mut config = Config::default();
    let engine = &mut config.engine;
    engine.max_payload = 2_000;
    engine.limits.queued_bytes = QUEUED_BYTES;
    engine.limits.pending_acks = 8;
    engine.limits.namespaces_per_client = 2;
    engine.limits.rooms_per_socket = 3;
    engine.limits.attachments = 3;
    engine.limits.json_depth = 20;
    engine.limits.packets_per_payload = 20;
    if choice & 1 != 0 {
        engine.gate = Gate::Ask;
    }
    if choice & 2 != 0 {
        engine.cors = Cors::builder(CorsOrigin::Any).build().ok();
    }
    if choice & 4 != 0 {
        engine.client_bundle = ClientBundle::Present;
    }
    if choice & 8 != 0 {
        engine.limits.sessions = 2;
    }
    config
}
