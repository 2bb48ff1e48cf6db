//! A whole client and a whole server, and between them a network that cuts the bytes as it likes.

mod application;
mod link;

use crate::life::MOVES;
use crate::pieces::Pieces;
use crate::script::Script;
use application::Application;
use link::Link;
use socketio_core::eio::Peer;
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::client::{Client, Config as ClientConfig, Initial, Offline};
use socketio_core::sio::{Config, Counts, Encoder, Server};
use std::time::{Duration, Instant};

/// The first byte chooses the configuration; every other is a step or an argument of one.
///
/// How the network cuts the bytes changes nothing that either application hears. What is sent comes in order and at
/// most once; on a connection that stands it comes at once; each acknowledgement is that of its event; and when both
/// are closed nothing is left.
pub fn pair(data: &[u8]) {
    let live = |pieces| Life::new(data, pieces).run(data);
    let [whole, bytes, cut] = Pieces::all(data.len() as u8).map(live);
    assert_eq!(bytes, whole);
    assert_eq!(cut, whole);
}

struct Life {
    client: Client,
    server: Server,
    encoder: Encoder,
    now: Instant,
    pieces: Pieces,
    /// Whether dials succeed.
    is_up: bool,
    links: Vec<Link>,
    application: Application,
}

impl Life {
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
            links: Vec::new(),
            application: Application::default(),
        }
    }

    /// What the client's application heard, and the server's.
    fn run(mut self, data: &[u8]) -> [Vec<String>; 2] {
        self.client.connect(self.now);
        self.pump();
        let mut script = Script::new(data.get(1..).unwrap_or_default());
        while let Some(step) = script.step() {
            match step % 32 {
                0..3 => self.wait(Duration::from_millis(script.word().into())),
                3 => self.wait(Duration::from_secs(script.byte().into())),
                4 => self.cut(),
                5 => self.is_up = !self.is_up,
                6 => {
                    self.client.connect(self.now);
                    self.pump();
                }
                step => self.verb(step, &mut script),
            }
        }
        self.finish();
        self.application.into_told()
    }

    /// Moves bytes until nothing moves.
    fn pump(&mut self) {
        for _ in 0..MOVES {
            self.dial();
            self.transmit_ready();
            let moved = (0..self.links.len()).rev().any(|place| self.move_link(place));
            let heard = self.hear();
            if !moved && !heard {
                return;
            }
        }
        panic!("the two never come to rest");
    }

    fn dial(&mut self) {
        while let Some(dial) = self.client.poll_dial() {
            let near = dial.connection;
            if !self.is_up || !self.client.handle_open(self.now, near) {
                self.client.handle_lost(self.now, near);
                continue;
            }
            let far = self.server.open(self.now, Peer::Unknown);
            let wires = (self.client.wire(), self.server.wire());
            self.links.push(Link::new(near, far, wires, self.pieces));
        }
    }

    fn transmit_ready(&mut self) {
        while let Some(id) = self.client.poll_ready() {
            if let Some(link) = self.links.iter_mut().find(|link| link.near == id) {
                self.client.poll_transmit(id, &mut link.near_wire);
            }
        }
        while let Some(id) = self.server.poll_ready() {
            if let Some(link) = self.links.iter_mut().find(|link| link.far == id) {
                self.server.poll_transmit(id, &mut link.far_wire);
            }
        }
    }

    fn move_link(&mut self, place: usize) -> bool {
        let moved = self.links[place].move_bytes(self.now, &mut self.client, &mut self.server);
        if !moved && self.links[place].is_over() {
            let mut link = self.links.remove(place);
            self.server.handle_lost(self.now, link.far);
            link.near_wire.handle_end();
            while let Some(item) = link.near_wire.poll_item() {
                self.client.handle_item(self.now, link.near, item);
            }
            self.client.handle_lost(self.now, link.near);
            return true;
        }
        moved
    }

    /// All connections are lost, at both ends.
    fn cut(&mut self) {
        for link in core::mem::take(&mut self.links) {
            self.server.handle_lost(self.now, link.far);
            self.client.handle_lost(self.now, link.near);
        }
        self.pump();
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.due().filter(|due| *due <= end) {
            self.fire(due);
        }
        self.fire(end);
    }

    fn due(&self) -> Option<Instant> {
        let dues = [self.client.poll_timeout(), self.server.poll_timeout()];
        dues.into_iter().flatten().min()
    }

    fn fire(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.pump();
    }

    fn finish(&mut self) {
        self.client.close(self.now);
        self.pump();
        self.wait(Duration::from_secs(100));
        self.application.assert_over();
        assert_eq!(self.client.poll_timeout(), None);
        assert_eq!(self.client.pending_acks(), 0);
        self.cut();
        for _ in 0..MOVES {
            let Some(due) = self.due() else { break };
            self.fire(due);
        }
        assert_eq!(self.server.counts(), Counts::default());
    }
}

fn client_config(choice: u8) -> ClientConfig {
    let mut config = ClientConfig::default();
    config.engine.transports = match choice & 3 {
        0 => TransportOrder::PollingFirst,
        1 => TransportOrder::WebSocket,
        2 => TransportOrder::WebSocketFirst,
        _ => TransportOrder::Polling,
    };
    config.reconnection.initial = Initial::Retry;
    if choice & 4 != 0 {
        config.offline = Offline::Buffer {
            packets: 4,
            bytes: 1_500,
        };
    }
    config
}
