//! Packets and their attachments, however a server mixes them, agree with a naive reference.

use crate::pair::SECOND;
use crate::raw::Raw;
use crate::reference::{Item, NAMESPACES, PENDING_ACKS, Received, expected, streams};
use proptest::prelude::*;
use socketio_core::eio::Message;
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::client::Event;
use socketio_core::sio::{AckId, NamespaceId};

/// A client in both namespaces that waits for acknowledgements in each.
struct Receiver {
    raw: Raw,
    namespaces: Vec<NamespaceId>,
    acks: Vec<AckId>,
}

impl Receiver {
    fn new(transports: TransportOrder) -> Self {
        let mut raw = Raw::joined_main_with(|config| config.engine.transports = transports);
        let [_, other] = NAMESPACES;
        let second = raw.client.add_namespace(raw.now, other).unwrap();
        raw.run();
        raw.join(second);
        raw.send_packet(&format!("0{other},{{\"sid\":\"def\"}}"));
        let namespaces = vec![raw.main(), second];
        let mut acks = Vec::new();
        for (name, namespace) in NAMESPACES.into_iter().zip(namespaces.clone()) {
            assert!(raw.client.is_joined(namespace));
            let packet = raw.encode(name, "q", &());
            for _ in 0..PENDING_ACKS {
                let hour = raw.now + 3_600 * SECOND;
                acks.push(
                    raw.client
                        .emit_with_ack(raw.now, namespace, &packet, hour)
                        .unwrap(),
                );
            }
        }
        raw.run();
        raw.client_events.clear();
        Self {
            raw,
            namespaces,
            acks,
        }
    }

    fn received(&mut self) -> Vec<Received> {
        self.raw.run();
        let mut received = Vec::new();
        for event in self.raw.client_events.drain(..) {
            match event {
                Event::Event {
                    namespace,
                    arguments,
                    ack,
                    ..
                } => {
                    let number = ack.map(|token| token.id());
                    received.push(Received::event(&self.namespaces, &namespace, number, &arguments));
                }
                Event::Acked {
                    ack,
                    outcome: Ok(arguments),
                } => received.push(Received::acked(&self.acks, ack, &arguments)),
                Event::Left { .. } if received.last() != Some(&Received::Closed) => {
                    received.push(Received::Closed)
                }
                _ => {}
            }
        }
        received
    }
}

proptest! {
    #[test]
    fn events_and_acknowledgements_with_attachments_agree_with_a_naive_reference(
        items in streams(),
        on_websocket: bool,
    ) {
        let mut receiver = Receiver::new(match on_websocket {
            true => TransportOrder::WebSocket,
            false => TransportOrder::Polling,
        });
        let expected = expected(&items);
        for item in items {
            match item {
                Item::Header(header) => receiver.raw.send_packet(&header.text()),
                Item::Attachment(data) => receiver.raw.send(Message::Binary(data.into())),
                // A ping of the server comes in its own time.
                Item::Heartbeat => receiver.raw.wait(SECOND),
            }
        }
        prop_assert_eq!(receiver.received(), expected);
    }
}
