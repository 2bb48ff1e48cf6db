//! Engine.IO payloads and Socket.IO packets made to break a parser.

use crate::conformance::{assert_echoes, assert_still_serves};
use crate::kit::socketio::{join_main, join_main_by_polling};
use crate::kit::{Close, HttpConnection, Incoming, Polling, Request, WebSocketClient, settle};
use crate::testbed::Target;

pub(crate) fn malformed_payloads_close_the_session(target: &Target) {
    for body in [
        "",
        "\x1e",
        "4a\x1e",
        "\x1e4a",
        "4a\x1e\x1e4b",
        "x",
        "9",
        "-1",
        "4a\x1e7",
        "{}",
        "\u{feff}4a",
    ] {
        let mut session = Polling::open(target);
        let response = session.post(body);
        assert!(
            [200, 400].contains(&response.status),
            "{body:?} was answered by {response:?}"
        );
        session.assert_gone();
    }
    assert_still_serves(target);
}

pub(crate) fn packets_before_a_malformed_one_are_delivered(target: &Target) {
    // The session that sent them is gone, and may receive no answer.
    let (mut other, _) = join_main(target);
    other.send(r#"421["join","before the malformed"]"#);
    other.expect_text("431[]");
    let mut session = join_main_by_polling(target);
    session.send_get();
    settle(target);
    let cast = |text| format!(r#"42["cast","before the malformed","{text}"]"#);
    session.deliver(&format!("{}\x1ex\x1e{}", cast("before"), cast("after")));
    session.poll_response();
    session.assert_gone();
    other.expect_text(r#"42["cast","before"]"#);
    assert_echoes(&mut other);
}

pub(crate) fn a_payload_that_is_not_utf8_does_no_harm(target: &Target) {
    for body in [b"4\xff\xfe".as_slice(), b"\x80", b"4a\x1e\xed\xa0\x80", b"b\xff"] {
        let session = Polling::open(target);
        let response = HttpConnection::exchange(target, &Request::post(session.url(), body));
        assert!(
            [200, 400].contains(&response.status),
            "{body:?} was answered by {response:?}"
        );
    }
    assert_still_serves(target);
}

pub(crate) fn malformed_packets_close_the_websocket(target: &Target) {
    for packet in ["", "x", "7", "9", "-", " 4", "\0", "\u{feff}4", "\u{1f600}"] {
        let (mut socket, _) = WebSocketClient::open_session(target);
        socket.send(packet);
        assert_eq!(
            socket.next_message(),
            Incoming::Closed(Close::Frame(None)),
            "after {packet:?}"
        );
    }
    assert_still_serves(target);
}

pub(crate) fn ten_thousand_packets_in_one_payload_come_back(target: &Target) {
    let mut session = Polling::open(target);
    let packets: Vec<String> = (0..10_000).map(|number| format!("4{number}")).collect();
    session.deliver(&packets.join("\x1e"));
    assert!(session.collect(packets.len()) == packets, "the echo differs");
}

pub(crate) fn malformed_socket_packets_close_the_session(target: &Target) {
    for packet in [
        "4",
        "47",
        "49",
        "4-",
        "4 2",
        "4\u{661}",
        "44",
        "4{}",
        "4\0",
        "4null",
        "42/custom",
        "45/custom,",
    ] {
        let (mut socket, _) = join_main(target);
        socket.send(packet);
        assert_eq!(
            socket.next_message(),
            Incoming::Closed(Close::Frame(None)),
            "after {packet:?}"
        );
    }
    assert_still_serves(target);
}

/// differs_from_js: parsed, after which the echo overflows the stack.
pub(crate) fn two_hundred_thousand_levels_of_json_close_the_session(target: &Target) {
    let (open, close) = ("[".repeat(200_000), "]".repeat(200_000));
    let (objects, ends) = (r#"{"":"#.repeat(150_000), "}".repeat(150_000));
    for json in [format!("{open}{close}"), open, format!("{objects}1{ends}")] {
        let (mut socket, _) = join_main(target);
        socket.send(&format!(r#"42["message",{json}]"#));
        socket.expect_close(Close::Frame(None));
    }
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send(&format!("40{objects}1{ends}"));
    socket.expect_close(Close::Frame(None));
    assert_still_serves(target);
}

pub(crate) fn endless_ack_ids_do_no_harm(target: &Target) {
    for digits in [
        "18446744073709551616".to_owned(),
        "9".repeat(400),
        "1".repeat(100_000),
    ] {
        let (mut socket, _) = join_main(target);
        socket.send(&format!(r#"42{digits}["message-with-ack",1]"#));
        match socket.next_message() {
            Incoming::Text(reply) => assert!(reply.starts_with("43"), "not an ack: {reply:?}"),
            other => assert_eq!(other, Incoming::Closed(Close::Frame(None))),
        }
    }
    assert_still_serves(target);
}

pub(crate) fn unknown_namespaces_by_the_hundred_are_all_refused(target: &Target) {
    let (mut socket, _) = join_main(target);
    for number in 0..500 {
        socket.send(&format!("40/unknown-{number},"));
        socket.expect_text(&format!(
            r#"44/unknown-{number},{{"message":"Invalid namespace"}}"#
        ));
    }
    assert_echoes(&mut socket);
}

pub(crate) fn attachments_before_joining_close_the_session(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send_binary(&[0; 1000]);
    socket.expect_close(Close::Frame(None));
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("459999-[\"x\"]");
    socket.expect_close(Close::Frame(None));
    assert_still_serves(target);
}

pub(crate) fn sessions_abandoned_by_the_dozen_hold_nobody_up(target: &Target) {
    let mut sessions: Vec<Polling> = (0..48).map(|_| Polling::open(target)).collect();
    for session in &mut sessions {
        session.send_get();
    }
    drop(sessions);
    assert_still_serves(target);
}
