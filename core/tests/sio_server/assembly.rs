//! Packets and their attachments, however they are mixed, agree with a naive reference.

use crate::client::ClientId;
use crate::pair::Pair;
use crate::reference::{ASKED, Item, NAMESPACES, Told, expected, shown, streams};
use core::time::Duration;
use proptest::prelude::*;
use socketio_core::sio::{AckId, Event, SocketId};

/// A client in both namespaces that owes acknowledgements in each.
struct World {
    pair: Pair,
    client: ClientId,
    sockets: Vec<SocketId>,
    acks: Vec<AckId>,
}

impl World {
    fn new(on_websocket: bool) -> Self {
        let mut pair = Pair::new();
        let client = match on_websocket {
            true => pair.websocket(),
            false => pair.polling(),
        };
        let mut world = Self {
            client,
            sockets: NAMESPACES.map(|name| pair.join(client, name)).to_vec(),
            acks: Vec::new(),
            pair,
        };
        for (name, socket) in NAMESPACES.into_iter().zip(world.sockets.clone()) {
            let packet = world.pair.encode(name, "q", &());
            for _ in 0..ASKED {
                let (now, hour) = (world.pair.now, Duration::from_secs(3_600));
                let asked = world.pair.server.emit_with_ack(now, socket, &packet, now + hour);
                world.acks.push(asked.unwrap());
            }
        }
        world.pair.receive(client);
        world
    }

    fn send(&mut self, item: &Item) {
        match item {
            Item::Header(header) => self.pair.send(self.client, &format!("4{}", header.text())),
            Item::Attachment(data) => self.pair.send_binary(self.client, data),
            Item::Heartbeat => self.pair.send(self.client, "3"),
        }
    }

    fn told(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        for event in self.pair.events() {
            match event {
                Event::Event {
                    socket,
                    arguments,
                    ack,
                    ..
                } => told.push(Told::Event {
                    namespace: self.sockets.iter().position(|own| *own == socket).unwrap(),
                    number: ack.map(|token| token.id()),
                    shown: shown(&arguments),
                }),
                Event::Acked {
                    ack,
                    outcome: Ok(arguments),
                } => {
                    let place = self.acks.iter().position(|own| *own == ack).unwrap();
                    told.push(Told::Acked {
                        namespace: place / ASKED as usize,
                        number: place as u64 % ASKED,
                        shown: shown(&arguments),
                    });
                }
                Event::Disconnected { .. } if told.last() != Some(&Told::Closed) => told.push(Told::Closed),
                Event::Acked { .. } | Event::Disconnected { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        told
    }
}

proptest! {
    #[test]
    fn events_and_acknowledgements_with_attachments_agree_with_a_naive_reference(
        items in streams(),
        on_websocket: bool,
    ) {
        let mut world = World::new(on_websocket);
        items.iter().for_each(|item| world.send(item));
        prop_assert_eq!(world.told(), expected(&items));
    }
}
