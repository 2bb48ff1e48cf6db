//! A server that reads more slowly than is sent to it, and an application that waits for it.

use super::bytes_on_the_wire::{accept, text};
use super::world::{Network, World, ms};
use proptest::prelude::*;
use socketio_core::eio::client::{Event, TransportOrder};
use socketio_core::eio::{Readiness, Transport};

const READY: usize = 1_000;
const LARGEST: usize = 600;
/// Heads of requests, headers of frames, and the protocol's own packets.
const EXTRA: usize = 1_000;

const OPEN: &str =
    r#"0{"sid":"x","upgrades":[],"pingInterval":90000,"pingTimeout":90000,"maxPayload":100000}"#;

fn world(order: TransportOrder) -> World {
    World::scripted_with(|config| {
        config.transports = order;
        config.limits.ready_bytes = READY;
        config.limits.queued_bytes = READY + LARGEST;
    })
}

fn polling() -> World {
    let mut world = world(TransportOrder::Polling);
    world.connect();
    world.answer(0, OPEN);
    world.sent(0);
    world
}

fn websocket() -> World {
    let mut world = world(TransportOrder::WebSocket);
    world.connect();
    accept(&mut world, 0);
    world.receive(0, text(OPEN));
    world
}

fn watch_ready(world: &mut World) -> Readiness {
    world.client.watch_ready(world.now)
}

/// How many [`Event::Ready`] there were since the last call.
fn take_ready_events(world: &mut World) -> usize {
    let before = world.events.len();
    world.events.retain(|event| !matches!(event, Event::Ready));
    before - world.events.len()
}

fn send(world: &mut World, size: usize) {
    world.send(&"x".repeat(size)).unwrap();
}

#[test]
fn a_websocket_is_ready_once_most_was_written() {
    let mut world = websocket();
    world.network = Network::Stalls;
    assert_eq!(watch_ready(&mut world), Readiness::Ready);
    send(&mut world, 600);
    assert_eq!(watch_ready(&mut world), Readiness::Ready);
    send(&mut world, 600);
    assert_eq!(watch_ready(&mut world), Readiness::Awaited);
    assert_eq!(watch_ready(&mut world), Readiness::Awaited);
    assert_eq!(
        (world.client.queued_bytes(), take_ready_events(&mut world)),
        (0, 0)
    );
    assert!(world.client.bytes_under_way() > 1_200);
    world.resume();
    assert_eq!(take_ready_events(&mut world), 1);
    assert_eq!(world.client.bytes_under_way(), 0);
    assert_eq!(watch_ready(&mut world), Readiness::Ready);
}

#[test]
fn what_a_post_has_not_written_counts_and_so_does_what_waits_for_the_next() {
    let mut world = polling();
    world.network = Network::Stalls;
    send(&mut world, 600);
    world.settle();
    assert_eq!(world.client.queued_bytes(), 0);
    send(&mut world, 600);
    assert_eq!(watch_ready(&mut world), Readiness::Awaited);
    world.resume();
    let first = take_ready_events(&mut world);
    // The second waits until the server has answered.
    assert_eq!((first, world.client.queued_bytes() > 0), (1, true));
    send(&mut world, 600);
    assert_eq!(watch_ready(&mut world), Readiness::Awaited);
    world.answer(1, "ok");
    assert_eq!(take_ready_events(&mut world), 1);
    assert_eq!(watch_ready(&mut world), Readiness::Ready);
}

#[test]
fn without_an_open_session_it_is_never_ready() {
    let mut world = world(TransportOrder::WebSocket);
    assert_eq!(watch_ready(&mut world), Readiness::Never);
    world.connect();
    assert_eq!(watch_ready(&mut world), Readiness::Never);
    accept(&mut world, 0);
    world.receive(0, text(OPEN));
    assert_eq!(watch_ready(&mut world), Readiness::Ready);
    world.network = Network::Stalls;
    send(&mut world, 600);
    send(&mut world, 600);
    assert_eq!(watch_ready(&mut world), Readiness::Awaited);
    world.client.close(world.now);
    assert_eq!(watch_ready(&mut world), Readiness::Never);
    world.lose(0);
    assert_eq!(take_ready_events(&mut world), 0);
    world.closed();
}

/// One thing that happens between a client whose application waits before each message, and our own server.
#[derive(Clone, Debug)]
enum Step {
    Send(usize),
    Move(usize, usize),
    Stall,
    Resume,
    Wait(u64),
    Lose(usize),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (1..LARGEST).prop_map(Step::Send),
        8 => (0_usize..8, 1_usize..2_000).prop_map(|(choice, size)| Step::Move(choice, size)),
        2 => Just(Step::Stall),
        2 => Just(Step::Resume),
        1 => (0_u64..500).prop_map(Step::Wait),
    ];
    let last = prop_oneof![
        8 => Just(None),
        1 => Just(Some(Step::Close)),
        1 => (0_usize..4).prop_map(|index| Some(Step::Lose(index))),
    ];
    (prop::collection::vec(step, 0..80), last).prop_map(|(mut steps, last)| {
        steps.extend(last);
        steps
    })
}

struct WaitingApplication {
    world: World,
    is_waiting: bool,
    closed: usize,
    sent: usize,
}

impl WaitingApplication {
    fn new(order: TransportOrder) -> Self {
        let mut world = World::with(|config, _| {
            config.transports = order;
            config.limits.ready_bytes = READY;
            config.limits.queued_bytes = READY + LARGEST;
        });
        // So far that the session is open, and an upgrade is still to come.
        assert!(world.client.connect(world.now, super::world::target()));
        while world.client.transport().is_none() {
            assert!(world.step(0, usize::MAX));
        }
        Self {
            world,
            is_waiting: false,
            closed: 0,
            sent: 0,
        }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Send(size) => match watch_ready(&mut self.world) {
                Readiness::Ready => {
                    send(&mut self.world, size);
                    self.sent += 1;
                }
                Readiness::Awaited => self.is_waiting = true,
                Readiness::Never => assert!(self.world.client.transport().is_none() || self.closed > 0),
            },
            Step::Move(choice, size) => {
                self.world.step(choice, size);
            }
            Step::Stall => self.world.network = Network::Stalls,
            Step::Resume => self.world.resume(),
            Step::Wait(time) => self.world.wait(ms(time)),
            Step::Lose(index) if index < self.world.links.len() => self.world.lose(index),
            Step::Lose(_) => {}
            Step::Close => self.world.close(),
        }
        self.check();
    }

    /// The application is told once that it need not wait any more, and nothing grows while nothing is taken.
    fn check(&mut self) {
        let count = take_ready_events(&mut self.world);
        assert!(count <= usize::from(self.is_waiting), "told {count} times");
        let is_closed = |event: &&Event| matches!(event, Event::Closed { .. });
        self.closed += self
            .world
            .events
            .drain(..)
            .filter(|event| is_closed(&event))
            .count();
        self.is_waiting &= count == 0 && self.closed == 0;
        let unwritten: usize = self.world.links.iter().map(super::world::Link::unwritten).sum();
        let memory = self.world.client.queued_bytes() + unwritten;
        assert!(memory < READY + LARGEST + EXTRA, "{memory} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_application_that_waits_is_told_once_and_a_server_that_does_not_read_costs_little(
        order in prop::sample::select(vec![
            TransportOrder::Polling,
            TransportOrder::WebSocket,
            TransportOrder::PollingFirst,
        ]),
        steps in steps(),
    ) {
        let mut application = WaitingApplication::new(order);
        for step in &steps {
            application.apply(step);
        }
        application.world.resume();
        application.world.wait(ms(500));
        application.check();
        prop_assert!(!application.is_waiting, "the server has read everything");
        if application.closed == 0 {
            prop_assert_eq!(application.world.client.bytes_under_way(), 0);
            let arrived = application.world.server_texts();
            let arrived = arrived.iter().filter(|text| text.starts_with('x')).count();
            prop_assert_eq!(arrived, application.sent);
            let is_probed = !steps.iter().any(|step| matches!(step, Step::Lose(_)));
            if order == TransportOrder::PollingFirst && is_probed {
                prop_assert_eq!(application.world.client.transport(), Some(Transport::WebSocket));
            }
        }
    }
}
