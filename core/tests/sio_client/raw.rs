//! A server that knows Engine.IO alone: the test writes every packet of Socket.IO itself.

use crate::pair::{Pair, SECOND, start};
use socketio_core::eio::{self, Delivery, Message, SessionId};
use socketio_core::sio::client::Config;
use std::time::Duration;

pub(crate) type Raw = Pair<eio::Server>;

impl Raw {
    /// Connected, and the client has asked to join `/`.
    pub(crate) fn joining() -> Self {
        Self::joining_with(|_| {})
    }

    pub(crate) fn joining_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut raw = Self::unconnected(adjust);
        raw.client.connect(raw.now);
        assert_eq!(raw.received(), [r#"0{"token":1}"#]);
        raw.client_events.clear();
        raw
    }

    pub(crate) fn unconnected(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = eio::Config::default();
        config.path = "/socket.io/".to_owned();
        config.ping_interval = 100_000 * SECOND;
        let now = start();
        let server = eio::Server::new(config, [9; 32], now);
        Self::between(server, now, adjust)
    }

    /// Joined in `/`.
    pub(crate) fn joined_main() -> Self {
        Self::joined_main_with(|_| {})
    }

    pub(crate) fn joined_main_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut raw = Self::joining_with(adjust);
        raw.send_packet(r#"0{"sid":"abc"}"#);
        assert!(raw.client.is_joined(raw.main()));
        raw.client_events.clear();
        raw
    }

    pub(crate) fn run(&mut self) {
        while self.pump_once() {
            while let Some(event) = self.server.poll_event() {
                self.server_events.push_back(event);
            }
        }
    }

    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.run();
        while let Some(due) = self.due().filter(|due| *due <= end) {
            self.fire_timers(due);
            self.run();
        }
        self.fire_timers(end);
        self.run();
    }

    fn session(&self) -> SessionId {
        self.session.expect("a session")
    }

    /// Sends one packet of Socket.IO.
    pub(crate) fn send_packet(&mut self, packet: &str) {
        self.send(Message::Text(packet.into()));
    }

    pub(crate) fn send(&mut self, message: Message) {
        self.run();
        let session = self.session();
        let _ = self.server.send(self.now, session, &message, Delivery::Reliable);
        self.run();
    }

    /// The packets that came from the client; a binary one as its bytes in brackets.
    pub(crate) fn received(&mut self) -> Vec<String> {
        self.run();
        let mut received = Vec::new();
        for event in self.server_events.drain(..) {
            match event {
                eio::Event::Opened { session } => self.session = Some(session),
                eio::Event::Message { message, .. } => received.push(match message {
                    Message::Text(text) => text.as_str().to_owned(),
                    Message::Binary(data) => format!("{:?}", &data[..]),
                }),
                _ => {}
            }
        }
        received
    }

    pub(crate) fn client_texts(&mut self) -> Vec<String> {
        self.run();
        self.texts()
    }
}
