//! In whatever order independent verbs and packets come, and however late they are polled, the outcome is the same.

use crate::interleaving::interleave;
use crate::pair::SECOND;
use crate::raw::Raw;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use socketio_core::eio::Message;
use socketio_core::sio::client::Event;
use socketio_core::sio::{AckId, Delivery, NamespaceId};
use std::collections::BTreeMap;

/// The last one is always joined: whoever leaves the last closes the connection, which concerns all.
const NAMESPACES: [&str; 4] = ["/", "/chat", "/three", "/rest"];
const SCRIPTS: usize = 3;

/// What concerns one namespace and no other.
#[derive(Clone, Debug)]
enum Step {
    Emit,
    EmitBinary,
    EmitWithAck,
    /// The server answers a question, or one that was never asked.
    Answer(u64),
    /// The server sends an event.
    Receive,
    ReceiveBinary,
    Leave,
    /// The client enters again, and the server accepts it.
    Enter,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Emit),
        3 => Just(Step::EmitBinary),
        6 => Just(Step::EmitWithAck),
        6 => (0_u64..4).prop_map(Step::Answer),
        6 => Just(Step::Receive),
        3 => Just(Step::ReceiveBinary),
        1 => Just(Step::Leave),
        2 => Just(Step::Enter),
    ];
    prop::collection::vec(step, 0..12)
}

/// Whether bytes and events move after each verb or only when the server sends something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polling {
    Eager,
    Lazy,
}

/// What became of a namespace: what its verbs returned, what the server received, and the events of the application.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    verbs: Vec<String>,
    sent: Vec<String>,
    events: Vec<String>,
}

struct World {
    raw: Raw,
    namespaces: Vec<NamespaceId>,
    acks: BTreeMap<AckId, usize>,
    outcomes: Vec<Outcome>,
    serial: Vec<u32>,
}

fn prefix(name: &str) -> String {
    match name {
        "/" => String::new(),
        name => format!("{name},"),
    }
}

impl World {
    fn new() -> Self {
        let mut raw = Raw::joined_main();
        for name in &NAMESPACES[1..] {
            let id = raw.client.add_namespace(raw.now, name).unwrap();
            raw.run();
            raw.join(id);
            raw.send_packet(&format!("0{}{{\"sid\":\"x\"}}", prefix(name)));
        }
        raw.received();
        raw.client_events.clear();
        Self {
            namespaces: NAMESPACES
                .map(|name| raw.client.namespace(name).unwrap())
                .to_vec(),
            raw,
            acks: BTreeMap::new(),
            outcomes: NAMESPACES.map(|_| Outcome::default()).into(),
            serial: vec![0; NAMESPACES.len()],
        }
    }

    fn take(&mut self, index: usize, step: &Step, polling: Polling) {
        let (name, id, now) = (NAMESPACES[index], self.namespaces[index], self.raw.now);
        self.serial[index] += 1;
        let event = format!("{index}-{}", self.serial[index]);
        let raw = &mut self.raw;
        let start = prefix(name);
        match step {
            Step::Emit | Step::EmitBinary => {
                let packet = match step {
                    Step::Emit => raw.encode(name, &event, &1),
                    _ => raw.encode(name, &event, &Bytes::from(event.clone())),
                };
                let sent = raw.client.emit(now, id, &packet, Delivery::Reliable);
                self.outcomes[index].verbs.push(format!("{sent:?}"));
            }
            Step::EmitWithAck => {
                let packet = raw.encode(name, &event, &1);
                let asked = raw.client.emit_with_ack(now, id, &packet, now + 3_600 * SECOND);
                self.outcomes[index]
                    .verbs
                    .push(format!("{:?}", asked.map(|_| ())));
                self.acks.extend(asked.ok().map(|ack| (ack, index)));
            }
            Step::Answer(number) => raw.send_packet(&format!("3{start}{number}[\"{event}\"]")),
            Step::Receive => raw.send_packet(&format!("2{start}[\"{event}\"]")),
            Step::ReceiveBinary => {
                raw.send_packet(&format!(
                    "51-{start}[\"{event}\",{{\"_placeholder\":true,\"num\":0}}]"
                ));
                raw.send(Message::Binary(event.into()));
            }
            Step::Leave => raw.client.leave(now, id),
            Step::Enter if !raw.client.is_joined(id) => {
                raw.client.enter(now, id);
                raw.run();
                raw.join(id);
                raw.send_packet(&format!("0{start}{{\"sid\":\"y\"}}"));
            }
            Step::Enter => {}
        }
        if polling == Polling::Eager {
            self.raw.run();
        }
    }

    fn outcomes(mut self) -> Vec<Outcome> {
        let mut to = 0;
        for packet in self.raw.received() {
            // Attachments follow the packet to which they belong.
            if !packet.starts_with('[') {
                let index = |name: &&str| name.len() > 1 && packet.contains(&format!("{name},"));
                to = NAMESPACES.iter().position(index).unwrap_or(0);
            }
            self.outcomes[to].sent.push(packet);
        }
        for event in std::mem::take(&mut self.raw.client_events) {
            let namespace = match &event {
                Event::Acked { ack, .. } => self.acks.get(ack).copied(),
                Event::Joining { namespace }
                | Event::Joined { namespace, .. }
                | Event::Event { namespace, .. }
                | Event::Left { namespace, .. } => self.namespaces.iter().position(|own| own == namespace),
                other => panic!("{other:?}"),
            };
            let text = self.raw.describe(&event);
            self.outcomes[namespace.unwrap()].events.push(text);
        }
        self.outcomes
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
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_order_of_what_concerns_different_namespaces_gives_the_same(
        scripts in prop::collection::vec(steps(), SCRIPTS),
        schedule in prop::collection::vec(any::<Index>(), 0..36),
    ) {
        let one_after_the_other = run(&scripts, &[], Polling::Eager);
        prop_assert_eq!(&run(&scripts, &schedule, Polling::Eager), &one_after_the_other);
        prop_assert_eq!(&run(&scripts, &schedule, Polling::Lazy), &one_after_the_other);
    }
}
