//! A whole Socket.IO client: connections to a server that sends anything, time, and every verb in any order.

mod connection;
mod ledger;
mod verbs;

use crate::script::Script;
use crate::simulation::{EndSimulation, Simulation, Variant, assert_same, transports};
use connection::Connection;
use ledger::Ledger;
use socketio_core::eio::client::{Fallback, Remembered};
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
/// How bytes arrive and how often timers fire changes neither the events of the application nor what the server
/// receives. Every join, acknowledgement and connection ends once, queues are bounded, and a client that is closed
/// comes to rest.
pub fn client_bytes(data: &[u8]) {
    assert_same(data.len() as u8, |variant| {
        ClientSimulation::new(data, variant).run(data)
    });
}

/// What both sides of a client have seen of it.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    /// Events, and what the verbs returned.
    application: Vec<String>,
    /// What each connection carried to the server.
    sent: Vec<String>,
}

struct ClientSimulation {
    client: Client,
    encoder: Encoder,
    now: Instant,
    variant: Variant,
    namespaces: Vec<NamespaceId>,
    connections: Vec<Connection>,
    ledger: Ledger,
    tokens: Vec<AckToken>,
    application: Vec<String>,
}

impl ClientSimulation {
    fn new(data: &[u8], variant: Variant) -> Self {
        let now = Instant::now();
        let choice = data.first().copied().unwrap_or_default();
        let mut client = Client::new(config(choice), [9; 32], now);
        let namespaces = ["/", "/chat"];
        let namespaces = namespaces.map(|name| client.add_namespace(now, name).expect("a new name"));
        Self {
            client,
            encoder: Encoder::new(),
            now,
            variant,
            namespaces: namespaces.to_vec(),
            connections: Vec::new(),
            ledger: Ledger::default(),
            tokens: Vec::new(),
            application: Vec::new(),
        }
    }

    fn run(mut self, data: &[u8]) -> Trace {
        self.run_script(data);
        self.finish();
        let sent = self.connections.iter().map(Connection::summary).collect();
        let application = self.application;
        Trace { application, sent }
    }

    fn network(&mut self, step: u8, script: &mut Script<'_>) {
        match step {
            0..4 => self.open_all(),
            4 => self.lose_one_dial(),
            5..10 => {
                let answer = |connection: &Connection| connection.good_answer(0, &[]);
                self.open_all();
                self.answer_all(answer);
            }
            10..16 => {
                let (kind, text) = (script.byte(), script.text());
                self.answer_all(|connection| connection.good_answer(kind, text));
            }
            16..23 => {
                let text = script.text();
                self.answer_all(|connection| connection.message(text));
            }
            23 => {
                let bytes = script.bytes();
                self.answer_all(|connection| connection.binary(bytes));
            }
            24 | 25 => {
                let bytes = script.bytes();
                self.answer_one(script, |_| bytes.to_vec());
            }
            26 => {
                let (kind, bytes) = (script.byte(), script.bytes());
                self.answer_one(script, |connection| connection.bad_answer(kind, bytes));
            }
            27 => {
                if let Some(index) = self.connection(script) {
                    self.end(index);
                }
            }
            28 => {
                if let Some(index) = self.connection(script) {
                    self.lose(index);
                }
            }
            29..31 => self.wait(Duration::from_millis(script.word().into())),
            31 => self.wait(Duration::from_secs(script.byte().into())),
            32 => self.now += Duration::from_millis(script.word().into()),
            _ => self.now += Duration::from_secs(script.byte().into()),
        }
    }

    /// The connection an argument names, counted from the newest.
    fn connection(&self, script: &mut Script<'_>) -> Option<usize> {
        script.choose_index(self.connections.len())
    }

    fn open_all(&mut self) {
        for index in 0..self.connections.len() {
            if !self.connections[index].is_dialled() {
                continue;
            }
            let id = self.connections[index].id;
            if self.client.handle_open(self.now, id) {
                let wire = self.client.wire();
                self.connections[index].open(wire);
            } else {
                self.lose(index);
            }
            self.pump();
        }
    }

    fn lose_one_dial(&mut self) {
        if let Some(index) = self.connections.iter().position(Connection::is_dialled) {
            self.lose(index);
        }
    }

    fn answer_all(&mut self, answer: impl Fn(&Connection) -> Vec<u8>) {
        for index in 0..self.connections.len() {
            let bytes = answer(&self.connections[index]);
            self.receive(index, &bytes);
        }
    }

    fn answer_one(&mut self, script: &mut Script<'_>, answer: impl Fn(&Connection) -> Vec<u8>) {
        if let Some(index) = self.connection(script) {
            let bytes = answer(&self.connections[index]);
            self.receive(index, &bytes);
        }
    }

    /// The server ends its side.
    fn end(&mut self, index: usize) {
        self.connections[index].end();
        self.pump();
        self.lose(index);
    }

    fn lose(&mut self, index: usize) {
        if self.connections[index].lose() {
            self.client.handle_lost(self.now, self.connections[index].id);
        }
    }

    fn dial(&mut self) {
        while let Some(dial) = self.client.poll_dial() {
            if self.connections.len() < CONNECTIONS {
                self.connections.push(Connection::dialled(dial.connection));
            } else {
                self.client.handle_lost(self.now, dial.connection);
            }
        }
    }

    fn transmit_ready(&mut self) {
        while let Some(id) = self.client.poll_ready() {
            let Some(index) = self.connections.iter().position(|connection| connection.id == id) else {
                continue;
            };
            if let Some(wire) = self.connections[index].wire() {
                self.client.poll_transmit(id, wire);
            } else if !self.client.is_wanted(id) {
                self.lose(index);
            }
        }
    }

    fn move_once(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        let id = connection.id;
        let Some(wire) = connection.wire() else {
            return false;
        };
        self.client.poll_transmit(id, wire);
        let item = wire.poll_item();
        let has_written = connection.write();
        if let Some(item) = item {
            self.client.handle_item(self.now, id, item);
            return true;
        }
        if self.connections[index].is_over() {
            self.lose(index);
            return true;
        }
        has_written
    }

    fn poll_events(&mut self) {
        let mut is_closed = false;
        while let Some(event) = self.client.poll_event() {
            self.application.push(format!("{event:?}"));
            is_closed = matches!(event, Event::Closed { .. });
            self.ledger.record(event, &mut self.tokens);
        }
        // Deliveries that were asked for since `connect` wait for the next connection.
        let is_wanted = self
            .namespaces
            .iter()
            .any(|namespace| self.client.wants(*namespace));
        if is_closed && !is_wanted {
            self.ledger.acks.assert_all_ended();
        }
    }

    /// The application closes the client, and every timer that is left fires.
    fn finish(&mut self) {
        self.client.close(self.now);
        self.pump();
        self.wait_for_all_timers();
        for index in 0..self.connections.len() {
            self.lose(index);
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

impl Simulation for ClientSimulation {
    fn variant(&self) -> Variant {
        self.variant
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.client.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.client.handle_timeout(now);
    }

    fn advance(&mut self) -> bool {
        self.dial();
        self.transmit_ready();
        let has_moved = (0..self.connections.len()).any(|index| self.move_once(index));
        if !has_moved {
            self.poll_events();
        }
        has_moved
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 64 {
            step @ 0..34 => self.network(step, script),
            step => self.verb(step - 34, script),
        }
    }

    fn check(&self) {
        self.ledger.check(&self.client, &self.namespaces);
        for connection in &self.connections {
            let size = connection.output_bytes();
            assert!(size <= OUTPUT_BYTES, "{size}");
        }
    }
}

impl EndSimulation for ClientSimulation {
    fn read(&mut self, index: usize, piece: &[u8]) {
        self.connections[index].read(piece);
    }
}

fn config(choice: u8) -> Config {
    let mut config = Config::default();
    let engine = &mut config.engine;
    engine.transports = transports(choice);
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
