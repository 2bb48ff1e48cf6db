//! How attempts to open a session fail, and what is tried next.

use super::bytes_on_the_wire::{HANDSHAKE, OFFER, accept, text};
use super::world::{Dialling, LinkState, World, ms, target};
use socketio_core::eio::Transport;
use socketio_core::eio::client::{CloseReason, Config, Fallback, State, TransportOrder};
use socketio_core::http::StatusCode;
use socketio_core::wire::ClientWireError;
use std::time::Duration;

fn only(transports: TransportOrder) -> impl FnOnce(&mut Config) {
    move |config| config.transports = transports
}

fn connecting(transports: TransportOrder) -> World {
    let mut world = World::scripted_with(only(transports));
    world.connect();
    world
}

#[test]
fn every_transport_is_tried_once_and_the_first_failure_counts() {
    let mut world = World::scripted();
    world.dialling = Dialling::Fails;
    world.connect();
    assert_eq!(world.dialled(), [Transport::Polling, Transport::WebSocket]);
    assert_eq!(world.closed(), (CloseReason::DialFailed, None));
    world.assert_empty();

    let mut world = World::scripted();
    world.connect();
    world.answer_with(0, "403 Forbidden", "", "no");
    world.answer_with(1, "500 Internal Server Error", "", "oh");
    let reason = CloseReason::Refused(StatusCode::FORBIDDEN);
    assert_eq!(world.closed(), (reason, Some("no".to_owned())));
    world.assert_idle();
}

#[test]
fn without_fallback_nothing_else_is_tried() {
    let mut world = World::scripted_with(|config| config.fallback = Fallback::None);
    world.connect();
    world.answer_with(0, "403 Forbidden", "", "");
    assert_eq!(world.dialled(), [Transport::Polling]);
    assert_eq!(
        world.closed(),
        (CloseReason::Refused(StatusCode::FORBIDDEN), None)
    );
}

#[test]
fn the_next_transport_opens_the_session_and_there_is_no_event_of_the_first() {
    let mut world = connecting(TransportOrder::WebSocketFirst);
    world.answer_with(0, "404 Not Found", "", "");
    world.answer(1, OFFER);
    assert_eq!(world.client_texts(), ["Opened polling"]);
    // WebSocket has just failed; no probe.
    assert_eq!(world.dialled(), [Transport::WebSocket, Transport::Polling]);

    let mut world = connecting(TransportOrder::PollingFirst);
    world.end(0);
    accept(&mut world, 1);
    world.receive(1, text(HANDSHAKE));
    assert_eq!(world.client_texts(), ["Opened websocket"]);
}

/// How an attempt ends that the server answers with just this.
fn polling(bytes: &str) -> (CloseReason, Option<String>) {
    let mut world = connecting(TransportOrder::Polling);
    world.receive(0, bytes);
    world.end(0);
    let closed = world.closed();
    world.assert_empty();
    closed
}

fn answer(status: &str, rest: &str) -> (CloseReason, Option<String>) {
    polling(&format!("HTTP/1.1 {status}\r\n{rest}"))
}

#[test]
fn a_body_that_is_no_handshake_has_its_reason() {
    let body = |body: &str| answer("200 OK", &format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    for bad in [
        "",
        "<html>",
        "4a",
        "2",
        "6",
        "0",
        "0{}",
        "0{\"sid\":\"\"}",
        "\u{1e}",
    ] {
        assert_eq!(body(bad), (CloseReason::InvalidHandshake, None), "{bad}");
    }
    assert_eq!(body("1"), (CloseReason::TransportClose, None));
}

#[test]
fn a_status_that_is_no_handshake_has_its_reason() {
    let (refused, redirected) = (CloseReason::Refused, CloseReason::Redirected);
    assert_eq!(
        answer("302 Found", "Location: /else\r\nContent-Length: 0\r\n\r\n"),
        (redirected(StatusCode::FOUND), Some("/else".to_owned()))
    );
    // Servers repeat the query of the request, which may hold the application's secrets.
    let location = "Location: https://b/else?token=secret&EIO=4#there\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        answer("301 Moved Permanently", location),
        (
            redirected(StatusCode::MOVED_PERMANENTLY),
            Some("https://b/else".to_owned())
        )
    );
    assert_eq!(
        answer("307 Temporary Redirect", "Content-Length: 0\r\n\r\n"),
        (redirected(StatusCode::TEMPORARY_REDIRECT), None)
    );
    assert_eq!(
        answer("304 Not Modified", "\r\n"),
        (refused(StatusCode::NOT_MODIFIED), None)
    );
    assert_eq!(
        answer("204 No Content", "\r\n"),
        (refused(StatusCode::NO_CONTENT), None)
    );
    let long = "x".repeat(2_000);
    assert_eq!(
        answer("502 Bad Gateway", &format!("Content-Length: 2000\r\n\r\n{long}")),
        (refused(StatusCode::BAD_GATEWAY), Some("x".repeat(512)))
    );
}

#[test]
fn what_is_no_answer_at_all_has_its_reason() {
    assert_eq!(
        answer("200 OK", "Content-Length: 99999999\r\n\r\n"),
        (CloseReason::BadResponse(ClientWireError::BodyTooLarge), None)
    );
    assert_eq!(
        answer("101 Switching Protocols", "\r\n"),
        (CloseReason::BadResponse(ClientWireError::Handshake), None)
    );
    assert!(matches!(
        polling("SSH-2.0-OpenSSH_9\r\n").0,
        CloseReason::BadResponse(ClientWireError::Head(_))
    ));
    for cut_off in [
        "",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0{",
    ] {
        assert_eq!(polling(cut_off), (CloseReason::ConnectionLost, None));
    }
}

#[test]
fn a_websocket_that_brings_no_handshake_has_its_reason() {
    let websocket = |frames: &[u8]| {
        let mut world = connecting(TransportOrder::WebSocket);
        accept(&mut world, 0);
        world.receive(0, frames);
        world.end(0);
        let closed = world.closed();
        world.assert_empty();
        closed.0
    };
    for bad in ["4a", "2", "3probe", "6", "0", "0{}", "x", ""] {
        assert_eq!(websocket(&text(bad)), CloseReason::InvalidHandshake, "{bad}");
    }
    assert_eq!(websocket(b"\x82\x01a"), CloseReason::InvalidHandshake);
    assert_eq!(websocket(&text("1")), CloseReason::TransportClose);
    assert_eq!(websocket(b"\x88\x00"), CloseReason::TransportClose);
    assert_eq!(websocket(b""), CloseReason::ConnectionLost);
    assert!(matches!(
        websocket(b"\x81\x81aaaaa"),
        CloseReason::BadResponse(ClientWireError::Frame(_))
    ));
    // A ping frame is no packet.
    let mut world = connecting(TransportOrder::WebSocket);
    accept(&mut world, 0);
    world.receive(0, b"\x89\x00");
    world.receive(0, text(HANDSHAKE));
    assert_eq!(world.client_texts(), ["Opened websocket"]);
}

#[test]
fn an_attempt_takes_no_longer_than_the_connect_timeout() {
    type Stall = fn(&mut World);
    let stalls: [(&str, Stall, CloseReason); 4] = [
        ("no connection", |_| {}, CloseReason::ConnectTimedOut),
        ("silence", |world| world.make(0), CloseReason::ConnectTimedOut),
        (
            "half an answer",
            |world| {
                world.make(0);
                world.receive(0, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n0{");
            },
            CloseReason::ConnectTimedOut,
        ),
        (
            "half a refusal",
            |world| {
                world.make(0);
                world.receive(0, "HTTP/1.1 403 Forbidden\r\nContent-Length: 90\r\n\r\nno");
            },
            CloseReason::Refused(StatusCode::FORBIDDEN),
        ),
    ];
    for (name, stall, reason) in stalls {
        let mut world = World::scripted();
        world.dialling = Dialling::Hangs;
        world.connect();
        stall(&mut world);
        world.wait(Duration::from_secs(20) - ms(1));
        assert_eq!(world.client.state(), State::Opening, "{name}");
        world.wait(ms(1));
        assert_eq!(world.closed(), (reason, None), "{name}");
        world.assert_idle();
        assert_eq!(world.links.len(), 1);
    }
}

#[test]
fn all_transports_share_the_connect_timeout() {
    let mut world = World::scripted();
    world.connect();
    world.wait(ms(15_000));
    world.answer_with(0, "403 Forbidden", "", "no");
    world.wait(ms(4_999));
    assert_eq!(world.client_texts(), [""; 0]);
    world.wait(ms(1));
    let reason = CloseReason::Refused(StatusCode::FORBIDDEN);
    assert_eq!(world.closed(), (reason, Some("no".to_owned())));
    world.assert_idle();
}

#[test]
fn a_websocket_that_nobody_answers_leaves_time_for_polling() {
    let never_made = |world: &mut World| world.dialling = Dialling::Hangs;
    let never_answered = |_: &mut World| {};
    for stall in [never_made as fn(&mut World), never_answered] {
        let mut world = World::scripted_with(only(TransportOrder::WebSocketFirst));
        stall(&mut world);
        world.connect();
        world.wait(ms(9_999));
        assert_eq!(world.dialled(), [Transport::WebSocket]);
        world.dialling = Dialling::Succeeds;
        world.wait(ms(1));
        assert_eq!(world.dialled(), [Transport::WebSocket, Transport::Polling]);
        world.answer(1, OFFER);
        assert_eq!(world.client_texts(), ["Opened polling"]);
        // It would only be held up again.
        assert_eq!(world.dialled(), [Transport::WebSocket, Transport::Polling]);
        assert!(!world.client.is_wanted(world.links[0].id));
    }
    // Its time is that of an upgrade, and never more than half of what there is for all.
    for (connect, upgrade, patience) in [(20, 4, 4), (6, 10, 3), (20, 600, 10)] {
        let mut world = World::scripted_with(|config| {
            config.transports = TransportOrder::WebSocketFirst;
            config.connect_timeout = Duration::from_secs(connect);
            config.upgrade_timeout = Duration::from_secs(upgrade);
        });
        world.connect();
        world.wait(Duration::from_secs(patience) - ms(1));
        assert_eq!(world.dialled(), [Transport::WebSocket]);
        world.wait(ms(1));
        assert_eq!(world.dialled(), [Transport::WebSocket, Transport::Polling]);
        // Polling has the rest, and what was wrong first is what counts.
        world.wait(Duration::from_secs(connect - patience));
        assert_eq!(world.closed(), (CloseReason::ConnectTimedOut, None));
        world.assert_idle();
    }
    // One that was refused, or taken, has no deadline any more.
    let mut world = connecting(TransportOrder::WebSocketFirst);
    world.answer_with(0, "404 Not Found", "", "");
    world.wait(ms(15_000));
    world.answer(1, OFFER);
    assert_eq!(world.client_texts(), ["Opened polling"]);
    let mut world = World::scripted_with(|config| {
        config.transports = TransportOrder::WebSocketFirst;
        config.upgrade_timeout = ms(100);
    });
    world.connect();
    accept(&mut world, 0);
    world.receive(0, text(HANDSHAKE));
    world.wait(ms(101));
    assert_eq!(world.client_texts(), ["Opened websocket"]);
}

#[test]
fn a_websocket_that_is_the_only_transport_has_all_the_time() {
    let mut world = connecting(TransportOrder::WebSocket);
    world.wait(ms(19_999));
    accept(&mut world, 0);
    world.receive(0, text(HANDSHAKE));
    assert_eq!(world.client_texts(), ["Opened websocket"]);
}

#[test]
fn a_dial_that_is_not_wanted_any_more_is_given_up_or_dropped() {
    let mut world = World::scripted();
    world.dialling = Dialling::Hangs;
    world.connect();
    let connection = world.links[0].id;
    // The application is faster than the one who dials.
    world.client.close(world.now);
    assert!(!world.client.is_wanted(connection));
    assert!(!world.client.handle_open(world.now, connection));
    world.links[0].state = LinkState::Gone;
    world.pump();
    assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
    world.assert_empty();
    // Or the failure of the dial comes first.
    world.connect();
    world.close();
    assert_eq!(world.links[1].state, LinkState::Gone);
    world.assert_empty();
    // Or the dial was not taken yet.
    assert!(world.client.connect(world.now, target()));
    world.client.close(world.now);
    assert_eq!(world.client.poll_dial(), None);
    world.pump();
    world.assert_empty();
}

#[test]
fn closing_an_attempt_ends_it_at_once() {
    let mut world = connecting(TransportOrder::PollingFirst);
    world.close();
    assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
    assert!(world.is_closed(0));
    world.assert_idle();
    assert_eq!(world.links.len(), 1);
}

#[test]
fn stale_handles_and_spurious_wakes_change_nothing() {
    let mut world = connecting(TransportOrder::PollingFirst);
    let stale = world.links[0].id;
    world.answer_with(0, "404 Not Found", "", "");
    world.end(0);
    let before = world.client.poll_timeout();
    for _ in 0..3 {
        world.client.handle_lost(world.now, stale);
        assert!(!world.client.handle_open(world.now, stale));
        world
            .client
            .handle_item(world.now, stale, socketio_core::wire::ClientItem::Close);
        world.client.handle_timeout(world.now);
        world.client.handle_timeout(world.now - ms(5));
        let mut wire = world.client.wire();
        world.client.poll_transmit(stale, &mut wire);
    }
    world.pump();
    assert_eq!(world.client.poll_timeout(), before);
    assert_eq!(world.client.state(), State::Opening);
    assert_eq!(world.client_texts(), [""; 0]);
    assert_eq!(world.dialled(), [Transport::Polling, Transport::WebSocket]);
}
