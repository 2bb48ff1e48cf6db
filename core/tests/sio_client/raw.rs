//! A server that knows Engine.IO alone: the test says every packet of Socket.IO itself.

use crate::pair::{Pair, SECOND, start};
use socketio_core::eio::{self, Delivery, Message, SessionId};
use socketio_core::sio::client::Config;
use std::time::Duration;

pub(crate) type Raw = Pair<eio::Server>;

impl Raw {
    /// Connected, and asked by the client to let it into `/`.
    pub(crate) fn asked() -> Self {
        Self::asked_with(|_| {})
    }

    pub(crate) fn asked_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut raw = Self::unconnected(adjust);
        raw.client.connect(raw.now);
        assert_eq!(raw.received(), [r#"0{"token":1}"#]);
        raw.told.clear();
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

    /// Let into `/`.
    pub(crate) fn welcomed() -> Self {
        Self::welcomed_with(|_| {})
    }

    pub(crate) fn welcomed_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut raw = Self::asked_with(adjust);
        raw.say(r#"0{"sid":"abc"}"#);
        assert!(raw.client.is_joined(raw.main()));
        raw.told.clear();
        raw
    }

    pub(crate) fn run(&mut self) {
        while self.pump_once() {
            while let Some(event) = self.server.poll_event() {
                self.heard.push_back(event);
            }
        }
    }

    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.run();
        while let Some(due) = self.due().filter(|due| *due <= end) {
            self.wake(due);
            self.run();
        }
        self.wake(end);
        self.run();
    }

    fn session(&self) -> SessionId {
        self.session.expect("a session")
    }

    /// Sends one packet of Socket.IO.
    pub(crate) fn say(&mut self, packet: &str) {
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
        for event in self.heard.drain(..) {
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

    pub(crate) fn says(&mut self) -> Vec<String> {
        self.run();
        self.texts()
    }
}
