//! Packets and their attachments, however they are mixed, agree with a naive reference.

use crate::client::ClientId;
use crate::pair::Pair;
use crate::reference::{Item, NAMESPACES, PENDING_ACKS, Received, expected, streams};
use core::time::Duration;
use proptest::prelude::*;
use socketio_core::sio::{AckId, Event, SocketId};

/// A server with a client in both namespaces that it waits for acknowledgements from in each.
struct Receiver {
    pair: Pair,
    client: ClientId,
    sockets: Vec<SocketId>,
    acks: Vec<AckId>,
}

impl Receiver {
    fn new(on_websocket: bool) -> Self {
        let mut pair = Pair::new();
        let client = match on_websocket {
            true => pair.websocket(),
            false => pair.polling(),
        };
        let mut receiver = Self {
            client,
            sockets: NAMESPACES.map(|name| pair.join(client, name)).to_vec(),
            acks: Vec::new(),
            pair,
        };
        for (name, socket) in NAMESPACES.into_iter().zip(receiver.sockets.clone()) {
            let packet = receiver.pair.encode(name, "q", &());
            for _ in 0..PENDING_ACKS {
                let (now, hour) = (receiver.pair.now, Duration::from_secs(3_600));
                let asked = receiver
                    .pair
                    .server
                    .emit_with_ack(now, socket, &packet, now + hour);
                receiver.acks.push(asked.unwrap());
            }
        }
        receiver.pair.receive(client);
        receiver
    }

    fn send(&mut self, item: &Item) {
        match item {
            Item::Header(header) => self.pair.send(self.client, &format!("4{}", header.text())),
            Item::Attachment(data) => self.pair.send_binary(self.client, data),
            Item::Heartbeat => self.pair.send(self.client, "3"),
        }
    }

    fn received(&mut self) -> Vec<Received> {
        let mut received = Vec::new();
        for event in self.pair.events() {
            match event {
                Event::Event {
                    socket,
                    arguments,
                    ack,
                    ..
                } => {
                    let number = ack.map(|token| token.id());
                    received.push(Received::event(&self.sockets, &socket, number, &arguments));
                }
                Event::Acked {
                    ack,
                    outcome: Ok(arguments),
                } => received.push(Received::acked(&self.acks, ack, &arguments)),
                Event::Disconnected { .. } if received.last() != Some(&Received::Closed) => {
                    received.push(Received::Closed)
                }
                Event::Acked { .. } | Event::Disconnected { .. } => {}
                other => panic!("{other:?}"),
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
        let mut receiver = Receiver::new(on_websocket);
        items.iter().for_each(|item| receiver.send(item));
        prop_assert_eq!(receiver.received(), expected(&items));
    }
}
