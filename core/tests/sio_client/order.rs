//! In whatever order independent verbs and packets come, and however late they are polled, the outcome is the same.

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
const LIVES: usize = 3;

/// What concerns one namespace and no other.
#[derive(Clone, Debug)]
enum Step {
    Emit,
    EmitBinary,
    Ask,
    /// The server answers a question, or one that was never asked.
    Answer(u64),
    /// The server sends an event.
    Say,
    SayBinary,
    Leave,
    /// The client comes back, and the server lets it in.
    Return,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Emit),
        3 => Just(Step::EmitBinary),
        6 => Just(Step::Ask),
        6 => (0_u64..4).prop_map(Step::Answer),
        6 => Just(Step::Say),
        3 => Just(Step::SayBinary),
        1 => Just(Step::Leave),
        2 => Just(Step::Return),
    ];
    prop::collection::vec(step, 0..12)
}

/// Whether bytes and events move after each verb or only when the server has something to say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polling {
    Eager,
    Lazy,
}

/// What became of a namespace: what its verbs returned, what the server received, what the application was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fate {
    verbs: Vec<String>,
    sent: Vec<String>,
    told: Vec<String>,
}

struct World {
    raw: Raw,
    namespaces: Vec<NamespaceId>,
    acks: BTreeMap<AckId, usize>,
    fates: Vec<Fate>,
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
        let mut raw = Raw::welcomed();
        for name in &NAMESPACES[1..] {
            let id = raw.client.add_namespace(raw.now, name).unwrap();
            raw.run();
            raw.join(id);
            raw.say(&format!("0{}{{\"sid\":\"x\"}}", prefix(name)));
        }
        raw.received();
        raw.told.clear();
        Self {
            namespaces: NAMESPACES
                .map(|name| raw.client.namespace(name).unwrap())
                .to_vec(),
            raw,
            acks: BTreeMap::new(),
            fates: NAMESPACES.map(|_| Fate::default()).into(),
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
                self.fates[index].verbs.push(format!("{sent:?}"));
            }
            Step::Ask => {
                let packet = raw.encode(name, &event, &1);
                let asked = raw.client.emit_with_ack(now, id, &packet, now + 3_600 * SECOND);
                self.fates[index].verbs.push(format!("{:?}", asked.map(|_| ())));
                self.acks.extend(asked.ok().map(|ack| (ack, index)));
            }
            Step::Answer(number) => raw.say(&format!("3{start}{number}[\"{event}\"]")),
            Step::Say => raw.say(&format!("2{start}[\"{event}\"]")),
            Step::SayBinary => {
                raw.say(&format!(
                    "51-{start}[\"{event}\",{{\"_placeholder\":true,\"num\":0}}]"
                ));
                raw.send(Message::Binary(event.into()));
            }
            Step::Leave => raw.client.leave(now, id),
            Step::Return if !raw.client.is_joined(id) => {
                raw.client.enter(now, id);
                raw.run();
                raw.join(id);
                raw.say(&format!("0{start}{{\"sid\":\"y\"}}"));
            }
            Step::Return => {}
        }
        if polling == Polling::Eager {
            self.raw.run();
        }
    }

    fn fates(mut self) -> Vec<Fate> {
        let mut to = 0;
        for packet in self.raw.received() {
            // Attachments follow the packet to which they belong.
            if !packet.starts_with('[') {
                let place = |name: &&str| name.len() > 1 && packet.contains(&format!("{name},"));
                to = NAMESPACES.iter().position(place).unwrap_or(0);
            }
            self.fates[to].sent.push(packet);
        }
        for event in std::mem::take(&mut self.raw.told) {
            let namespace = match &event {
                Event::Acked { ack, .. } => self.acks.get(ack).copied(),
                Event::Joining { namespace }
                | Event::Joined { namespace, .. }
                | Event::Event { namespace, .. }
                | Event::Left { namespace, .. } => self.namespaces.iter().position(|own| own == namespace),
                other => panic!("{other:?}"),
            };
            let text = self.raw.describe(&event);
            self.fates[namespace.unwrap()].told.push(text);
        }
        self.fates
    }
}

/// Takes all steps, those of each namespace in order; `schedule` says whose turn it is.
fn live(lives: &[Vec<Step>], schedule: &[Index], polling: Polling) -> Vec<Fate> {
    let mut world = World::new();
    let mut rest: Vec<_> = lives.iter().map(|steps| steps.iter()).collect();
    let turns = schedule.iter().map(|turn| turn.index(LIVES));
    for index in turns.chain((0..LIVES).flat_map(|index| std::iter::repeat_n(index, 12))) {
        if let Some(step) = rest[index].next() {
            world.take(index, step, polling);
        }
    }
    world.fates()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_order_of_what_concerns_different_namespaces_gives_the_same(
        lives in prop::collection::vec(steps(), LIVES),
        schedule in prop::collection::vec(any::<Index>(), 0..36),
    ) {
        let one_after_the_other = live(&lives, &[], Polling::Eager);
        prop_assert_eq!(&live(&lives, &schedule, Polling::Eager), &one_after_the_other);
        prop_assert_eq!(&live(&lives, &schedule, Polling::Lazy), &one_after_the_other);
    }
}
