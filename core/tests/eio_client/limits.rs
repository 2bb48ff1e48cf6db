//! What is refused, what takes too long, and what is too large.

use super::bytes_on_the_wire::{HANDSHAKE, accept, frames, text};
use super::world::{Dialling, Network, World, ms};
use socketio_core::eio::client::{CloseReason, SendError, State, TransportOrder};
use socketio_core::eio::payload::PayloadError;
use socketio_core::eio::{Delivery, Message};
use socketio_core::http::StatusCode;
use socketio_core::wire::ClientWireError;
use socketio_core::ws::FrameError;

const PATIENT: &str =
    r#"0{"sid":"x","upgrades":[],"pingInterval":90000,"pingTimeout":90000,"maxPayload":100}"#;

fn polling() -> World {
    let mut world = World::scripted_with(|config| config.limits.queued_bytes = 100);
    world.connect();
    world.answer(0, PATIENT);
    world.sent(0);
    world
}

fn websocket() -> World {
    let mut world = World::scripted_with(|config| {
        config.transports = TransportOrder::WebSocket;
        config.max_payload = 200;
        config.limits.queued_bytes = 100;
    });
    world.connect();
    accept(&mut world, 0);
    world.receive(0, text(PATIENT));
    world
}

#[test]
fn a_full_queue_refuses_and_the_session_goes_on() {
    let mut world = polling();
    world.send("first").unwrap();
    world.settle();
    let large = "x".repeat(60);
    world.send(&large).unwrap();
    assert_eq!(world.send(&large), Err(SendError::QueueFull));
    let queued = world.client.queued_bytes();
    assert!((61..100).contains(&queued));
    world.answer(1, "ok");
    world.send(&large).unwrap();
    assert_eq!(world.client.state(), State::Open);
    assert_eq!(world.client_texts(), ["Opened polling"]);
}

#[test]
fn what_the_server_would_not_take_is_refused() {
    let too_large = Err(SendError::TooLarge { limit: 100 });
    for (mut world, binary) in [(polling(), 72), (websocket(), 100)] {
        assert_eq!(world.send(&"x".repeat(100)), too_large);
        world.send(&"x".repeat(99)).unwrap();
        world.settle();
        let mut send = |length: usize| {
            let message = Message::Binary(vec![0; length].into());
            world.client.send(world.now, &message, Delivery::Reliable)
        };
        assert_eq!(send(binary + 1), too_large);
        assert_ne!(send(binary), too_large);
    }
}

#[test]
fn a_volatile_message_leaves_at_once_or_not_at_all() {
    let mut world = polling();
    assert!(world.client.is_writable());
    world.send_as("a", Delivery::Volatile).unwrap();
    world.settle();
    assert!(world.sent(1).ends_with("\r\n\r\n4a"));
    assert_eq!(world.send_as("b", Delivery::Volatile), Err(SendError::Dropped));
    world.answer(1, "ok");
    world.send_as("c", Delivery::Volatile).unwrap();

    let mut world = websocket();
    world.send_as("a", Delivery::Volatile).unwrap();
    world.send_as("b", Delivery::Volatile).unwrap();
    world.network = Network::Stalls;
    world.send_as("c", Delivery::Volatile).unwrap();
    assert_eq!(world.send_as("d", Delivery::Volatile), Err(SendError::Dropped));
    world.resume();
    world.send_as("e", Delivery::Volatile).unwrap();
    assert_eq!(frames(&mut world, 0), ["4a", "4b", "4c", "4e"]);
}

#[test]
fn without_a_session_nothing_is_sent() {
    let mut world = World::scripted();
    assert_eq!(world.send("a"), Err(SendError::Closed));
    world.connect();
    assert_eq!(world.send("a"), Err(SendError::Closed));
    assert!(!world.client.is_writable());
}

#[test]
fn a_network_that_takes_nothing_fills_the_queue_and_no_more() {
    let mut world = websocket();
    world.network = Network::Stalls;
    let text_of_90 = "x".repeat(90);
    let mut sent = 0;
    while world.send(&text_of_90).is_ok() {
        sent += 1;
    }
    // What the wire holds is bounded, too.
    assert!(sent < 3_500, "{sent}");
    for _ in 0..10_000 {
        world.receive(0, text("2"));
    }
    assert!(world.client.queued_bytes() < 200);
    world.resume();
    let frames = frames(&mut world, 0);
    assert_eq!(frames.iter().filter(|frame| frame.len() == 91).count(), sent);
    assert_eq!(world.client.state(), State::Open);
}

#[test]
fn any_other_status_than_200_ends_the_session() {
    for (status, code) in [
        ("400 Bad Request", 400),
        ("413 Payload Too Large", 413),
        ("204 No Content", 204),
        ("500 Oh", 500),
    ] {
        for link in [0, 1] {
            let mut world = polling();
            world.send("a").unwrap();
            world.settle();
            world.sent(link);
            let body = if code == 204 { "" } else { "why" };
            world.answer_with(link, status, "", body);
            let reason = CloseReason::RequestFailed(StatusCode::new(code).unwrap());
            let detail = Some(body.to_owned()).filter(|body| !body.is_empty());
            assert_eq!(world.closed(), (reason, detail));
            world.assert_idle();
            assert!(world.is_closed(0) && world.is_closed(1));
        }
    }
    let mut world = polling();
    world.answer_with(0, "302 Found", "Location: http://b/\r\n", "");
    let reason = CloseReason::Redirected(StatusCode::FOUND);
    assert_eq!(world.closed(), (reason, Some("http://b/".to_owned())));
}

#[test]
fn a_post_may_not_go_unanswered_for_ever() {
    type Stall = fn(&mut World);
    let refused = CloseReason::RequestFailed(StatusCode::BAD_GATEWAY);
    let stalls: [(Stall, CloseReason); 3] = [
        (|_| {}, CloseReason::RequestTimedOut),
        (
            |world| world.receive(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"),
            CloseReason::RequestTimedOut,
        ),
        (
            |world| world.receive(1, "HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\no"),
            refused,
        ),
    ];
    for (stall, reason) in stalls {
        let mut world = polling();
        world.send("a").unwrap();
        world.settle();
        stall(&mut world);
        world.wait(ms(19_999));
        assert_eq!(world.client.state(), State::Open);
        world.wait(ms(1));
        assert_eq!(world.closed(), (reason, None));
        world.assert_idle();
    }
    // Nor be dialled for for ever.
    let mut world = polling();
    world.dialling = Dialling::Hangs;
    world.send("a").unwrap();
    world.wait(ms(20_000));
    assert_eq!(world.closed(), (CloseReason::RequestTimedOut, None));
    world.assert_idle();
}

#[test]
fn a_poll_may_wait_but_not_its_refusal() {
    let mut world = polling();
    world.wait(ms(100_000));
    assert_eq!(world.client.state(), State::Open);
    world.receive(0, "HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\no");
    world.wait(ms(20_000));
    let reason = CloseReason::RequestFailed(StatusCode::BAD_GATEWAY);
    assert_eq!(world.closed(), (reason, None));
}

#[test]
fn a_connection_that_can_not_be_made_ends_the_session_that_needs_it() {
    let mut world = polling();
    world.dialling = Dialling::Fails;
    world.settle();
    assert_eq!(world.client.state(), State::Open);
    world.send("a").unwrap();
    world.settle();
    assert_eq!(world.closed(), (CloseReason::DialFailed, None));
    world.assert_idle();
}

#[test]
fn what_can_not_be_read_ends_the_session() {
    for (body, reason) in [
        ("4a\u{1e}x", CloseReason::ParseError(PayloadError::UnknownType)),
        ("4a\u{1e}", CloseReason::ParseError(PayloadError::EmptyPacket)),
    ] {
        let mut world = polling();
        world.answer(0, body);
        assert_eq!(
            world.client_texts(),
            ["Opened polling", "a", &format!("Closed {reason:?}")]
        );
        world.assert_idle();
    }
    let mut world = websocket();
    world.receive(0, text("x"));
    let reason = CloseReason::ParseError(PayloadError::UnknownType);
    assert_eq!(world.closed(), (reason, None));
    assert_eq!(frames(&mut world, 0), ["None"]);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let mut world = polling();
    world.receive(0, "HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n");
    let reason = CloseReason::BadResponse(ClientWireError::BodyTooLarge);
    assert_eq!(world.closed(), (reason, None));
    let mut world = websocket();
    world.receive(0, b"\x81\x7e\x00\xc9");
    let reason = CloseReason::BadResponse(ClientWireError::Frame(FrameError::TooLarge));
    assert_eq!(world.closed(), (reason, None));
}

#[test]
fn a_session_that_says_it_takes_nothing_has_no_limit() {
    let mut world = World::scripted();
    world.connect();
    world.answer(0, &HANDSHAKE.replace("\"maxPayload\":100", "\"maxPayload\":0"));
    assert_eq!(world.client.max_payload(), None);
    world.send(&"x".repeat(1_000)).unwrap();
}
