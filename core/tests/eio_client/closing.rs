//! How sessions end.

use super::bytes_on_the_wire::{HANDSHAKE, OFFER, accept, frames, text};
use super::world::{World, ms};
use socketio_core::eio::client::{CloseReason, SendError, State, TransportOrder};
use socketio_core::eio::{Delivery, Message};

fn polling(handshake: &str) -> World {
    let mut world = World::scripted();
    world.connect();
    world.answer(0, handshake);
    world.sent(0);
    world.client_texts();
    world
}

fn websocket() -> World {
    let mut world = World::scripted_with(|config| config.transports = TransportOrder::WebSocket);
    world.connect();
    accept(&mut world, 0);
    world.receive(0, text(HANDSHAKE));
    world.client_texts();
    world
}

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[test]
fn everything_queued_reaches_the_server_before_the_end() {
    for order in [
        TransportOrder::Polling,
        TransportOrder::WebSocket,
        TransportOrder::PollingFirst,
    ] {
        let mut world = World::with(|config, server| {
            config.transports = order;
            server.max_payload = 1_000;
        });
        world.connect();
        let texts: Vec<_> = (0..100)
            .map(|number| format!("{number} {}", "x".repeat(90)))
            .collect();
        for text in &texts {
            world.send(text).unwrap();
        }
        world.close();
        let received = world.server_texts();
        assert_eq!(received[1..101], texts);
        assert_eq!(received[101..], ["TransportClose"]);
        assert_eq!(world.closed(), (CloseReason::ForcedClose, None));
        world.assert_empty();
    }
}

#[test]
fn a_close_packet_comes_behind_what_waits_for_the_post_under_way() {
    let mut world = polling(HANDSHAKE);
    world.send("a").unwrap();
    world.settle();
    assert_eq!(body(&world.sent(1)), "4a");
    world.send("b").unwrap();
    world.close();
    world.close();
    assert_eq!(world.client.state(), State::Closing);
    assert_eq!(world.send("c"), Err(SendError::Closed));
    assert!(!world.client.is_writable());
    // What arrives meanwhile is an event, and a ping is left unanswered.
    world.answer(0, "4last\u{1e}2");
    assert_eq!(world.client_texts(), ["last"]);
    assert!(world.sent(0).starts_with("GET "));
    world.answer(1, "ok");
    assert_eq!(body(&world.sent(1)), "4b\u{1e}1");
    // The server lets go of the poll; there is nothing left to poll for.
    world.answer(0, "6");
    assert_eq!(world.sent(0), "");
    assert_eq!(world.client_texts(), [""; 0]);
    world.answer(1, "ok");
    assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
    world.assert_idle();
}

#[test]
fn what_becomes_of_the_poll_does_not_matter_once_the_close_packet_is_under_way() {
    type Fate = fn(&mut World);
    let fates: [Fate; 3] = [
        |world| world.answer_with(0, "400 Bad Request", "", "{}"),
        |world| world.end(0),
        |world| world.answer(0, "1"),
    ];
    for (number, fate) in fates.into_iter().enumerate() {
        let mut world = polling(HANDSHAKE);
        world.close();
        assert_eq!(body(&world.sent(1)), "1");
        fate(&mut world);
        // A close packet of the server ends it, too.
        let expected: &[&str] = if number == 2 { &["Closed ForcedClose"] } else { &[] };
        assert_eq!(world.client_texts(), expected);
        world.answer(1, "ok");
        assert_eq!(world.client_texts().len(), 1 - expected.len());
        world.assert_idle();
    }
}

#[test]
fn a_server_that_does_not_take_the_end_has_only_so_long() {
    let mut world = polling(HANDSHAKE);
    world.close();
    world.wait(ms(4_999));
    assert_eq!(world.client_texts(), [""; 0]);
    world.wait(ms(1));
    assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
    world.assert_idle();

    let mut world = websocket();
    world.close();
    assert_eq!(frames(&mut world, 0), ["None"]);
    world.wait(ms(4_999));
    assert_eq!(world.client_texts(), [""; 0]);
    world.wait(ms(1));
    assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
    world.assert_idle();
}

#[test]
fn closing_gives_up_an_upgrade() {
    for is_pausing in [false, true] {
        let mut world = polling(OFFER);
        accept(&mut world, 1);
        if is_pausing {
            world.receive(1, text("3probe"));
        }
        world.send("a").unwrap();
        world.close();
        assert!(world.is_closed(1));
        world.settle();
        let request = world.sent(2);
        if is_pausing {
            assert_eq!(body(&request), "4a\u{1e}1");
        } else {
            // The message had found its connection dialled before.
            assert!(body(&request).starts_with("4a"));
        }
        world.answer(2, "ok");
        if world.client.state() == State::Closing {
            world.answer(2, "ok");
        }
        assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
        world.assert_idle();
    }
}

#[test]
fn a_server_that_closes_is_told_apart_from_a_lost_connection() {
    let mut world = polling(HANDSHAKE);
    world.answer(0, "4a\u{1e}1\u{1e}4b");
    assert_eq!(world.client_texts(), ["a", "Closed TransportClose"]);
    world.assert_idle();
    for (bytes, reason) in [
        (text("1"), CloseReason::TransportClose),
        (b"\x88\x00".to_vec(), CloseReason::TransportClose),
        (b"\x88\x02\x03\xe8".to_vec(), CloseReason::TransportClose),
        (Vec::new(), CloseReason::ConnectionLost),
        (b"\x81\x05a".to_vec(), CloseReason::ConnectionLost),
    ] {
        let mut world = websocket();
        world.receive(0, &bytes);
        world.end(0);
        assert_eq!(world.closed(), (reason, None), "{bytes:?}");
        world.assert_empty();
    }
}

#[test]
fn our_server_closing_a_session_is_a_transport_close() {
    for order in [
        TransportOrder::Polling,
        TransportOrder::WebSocket,
        TransportOrder::PollingFirst,
    ] {
        let mut world = World::with(|config, _| config.transports = order);
        world.connect();
        world.wait(ms(500));
        world.server_send("last");
        let (session, now) = (world.session(), world.now);
        world.server.as_mut().unwrap().close(now, session);
        world.wait(ms(500));
        let received = world.client_texts();
        assert_eq!(received[received.len() - 2..], ["last", "Closed TransportClose"]);
        world.assert_empty();
    }
}

#[test]
fn an_application_that_closes_gets_no_other_event() {
    let mut world = websocket();
    world.client.close(world.now);
    let binary = Message::Binary(vec![1].into());
    assert_eq!(
        world.client.send(world.now, &binary, Delivery::Reliable),
        Err(SendError::Closed)
    );
    world.settle();
    world.end(0);
    world.close();
    world.wait(ms(100_000));
    assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
}
