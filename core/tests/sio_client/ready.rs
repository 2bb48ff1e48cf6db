//! Namespaces of a client whose server reads more slowly than is sent to it, or is not there.

use crate::pair::{NOTHING, Network, Pair, SECOND};
use socketio_core::sio::Readiness;
use socketio_core::sio::client::{EmitError, Offline};

fn joined(offline: Offline) -> Pair {
    Pair::joined_with(|config| {
        config.offline = offline;
        config.engine.limits.ready_bytes = 1_000;
        config.engine.limits.queued_bytes = 2_000;
        config.engine.transports = socketio_core::eio::client::TransportOrder::Polling;
    })
}

fn ask(pair: &mut Pair) -> Readiness {
    let main = pair.main();
    pair.client.watch_ready(pair.now, main)
}

fn fill(pair: &mut Pair) {
    pair.server_is_running = false;
    let text = "x".repeat(500);
    for _ in 0..100 {
        if ask(pair) == Readiness::Awaited {
            return;
        }
        assert_eq!(pair.emit("/", "e", text.as_str()), Ok(()));
    }
    panic!("it is always ready");
}

fn take_ready_events(pair: &mut Pair) -> usize {
    let texts = pair.client_texts();
    texts.iter().filter(|text| text.starts_with("Ready")).count()
}

#[test]
fn who_asked_is_told_once_the_server_has_read() {
    let mut pair = joined(Offline::Refuse);
    fill(&mut pair);
    assert!(pair.client.bytes_under_way() < 1_600);
    assert_eq!(take_ready_events(&mut pair), 0);
    pair.server_is_running = true;
    assert_eq!(take_ready_events(&mut pair), 1);
    assert_eq!(ask(&mut pair), Readiness::Ready);
    assert_eq!(take_ready_events(&mut pair), 0);
}

#[test]
fn while_a_namespace_is_not_joined_it_is_not_ready_whatever_may_be_buffered() {
    for offline in [
        Offline::Refuse,
        Offline::Drop,
        Offline::Buffer {
            packets: 10,
            bytes: 10_000,
        },
    ] {
        let mut pair = Pair::with(|config| config.offline = offline);
        assert_eq!(ask(&mut pair), Readiness::Awaited);
        pair.connect();
        assert_eq!(take_ready_events(&mut pair), 1);

        pair.network = Network::Down;
        pair.lose_all();
        assert_eq!(ask(&mut pair), Readiness::Awaited);
        pair.wait(10 * SECOND);
        assert_eq!(take_ready_events(&mut pair), 0);
        pair.network = Network::Up;
        pair.wait(10 * SECOND);
        assert_eq!(take_ready_events(&mut pair), 1);
        assert_eq!(ask(&mut pair), Readiness::Ready);
    }
}

#[test]
fn what_is_left_or_closed_is_never_ready_and_nobody_is_told_so() {
    let mut pair = joined(Offline::Refuse);
    fill(&mut pair);
    let main = pair.main();
    pair.client.leave(pair.now, main);
    assert_eq!(ask(&mut pair), Readiness::Never);
    pair.server_is_running = true;
    assert_eq!(take_ready_events(&mut pair), 0);
    assert_eq!(ask(&mut pair), Readiness::Never);
    assert_eq!(pair.emit("/", "e", &()), Err(EmitError::NotConnected));
    assert_eq!(pair.client_texts(), NOTHING);
}

#[test]
fn what_waits_for_its_namespace_leaves_before_it_is_ready() {
    let mut pair = Pair::with(|config| {
        config.offline = Offline::Buffer {
            packets: 100,
            bytes: 100_000,
        };
        config.engine.limits.ready_bytes = 1_000;
        config.engine.limits.queued_bytes = 2_000;
    });
    let text = "x".repeat(500);
    for _ in 0..50 {
        assert_eq!(pair.emit("/", "e", text.as_str()), Ok(()));
    }
    assert_eq!(ask(&mut pair), Readiness::Awaited);
    pair.connect();
    assert_eq!(take_ready_events(&mut pair), 1);
    let main = pair.main();
    assert_eq!(pair.client.buffered_packets(main), 0);
    assert_eq!(pair.server_texts().len(), 50);
}
