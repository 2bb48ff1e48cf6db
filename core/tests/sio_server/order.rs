//! In whatever order independent things happen, and however late they are polled, the outcome is the same.

use crate::client::{ClientId, Packet};
use crate::interleaving::interleave;
use crate::pair::{Pair, describe};
use proptest::prelude::*;
use proptest::sample::Index;
use socketio_core::sio::{Delivery, SocketId, Target};
use std::collections::BTreeMap;

const CLIENTS: usize = 3;

/// What concerns one client alone.
#[derive(Clone, Debug)]
enum Step {
    Emit,
    ToOwnRoom,
    Join(u8),
    Leave(u8),
    Receive,
    Ping,
    Disconnect,
    LeaveNamespace,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Emit),
        4 => Just(Step::ToOwnRoom),
        3 => (0_u8..3).prop_map(Step::Join),
        2 => (0_u8..3).prop_map(Step::Leave),
        6 => Just(Step::Receive),
        1 => Just(Step::Ping),
        1 => Just(Step::Disconnect),
        1 => Just(Step::LeaveNamespace),
    ];
    prop::collection::vec(step, 0..10)
}

/// Whether bytes and events move after each step or only at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polling {
    Eager,
    Lazy,
}

struct Member {
    client: ClientId,
    socket: SocketId,
    number: u32,
}

/// What became of one client: what it received, the events of its socket, and its rooms.
type Outcome = (Vec<Packet>, Vec<String>, Vec<String>);

struct World {
    pair: Pair,
    members: Vec<Member>,
}

impl World {
    /// Clients on both transports; they are in `/` and nothing else has happened.
    fn new() -> Self {
        let mut pair = Pair::new();
        let members = (0..CLIENTS).map(|index| {
            let (client, socket) = if index == 0 {
                pair.polling_member("/")
            } else {
                pair.member("/")
            };
            Member {
                client,
                socket,
                number: 0,
            }
        });
        let members = members.collect();
        Self { pair, members }
    }

    fn take(&mut self, index: usize, step: &Step, polling: Polling) {
        let member = &mut self.members[index];
        member.number += 1;
        let (client, socket, now) = (member.client, member.socket, self.pair.now);
        let name = format!("{index}-{}", member.number);
        let room = |room: &u8| format!("room {index} {room}");
        match step {
            Step::Emit => {
                let packet = self.pair.encode("/", &name, &());
                let _ = self.pair.server.emit(now, socket, &packet, Delivery::Reliable);
            }
            Step::ToOwnRoom => {
                let packet = self.pair.encode("/", &name, &());
                let rooms = (0..3).map(|number| room(&number).as_str().into()).collect();
                let target = Target {
                    rooms,
                    ..Target::default()
                };
                let namespace = self.pair.namespace("/");
                let server = &mut self.pair.server;
                server.broadcast(now, namespace, &target, &packet, Delivery::Reliable);
            }
            Step::Join(number) => drop(self.pair.server.join(socket, &room(number))),
            Step::Leave(number) => self.pair.server.leave(socket, &room(number)),
            Step::Receive => self.pair.send(client, &format!("42[\"{name}\"]")),
            Step::Ping => self.pair.send(client, "3"),
            Step::Disconnect => self.pair.server.disconnect(now, socket),
            Step::LeaveNamespace => self.pair.send(client, "41"),
        }
        if polling == Polling::Eager {
            self.pair.pump();
        }
    }

    fn outcomes(mut self) -> Vec<Outcome> {
        let mut events: BTreeMap<SocketId, Vec<String>> = BTreeMap::new();
        for event in self.pair.events() {
            use socketio_core::sio::Event;
            match &event {
                Event::Event { socket, .. } | Event::Disconnected { socket, .. } => {
                    events.entry(*socket).or_default().push(describe(&event));
                }
                // Of a client that has left and goes on sending.
                Event::Refused { .. } => {}
                _ => panic!("{event:?}"),
            }
        }
        let outcome = |member: Member| {
            let mut rooms = self.pair.server.rooms(member.socket);
            // The first is its own id.
            rooms.drain(..rooms.len().min(1));
            rooms.sort();
            let mut received = Vec::new();
            // A closed client is refused at every poll.
            let is_last = |packet: &Packet| matches!(packet, Packet::Closed | Packet::Refused(_));
            while !received.last().is_some_and(is_last) {
                let more = self.pair.receive(member.client);
                if more.is_empty() {
                    break;
                }
                received.extend(more);
            }
            (received, events.remove(&member.socket).unwrap_or_default(), rooms)
        };
        self.members.into_iter().map(outcome).collect()
    }
}

/// Takes all steps, those of each script in order; `schedule` says which script is next.
fn run(scripts: &[Vec<Step>], schedule: &[Index], polling: Polling) -> Vec<Outcome> {
    let mut world = World::new();
    for (index, step) in interleave(scripts, schedule) {
        world.take(index, step, polling);
    }
    world.outcomes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_order_of_what_concerns_different_clients_gives_the_same(
        scripts in prop::collection::vec(steps(), CLIENTS),
        schedule in prop::collection::vec(any::<Index>(), 0..30),
    ) {
        let one_after_the_other = run(&scripts, &[], Polling::Eager);
        prop_assert_eq!(&run(&scripts, &schedule, Polling::Eager), &one_after_the_other);
        prop_assert_eq!(&run(&scripts, &schedule, Polling::Lazy), &one_after_the_other);
    }
}
