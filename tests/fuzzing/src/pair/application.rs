//! Both applications: they let each other in, number what they send, and acknowledge with the same number.

use super::Life;
use crate::script::Script;
use bytes::Bytes;
use socketio_core::http::Headers;
use socketio_core::sio::client::{self, Retry, Security, Target};
use socketio_core::sio::{self, AckError, AckId, Arguments, Delivery, Encoded};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What both have sent and heard.
#[derive(Default)]
pub(super) struct Application {
    client_told: Vec<String>,
    server_told: Vec<String>,
    /// The number of the next event, of either side.
    next: u64,
    client_heard: Heard,
    server_heard: Heard,
    /// The number of the event each acknowledgement of a side is for.
    client_owed: BTreeMap<AckId, u64>,
    server_owed: BTreeMap<AckId, u64>,
}

/// The numbers of events one side has heard.
#[derive(Default)]
struct Heard {
    /// Of those sent at most once, in order.
    last: BTreeMap<String, u64>,
    all: BTreeSet<u64>,
}

impl Heard {
    /// An event came; what is delivered at least once may come again.
    fn enter(&mut self, namespace: &str, name: &str, arguments: &Arguments) -> u64 {
        let (number, data): (u64, Bytes) = arguments.parse().expect("what was sent");
        assert!(data.iter().all(|byte| *byte == number as u8));
        if name != "deliver" {
            let last = self.last.insert(namespace.to_owned(), number);
            assert!(last.is_none_or(|last| last < number), "out of order or twice");
        }
        self.all.insert(number);
        number
    }
}

/// A question of one side ends; an answer is that of its event, which the `other` side has heard.
fn end(owed: &mut BTreeMap<AckId, u64>, other: &Heard, ack: AckId, outcome: Result<Arguments, AckError>) {
    let number = owed.remove(&ack).expect("ended twice or never owed");
    if let Ok(arguments) = outcome {
        assert_eq!(arguments.first(), Ok(number));
        assert!(other.all.contains(&number));
    }
}

impl Application {
    pub(super) fn into_told(self) -> [Vec<String>; 2] {
        [self.client_told, self.server_told]
    }

    pub(super) fn assert_over(&self) {
        assert!(
            self.client_owed.is_empty() && self.server_owed.is_empty(),
            "never ended"
        );
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

impl Life {
    pub(super) fn verb(&mut self, step: u8, script: &mut Script<'_>) {
        let place = usize::from(script.byte() % 2);
        match step {
            7..12 => self.client_emits(place, script),
            12..16 => self.client_asks(place, script),
            16 | 17 => self.client_delivers(place, script),
            18..23 => self.server_emits(place, script),
            23..27 => self.server_asks(place, script),
            27 => self.server_disconnects(place),
            28 | 29 => self.client_moves(step, place),
            30 => self.client.close(self.now),
            _ => {}
        }
        self.pump();
    }

    fn name(place: usize) -> &'static str {
        ["/", "/chat"][place]
    }

    /// A numbered packet with an attachment, and its number.
    fn packet(&mut self, place: usize, name: &str, script: &mut Script<'_>) -> (Encoded, u64) {
        let number = self.application.next;
        self.application.next += 1;
        let data = Bytes::from(vec![number as u8; usize::from(script.byte()) * 8]);
        let packet = self.encoder.event(Self::name(place), name, &(number, data));
        (packet.expect("a packet"), number)
    }

    fn client_emits(&mut self, place: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(place, "emit", script);
        let Some(namespace) = self.client.namespace(Self::name(place)) else {
            return;
        };
        let is_joined = self.client.is_joined(namespace);
        let outcome = self.client.emit(self.now, namespace, &packet, Delivery::Reliable);
        self.pump();
        // Polling may want a new connection for it, which only a network that is up gives.
        if is_joined && self.is_up && outcome.is_ok() {
            assert!(
                self.application.server_heard.all.contains(&number),
                "it did not come at once"
            );
        }
    }

    fn client_asks(&mut self, place: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(place, "ask", script);
        let Some(namespace) = self.client.namespace(Self::name(place)) else {
            return;
        };
        let deadline = self.now + Duration::from_millis(u64::from(script.word()) + 1);
        if let Ok(ack) = self.client.emit_with_ack(self.now, namespace, &packet, deadline) {
            self.application.client_owed.insert(ack, number);
        }
    }

    fn client_delivers(&mut self, place: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(place, "deliver", script);
        let Some(namespace) = self.client.namespace(Self::name(place)) else {
            return;
        };
        let retry = Retry {
            ack_timeout: Duration::from_millis(script.word().into()),
            retries: (script.byte() % 4).into(),
        };
        if let Ok(ack) = self.client.deliver(self.now, namespace, &packet, retry) {
            self.application.client_owed.insert(ack, number);
        }
    }

    fn server_socket(&self, place: usize) -> Option<sio::SocketId> {
        let namespace = self.server.namespace(Self::name(place))?;
        self.server.sockets(namespace).last().copied()
    }

    fn server_emits(&mut self, place: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(place, "emit", script);
        let Some(socket) = self.server_socket(place) else {
            return;
        };
        let has_links = !self.links.is_empty();
        let outcome = self.server.emit(self.now, socket, &packet, Delivery::Reliable);
        self.pump();
        if has_links && outcome.is_ok() {
            assert!(
                self.application.client_heard.all.contains(&number),
                "it did not come at once"
            );
        }
    }

    fn server_asks(&mut self, place: usize, script: &mut Script<'_>) {
        let (packet, number) = self.packet(place, "ask", script);
        let Some(socket) = self.server_socket(place) else {
            return;
        };
        let deadline = self.now + Duration::from_millis(u64::from(script.word()) + 1);
        if let Ok(ack) = self.server.emit_with_ack(self.now, socket, &packet, deadline) {
            self.application.server_owed.insert(ack, number);
        }
    }

    fn server_disconnects(&mut self, place: usize) {
        if let Some(socket) = self.server_socket(place) {
            self.server.disconnect(self.now, socket);
        }
    }

    fn client_moves(&mut self, step: u8, place: usize) {
        let Some(namespace) = self.client.namespace(Self::name(place)) else {
            return;
        };
        match step {
            28 => self.client.leave(self.now, namespace),
            _ => self.client.enter(self.now, namespace),
        }
    }

    /// Both applications hear and answer; whether there was anything.
    pub(super) fn hear(&mut self) -> bool {
        let mut heard = false;
        while let Some(event) = self.client.poll_event() {
            heard = true;
            self.client_hears(event);
        }
        while let Some(event) = self.server.poll_event() {
            heard = true;
            self.server_hears(event);
        }
        heard
    }

    fn client_hears(&mut self, event: client::Event) {
        use client::Event;
        let mut told = format!("{event:?}");
        match event {
            Event::Attempt { .. } => self.client.proceed(self.now, target()),
            Event::Joining { namespace } => {
                let name = self
                    .client
                    .namespace_name(namespace)
                    .expect("a namespace")
                    .clone();
                let packet = self.encoder.raw_connect(name.as_str(), None).expect("a packet");
                self.client.join(self.now, namespace, &packet);
            }
            Event::Event {
                namespace,
                name,
                arguments,
                ack,
            } => {
                let namespace = self
                    .client
                    .namespace_name(namespace)
                    .expect("a namespace")
                    .clone();
                let heard = &mut self.application.client_heard;
                let number = heard.enter(namespace.as_str(), name.as_str(), &arguments);
                if let Some(token) = ack {
                    let packet = self.encoder.ack(namespace.as_str(), token.id(), &number);
                    let _ = self.client.ack(self.now, token, &packet.expect("a packet"));
                }
            }
            Event::Acked { ack, outcome } => {
                let application = &mut self.application;
                end(
                    &mut application.client_owed,
                    &application.server_heard,
                    ack,
                    outcome,
                );
            }
            // When it comes depends on which of two connections was served first.
            Event::Upgraded => told.clear(),
            _ => {}
        }
        self.application.client_told.push(told);
        self.application.client_told.retain(|told| !told.is_empty());
    }

    fn server_hears(&mut self, event: sio::Event) {
        use sio::Event;
        self.application.server_told.push(format!("{event:?}"));
        match event {
            Event::Connect { socket, .. } => assert!(self.server.accept(self.now, socket)),
            Event::Event {
                namespace,
                name,
                arguments,
                ack,
                ..
            } => {
                let namespace = self
                    .server
                    .namespace_name(namespace)
                    .expect("a namespace")
                    .clone();
                let heard = &mut self.application.server_heard;
                let number = heard.enter(namespace.as_str(), name.as_str(), &arguments);
                if let Some(token) = ack {
                    let packet = self.encoder.ack(namespace.as_str(), token.id(), &number);
                    let _ = self.server.ack(self.now, token, &packet.expect("a packet"));
                }
            }
            Event::Acked { ack, outcome } => {
                let application = &mut self.application;
                end(
                    &mut application.server_owed,
                    &application.client_heard,
                    ack,
                    outcome,
                );
            }
            _ => {}
        }
    }
}
