//! Random steps of client, server and network, compared with a model of queues that says what must arrive.

use crate::pair::{Network, Pair, SECOND, new_server};
use proptest::prelude::*;
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::client::{Event, Initial, Offline, Retry};
use socketio_core::sio::{self, AckId, Delivery};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Emit,
    EmitWithAck,
    Deliver,
    ServerEmit,
    Answer,
    DropAcks,
    LoseConnections,
    Restart,
    Down,
    Up,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Emit),
        8 => Just(Step::EmitWithAck),
        6 => Just(Step::Deliver),
        6 => Just(Step::ServerEmit),
        6 => Just(Step::Answer),
        2 => Just(Step::DropAcks),
        1 => Just(Step::LoseConnections),
        1 => Just(Step::Restart),
        1 => Just(Step::Down),
        2 => Just(Step::Up),
        4 => (1u64..6_000).prop_map(Step::Wait),
    ]
}

/// What was done and what came of it. Everything the client sends is numbered.
#[derive(Default)]
struct Model {
    next: u32,
    emitted: Vec<u32>,
    delivered: Vec<u32>,
    asked: BTreeMap<AckId, u32>,
    /// How each acknowledgement ended.
    ended: BTreeMap<u32, bool>,
    /// The events of each kind that the server's application received.
    received_emits: Vec<u32>,
    received_deliveries: Vec<u32>,
    /// What it acknowledged, perhaps more than once.
    answered: Vec<u32>,
    /// What the server sent while the client was there, by number.
    server_emitted: Vec<u32>,
    client_events: Vec<u32>,
    /// Events that wait to be answered.
    open: Vec<(sio::AckToken, u32)>,
}

impl Model {
    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn observe(&mut self, pair: &mut Pair) {
        pair.pump();
        for event in pair.server_events.drain(..) {
            let sio::Event::Event {
                name, arguments, ack, ..
            } = event
            else {
                continue;
            };
            let (number,) = arguments.parse::<(u32,)>().unwrap();
            match name.as_str() {
                "emit" => self.received_emits.push(number),
                "deliver" => self.received_deliveries.push(number),
                _ => {}
            }
            if let Some(token) = ack {
                self.open.push((token, number));
            }
        }
        for event in pair.client_events.drain(..) {
            match event {
                Event::Acked { ack, outcome } => {
                    let number = self.asked.remove(&ack).expect("it ends once");
                    if let Ok(arguments) = &outcome {
                        assert_eq!(arguments.parse::<(u32,)>().unwrap().0, number);
                        assert!(self.answered.contains(&number), "nobody answered that");
                    }
                    assert_eq!(self.ended.insert(number, outcome.is_ok()), None);
                }
                Event::Event { arguments, .. } => {
                    self.client_events.push(arguments.parse::<(u32,)>().unwrap().0)
                }
                Event::Undeliverable { .. } => panic!("everything fits"),
                _ => {}
            }
        }
    }

    fn answer(&mut self, pair: &mut Pair) {
        for (token, number) in self.open.drain(..) {
            let packet = pair.encoder.ack("/", token.id(), &number).unwrap();
            if pair.server.ack(pair.now, token, &packet).is_ok() {
                self.answered.push(number);
            }
        }
    }
}

fn run(steps: Vec<Step>, transports: TransportOrder) {
    let mut pair = Pair::with(|config| {
        config.engine.transports = transports;
        config.reconnection.initial = Initial::Retry;
        config.offline = Offline::Buffer {
            packets: 10_000,
            bytes: 1_000_000,
        };
    });
    pair.connect();
    let mut model = Model::default();
    let mut seed = 30;
    for step in steps {
        seed += 1;
        apply(&mut pair, &mut model, &step, seed);
        model.observe(&mut pair);
    }
    // In the end there is a network, and a server that answers.
    pair.network = Network::Up;
    for _ in 0..400 {
        pair.wait(SECOND);
        model.observe(&mut pair);
        model.answer(&mut pair);
        if model.asked.is_empty() {
            break;
        }
    }
    pair.wait(10 * SECOND);
    model.observe(&mut pair);
    assert!(model.asked.is_empty(), "some never ended");
    assert_eq!(pair.client.pending_acks(), 0);
    assert_eq!(pair.client.buffered_packets(pair.main()), 0);
    // Emits between which the connection was never lost unread arrive once and in order.
    assert_eq!(model.received_emits, model.emitted);
    assert_eq!(model.client_events, model.server_emitted);
    // Deliveries arrive in order, some more than once, none not at all.
    assert!(model.received_deliveries.is_sorted());
    model.received_deliveries.dedup();
    assert_eq!(model.received_deliveries, model.delivered);
    for number in &model.delivered {
        assert_eq!(model.ended.get(number), Some(&true), "delivery {number}");
    }
}

fn apply(pair: &mut Pair, model: &mut Model, step: &Step, seed: u8) {
    let main = pair.main();
    match step {
        Step::Emit => {
            let number = model.number();
            pair.emit("/", "emit", &number).unwrap();
            model.emitted.push(number);
        }
        Step::EmitWithAck => {
            let number = model.number();
            let ack = pair.emit_with_ack("/", "ask", &number, 3 * SECOND).unwrap();
            model.asked.insert(ack, number);
        }
        Step::Deliver => {
            let number = model.number();
            let packet = pair.encode("/", "deliver", &number);
            let retry = Retry {
                ack_timeout: 2 * SECOND,
                retries: 1_000,
            };
            let ack = pair.client.deliver(pair.now, main, &packet, retry).unwrap();
            model.asked.insert(ack, number);
            model.delivered.push(number);
        }
        Step::ServerEmit if pair.client.is_joined(main) => {
            let number = model.number();
            let packet = pair.encode("/", "serve", &number);
            let socket = pair.socket("/");
            pair.server
                .emit(pair.now, socket, &packet, Delivery::Reliable)
                .unwrap();
            model.server_emitted.push(number);
        }
        Step::ServerEmit => {}
        Step::Answer => model.answer(pair),
        Step::DropAcks => model.open.clear(),
        Step::LoseConnections => pair.lose_all(),
        Step::Restart => {
            model.open.clear();
            pair.server = new_server(pair.now, seed);
            pair.lose_all();
        }
        Step::Down => {
            pair.network = Network::Down;
            pair.lose_all();
        }
        Step::Up => pair.network = Network::Up,
        Step::Wait(millis) => pair.wait(Duration::from_millis(*millis)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn what_arrives_and_how_everything_ends_is_as_the_model_says(
        steps in prop::collection::vec(steps(), 0..100),
        transports in prop::sample::select(vec![
            TransportOrder::WebSocket,
            TransportOrder::Polling,
            TransportOrder::PollingFirst,
        ]),
    ) {
        run(steps, transports);
    }
}
