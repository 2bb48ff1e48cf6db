//! Both applications: the server accepts every socket, both number their events, and acknowledge with that number.

use super::PairSimulation;
use crate::script::Script;
use crate::simulation::{Simulation, known_name};
use bytes::Bytes;
use socketio_core::http::Headers;
use socketio_core::sio::client::{self, Retry, Security, Target};
use socketio_core::sio::{self, AckError, AckId, Arguments, Delivery, Encoded};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What both have sent and received.
#[derive(Default)]
pub(super) struct Application {
    /// The number of the next event, of either side.
    next: u64,
    client: Side,
    server: Side,
}

/// What the application of one side has seen.
#[derive(Default)]
struct Side {
    events: Vec<String>,
    /// The number of the last event in each namespace, of those sent at most once.
    last: BTreeMap<String, u64>,
    /// The numbers of all events that came.
    received: BTreeSet<u64>,
    /// The number of the event that each acknowledgement is for.
    pending_acks: BTreeMap<AckId, u64>,
}

impl Side {
    /// An event came, whose number is returned; what is delivered at least once may come again.
    fn receive(&mut self, namespace: &str, name: &str, arguments: &Arguments) -> u64 {
        let (number, data): (u64, Bytes) = arguments.parse().expect("what was sent");
        assert!(data.iter().all(|byte| *byte == number as u8));
        if name != "deliver" {
            let last = self.last.insert(namespace.to_owned(), number);
            assert!(last.is_none_or(|last| last < number), "out of order or twice");
        }
        self.received.insert(number);
        number
    }

    /// An acknowledgement ended; if it came, it is that of its event, which the `other` side has received.
    fn end_ack(&mut self, other: &Self, ack: AckId, outcome: Result<Arguments, AckError>) {
        let number = self.pending_acks.remove(&ack);
        let number = number.expect("ended twice or never asked for");
        if let Ok(arguments) = outcome {
            assert_eq!(arguments.first(), Ok(number));
            assert!(other.received.contains(&number));
        }
    }

    fn assert_received(&self, number: u64) {
        assert!(self.received.contains(&number), "it did not come at once");
    }
}

impl Application {
    /// The events of the client, and those of the server.
    pub(super) fn into_events(self) -> [Vec<String>; 2] {
        [self.client.events, self.server.events]
    }

    pub(super) fn assert_over(&self) {
        for side in [&self.client, &self.server] {
            assert!(side.pending_acks.is_empty(), "an acknowledgement never ended");
        }
    }
}

fn target() -> Target {
    Target {
        authority: "localhost".to_owned(),
        security: Security::Plain,
        query: Vec::new(),
        headers: Headers::new(),
    }
}

impl PairSimulation {
    pub(super) fn verb(&mut self, step: u8, script: &mut Script<'_>) {
        let index = usize::from(script.byte() % 2);
        match step {
            7..12 => self.client_emits(index, script),
            12..16 => self.client_emits_with_ack(index, script),
            16 | 17 => self.client_delivers(index, script),
            18..23 => self.server_emits(index, script),
            23..27 => self.server_emits_with_ack(index, script),
            27 => self.server_disconnects(index),
            28 | 29 => self.client_leaves_or_enters(step, index),
            30 => self.client.close(self.now),
            _ => {}
        }
    }

    fn name(index: usize) -> &'static str {
        ["/", "/chat"][index]
    }

    /// A numbered packet with an attachment, and its number.
    fn packet(&mut self, index: usize, name: &str, script: &mut Script<'_>) -> (Encoded, u64) {
        let number = self.application.next;
        self.application.next += 1;
        let data = Bytes::from(vec![number as u8; usize::from(script.byte()) * 8]);
        let packet = self.encoder.event(Self::name(index), name, &(number, data));
        (packet.expect("a packet"), number)
    }

    fn client_emits(&mut self, index: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(index, "emit", script);
        let Some(namespace) = self.client.namespace(Self::name(index)) else {
            return;
        };
        let is_joined = self.client.is_joined(namespace);
        let outcome = self.client.emit(self.now, namespace, &packet, Delivery::Reliable);
        self.pump();
        // Polling may want a new connection for it, which only a network that is up gives.
        if is_joined && self.is_up && outcome.is_ok() {
            self.application.server.assert_received(number);
        }
    }

    fn client_emits_with_ack(&mut self, index: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(index, "ask", script);
        let Some(namespace) = self.client.namespace(Self::name(index)) else {
            return;
        };
        let deadline = self.now + Duration::from_millis(u64::from(script.word()) + 1);
        if let Ok(ack) = self.client.emit_with_ack(self.now, namespace, &packet, deadline) {
            self.application.client.pending_acks.insert(ack, number);
        }
    }

    fn client_delivers(&mut self, index: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(index, "deliver", script);
        let Some(namespace) = self.client.namespace(Self::name(index)) else {
            return;
        };
        let retry = Retry {
            ack_timeout: Duration::from_millis(script.word().into()),
            retries: (script.byte() % 4).into(),
        };
        if let Ok(ack) = self.client.deliver(self.now, namespace, &packet, retry) {
            self.application.client.pending_acks.insert(ack, number);
        }
    }

    fn server_socket(&self, index: usize) -> Option<sio::SocketId> {
        let namespace = self.server.namespace(Self::name(index))?;
        self.server.sockets(namespace).last().copied()
    }

    fn server_emits(&mut self, index: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(index, "emit", script);
        let Some(socket) = self.server_socket(index) else {
            return;
        };
        let has_connections = !self.connections.is_empty();
        let outcome = self.server.emit(self.now, socket, &packet, Delivery::Reliable);
        self.pump();
        if has_connections && outcome.is_ok() {
            self.application.client.assert_received(number);
        }
    }

    fn server_emits_with_ack(&mut self, index: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(index, "ask", script);
        let Some(socket) = self.server_socket(index) else {
            return;
        };
        let deadline = self.now + Duration::from_millis(u64::from(script.word()) + 1);
        if let Ok(ack) = self.server.emit_with_ack(self.now, socket, &packet, deadline) {
            self.application.server.pending_acks.insert(ack, number);
        }
    }

    fn server_disconnects(&mut self, index: usize) {
        if let Some(socket) = self.server_socket(index) {
            self.server.disconnect(self.now, socket);
        }
    }

    fn client_leaves_or_enters(&mut self, step: u8, index: usize) {
        let Some(namespace) = self.client.namespace(Self::name(index)) else {
            return;
        };
        match step {
            28 => self.client.leave(self.now, namespace),
            _ => self.client.enter(self.now, namespace),
        }
    }

    /// Both applications take their events and answer; whether there was any.
    pub(super) fn handle_events(&mut self) -> bool {
        let mut has_events = false;
        while let Some(event) = self.client.poll_event() {
            has_events = true;
            self.handle_client_event(event);
        }
        while let Some(event) = self.server.poll_event() {
            has_events = true;
            self.handle_server_event(event);
        }
        has_events
    }

    fn handle_client_event(&mut self, event: client::Event) {
        use client::Event;
        // When the upgrade comes depends on which of two connections was served first.
        if !matches!(event, Event::Upgraded) {
            self.application.client.events.push(format!("{event:?}"));
        }
        match event {
            Event::Attempt { .. } => self.client.proceed(self.now, target()),
            Event::Joining { namespace } => {
                let name = known_name(self.client.namespace_name(namespace));
                let packet = self.encoder.raw_connect(name.as_str(), None).expect("a packet");
                self.client.join(self.now, namespace, &packet);
            }
            Event::Event {
                namespace,
                name,
                arguments,
                ack,
            } => {
                let namespace = known_name(self.client.namespace_name(namespace));
                let client = &mut self.application.client;
                let number = client.receive(namespace.as_str(), name.as_str(), &arguments);
                if let Some(token) = ack {
                    let packet = self.encoder.ack(namespace.as_str(), token.id(), &number);
                    let _ = self.client.ack(self.now, token, &packet.expect("a packet"));
                }
            }
            Event::Acked { ack, outcome } => {
                let Application { client, server, .. } = &mut self.application;
                client.end_ack(server, ack, outcome);
            }
            _ => {}
        }
    }

    fn handle_server_event(&mut self, event: sio::Event) {
        use sio::Event;
        self.application.server.events.push(format!("{event:?}"));
        match event {
            Event::Connect { socket, .. } => assert!(self.server.accept(self.now, socket)),
            Event::Event {
                namespace,
                name,
                arguments,
                ack,
                ..
            } => {
                let namespace = known_name(self.server.namespace_name(namespace));
                let server = &mut self.application.server;
                let number = server.receive(namespace.as_str(), name.as_str(), &arguments);
                if let Some(token) = ack {
                    let packet = self.encoder.ack(namespace.as_str(), token.id(), &number);
                    let _ = self.server.ack(self.now, token, &packet.expect("a packet"));
                }
            }
            Event::Acked { ack, outcome } => {
                let Application { client, server, .. } = &mut self.application;
                server.end_ack(client, ack, outcome);
            }
            _ => {}
        }
    }
}
