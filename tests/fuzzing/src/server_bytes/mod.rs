//! A whole Socket.IO server: several connections, bytes, time, and every verb in any order.

mod connection;
mod ledger;
mod verbs;

use crate::script::Script;
use crate::simulation::{EndSimulation, Simulation, Variant, assert_same};
use connection::{Connection, Reading};
use ledger::Ledger;
use socketio_core::eio::{ClientBundle, Gate, Peer};
use socketio_core::http::{Cors, CorsOrigin, RequestHead};
use socketio_core::sio::{AckToken, Config, Counts, Encoder, NamespaceId, RequestId, Server};
use std::time::{Duration, Instant};

/// Connections one input may open.
const CONNECTIONS: usize = 12;

/// Bytes the server may queue for one client here.
const QUEUED_BYTES: usize = 3_000;

/// What may stand in a connection's output: the high-water mark of 64 KiB, one queue, and the last words.
const OUTPUT_BYTES: usize = 64 * 1024 + 2 * QUEUED_BYTES + 16 * 1024;

/// The first byte chooses the configuration; every other is a step or an argument of one.
///
/// How bytes arrive and how often timers fire changes neither the events of the application nor what clients receive.
/// Handles that are stale do nothing, every socket and acknowledgement ends once, queues are bounded, and once all
/// connections are lost and their time is over nothing is left.
pub fn server_bytes(data: &[u8]) {
    assert_same(data.len() as u8, |variant| {
        ServerSimulation::new(data, variant).run(data)
    });
}

/// What both sides of a server have seen of it.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    /// Events, and what the verbs returned.
    application: Vec<String>,
    /// What each connection received, and whether it was closed from here.
    received: Vec<(String, bool)>,
}

struct ServerSimulation {
    server: Server,
    encoder: Encoder,
    now: Instant,
    variant: Variant,
    namespaces: Vec<NamespaceId>,
    connections: Vec<Connection>,
    ledger: Ledger,
    tokens: Vec<AckToken>,
    requests: Vec<RequestId>,
    application: Vec<String>,
}

impl ServerSimulation {
    fn new(data: &[u8], variant: Variant) -> Self {
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
            variant,
            namespaces,
            connections: Vec::new(),
            ledger: Ledger::default(),
            tokens: Vec::new(),
            requests: Vec::new(),
            application: Vec::new(),
        }
    }

    fn run(mut self, data: &[u8]) -> Trace {
        self.run_script(data);
        self.finish();
        let received = self.connections.iter().map(Connection::summary).collect();
        let application = self.application;
        Trace {
            application,
            received,
        }
    }

    fn network(&mut self, step: u8, script: &mut Script<'_>) {
        match step {
            0 | 1 => self.open(None),
            2..12 => {
                let sids: Vec<String> = self.connections.iter().flat_map(Connection::sids).collect();
                let request = connection::request(script, &sids);
                // Mostly on a connection of its own, as browsers with several in their pools do.
                if step < 9 {
                    self.open(None);
                    self.send_to_last(&request);
                } else {
                    self.send(script, &request);
                }
            }
            12 => {
                let sids: Vec<String> = self.connections.iter().flat_map(Connection::sids).collect();
                if let Some((head, body)) = connection::hosted_request(script, &sids) {
                    self.open(Some((head, body)));
                }
            }
            13..20 => {
                let frame = connection::text_frame(script);
                self.send(script, &frame);
            }
            20 | 21 => {
                let frame = connection::other_frame(script);
                self.send(script, &frame);
            }
            22 | 23 => {
                let bytes = script.bytes();
                self.send(script, bytes);
            }
            24 => {
                if let Some(index) = self.connection(script) {
                    self.lose(index);
                }
            }
            25 => {
                let reading = if script.is_even() {
                    Reading::Everything
                } else {
                    Reading::Nothing
                };
                if let Some(index) = self.connection(script) {
                    self.connections[index].reading = reading;
                }
            }
            26..29 => self.wait(Duration::from_millis(script.word().into())),
            29 => self.wait(Duration::from_secs(script.byte().into())),
            30 => self.let_time_pass(Duration::from_millis(script.word().into())),
            _ => self.let_time_pass(Duration::from_secs(script.byte().into())),
        }
    }

    /// The connection an argument names, counted from the newest.
    fn connection(&self, script: &mut Script<'_>) -> Option<usize> {
        script.choose_index(self.connections.len())
    }

    fn open(&mut self, hosted: Option<(RequestHead, Vec<u8>)>) {
        if self.connections.len() >= CONNECTIONS {
            return;
        }
        let id = self.server.open(self.now, Peer::Unknown);
        let connection = match hosted {
            None => Connection::new(id, self.server.wire()),
            Some((head, body)) => Connection::hosted(id, self.server.hosted_wire(head), body),
        };
        self.connections.push(connection);
        self.pump();
    }

    fn send(&mut self, script: &mut Script<'_>, bytes: &[u8]) {
        if let Some(index) = self.connection(script) {
            self.receive(index, bytes);
        }
    }

    fn send_to_last(&mut self, bytes: &[u8]) {
        if let Some(last) = self.connections.len().checked_sub(1) {
            self.receive(last, bytes);
        }
    }

    fn lose(&mut self, index: usize) {
        if self.connections[index].lose() {
            self.server.handle_lost(self.now, self.connections[index].id);
        }
    }

    fn transmit_ready(&mut self) {
        while let Some(id) = self.server.poll_ready() {
            if let Some(connection) = self
                .connections
                .iter_mut()
                .find(|connection| connection.id == id && connection.is_open())
            {
                self.server.poll_transmit(id, &mut connection.wire);
            }
        }
    }

    /// One item, one reply or one write of a connection; whether there was any.
    fn move_once(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        if !connection.is_open() {
            return false;
        }
        self.server.poll_transmit(connection.id, &mut connection.wire);
        let had_output = connection.write();
        if let Some(item) = connection.poll_item() {
            let id = connection.id;
            self.server.handle_item(self.now, id, item);
            self.server.poll_transmit(id, &mut self.connections[index].wire);
            return true;
        }
        if connection.is_over() {
            self.lose(index);
            return true;
        }
        had_output
    }

    fn poll_events(&mut self) {
        while let Some(event) = self.server.poll_event() {
            self.application.push(format!("{event:?}"));
            self.ledger.record(event, &mut self.tokens, &mut self.requests);
        }
    }

    /// The timer is late: what happens next comes before it.
    fn let_time_pass(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// All connections are lost, and every timer that is left fires.
    fn finish(&mut self) {
        for index in 0..self.connections.len() {
            self.lose(index);
            self.pump();
        }
        self.wait_for_all_timers();
        self.check();
        assert_eq!(self.server.counts(), Counts::default());
        self.ledger.assert_over();
        self.use_stale_handles();
    }
}

impl Simulation for ServerSimulation {
    fn variant(&self) -> Variant {
        self.variant
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.server.handle_timeout(now);
    }

    /// One item at a time, so that what one connection brings about on another does not depend on how much of it was
    /// read at once.
    fn advance(&mut self) -> bool {
        self.transmit_ready();
        let has_moved = (0..self.connections.len()).any(|index| self.move_once(index));
        if !has_moved {
            self.poll_events();
        }
        has_moved
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 64 {
            step @ 0..32 => self.network(step, script),
            step => self.verb(step - 32, script),
        }
    }

    fn check(&self) {
        self.ledger.check(&self.server);
        let open = self.connections.iter().filter(|connection| connection.is_open());
        assert_eq!(self.server.counts().connections, open.count());
        for connection in &self.connections {
            let size = connection.output_bytes();
            assert!(size <= OUTPUT_BYTES, "{size}");
        }
    }
}

impl EndSimulation for ServerSimulation {
    fn read(&mut self, index: usize, piece: &[u8]) {
        self.connections[index].read(piece);
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
