//! What the applications send, and their events.

use super::World;
use socketio_core::eio::client::{self, CloseReason, SendError};
use socketio_core::eio::{self, Delivery, Message, SessionId};

impl World {
    pub(crate) fn send(&mut self, text: &str) -> Result<(), SendError> {
        self.send_as(text, Delivery::Reliable)
    }

    pub(crate) fn send_as(&mut self, text: &str, delivery: Delivery) -> Result<(), SendError> {
        let sent = self.client.send(self.now, &Message::Text(text.into()), delivery);
        self.pump();
        sent
    }

    pub(crate) fn server_send(&mut self, text: &str) {
        let session = self.session();
        let (server, message) = (self.server.as_mut().unwrap(), Message::Text(text.into()));
        server
            .send(self.now, session, &message, Delivery::Reliable)
            .expect("an open session");
        self.pump();
    }

    pub(crate) fn close(&mut self) {
        self.client.close(self.now);
        self.settle();
    }

    /// The session that began last.
    pub(crate) fn session(&self) -> SessionId {
        let opened = |event: &eio::Event| match event {
            eio::Event::Opened { session } => Some(*session),
            _ => None,
        };
        self.server_events
            .iter()
            .rev()
            .find_map(opened)
            .expect("a session")
    }

    /// The events of the client since the last call, as short texts.
    pub(crate) fn client_texts(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| describe(&event)).collect()
    }

    /// All events of the server so far, as short texts.
    pub(crate) fn server_texts(&self) -> Vec<String> {
        let describe = |event: &eio::Event| match event {
            eio::Event::Message { message, .. } => text_of(message),
            eio::Event::Closed { reason, .. } => format!("{reason:?}"),
            eio::Event::Opened { .. } => "Opened".to_owned(),
            other => format!("{other:?}").chars().take(8).collect(),
        };
        self.server_events.iter().map(describe).collect()
    }

    /// Why the session ended, which it did just once.
    pub(crate) fn closed(&mut self) -> (CloseReason, Option<String>) {
        let mut closed: Vec<_> = self
            .events
            .drain(..)
            .filter_map(|event| match event {
                client::Event::Closed { reason, detail } => {
                    Some((reason, detail.map(|text| text.as_str().to_owned())))
                }
                _ => None,
            })
            .collect();
        assert_eq!(closed.len(), 1, "{closed:?}");
        closed.remove(0)
    }

    /// Nothing is left of the session, and the client can begin another.
    pub(crate) fn assert_idle(&self) {
        assert_eq!(self.client.state(), client::State::Idle);
        assert_eq!(self.client.poll_timeout(), None);
        assert_eq!(self.client.queued_bytes(), 0);
        assert_eq!(self.client.transport(), None);
        for link in &self.links {
            assert!(!self.client.is_wanted(link.id));
        }
    }

    /// Nor of its connections.
    pub(crate) fn assert_empty(&self) {
        self.assert_idle();
        assert_eq!(self.client.connection_count(), 0);
    }
}

fn text_of(message: &Message) -> String {
    match message {
        Message::Text(text) => text.as_str().to_owned(),
        Message::Binary(data) => format!("{data:?}"),
    }
}

fn describe(event: &client::Event) -> String {
    match event {
        client::Event::Opened { transport } => format!("Opened {}", transport.as_str()),
        client::Event::Message(message) => text_of(message),
        client::Event::Upgraded => "Upgraded".to_owned(),
        client::Event::UpgradeFailed(reason) => format!("UpgradeFailed {reason:?}"),
        client::Event::Closed { reason, .. } => format!("Closed {reason:?}"),
        other => format!("{other:?}"),
    }
}
