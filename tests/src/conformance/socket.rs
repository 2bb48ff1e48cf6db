//! The official Socket.IO v5 suite (protocol section 7.3), test by test. Its Engine.IO half is that of [`super::engine`]
//! without messages.

use std::time::{Duration, Instant};

use super::punctuality::in_time;
use crate::kit::socketio::{join_main, socket_id};
use crate::kit::{Close, Incoming, WebSocketClient};
use crate::testbed::Target;

pub(super) use super::engine::{
    close_polling_forcefully_closes_the_session as engine_should_forcefully_close_the_session_polling,
    close_websocket_forcefully_closes_the_session as engine_should_forcefully_close_the_session_websocket,
    handshake_polling_fails_with_an_invalid_eio_query_parameter as engine_should_fail_with_an_invalid_eio_polling,
    handshake_polling_fails_with_an_invalid_request_method as engine_should_fail_with_an_invalid_request_method,
    handshake_polling_fails_with_an_invalid_transport_query_parameter as engine_should_fail_with_an_invalid_transport_polling,
    handshake_polling_successfully_opens_a_session as engine_should_successfully_open_a_session_polling,
    handshake_websocket_fails_with_an_invalid_eio_query_parameter as engine_should_fail_with_an_invalid_eio_websocket,
    handshake_websocket_fails_with_an_invalid_transport_query_parameter as engine_should_fail_with_an_invalid_transport_websocket,
    handshake_websocket_successfully_opens_a_session as engine_should_successfully_open_a_session_websocket,
    heartbeat_polling_closes_the_session_upon_ping_timeout as engine_should_close_the_session_upon_ping_timeout_polling,
    heartbeat_polling_sends_ping_pong_packets as engine_should_send_ping_pong_packets_polling,
    heartbeat_websocket_closes_the_session_upon_ping_timeout as engine_should_close_the_session_upon_ping_timeout_websocket,
    heartbeat_websocket_sends_ping_pong_packets as engine_should_send_ping_pong_packets_websocket,
    upgrade_ignores_http_requests_after_upgrade_without_messages as engine_should_ignore_http_requests_with_same_sid_after_upgrade,
    upgrade_ignores_websocket_connection_after_upgrade_without_messages as engine_should_ignore_websocket_connection_with_same_sid_after_upgrade,
    upgrade_successfully_upgrades_without_messages as engine_should_successfully_upgrade_from_polling_to_websocket,
};

// Connect.

pub(super) fn should_allow_connection_to_the_main_namespace(target: &Target) {
    connect(target, "40", "40", r#"42["auth",{}]"#);
}

pub(super) fn should_allow_connection_to_the_main_namespace_with_a_payload(target: &Target) {
    connect(
        target,
        r#"40{"token":"123"}"#,
        "40",
        r#"42["auth",{"token":"123"}]"#,
    );
}

pub(super) fn should_allow_connection_to_a_custom_namespace(target: &Target) {
    connect(target, "40/custom,", "40/custom,", r#"42/custom,["auth",{}]"#);
}

pub(super) fn should_allow_connection_to_a_custom_namespace_with_a_payload(target: &Target) {
    connect(
        target,
        r#"40/custom,{"token":"abc"}"#,
        "40/custom,",
        r#"42/custom,["auth",{"token":"abc"}]"#,
    );
}

pub(super) fn should_disallow_connection_to_an_unknown_namespace(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("40/random");
    socket.expect_text(r#"44/random,{"message":"Invalid namespace"}"#);
}

pub(super) fn should_disallow_connection_with_an_invalid_handshake(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("4abc");
    socket.expect_close(Close::Frame(None));
}

pub(super) fn should_close_the_connection_if_no_handshake_is_received(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    assert_eq!(socket.closed(), Close::Frame(None));
}

/// Beyond the suite, whose raw client dies of the ping timeout first.
pub(super) fn should_close_the_connection_if_only_heartbeats_are_received(target: &Target) {
    in_time(|punctuality| {
        let opened = Instant::now();
        let (mut socket, _) = WebSocketClient::open_session(target);
        let ended = loop {
            match socket.next_raw() {
                Incoming::Text(ping) if ping == "2" => {
                    socket.send("3");
                    punctuality.sent();
                }
                other => break other,
            }
        };
        assert_eq!(ended, Incoming::Closed(Close::Frame(None)));
        // The ping timeout would have come after half a second.
        let elapsed = opened.elapsed();
        assert!(
            (Duration::from_millis(900)..Duration::from_secs(5)).contains(&elapsed),
            "closed after {elapsed:?}"
        );
    });
}

// Disconnect.

pub(super) fn should_disconnect_from_the_main_namespace(target: &Target) {
    in_time(|punctuality| {
        let (mut socket, _) = join_main(target);
        socket.send("41");
        punctuality.sent();
        assert_eq!(socket.next_raw(), Incoming::Text("2".to_owned()));
    });
}

pub(super) fn should_connect_then_disconnect_from_a_custom_namespace(target: &Target) {
    in_time(|punctuality| {
        let (mut socket, _) = join_main(target);
        assert_eq!(socket.next_raw(), Incoming::Text("2".to_owned()));
        socket.send("40/custom");
        punctuality.sent();
        socket_id(&socket.text(), "40/custom,");
        socket.expect_text(r#"42/custom,["auth",{}]"#);
        socket.send("41/custom");
        socket.send(r#"42["message","message to main namespace"]"#);
        punctuality.sent();
        socket.expect_text(r#"42["message-back","message to main namespace"]"#);
    });
}

// Message.

pub(super) fn should_send_a_plain_text_packet(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"42["message",1,"2",{"3":[true]}]"#);
    socket.expect_text(r#"42["message-back",1,"2",{"3":[true]}]"#);
}

pub(super) fn should_send_a_packet_with_binary_attachments(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    socket.send_binary(&[1, 2, 3]);
    socket.send_binary(&[4, 5, 6]);
    socket.expect_text(r#"452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    socket.expect_binary(&[1, 2, 3]);
    socket.expect_binary(&[4, 5, 6]);
}

pub(super) fn should_send_a_plain_text_packet_with_an_ack(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#);
    socket.expect_text(r#"43456[1,"2",{"3":[false]}]"#);
}

pub(super) fn should_send_a_packet_with_binary_attachments_and_an_ack(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    socket.send_binary(&[1, 2, 3]);
    socket.send_binary(&[4, 5, 6]);
    socket.expect_text(r#"462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    socket.expect_binary(&[1, 2, 3]);
    socket.expect_binary(&[4, 5, 6]);
}

pub(super) fn should_close_the_connection_upon_invalid_format_unknown_packet_type(target: &Target) {
    closes_upon(target, "4abc");
}

pub(super) fn should_close_the_connection_upon_invalid_format_invalid_payload_format(target: &Target) {
    closes_upon(target, "42{}");
}

pub(super) fn should_close_the_connection_upon_invalid_format_invalid_ack_id(target: &Target) {
    closes_upon(target, r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#);
}

#[track_caller]
fn connect(target: &Target, packet: &str, prefix: &str, greeting: &str) {
    let (mut socket, handshake) = WebSocketClient::open_session(target);
    socket.send(packet);
    let id = socket_id(&socket.text(), prefix);
    assert_ne!(
        Some(id.as_str()),
        handshake["sid"].as_str(),
        "a socket id must not give the session id away"
    );
    socket.expect_text(greeting);
}

#[track_caller]
fn closes_upon(target: &Target, packet: &str) {
    let (mut socket, _) = join_main(target);
    socket.send(packet);
    socket.expect_close(Close::Frame(None));
}
