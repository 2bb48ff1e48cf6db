//! Servers that break the rules.

use crate::pair::{NOTHING, SECOND};
use crate::raw::Raw;
use socketio_core::eio::Message;
use socketio_core::sio::client::{Config, Event, Reason};
use socketio_core::sio::{PacketError, Violation};

/// What ends a session, as the decoder of the JS client has it (protocol section 3.2).
const BROKEN: [&str; 22] = [
    "",
    "7",
    "x",
    "2",
    "2{}",
    "2[]",
    "2[null]",
    "2[\"a\"",
    "2[\"connect\"]",
    "2[\"disconnecting\",1]",
    "0[]",
    "0\"a\"",
    "0{\"sid\":\"x\"",
    "1[]",
    "4",
    "4[1]",
    "5-[\"a\"]",
    "50-[\"a\"]",
    "5x-[\"a\"]",
    "511-[\"a\"]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":1}]",
    "399999999999999999999[]",
];

#[test]
fn a_packet_that_can_not_be_read_breaks_the_connection_off_and_another_is_made() {
    for packet in BROKEN {
        let mut raw = Raw::joined_main();
        raw.send_packet(packet);
        assert_eq!(
            raw.client_texts(),
            [
                "left /: parse error, Later",
                "failed None: parse error",
                "reconnecting 1"
            ],
            "{packet:?}"
        );
        assert!(raw.connections.is_empty(), "{packet:?}");
        raw.wait(2 * SECOND);
        assert_eq!(raw.client_texts(), ["attempt 1", "opened", "joining /"]);
    }
}

#[test]
fn attachments_out_of_turn_break_it_off() {
    let mut raw = Raw::joined_main();
    raw.send(Message::Binary(vec![1].into()));
    assert_eq!(raw.client_texts()[1], "failed None: parse error");
    for packet in ["2[\"b\"]", "3", "30[]", "1"] {
        let mut raw = Raw::joined_main();
        raw.send_packet("52-[\"a\",{\"_placeholder\":true,\"num\":0}]");
        raw.send(Message::Binary(vec![1].into()));
        raw.send_packet(packet);
        assert_eq!(raw.client_texts()[1], "failed None: parse error", "{packet}");
    }
}

fn limits(config: &mut Config) {
    config.engine.limits.attachments = 2;
    config.engine.limits.json_depth = 10;
    config.engine.limits.queued_bytes = 1_000;
}

/// Why the connection failed.
fn violation(mut raw: Raw) -> Violation {
    raw.run();
    let of = |event: &Event| match event {
        Event::Failed {
            reason: Reason::ParseError(violation),
            ..
        } => Some(*violation),
        _ => None,
    };
    raw.client_events.iter().find_map(of).expect("a violation")
}

#[test]
fn the_reason_names_the_rule_or_the_limit_of_this_side() {
    let deep = format!("2[\"a\",{}{}]", "[".repeat(20), "]".repeat(20));
    for (packet, expected) in [
        ("7", Violation::Packet(PacketError::UnknownType(b'7'))),
        ("53-[\"a\"]", Violation::Packet(PacketError::TooManyAttachments)),
        (&deep, Violation::Packet(PacketError::TooDeep)),
    ] {
        let mut raw = Raw::joined_main_with(limits);
        raw.send_packet(packet);
        assert_eq!(violation(raw), expected);
    }
    let mut raw = Raw::joined_main();
    raw.send(Message::Binary(vec![1].into()));
    assert_eq!(violation(raw), Violation::AttachmentOutOfTurn);
    let mut raw = Raw::joining_with(limits);
    raw.send_packet(&format!("2[\"early\",\"{}\"]", "x".repeat(1_000)));
    assert_eq!(violation(raw), Violation::TooMuchBeforeJoining);
    let mut raw = Raw::joining();
    raw.send_packet(&format!(r#"0{{"sid":"{}"}}"#, "a".repeat(257)));
    assert_eq!(violation(raw), Violation::SidTooLong);
}

#[test]
fn what_makes_no_sense_is_ignored() {
    let mut raw = Raw::joined_main();
    raw.received();
    for packet in [
        "0/unknown,{\"sid\":\"x\"}",
        "0{\"sid\":\"other\"}",
        "0",
        "1/unknown,",
        "4/unknown,{\"message\":\"no\"}",
        "4{\"message\":\"no\"}",
        "2/unknown,[\"a\"]",
        "2/unknown,7[\"a\"]",
        "3/unknown,0[]",
        "30[]",
        "3",
        "3[]",
    ] {
        raw.send_packet(packet);
    }
    assert_eq!(raw.client_texts(), NOTHING);
    assert_eq!(raw.client.sid(raw.main()).unwrap().as_str(), "abc");
    raw.send_packet("51-/unknown,[\"a\"]");
    raw.send(Message::Binary(vec![1].into()));
    raw.send_packet("2[\"b\"]");
    assert_eq!(raw.client_texts(), ["event / \"b\" () 0"]);
    assert_eq!(raw.received(), NOTHING);
}

#[test]
fn nothing_is_told_after_the_packet_that_broke_it_off() {
    let mut raw = Raw::joined_main();
    raw.server_is_running = false;
    for packet in ["2[\"a\"]", "2", "2[\"b\"]", "1"] {
        raw.send_packet(packet);
    }
    raw.server_is_running = true;
    assert_eq!(
        raw.client_texts(),
        [
            "event / \"a\" () 0",
            "left /: parse error, Later",
            "failed None: parse error",
            "reconnecting 1",
        ]
    );
}

#[test]
fn a_server_that_breaks_the_rules_while_the_client_closes_ends_it_at_once() {
    let mut raw = Raw::joined_main();
    raw.server_is_running = false;
    raw.send_packet("2");
    raw.client.close(raw.now);
    raw.server_is_running = true;
    raw.wait(10 * SECOND);
    assert_eq!(
        raw.client_texts(),
        [
            "left /: io client disconnect, Never",
            "closed: io client disconnect"
        ]
    );
}

#[test]
fn an_id_is_no_place_to_keep_a_megabyte_in() {
    let mut raw = Raw::joining();
    raw.send_packet(&format!(r#"0{{"sid":"{}"}}"#, "a".repeat(257)));
    let texts = raw.client_texts();
    assert_eq!(texts[0], "failed Some(0): parse error");
    assert!(!raw.client.is_joined(raw.main()));
    let mut raw = Raw::joining();
    raw.send_packet(&format!(r#"0{{"sid":"{}"}}"#, "a".repeat(256)));
    assert_eq!(raw.client_texts(), ["joined /"]);
}
