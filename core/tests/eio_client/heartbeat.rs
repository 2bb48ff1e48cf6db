//! Pings, pongs and their absence.

use super::bytes_on_the_wire::{HANDSHAKE, accept, frames, text};
use super::world::{World, ms};
use socketio_core::eio::client::{CloseReason, SendError, State, TransportOrder};
use std::time::Duration;

const ORDERS: [TransportOrder; 3] = [
    TransportOrder::Polling,
    TransportOrder::WebSocket,
    TransportOrder::PollingFirst,
];

#[test]
fn a_silent_session_lives_on() {
    for order in ORDERS {
        let mut world = World::with(|config, _| config.transports = order);
        world.connect();
        world.wait(Duration::from_secs(600));
        assert_eq!(world.client.state(), State::Open);
        world.send("still there").unwrap();
        world.settle();
        assert!(world.server_texts().contains(&"still there".to_owned()));
    }
}

#[test]
fn only_a_ping_puts_the_deadline_off() {
    let mut world = World::scripted_with(|config| config.transports = TransportOrder::WebSocket);
    world.connect();
    accept(&mut world, 0);
    world.receive(0, text(HANDSHAKE));
    world.wait(ms(400));
    world.receive(0, text("2"));
    assert_eq!(frames(&mut world, 0), ["3"]);
    world.wait(ms(400));
    world.receive(0, text("4a"));
    world.receive(0, text("3"));
    world.receive(0, b"\x89\x00");
    world.wait(ms(99));
    assert_eq!(world.client.state(), State::Open);
    world.wait(ms(1));
    assert_eq!(
        world.client_texts(),
        ["Opened websocket", "a", "Closed PingTimeout"]
    );
    world.assert_idle();
}

#[test]
fn a_polling_session_without_pings_ends_too() {
    let mut world = World::scripted();
    world.connect();
    world.answer(0, HANDSHAKE);
    world.wait(ms(499));
    assert_eq!(world.client.state(), State::Open);
    world.wait(ms(1));
    assert_eq!(world.closed(), (CloseReason::PingTimeout, None));
    world.assert_idle();
    assert!(world.is_closed(0));
}

#[test]
fn a_client_that_slept_finds_its_session_gone() {
    for order in ORDERS {
        let mut world = World::with(|config, _| config.transports = order);
        world.connect();
        world.sleep_through(Duration::from_secs(46));
        assert_eq!(world.send("a"), Err(SendError::Closed));
        assert_eq!(world.closed(), (CloseReason::PingTimeout, None));
        world.settle();
        world.assert_empty();
    }
}

#[test]
fn a_server_whose_pings_go_unanswered_ends_the_session_for_both() {
    for order in ORDERS {
        let mut world = World::with(|config, _| config.transports = order);
        world.connect();
        world.wait(ms(1_000));
        world.client_texts();
        // Nothing arrives any more in either direction.
        world.sleep_through(Duration::from_secs(25));
        let server = world.server.as_mut().unwrap();
        server.handle_timeout(world.now);
        server.handle_timeout(world.now + Duration::from_secs(20));
        world.settle();
        assert!(world.server_texts().contains(&"PingTimeout".to_owned()));
        let (reason, _) = world.closed();
        assert_ne!(reason, CloseReason::PingTimeout);
        world.assert_empty();
    }
}

#[test]
fn a_heartbeat_beyond_the_clock_is_none() {
    let mut world = World::scripted();
    world.connect();
    let never = r#"0{"sid":"a","upgrades":[],"pingInterval":18446744073709551615,"pingTimeout":1}"#;
    world.answer(0, never);
    world.wait(Duration::from_secs(10_000_000));
    assert_eq!(world.client.state(), State::Open);
    assert!(world.client.poll_timeout() > Some(world.now));
}

#[test]
fn a_heartbeat_of_no_time_ends_the_session_once() {
    let mut world = World::scripted();
    world.connect();
    world.answer(
        0,
        r#"0{"sid":"a","upgrades":[],"pingInterval":0,"pingTimeout":0}"#,
    );
    world.wait(ms(0));
    assert_eq!(world.client_texts(), ["Opened polling", "Closed PingTimeout"]);
    world.assert_idle();
}
