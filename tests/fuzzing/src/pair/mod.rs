//! A whole client and a whole server, and between them a network that cuts the bytes anywhere.

mod application;
mod connection;

use crate::pieces::Pieces;
use crate::script::Script;
use crate::simulation::{Simulation, Timers, Variant, transports};
use application::Application;
use connection::Connection;
use socketio_core::eio::Peer;
use socketio_core::sio::client::{Client, Config as ClientConfig, Initial, Offline};
use socketio_core::sio::{Config, Counts, Encoder, Server};
use std::time::{Duration, Instant};

/// The first byte chooses the configuration; every other is a step or an argument of one.
///
/// How the network cuts the bytes changes nothing that either application is told. What is sent comes in order and at
/// most once; on a connection that stands it comes at once; each acknowledgement is that of its event; and when both
/// are closed nothing is left.
pub fn pair(data: &[u8]) {
    let run = |pieces| PairSimulation::new(data, pieces).run(data);
    let [whole, bytes, cut] = Pieces::all(data.len() as u8).map(run);
    assert_eq!(bytes, whole);
    assert_eq!(cut, whole);
}

struct PairSimulation {
    client: Client,
    server: Server,
    encoder: Encoder,
    now: Instant,
    pieces: Pieces,
    /// Whether dials succeed.
    is_up: bool,
    connections: Vec<Connection>,
    application: Application,
}

impl PairSimulation {
    fn new(data: &[u8], pieces: Pieces) -> Self {
        let now = Instant::now();
        let choice = data.first().copied().unwrap_or_default();
        let mut server = Server::new(Config::default(), [7; 32], now);
        let mut client = Client::new(client_config(choice), [9; 32], now);
        for name in ["/", "/chat"] {
            server.add_namespace(name).expect("a new name");
            client.add_namespace(now, name).expect("a new name");
        }
        Self {
            client,
            server,
            encoder: Encoder::new(),
            now,
            pieces,
            is_up: true,
            connections: Vec::new(),
            application: Application::default(),
        }
    }

    /// The events of the client, and those of the server.
    fn run(mut self, data: &[u8]) -> [Vec<String>; 2] {
        self.client.connect(self.now);
        self.pump();
        self.run_script(data);
        self.finish();
        self.application.into_events()
    }

    fn dial(&mut self) {
        while let Some(dial) = self.client.poll_dial() {
            let client_id = dial.connection;
            if !self.is_up || !self.client.handle_open(self.now, client_id) {
                self.client.handle_lost(self.now, client_id);
                continue;
            }
            let server_id = self.server.open(self.now, Peer::Unknown);
            let wires = (self.client.wire(), self.server.wire());
            self.connections
                .push(Connection::new(client_id, server_id, wires, self.pieces));
        }
    }

    fn transmit_ready(&mut self) {
        while let Some(id) = self.client.poll_ready() {
            if let Some(connection) = self
                .connections
                .iter_mut()
                .find(|connection| connection.client_id == id)
            {
                self.client.poll_transmit(id, &mut connection.client_wire);
            }
        }
        while let Some(id) = self.server.poll_ready() {
            if let Some(connection) = self
                .connections
                .iter_mut()
                .find(|connection| connection.server_id == id)
            {
                self.server.poll_transmit(id, &mut connection.server_wire);
            }
        }
    }

    fn move_connection(&mut self, index: usize) -> bool {
        let has_moved = self.connections[index].move_bytes(self.now, &mut self.client, &mut self.server);
        if !has_moved && self.connections[index].is_over() {
            let mut connection = self.connections.remove(index);
            self.server.handle_lost(self.now, connection.server_id);
            connection.client_wire.handle_end();
            while let Some(item) = connection.client_wire.poll_item() {
                self.client.handle_item(self.now, connection.client_id, item);
            }
            self.client.handle_lost(self.now, connection.client_id);
            return true;
        }
        has_moved
    }

    /// All connections are lost, at both ends.
    fn lose_all(&mut self) {
        for connection in core::mem::take(&mut self.connections) {
            self.server.handle_lost(self.now, connection.server_id);
            self.client.handle_lost(self.now, connection.client_id);
        }
        self.pump();
    }

    fn finish(&mut self) {
        self.client.close(self.now);
        self.pump();
        self.wait(Duration::from_secs(100));
        self.application.assert_over();
        assert_eq!(self.client.poll_timeout(), None);
        assert_eq!(self.client.pending_acks(), 0);
        self.lose_all();
        self.wait_for_all_timers();
        assert_eq!(self.server.counts(), Counts::default());
    }
}

impl Simulation for PairSimulation {
    fn variant(&self) -> Variant {
        Variant {
            pieces: self.pieces,
            timers: Timers::WhenDue,
        }
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let timeouts = [self.client.poll_timeout(), self.server.poll_timeout()];
        timeouts.into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.client.handle_timeout(now);
        self.server.handle_timeout(now);
    }

    fn advance(&mut self) -> bool {
        self.dial();
        self.transmit_ready();
        let has_moved = (0..self.connections.len())
            .rev()
            .any(|index| self.move_connection(index));
        self.handle_events() | has_moved
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 32 {
            0..3 => self.wait(Duration::from_millis(script.word().into())),
            3 => self.wait(Duration::from_secs(script.byte().into())),
            4 => self.lose_all(),
            5 => self.is_up = !self.is_up,
            6 => self.client.connect(self.now),
            step => self.verb(step, script),
        }
    }
}

fn client_config(choice: u8) -> ClientConfig {
    let mut config = ClientConfig::default();
    config.engine.transports = transports(choice);
    config.reconnection.initial = Initial::Retry;
    if choice & 4 != 0 {
        config.offline = Offline::Buffer {
            packets: 4,
            bytes: 1_500,
        };
    }
    config
}
