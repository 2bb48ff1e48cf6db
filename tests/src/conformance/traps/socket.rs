//! T18-T21, T30: namespaces, what closes what, and the reasons that applications get.

use super::closes_upon;
use crate::conformance::{assert_echoes, assert_still_serves};
use crate::kit::socketio::{join_main, socket_id};
use crate::kit::{Close, Deadline, HttpConnection, Incoming, Polling, Request, WebSocketClient, settle};
use crate::testbed::Target;

pub(crate) fn t18_the_comma_after_a_namespace_is_optional_inbound_and_always_outbound(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("40/custom");
    socket_id(&socket.text(), "40/custom,");
    socket.send("41/custom");
    settle(target);
    socket.send("40/custom,");
    socket_id(&socket.text(), "40/custom,");
    socket.send("40/,");
    socket_id(&socket.text(), "40");
    assert_echoes(&mut socket);
}

pub(crate) fn t18_the_query_of_a_namespace_is_part_of_its_name(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("40/custom?token=1,");
    socket.expect_text(r#"44/custom?token=1,{"message":"Invalid namespace"}"#);
}

pub(crate) fn t18_names_are_compared_exactly(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    for name in ["/Custom", "/custom/", "//", "/custom ", "/cust", "/é", "/\\u0000"] {
        socket.send(&format!("40{name},"));
        socket.expect_text(&format!(r#"44{name},{{"message":"Invalid namespace"}}"#));
    }
}

pub(crate) fn t19_an_unknown_namespace_leaves_the_session_open(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send("40/random,");
    socket.expect_text(r#"44/random,{"message":"Invalid namespace"}"#);
    assert_echoes(&mut socket);
}

pub(crate) fn t19_a_refused_connection_leaves_the_session_open(target: &Target) {
    let (mut socket, _) = join_main(target);
    for _ in 0..2 {
        socket.send("40/deny,");
        socket.expect_text(r#"44/deny,{"message":"not allowed","data":{"code":7}}"#);
    }
    assert_echoes(&mut socket);
    socket.send(r#"42/deny,["x"]"#);
    socket.expect_close(Close::Frame(None));
}

pub(crate) fn t19_packets_for_a_namespace_not_joined_close(target: &Target) {
    for packet in [
        r#"42/custom,["x"]"#,
        r#"43/custom,1["x"]"#,
        "41/custom,",
        r#"42/random,["x"]"#,
    ] {
        closes_upon(target, &[packet]);
    }
}

pub(crate) fn t19_a_second_connect_closes(target: &Target) {
    closes_upon(target, &["40"]);
}

pub(crate) fn t19_a_connect_error_from_a_client_closes(target: &Target) {
    closes_upon(target, &[r#"44{"message":"x"}"#]);
}

pub(crate) fn t19_reserved_event_names_close(target: &Target) {
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ] {
        closes_upon(target, &[&format!(r#"42["{name}"]"#)]);
        closes_upon(target, &[&format!(r#"451-["{name}"]"#)]);
    }
}

pub(crate) fn t19_other_names_are_events_like_any(target: &Target) {
    let (mut socket, _) = join_main(target);
    for name in [
        "connection",
        "error",
        "ping",
        "pong",
        "",
        "open",
        "close",
        "__proto__",
    ] {
        socket.send(&format!(r#"42["{name}",1]"#));
    }
    assert_echoes(&mut socket);
}

pub(crate) fn t19_a_number_may_name_an_event(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send("42[1,2]");
    assert_echoes(&mut socket);
}

pub(crate) fn t19_malformed_payloads_close(target: &Target) {
    for packet in [
        "42[", "42[]", "42[null]", "42[{}]", "42[true]", "42{}", r#"42"x""#, "43{}", "431{}",
    ] {
        closes_upon(target, &[packet]);
    }
    for packet in [
        r#"42["a",]"#,
        r#"42["a"]x"#,
        r#"42["\ud8"]"#,
        "42['a']",
        "42[\"a\n\"]",
        "42[\"a\",01]",
        "42[\"a\",NaN]",
    ] {
        closes_upon(target, &[packet]);
    }
    for packet in [
        "40/custom,[]",
        r#"40/custom,"x""#,
        "40/custom,null",
        "40/custom,1x",
        "41{}",
        r#"41"x""#,
    ] {
        closes_upon(target, &[packet]);
    }
}

/// differs_from_js: dispatched as an event without a name.
pub(crate) fn t19_an_event_without_payload_closes(target: &Target) {
    for packet in ["42", "421", "42/,"] {
        closes_upon(target, &[packet]);
    }
}

pub(crate) fn t19_leaving_the_last_namespace_keeps_the_session(target: &Target) {
    let (mut socket, first) = join_main(target);
    socket.send("41");
    settle(target);
    socket.send("40");
    let second = socket_id(&socket.text(), "40");
    assert_ne!(first, second);
    assert_echoes(&mut socket);
    socket.send("41");
    settle(target);
    socket.send(r#"42["message"]"#);
    socket.expect_close(Close::Frame(None));
}

/// differs_from_js: takes the second CONNECT in the same tick for a duplicate.
pub(crate) fn t21_a_connect_pipelined_behind_a_disconnect_joins_again(target: &Target) {
    let (mut socket, first) = join_main(target);
    socket.send("41");
    socket.send("40");
    assert_ne!(socket_id(&socket.text(), "40"), first);
    assert_echoes(&mut socket);
}

pub(crate) fn t20_connecting_is_required_even_for_the_main_namespace(target: &Target) {
    for packet in [r#"42["message"]"#, r#"431[]"#, "41"] {
        let (mut socket, _) = WebSocketClient::open_session(target);
        socket.send(packet);
        socket.expect_close(Close::Frame(None));
    }
}

pub(crate) fn t20_every_namespace_has_its_own_public_id(target: &Target) {
    let (mut socket, handshake) = WebSocketClient::open_session(target);
    socket.send("40");
    let main = socket_id(&socket.text(), "40");
    socket.send("40/custom,");
    let custom = socket_id(&socket.text(), "40/custom,");
    let session = handshake["sid"].as_str().expect("a sid");
    assert!(
        main != custom && main != session && custom != session,
        "{main} {custom} {session}"
    );
}

pub(crate) fn t21_an_event_pipelined_behind_connect_is_served_or_closes(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("40");
    socket.offer(r#"42["message","eager"]"#);
    match socket.next_message() {
        Incoming::Text(reply) => {
            socket_id(&reply, "40");
            match socket.next_message() {
                Incoming::Text(text) => assert_eq!(text, r#"42["message-back","eager"]"#),
                other => assert_eq!(other, Incoming::Closed(Close::Frame(None))),
            }
        }
        other => assert_eq!(other, Incoming::Closed(Close::Frame(None))),
    }
    assert_still_serves(target);
}

pub(crate) fn t30_leaving_is_a_client_namespace_disconnect(target: &Target) {
    let mut watcher = watch(target);
    let (mut socket, id) = join_main(target);
    socket.send("40/custom,");
    let custom = socket_id(&socket.text(), "40/custom,");
    socket.send("41/custom,");
    assert_left(&mut watcher, &custom, "client namespace disconnect");
    socket.send("41");
    assert_left(&mut watcher, &id, "client namespace disconnect");
}

pub(crate) fn t30_being_disconnected_is_a_server_namespace_disconnect(target: &Target) {
    let mut watcher = watch(target);
    let (mut socket, id) = join_main(target);
    socket.send(r#"42["disconnect-me",false]"#);
    socket.expect_text("41");
    assert_left(&mut watcher, &id, "server namespace disconnect");
    socket.send("40");
    let id = socket_id(&socket.text(), "40");
    socket.send("40/custom,");
    socket_id(&socket.text(), "40/custom,");
    socket.send(r#"42["disconnect-me",true]"#);
    let mut notices = [socket.text(), socket.text()];
    notices.sort();
    assert_eq!(notices, ["41", "41/custom,"]);
    socket.expect_close(Close::Frame(None));
    assert_left(&mut watcher, &id, "server namespace disconnect");
}

pub(crate) fn t30_closing_the_transport_is_a_transport_close(target: &Target) {
    let mut watcher = watch(target);
    let (mut socket, id) = join_main(target);
    socket.close();
    socket.closed();
    drop(socket);
    assert_left(&mut watcher, &id, "transport close");
    let (socket, id) = join_main(target);
    drop(socket);
    assert_left(&mut watcher, &id, "transport close");
    let (mut session, id) = join_by_polling(target);
    session.deliver("1");
    assert_left(&mut watcher, &id, "transport close");
}

pub(crate) fn t30_a_broken_transport_is_a_transport_error(target: &Target) {
    let mut watcher = watch(target);
    let (mut session, id) = join_by_polling(target);
    session.send_get();
    settle(target);
    session.abort_get();
    assert_left(&mut watcher, &id, "transport error");
    let (mut session, id) = join_by_polling(target);
    session.send_get();
    settle(target);
    HttpConnection::exchange(target, &Request::get(session.url())).assert_is(400, "");
    assert_left(&mut watcher, &id, "transport error");
    let (mut socket, id) = join_main(target);
    socket.offer(&format!(r#"42["message","{}"]"#, "a".repeat(1_000_000)));
    assert_left(&mut watcher, &id, "transport error");
}

pub(crate) fn t30_an_engine_packet_of_no_type_is_a_parse_error(target: &Target) {
    let mut watcher = watch(target);
    let (mut socket, id) = join_main(target);
    socket.send("abc");
    assert_left(&mut watcher, &id, "parse error");
    let (mut session, id) = join_by_polling(target);
    session.deliver("abc");
    assert_left(&mut watcher, &id, "parse error");
}

pub(crate) fn t30_a_broken_socket_rule_is_a_forced_close(target: &Target) {
    let mut watcher = watch(target);
    for packet in ["42{}", r#"42/custom,["x"]"#, "40", "4abc"] {
        let (mut socket, id) = join_main(target);
        socket.send(packet);
        assert_left(&mut watcher, &id, "forced close");
    }
}

/// The published server says `forced server close` here; detaching at once in every case is as good (protocol section 3.4).
pub(crate) fn t30_a_broken_socket_rule_without_a_poll_is_forced_too(target: &Target) {
    let mut watcher = watch(target);
    let (mut session, id) = join_by_polling(target);
    session.deliver(r#"42/custom,["x"]"#);
    let reason = reason_of(&mut watcher, &id);
    assert!(
        ["forced close", "forced server close"].contains(&reason.as_str()),
        "got {reason:?}"
    );
}

/// A socket that receives every report of a disconnection.
#[track_caller]
fn watch(target: &Target) -> WebSocketClient {
    let (mut socket, _) = join_main(target);
    socket.send(r#"420["watch"]"#);
    loop {
        let text = socket.text();
        if text == "430[]" {
            return socket;
        }
        assert!(text.starts_with(r#"42["left","#), "unexpected {text:?}");
    }
}

#[track_caller]
fn assert_left(watcher: &mut WebSocketClient, id: &str, reason: &str) {
    assert_eq!(reason_of(watcher, id), reason);
}

/// Waits for the notice of one socket among those of other cases.
#[track_caller]
fn reason_of(watcher: &mut WebSocketClient, id: &str) -> String {
    let prefix = format!(r#"42["left","{id}",""#);
    let deadline = Deadline::start();
    loop {
        deadline.check("notice of the disconnection");
        let text = watcher.text();
        if let Some(rest) = text.strip_prefix(&prefix) {
            return rest
                .strip_suffix(r#""]"#)
                .unwrap_or_else(|| panic!("malformed notice {text:?}"))
                .to_owned();
        }
    }
}

/// Joins `/` by polling and learns the socket's id.
#[track_caller]
fn join_by_polling(target: &Target) -> (Polling, String) {
    let mut session = Polling::open(target);
    session.deliver("40");
    let id = socket_id(&session.collect(1)[0], "40");
    (session, id)
}
