//! Verbs in any order and servers that send anything: nothing panics, everything ends once.

use crate::pair::{Network, SECOND, target};
use crate::raw::Raw;
use proptest::prelude::*;
use socketio_core::eio::Message;
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::client::{Attempts, Event, Initial, Offline, Retry};
use socketio_core::sio::{AckId, Delivery, NamespaceId};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Connect,
    Close,
    Proceed,
    Abandon,
    Join(usize),
    Enter(usize),
    Leave(usize),
    Add,
    Emit(usize, Delivery),
    EmitWithAck(usize, u64),
    Deliver(usize, u64, u32),
    Forget(usize),
    Answer,
    SendPacket(String),
    SendBinary(Vec<u8>),
    Garble(Vec<u8>),
    LoseConnections,
    Network(Network),
    PauseServer,
    ResumeServer,
    Wait(u64),
    Check,
    /// The server and the application do as they should for a moment.
    Behave,
}

const NAMES: [&str; 3] = ["/", "/chat", "/three"];

fn packets() -> impl Strategy<Value = String> {
    let prefix = prop::sample::select(vec!["", "/chat,", "/three,", "/unknown,"]);
    let body = prop_oneof![
        4 => Just(("0", r#"{"sid":"x"}"#.to_owned())),
        1 => Just(("0", String::new())),
        1 => Just(("1", String::new())),
        1 => Just(("4", r#"{"message":"no"}"#.to_owned())),
        2 => Just(("2", r#"["a"]"#.to_owned())),
        2 => Just(("2", r#"5["a",1]"#.to_owned())),
        4 => (0u64..12).prop_map(|number| ("3", format!("{number}[{number}]"))),
        1 => Just(("51-", r#"["b",{"_placeholder":true,"num":0}]"#.to_owned())),
        1 => Just(("61-", r#"0[{"_placeholder":true,"num":0}]"#.to_owned())),
    ];
    prop_oneof![
        20 => (prefix, body).prop_map(|(prefix, (kind, rest))| format!("{kind}{prefix}{rest}")),
        1 => "\\PC{0,12}",
    ]
}

/// Any bytes, or such as begin well.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        Just(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n42[".to_vec()),
        Just(b"HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab".to_vec()),
        Just(b"HTTP/1.1 101 Yes\r\nconnection: upgrade\r\n\r\n".to_vec()),
        Just(b"\x81\x02\x342".to_vec()),
        Just(b"\x82\x01\x00".to_vec()),
        Just(b"\x88\x00".to_vec()),
        Just(b"\x81\xff".to_vec()),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let index = 0usize..4;
    let delivery = prop::sample::select(vec![Delivery::Reliable, Delivery::Volatile]);
    let network = prop::sample::select(vec![Network::Up, Network::Up, Network::Down, Network::Silent]);
    prop_oneof![
        4 => Just(Step::Connect),
        1 => Just(Step::Close),
        4 => Just(Step::Proceed),
        1 => Just(Step::Abandon),
        6 => index.clone().prop_map(Step::Join),
        2 => index.clone().prop_map(Step::Enter),
        1 => index.clone().prop_map(Step::Leave),
        1 => Just(Step::Add),
        4 => (index.clone(), delivery).prop_map(|(index, delivery)| Step::Emit(index, delivery)),
        9 => (index.clone(), 0u64..5_000).prop_map(|(index, wait)| Step::EmitWithAck(index, wait)),
        9 => (index, 0u64..3_000, 0u32..4).prop_map(|(index, wait, retries)| {
            Step::Deliver(index, wait, retries)
        }),
        1 => (0usize..30).prop_map(Step::Forget),
        1 => Just(Step::Answer),
        12 => packets().prop_map(Step::SendPacket),
        1 => prop::collection::vec(any::<u8>(), 0..4).prop_map(Step::SendBinary),
        1 => garbage().prop_map(Step::Garble),
        1 => Just(Step::LoseConnections),
        1 => network.prop_map(Step::Network),
        1 => Just(Step::PauseServer),
        2 => Just(Step::ResumeServer),
        4 => (0u64..4_000).prop_map(Step::Wait),
        6 => Just(Step::Check),
        16 => Just(Step::Behave),
    ]
}

/// What must be true of a client over all steps.
#[derive(Default)]
struct Ledger {
    pending: BTreeSet<AckId>,
    joined: BTreeSet<NamespaceId>,
    asked: Vec<AckId>,
}

impl Ledger {
    fn accept(&mut self, ack: AckId) {
        assert!(self.pending.insert(ack), "an id was given twice");
        self.asked.push(ack);
    }

    fn check(&mut self, raw: &mut Raw) {
        raw.run();
        for event in raw.client_events.drain(..) {
            match event {
                Event::Acked { ack, .. } => {
                    assert!(self.pending.remove(&ack), "ended twice or never asked for")
                }
                Event::Joined { namespace, .. } => assert!(self.joined.insert(namespace)),
                Event::Left { namespace, .. } => assert!(self.joined.remove(&namespace)),
                Event::Event { namespace, .. } => assert!(self.joined.contains(&namespace)),
                Event::Reconnecting { delay, .. } => assert!(!delay.is_zero()),
                Event::Closed { .. } => assert!(self.joined.is_empty()),
                _ => {}
            }
        }
        assert_eq!(raw.client.pending_acks(), self.pending.len());
        for name in NAMES {
            if let Some(id) = raw.client.namespace(name) {
                assert_eq!(raw.client.is_joined(id), self.joined.contains(&id));
            }
        }
    }
}

fn run(steps: Vec<Step>, transports: TransportOrder, offline: Offline, initial: Initial) {
    let mut raw = Raw::unconnected(|config| {
        config.engine.transports = transports;
        config.engine.limits.pending_acks = 20;
        config.engine.limits.queued_bytes = 2_000;
        config.offline = offline;
        config.reconnection.initial = initial;
        config.reconnection.attempts = Attempts::AtMost(5);
    });
    raw.answers = crate::pair::Answers::LeftToTheTest;
    let mut ledger = Ledger::default();
    for step in steps {
        apply(&mut raw, &mut ledger, step);
    }
    // However it went, closing ends everything.
    raw.server_is_running = true;
    raw.client.close(raw.now);
    raw.wait(100 * SECOND);
    ledger.check(&mut raw);
    assert!(ledger.joined.is_empty());
    assert!(ledger.pending.is_empty(), "never ended");
    assert_eq!(raw.client.pending_acks(), 0);
}

fn apply(raw: &mut Raw, ledger: &mut Ledger, step: Step) {
    let now = raw.now;
    let id = |raw: &Raw, index: usize| NAMES.get(index).and_then(|name| raw.client.namespace(name));
    match step {
        Step::Connect => raw.client.connect(now),
        Step::Close => raw.client.close(now),
        Step::Proceed => raw.client.proceed(now, target()),
        Step::Abandon => raw.client.abandon(now),
        Step::Join(index) => {
            if let Some(id) = id(raw, index) {
                raw.join(id);
            }
        }
        Step::Enter(index) => {
            if let Some(id) = id(raw, index) {
                raw.client.enter(now, id);
            }
        }
        Step::Leave(index) => {
            if let Some(id) = id(raw, index) {
                raw.client.leave(now, id);
            }
        }
        Step::Add => {
            for name in NAMES {
                let _ = raw.client.add_namespace(now, name);
            }
        }
        Step::Emit(..) | Step::EmitWithAck(..) | Step::Deliver(..) => emit(raw, ledger, step),
        Step::Forget(index) => {
            if let Some(ack) = ledger.asked.get(index) {
                // What has ended already is recorded before it is forgotten.
                let ack = *ack;
                ledger.check(raw);
                raw.client.forget_ack(ack);
                ledger.pending.remove(&ack);
            }
        }
        Step::Answer => answer(raw),
        Step::SendPacket(packet) => {
            raw.received();
            if raw.session.is_some() {
                raw.send_packet(&packet);
            }
        }
        Step::SendBinary(data) => {
            raw.received();
            if raw.session.is_some() {
                raw.send(Message::Binary(data.into()));
            }
        }
        Step::Garble(bytes) => raw.garble(&bytes),
        Step::LoseConnections => raw.lose_all(),
        Step::Network(network) => raw.network = network,
        Step::PauseServer => raw.server_is_running = false,
        Step::ResumeServer => raw.server_is_running = true,
        Step::Wait(millis) => raw.wait(Duration::from_millis(millis)),
        Step::Check => ledger.check(raw),
        Step::Behave => behave(raw),
    }
}

/// Acknowledges the first event that waits for it.
fn answer(raw: &mut Raw) {
    raw.run();
    let token = raw.client_events.iter_mut().find_map(|event| match event {
        Event::Event { ack, .. } => ack.take(),
        _ => None,
    });
    if let Some(token) = token {
        let name = raw.client.namespace_name(token.namespace()).unwrap().clone();
        let packet = raw.encoder.ack(name.as_str(), token.id(), &()).unwrap();
        let _ = raw.client.ack(raw.now, token, &packet);
    }
}

fn behave(raw: &mut Raw) {
    raw.network = Network::Up;
    raw.server_is_running = true;
    raw.received();
    if raw.client.transport().is_none() {
        raw.client.proceed(raw.now, target());
    }
    raw.received();
    for name in NAMES {
        if let Some(id) = raw.client.namespace(name) {
            raw.join(id);
        }
    }
    // Servers answer once, and only who asks.
    for packet in raw.received() {
        if let Some(name) = packet.strip_prefix('0').and_then(|rest| rest.split('{').next()) {
            raw.send_packet(&format!("0{name}{{\"sid\":\"x\"}}"));
        }
    }
}

fn emit(raw: &mut Raw, ledger: &mut Ledger, step: Step) {
    let now = raw.now;
    let (Step::Emit(index, _) | Step::EmitWithAck(index, _) | Step::Deliver(index, ..)) = step else {
        return;
    };
    let Some(id) = NAMES.get(index).and_then(|name| raw.client.namespace(name)) else {
        return;
    };
    let packet = raw.encode(
        NAMES[index],
        "e",
        &("x".repeat(100), bytes::Bytes::from_static(b"data")),
    );
    let outcome = match step {
        Step::EmitWithAck(_, wait) => {
            let deadline = now + Duration::from_millis(wait);
            raw.client.emit_with_ack(now, id, &packet, deadline)
        }
        Step::Deliver(_, wait, retries) => {
            let ack_timeout = Duration::from_millis(wait);
            raw.client
                .deliver(now, id, &packet, Retry { ack_timeout, retries })
        }
        Step::Emit(_, delivery) => {
            let _ = raw.client.emit(now, id, &packet, delivery);
            return;
        }
        _ => return,
    };
    if let Ok(ack) = outcome {
        ledger.accept(ack);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_everything_ends_once(
        steps in prop::collection::vec(steps(), 0..150),
        transports in prop::sample::select(vec![
            TransportOrder::WebSocket,
            TransportOrder::Polling,
            TransportOrder::PollingFirst,
        ]),
        offline in prop::sample::select(vec![
            Offline::Refuse,
            Offline::Drop,
            Offline::Buffer { packets: 8, bytes: 2_000 },
        ]),
        initial in prop::sample::select(vec![Initial::Retry, Initial::GiveUp]),
    ) {
        run(steps, transports, offline, initial);
    }
}
