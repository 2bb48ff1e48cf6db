//! A driver that polls connections only when they are ready misses nothing: the list of ready connections and the queues agree,
//! and no deadline is ever in the past.

use crate::client::ClientId;
use crate::pair::Pair;
use crate::steps::{CLIENTS, NAMESPACES, ROOMS};
use core::time::Duration;
use proptest::prelude::*;
use socketio_core::sio::{Delivery, SocketId, Target};

#[derive(Clone, Debug)]
enum Step {
    Emit(usize, Delivery),
    Broadcast(usize),
    Join(usize, usize),
    Say(usize),
    Poll(usize),
    /// A poll is answered, or frames are read.
    Receive(usize),
    Upgrade(usize),
    Dismiss(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let client = || 0..CLIENTS;
    let delivery = prop::sample::select(vec![Delivery::Reliable, Delivery::Volatile]);
    let step = prop_oneof![
        6 => (client(), delivery).prop_map(|(client, delivery)| Step::Emit(client, delivery)),
        4 => (0..ROOMS.len() + 1).prop_map(Step::Broadcast),
        3 => (client(), 0..ROOMS.len()).prop_map(|(client, room)| Step::Join(client, room)),
        2 => client().prop_map(Step::Say),
        6 => client().prop_map(Step::Poll),
        4 => client().prop_map(Step::Receive),
        1 => client().prop_map(Step::Upgrade),
        1 => client().prop_map(Step::Dismiss),
        2 => (0..40_000_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..60)
}

struct World {
    pair: Pair,
    members: Vec<(ClientId, SocketId)>,
    upgraded: Vec<bool>,
}

impl World {
    /// Some poll, the others have WebSockets; heartbeats run.
    fn new() -> Self {
        let mut pair = Pair::with(|config| config.engine.ping_interval = Duration::from_secs(25));
        let members = (0..CLIENTS).map(|number| match number % 2 {
            0 => pair.polling_member(NAMESPACES[0]),
            _ => pair.member(NAMESPACES[0]),
        });
        let members = members.collect();
        let upgraded = (0..CLIENTS).map(|number| number % 2 == 1).collect();
        Self {
            pair,
            members,
            upgraded,
        }
    }

    fn take(&mut self, step: &Step) {
        let now = self.pair.now;
        let namespace = self.pair.namespace(NAMESPACES[0]);
        match *step {
            Step::Emit(client, delivery) => {
                let packet = self.pair.encode(NAMESPACES[0], "e", &"text");
                let _ = self
                    .pair
                    .server
                    .emit(now, self.members[client].1, &packet, delivery);
            }
            Step::Broadcast(room) => {
                let packet = self.pair.encode(NAMESPACES[0], "b", &());
                let target = Target {
                    rooms: ROOMS.get(room).map(|name| (*name).into()).into_iter().collect(),
                    ..Target::default()
                };
                let server = &mut self.pair.server;
                server.broadcast(now, namespace, &target, &packet, Delivery::Reliable);
            }
            Step::Join(client, room) => drop(self.pair.server.join(self.members[client].1, ROOMS[room])),
            Step::Say(client) => self.pair.send(self.members[client].0, "42[\"s\"]"),
            Step::Poll(client) => self.pair.poll(self.members[client].0),
            Step::Receive(client) => drop(self.pair.receive(self.members[client].0)),
            Step::Upgrade(client) => {
                let id = self.members[client].0;
                let is_polling = !std::mem::replace(&mut self.upgraded[client], true);
                if is_polling && self.pair.server.is_connected(self.members[client].1) {
                    let index = self.pair.probe(id);
                    self.pair.upgrade(id, index);
                }
            }
            Step::Dismiss(client) => self.pair.server.disconnect(now, self.members[client].1),
            Step::Wait(millis) => self.pair.wait(Duration::from_millis(millis)),
        }
    }

    /// Only those that are ready are polled; then no other has anything left.
    fn assert_agreement(&mut self) {
        self.pair.pump();
        for connection in self
            .pair
            .connections
            .iter_mut()
            .filter(|connection| connection.is_open)
        {
            let before = connection.out.len();
            self.pair
                .server
                .poll_transmit(connection.id, &mut connection.wire);
            let _ = connection.wire.poll_output(&mut connection.out);
            assert_eq!(
                connection.out.len(),
                before,
                "it had something and did not say so"
            );
        }
        assert_eq!(self.pair.server.poll_ready(), None);
        let due = self.pair.server.poll_timeout();
        assert!(due.is_none_or(|due| due > self.pair.now), "a deadline has passed");
    }
}

proptest! {
    #[test]
    fn ready_connections_and_queues_agree_after_every_step(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
            world.assert_agreement();
        }
    }
}

#[test]
fn what_waits_for_a_poll_is_counted_until_the_poll_takes_it() {
    let mut pair = Pair::new();
    let (client, socket) = pair.polling_member("/");
    assert_eq!(pair.server.counts().queued_bytes, 0);
    let packet = pair.encode("/", "e", &"text");
    pair.server
        .emit(pair.now, socket, &packet, Delivery::Reliable)
        .unwrap();
    pair.pump();
    assert_eq!(pair.server.counts().queued_bytes, packet.frame().len());
    pair.receive(client);
    assert_eq!(pair.server.counts().queued_bytes, 0);
}
