//! T17, T22, T23, T29, T31, T34: attachments, acknowledgements, volatile packets, JSON.

use std::thread;

use serde_json::Value;

use super::closes_upon;
use crate::conformance::{assert_echoes, assert_still_serves};
use crate::kit::socketio::{join_main, join_main_by_polling, socket_id};
use crate::kit::{Close, Incoming, WebSocketClient, settle};
use crate::testbed::Target;

const PLACEHOLDER: &str = r#"{"_placeholder":true,"num":0}"#;

pub(crate) fn t17_attachments_may_come_in_later_posts(target: &Target) {
    let mut session = join_main_by_polling(target);
    session.deliver(r#"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    session.deliver("bAQID");
    session.deliver("bBAUG");
    let header = r#"452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    assert_eq!(session.collect(3), [header, "bAQID", "bBAUG"]);
}

pub(crate) fn t17_attachments_may_straddle_an_upgrade(target: &Target) {
    let mut session = join_main_by_polling(target);
    session.deliver(&format!(r#"451-["message",{PLACEHOLDER}]"#));
    let mut socket = session.upgrade();
    socket.send_binary(&[1, 2, 3]);
    socket.expect_text(&format!(r#"451-["message-back",{PLACEHOLDER}]"#));
    socket.expect_binary(&[1, 2, 3]);
}

pub(crate) fn t17_attachments_for_a_parked_poll_follow_their_header(target: &Target) {
    let mut session = join_main_by_polling(target);
    session.send_get();
    settle(target);
    session.deliver(&format!("451-[\"message\",{PLACEHOLDER}]\x1ebAQID"));
    let mut packets = session.poll_response();
    if packets.len() < 2 {
        packets.extend(session.collect(1));
    }
    assert_eq!(
        packets,
        [
            format!(r#"451-["message-back",{PLACEHOLDER}]"#),
            "bAQID".to_owned()
        ]
    );
}

pub(crate) fn t17_heartbeats_and_base64_between_attachments_are_harmless(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    socket.send("3");
    socket.send("bAQID");
    socket.send("3");
    socket.send_binary(&[]);
    socket.expect_text(r#"452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    socket.expect_binary(&[1, 2, 3]);
    socket.expect_binary(&[]);
}

pub(crate) fn t17_concurrent_casts_never_mix_attachments(target: &Target) {
    const CASTERS: u8 = 4;
    const CASTS: u8 = 25;
    let (mut receiver, id) = join_main(target);
    let room = format!("room-of-{id}");
    receiver.send(&format!(r#"420["join","{room}"]"#));
    receiver.expect_text("430[]");
    thread::scope(|scope| {
        for caster in 0..CASTERS {
            let (room, target) = (&room, target);
            scope.spawn(move || {
                let (mut socket, _) = join_main(target);
                for cast in 0..CASTS {
                    socket.send(&format!(
                        r#"452-["cast","{room}",{caster},{{"_placeholder":true,"num":0}},{{"_placeholder":true,"num":1}}]"#
                    ));
                    socket.send_binary(&[caster, cast, 0]);
                    socket.send_binary(&[caster, cast, 1]);
                }
                assert_echoes(&mut socket);
            });
        }
        let mut received = vec![0; usize::from(CASTERS)];
        for _ in 0..CASTERS as usize * CASTS as usize {
            let header = receiver.text();
            let caster = header
                .strip_prefix(r#"452-["cast","#)
                .and_then(|rest| rest.chars().next()?.to_digit(10));
            let caster = caster.unwrap_or_else(|| panic!("not a cast: {header:?}"));
            let cast = &mut received[caster as usize];
            receiver.expect_binary(&[caster as u8, *cast, 0]);
            receiver.expect_binary(&[caster as u8, *cast, 1]);
            *cast += 1;
        }
    });
    receiver.send(&format!(r#"421["leave","{room}"]"#));
    receiver.expect_text("431[]");
}

pub(crate) fn t17_text_between_attachments_closes(target: &Target) {
    closes_upon(
        target,
        &[&format!(r#"451-["message",{PLACEHOLDER}]"#), r#"42["message"]"#],
    );
}

pub(crate) fn t22_ack_ids_of_any_size_come_back(target: &Target) {
    let (mut socket, _) = join_main(target);
    for id in ["0", "1", "42", "4294967296", "9007199254740991"] {
        socket.send(&format!(r#"42{id}["message-with-ack",1]"#));
        socket.expect_text(&format!("43{id}[1]"));
    }
    socket.send(r#"427["message-with-ack"]"#);
    socket.expect_text("437[]");
}

pub(crate) fn t22_leading_zeros_of_an_ack_id_may_collapse(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"42007["message-with-ack",1]"#);
    let reply = socket.text();
    assert!(reply == "437[1]" || reply == "43007[1]", "got {reply:?}");
}

pub(crate) fn t22_acks_nobody_waits_for_are_ignored(target: &Target) {
    let (mut socket, _) = join_main(target);
    for id in 1_000_000..1_000_200 {
        socket.send(&format!(r#"43{id}["unasked"]"#));
    }
    assert_echoes(&mut socket);
}

pub(crate) fn t22_an_ack_without_id_or_payload_does_no_harm(target: &Target) {
    for packet in ["431", r#"43["x"]"#, "43"] {
        let (mut socket, _) = join_main(target);
        socket.send(packet);
        socket.offer(r#"42["message","x"]"#);
        match socket.next_message() {
            Incoming::Text(text) => assert_eq!(text, r#"42["message-back","x"]"#),
            other => assert_eq!(other, Incoming::Closed(Close::Frame(None))),
        }
    }
    assert_still_serves(target);
}

pub(crate) fn t22_an_ack_is_taken_once(target: &Target) {
    let (mut socket, _) = join_main(target);
    let id = ask(&mut socket, "first");
    socket.send(&format!(r#"43{id}["yes",{{"and":[2]}}]"#));
    socket.expect_text(r#"42["answer","yes",{"and":[2]}]"#);
    socket.send(&format!(r#"43{id}["again"]"#));
    assert_echoes(&mut socket);
}

pub(crate) fn t22_an_ack_with_attachments_is_taken(target: &Target) {
    let (mut socket, _) = join_main(target);
    let id = ask(&mut socket, "bytes");
    socket.send(&format!("461-{id}[{PLACEHOLDER}]"));
    socket.send_binary(&[9, 8]);
    socket.expect_text(&format!(r#"451-["answer",{PLACEHOLDER}]"#));
    socket.expect_binary(&[9, 8]);
}

pub(crate) fn t22_an_ack_too_late_is_ignored(target: &Target) {
    let (mut socket, _) = join_main(target);
    let id = ask(&mut socket, "slow");
    socket.expect_text(r#"42["timed-out"]"#);
    socket.send(&format!(r#"43{id}["late"]"#));
    assert_echoes(&mut socket);
}

pub(crate) fn t22_an_ack_by_another_socket_is_ignored(target: &Target) {
    let (mut asked, _) = join_main(target);
    let (mut other, _) = join_main(target);
    let id = ask(&mut asked, "whose");
    other.send(&format!(r#"43{id}["stolen"]"#));
    assert_echoes(&mut other);
    asked.send(&format!(r#"43{id}["mine"]"#));
    asked.expect_text(r#"42["answer","mine"]"#);
}

pub(crate) fn t23_no_attachments_are_announced_in_vain(target: &Target) {
    for packet in [r#"450-["message","x"]"#, r#"460-1["x"]"#] {
        closes_upon(target, &[packet]);
    }
}

pub(crate) fn t23_ten_attachments_are_taken_and_eleven_are_not(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(&format!(r#"4510-["message",{PLACEHOLDER}]"#));
    for number in 0..10 {
        socket.send_binary(&[number]);
    }
    assert_eq!(binary_arguments(&mut socket), [[0]]);
    closes_upon(target, &[&format!(r#"4511-["message",{PLACEHOLDER}]"#)]);
}

pub(crate) fn t23_malformed_attachment_counts_close(target: &Target) {
    let counts = [
        "45",
        "45-",
        "451",
        "45x-",
        "45-1-",
        "4599999999999999999999-",
        "451.5-",
        "46-1",
    ];
    for count in counts {
        closes_upon(target, &[&format!(r#"{count}["message",{PLACEHOLDER}]"#)]);
    }
}

pub(crate) fn t23_illegal_placeholders_close(target: &Target) {
    for number in ["1", "-1", r#""0""#, "null", "{}"] {
        let (mut socket, _) = join_main(target);
        socket.send(&format!(
            r#"451-["message",{{"_placeholder":true,"num":{number}}}]"#
        ));
        socket.offer_binary(&[1]);
        assert_eq!(
            socket.next_message(),
            Incoming::Closed(Close::Frame(None)),
            "num {number}"
        );
    }
    let (mut socket, _) = join_main(target);
    socket.send(r#"451-["message",{"_placeholder":true}]"#);
    socket.offer_binary(&[1]);
    socket.expect_close(Close::Frame(None));
}

/// differs_from_js: the argument becomes undefined.
pub(crate) fn t23_a_fractional_placeholder_closes(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"451-["message",{"_placeholder":true,"num":0.5}]"#);
    socket.offer_binary(&[1]);
    socket.expect_close(Close::Frame(None));
}

pub(crate) fn t23_placeholders_may_repeat_and_come_in_any_order(target: &Target) {
    let (mut socket, _) = join_main(target);
    let numbers = [1, 0, 1].map(|number| format!(r#"{{"num":{number},"_placeholder":true}}"#));
    socket.send(&format!(r#"452-["message",{}]"#, numbers.join(",")));
    socket.send_binary(&[1]);
    socket.send_binary(&[2]);
    assert_eq!(binary_arguments(&mut socket), [[2], [1], [2]]);
}

pub(crate) fn t23_placeholders_may_be_nested(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(&format!(r#"451-["message",{{"a":[1,{{"b":{PLACEHOLDER}}}]}}]"#));
    socket.send_binary(&[1]);
    socket.expect_text(&format!(
        r#"451-["message-back",{{"a":[1,{{"b":{PLACEHOLDER}}}]}}]"#
    ));
    socket.expect_binary(&[1]);
}

pub(crate) fn t23_attachments_without_placeholder_are_dropped(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"451-["message","x"]"#);
    socket.send_binary(&[1]);
    socket.expect_text(r#"42["message-back","x"]"#);
}

pub(crate) fn t23_placeholders_of_a_plain_event_are_objects(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(&format!(
        r#"42["message",{PLACEHOLDER},{{"_placeholder":false,"num":0}}]"#
    ));
    socket.expect_text(&format!(
        r#"42["message-back",{PLACEHOLDER},{{"_placeholder":false,"num":0}}]"#
    ));
}

pub(crate) fn t23_an_attachment_without_header_closes(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send_binary(&[1]);
    socket.expect_close(Close::Frame(None));
}

pub(crate) fn t29_volatile_packets_are_dropped_without_a_poll(target: &Target) {
    let (mut observer, _) = join_main(target);
    observer.send(r#"421["join","t29"]"#);
    observer.expect_text("431[]");
    let mut session = join_main_by_polling(target);
    session.deliver(r#"42["volatile-burst",3]"#);
    // Handlers may run after the POST was answered; this one runs after the burst.
    session.deliver(r#"42["cast","t29","burst is over"]"#);
    observer.expect_text(r#"42["cast","burst is over"]"#);
    session.deliver(r#"42["message","after"]"#);
    assert_eq!(session.collect(1), [r#"42["message-back","after"]"#]);
}

pub(crate) fn t29_a_volatile_packet_is_sent_to_a_parked_poll(target: &Target) {
    let mut session = join_main_by_polling(target);
    session.send_get();
    settle(target);
    session.deliver(r#"42["volatile-burst",1]"#);
    assert_eq!(session.poll_response(), [r#"42["tick",0]"#]);
}

pub(crate) fn t29_a_volatile_packet_is_sent_to_an_idle_websocket(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"42["volatile-burst",1]"#);
    socket.expect_text(r#"42["tick",0]"#);
}

pub(crate) fn t31_deep_json_comes_back(target: &Target) {
    let (mut socket, _) = join_main(target);
    let deep = format!("{}{}", "[".repeat(900), "]".repeat(900));
    socket.send(&format!(r#"42["message",{deep}]"#));
    socket.expect_text(&format!(r#"42["message-back",{deep}]"#));
}

pub(crate) fn t31_json_text_comes_back_as_it_was(target: &Target) {
    let (mut socket, _) = join_main(target);
    for value in [
        r#"{"b":1,"a":2,"c":{"z":[],"y":{}}}"#,
        r#""\ud800""#,
        r#""quote \" backslash \\ newline \n null \u0000""#,
        r#""é😀""#,
        "[true,false,null,-0.5,1e+100,0]",
    ] {
        socket.send(&format!(r#"42["message",{value}]"#));
        socket.expect_text(&format!(r#"42["message-back",{value}]"#));
    }
}

/// differs_from_js: numbers become doubles, `1.0` becomes `1`.
pub(crate) fn t31_numbers_come_back_verbatim(target: &Target) {
    let (mut socket, _) = join_main(target);
    for value in [
        "1.0",
        "9007199254740993",
        "123456789012345678901234567890",
        "1E5",
        "-0",
    ] {
        socket.send(&format!(r#"42["message",{value}]"#));
        socket.expect_text(&format!(r#"42["message-back",{value}]"#));
    }
}

pub(crate) fn t34_auth_is_never_scanned_for_attachments(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send(&format!(r#"40{{"bytes":{PLACEHOLDER}}}"#));
    socket_id(&socket.text(), "40");
    socket.expect_text(&format!(r#"42["auth",{{"bytes":{PLACEHOLDER}}}]"#));
}

/// Has the lab ask a question and returns its ack id.
#[track_caller]
fn ask(socket: &mut WebSocketClient, question: &str) -> String {
    socket.send(&format!(r#"42["ask","{question}"]"#));
    let packet = socket.text();
    let id = packet
        .strip_prefix("42")
        .and_then(|rest| rest.strip_suffix(&format!(r#"["question","{question}"]"#)));
    let id = id.unwrap_or_else(|| panic!("not the question: {packet:?}"));
    assert!(
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()),
        "no ack id in {packet:?}"
    );
    id.to_owned()
}

/// Reads an event whose arguments are attachments only, and puts them in the places of their placeholders.
#[track_caller]
fn binary_arguments(socket: &mut WebSocketClient) -> Vec<Vec<u8>> {
    let header = socket.text();
    let (count, json) = header
        .strip_prefix("45")
        .and_then(|rest| rest.split_once('-'))
        .expect("a binary event");
    let attachments: Vec<Vec<u8>> = (0..count.parse().expect("a count"))
        .map(|_| match socket.next_message() {
            Incoming::Binary(bytes) => bytes,
            other => panic!("expected an attachment of {header:?}, got {other:?}"),
        })
        .collect();
    let arguments: Vec<Value> = serde_json::from_str(json).expect("a JSON array");
    let place =
        |argument: &Value| attachments[argument["num"].as_u64().expect("a placeholder") as usize].clone();
    arguments.iter().skip(1).map(place).collect()
}
