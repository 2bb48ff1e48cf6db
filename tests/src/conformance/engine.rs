//! The official Engine.IO v4 suite (protocol section 7.1), test by test, and the half of it that the Socket.IO suite repeats
//! (protocol section 7.3). Functions that send no message run over any application.

use std::thread::sleep;
use std::time::Duration;

use super::punctuality::in_time;
use super::{assert_error, assert_still_serves, exchange};
use crate::kit::{Close, HttpConnection, Incoming, Polling, Request, WebSocketClient, settle};
use crate::testbed::Target;

/// What the suite's servers announce after the session id.
const ANNOUNCED: &str = r#""pingInterval":300,"pingTimeout":200,"maxPayload":1000000}"#;

// Handshake over HTTP long-polling.

pub(super) fn handshake_polling_successfully_opens_a_session(target: &Target) {
    let response = exchange(target, "GET", "?EIO=4&transport=polling");
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    assert_handshake(response.text(), r#"["websocket"]"#);
}

pub(super) fn handshake_polling_fails_with_an_invalid_eio_query_parameter(target: &Target) {
    for query in [
        "?transport=polling",
        "?EIO=abc&transport=polling",
        "?EIO=3&transport=polling",
    ] {
        assert_error(&exchange(target, "GET", query), 5);
    }
}

pub(super) fn handshake_polling_fails_with_an_invalid_transport_query_parameter(target: &Target) {
    for query in [
        "?EIO=4",
        "?EIO=4&transport=abc",
        "?EIO=4&transport=",
        "?EIO=4&transport=webtransport",
    ] {
        assert_error(&exchange(target, "GET", query), 0);
    }
}

pub(super) fn handshake_polling_fails_with_an_invalid_request_method(target: &Target) {
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        assert_error(&exchange(target, method, "?EIO=4&transport=polling"), 2);
    }
}

// Handshake over WebSocket.

pub(super) fn handshake_websocket_successfully_opens_a_session(target: &Target) {
    let mut socket = WebSocketClient::open(target, "EIO=4&transport=websocket");
    assert_handshake(&socket.text(), "[]");
}

pub(super) fn handshake_websocket_fails_with_an_invalid_eio_query_parameter(target: &Target) {
    for query in ["transport=websocket", "EIO=abc&transport=websocket"] {
        assert_refused_or_closed(target, query);
    }
}

pub(super) fn handshake_websocket_fails_with_an_invalid_transport_query_parameter(target: &Target) {
    for query in ["EIO=4", "EIO=4&transport=abc"] {
        assert_refused_or_closed(target, query);
    }
}

// Messages over HTTP long-polling.

pub(super) fn message_polling_sends_and_receives_one_plain_text_packet(target: &Target) {
    let mut session = Polling::open(target);
    let response = session.post("4hello");
    response.assert_is(200, "ok");
    assert_eq!(response.header("content-type"), Some("text/html"));
    assert_eq!(response.header("content-length"), Some("2"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(session.poll(), ["4hello"]);
}

pub(super) fn message_polling_sends_and_receives_several_plain_text_packets(target: &Target) {
    let mut session = Polling::open(target);
    session.deliver("4test1\x1e4test2\x1e4test3");
    assert_eq!(session.collect(3), ["4test1", "4test2", "4test3"]);
}

pub(super) fn message_polling_sends_and_receives_plain_text_and_binary_packets(target: &Target) {
    let mut session = Polling::open(target);
    session.deliver("4hello\x1ebAQIDBA==");
    assert_eq!(session.collect(2), ["4hello", "bAQIDBA=="]);
}

pub(super) fn message_polling_closes_the_session_upon_invalid_packet_format(target: &Target) {
    let mut session = Polling::open(target);
    session.deliver("abc");
    session.assert_gone();
    assert_still_serves(target);
}

pub(super) fn message_polling_closes_the_session_upon_duplicate_poll_requests(target: &Target) {
    let mut session = Polling::open(target);
    session.send_get();
    settle(target);
    let second = HttpConnection::exchange(target, &Request::get(format!("{}&t=burst", session.url())));
    second.assert_is(400, "");
    session.get_response().assert_is(200, "1");
    session.assert_gone();
}

pub(super) fn message_polling_closes_the_session_upon_cancelled_polling_request(target: &Target) {
    let mut session = Polling::open(target);
    session.send_get();
    settle(target);
    session.abort_get();
    settle(target);
    session.assert_gone();
}

// Messages over WebSocket.

pub(super) fn message_websocket_sends_and_receives_a_plain_text_packet(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("4hello");
    socket.expect_text("4hello");
}

pub(super) fn message_websocket_sends_and_receives_a_binary_packet(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send_binary(&[1, 2, 3, 4]);
    socket.expect_binary(&[1, 2, 3, 4]);
}

pub(super) fn message_websocket_closes_the_session_upon_invalid_packet_format(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("abc");
    socket.expect_close(Close::Frame(None));
}

// Heartbeat.

pub(super) fn heartbeat_polling_sends_ping_pong_packets(target: &Target) {
    in_time(|punctuality| {
        let mut session = Polling::open(target);
        for _ in 0..3 {
            session.get().assert_is(200, "2");
            session.deliver("3");
            punctuality.sent();
        }
    });
}

pub(super) fn heartbeat_polling_closes_the_session_upon_ping_timeout(target: &Target) {
    let mut session = Polling::open(target);
    // The suite sleeps 500 ms, exactly as long as the session lives.
    sleep(Duration::from_millis(800));
    session.assert_gone();
}

pub(super) fn heartbeat_websocket_sends_ping_pong_packets(target: &Target) {
    in_time(|punctuality| {
        let (mut socket, _) = WebSocketClient::open_session(target);
        for _ in 0..3 {
            assert_eq!(socket.next_raw(), Incoming::Text("2".to_owned()));
            socket.send("3");
            punctuality.sent();
        }
    });
}

pub(super) fn heartbeat_websocket_closes_the_session_upon_ping_timeout(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    assert_eq!(socket.next_raw(), Incoming::Text("2".to_owned()));
    assert_eq!(socket.next_raw(), Incoming::Closed(Close::Frame(None)));
}

// Close.

pub(super) fn close_polling_forcefully_closes_the_session(target: &Target) {
    let mut session = Polling::open(target);
    session.send_get();
    settle(target);
    session.deliver("1");
    session.get_response().assert_is(200, "6");
    session.assert_gone();
}

pub(super) fn close_websocket_forcefully_closes_the_session(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("1");
    socket.closed();
}

// Upgrade.

pub(super) fn upgrade_successfully_upgrades_from_polling_to_websocket(target: &Target) {
    let mut session = Polling::open(target);
    let mut socket = session.probe();
    session.get().assert_is(200, "6");
    socket.send("5");
    socket.send("4hello");
    socket.expect_text("4hello");
}

pub(super) fn upgrade_successfully_upgrades_without_messages(target: &Target) {
    let mut session = Polling::open(target);
    let mut socket = session.probe();
    session.get().assert_is(200, "6");
    socket.send("5");
}

pub(super) fn upgrade_ignores_http_requests_with_same_sid_after_upgrade(target: &Target) {
    let mut session = Polling::open(target);
    let mut socket = session.upgrade();
    settle(target);
    assert_error(&session.get(), 3);
    assert_error(&session.post("4hello"), 3);
    socket.send("4hello");
    socket.expect_text("4hello");
}

pub(super) fn upgrade_ignores_http_requests_after_upgrade_without_messages(target: &Target) {
    let mut session = Polling::open(target);
    let _socket = session.upgrade();
    settle(target);
    assert_error(&session.get(), 3);
}

pub(super) fn upgrade_ignores_websocket_connection_with_same_sid_after_upgrade(target: &Target) {
    let session = Polling::open(target);
    let mut socket = session.upgrade();
    let mut second = WebSocketClient::open(target, &session.websocket_query());
    assert_eq!(second.closed(), Close::Frame(None));
    socket.send("4hello");
    socket.expect_text("4hello");
}

pub(super) fn upgrade_ignores_websocket_connection_after_upgrade_without_messages(target: &Target) {
    let session = Polling::open(target);
    let _socket = session.upgrade();
    let mut second = WebSocketClient::open(target, &session.websocket_query());
    assert_eq!(second.closed(), Close::Frame(None));
}

/// Asserts an open packet with exactly the five fields, in order, and a session id of twenty base64 characters.
#[track_caller]
fn assert_handshake(packet: &str, upgrades: &str) {
    let rest = packet
        .strip_prefix(r#"0{"sid":""#)
        .unwrap_or_else(|| panic!("no open packet: {packet:?}"));
    let (sid, rest) = rest.split_once('"').expect("the sid ends");
    assert_eq!(rest, format!(r#","upgrades":{upgrades},{ANNOUNCED}"#));
    let ours = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    assert!(sid.len() >= 20 && sid.chars().all(ours), "session id {sid:?}");
}

/// Asserts that a WebSocket can not be used: refused with 400, or closed right after 101.
#[track_caller]
fn assert_refused_or_closed(target: &Target, query: &str) {
    match WebSocketClient::try_open(target, query) {
        Ok(mut socket) => match socket.next_raw() {
            Incoming::Closed(_) => {}
            other => panic!("{query:?} opened a session: {other:?}"),
        },
        Err(refused) => assert_eq!(refused.status, 400),
    }
}
