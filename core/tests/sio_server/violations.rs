//! What ends a session, and what does not (protocol section 3.4).

use crate::client::{ClientId, Packet, text};
use crate::pair::Pair;
use socketio_core::sio::{Event, PacketError, Reason, Violation};

/// Packets that can not be read.
const UNREADABLE: &[&str] = &[
    "4",
    "4abc",
    "47",
    "4 2[\"a\"]",
    "42",
    "42{}",
    "42[]",
    "42[{}]",
    "42[null]",
    "42[\"a\"",
    "42[\"a\"]x",
    "42abc[\"a\"]",
    "4299999999999999999999[\"a\"]",
    "42[\"connect\"]",
    "42[\"connect_error\"]",
    "42[\"disconnect\"]",
    "42[\"disconnecting\"]",
    "42[\"newListener\"]",
    "42[\"removeListener\"]",
    "42[\"\\u0063onnect\"]",
    "430{}",
    "43\"a\"",
    "40[]",
    "40\"a\"",
    "40null",
    "41[]",
    "41\"a\"",
    "45[\"a\"]",
    "45-[\"a\"]",
    "450-[\"a\"]",
    "451.0-[\"a\"]",
    "4511-[\"a\"]",
    "451-[\"a\",{\"_placeholder\":true,\"num\":1}]",
    "451-[\"a\",{\"_placeholder\":true,\"num\":-1}]",
    "451-[\"a\",{\"_placeholder\":true,\"num\":0.5}]",
    "451-[\"a\",{\"_placeholder\":true,\"num\":\"0\"}]",
    "451-[\"a\",{\"_placeholder\":true}]",
    "461-[]",
];

/// Packets for a namespace a member of `/` alone is not in, or that no client sends.
const MISPLACED: &[&str] = &[
    "42/chat,[\"a\"]",
    "42/nowhere,[\"a\"]",
    "43/chat,0[]",
    "43/nowhere,0[]",
    "41/chat",
    "41/nowhere,",
    "42/chat[\"a\"]",
    "40",
    "40/,",
    "40{}",
    "44{\"message\":\"no\"}",
    "44\"no\"",
    "44/chat,{\"message\":\"no\"}",
];

fn assert_ends(pair: &mut Pair, client: ClientId, packet: &str, reason: &str) {
    pair.send(client, packet);
    assert_eq!(pair.texts(), [format!("disconnected: {reason}")], "{packet}");
    assert!(pair.is_closed(client), "{packet}");
    pair.lose(client);
    assert_eq!(pair.server.counts(), Default::default(), "{packet}");
}

#[test]
fn a_packet_that_can_not_be_read_ends_the_session() {
    for packet in UNREADABLE {
        let mut pair = Pair::new();
        let (client, _) = pair.member("/");
        assert_ends(&mut pair, client, packet, "forced close");
    }
}

#[test]
fn a_packet_in_the_wrong_place_ends_the_session() {
    for packet in MISPLACED {
        let mut pair = Pair::new();
        let (client, _) = pair.member("/");
        assert_ends(&mut pair, client, packet, "forced close");
    }
}

#[test]
fn on_polling_the_reason_says_whether_the_client_could_be_told_at_once() {
    for packet in [UNREADABLE, MISPLACED].concat() {
        let mut pair = Pair::new();
        let (client, _) = pair.polling_member("/");
        pair.poll(client);
        assert_ends(&mut pair, client, packet, "forced close");

        let mut pair = Pair::new();
        let (client, _) = pair.polling_member("/");
        pair.send(client, packet);
        assert_eq!(pair.texts(), ["disconnected: forced server close"], "{packet}");
        assert_eq!(pair.receive(client), [text("6"), text("1")], "{packet}");
        pair.lose(client);
        assert_eq!(pair.server.counts(), Default::default(), "{packet}");
    }
}

#[test]
fn a_session_that_nobody_polls_any_more_is_gone_after_the_linger_time() {
    let mut pair = Pair::new();
    let (client, _) = pair.polling_member("/");
    pair.send(client, "4abc");
    pair.send(client, "42[\"ignored\"]");
    assert_eq!(pair.texts(), ["disconnected: forced server close"]);
    assert_eq!(pair.server.counts().sessions, 1);
    pair.wait(core::time::Duration::from_secs(30));
    assert_eq!(pair.server.counts().sessions, 0);
    assert_eq!(pair.texts(), [] as [String; 0]);
    assert_eq!(pair.receive(client), [Packet::Refused(400)]);
}

#[test]
fn before_any_connect_every_other_packet_ends_the_session() {
    for packet in [
        "42[\"a\"]",
        "41",
        "430[]",
        "43[\"x\"]",
        "431",
        "451-[\"a\",{\"_placeholder\":true,\"num\":0}]",
        "44{\"message\":\"no\"}",
        "4abc",
    ] {
        let mut pair = Pair::new();
        let client = pair.websocket();
        pair.send(client, packet);
        if packet.starts_with("45") {
            pair.send_binary(client, b"x");
        }
        assert!(pair.is_closed(client), "{packet}");
        let texts = pair.texts();
        assert!(
            matches!(&texts[..], [refused] if refused.starts_with("refused: Violation(")),
            "{packet} {texts:?}"
        );
        assert_eq!(pair.server.counts(), Default::default(), "{packet}");
    }
}

#[test]
fn all_sockets_of_the_client_and_no_other_end_with_the_session() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.join(client, "/chat");
    let (other, _) = pair.member("/");
    pair.send(client, "4abc");
    assert_eq!(
        pair.texts(),
        ["disconnected: forced close", "disconnected: forced close"]
    );
    assert_eq!(pair.server.counts().sockets, 1);
    pair.send(other, "42[\"still here\"]");
    assert_eq!(pair.texts(), ["event \"still here\" () 0"]);
}

#[test]
fn what_follows_a_violation_in_the_same_body_is_ignored() {
    let mut pair = Pair::new();
    let (client, _) = pair.polling_member("/");
    pair.send(client, "42[\"a\"]\u{1e}4abc\u{1e}42[\"b\"]\u{1e}40/chat,");
    assert_eq!(
        pair.texts(),
        ["event \"a\" () 0", "disconnected: forced server close"]
    );
}

#[test]
fn an_engine_packet_of_unknown_type_is_a_parse_error() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    assert_ends(
        &mut pair,
        client,
        "xyz",
        "parse error (unknown packet type: the peer must begin a packet with 0 to 6 or b)",
    );
}

#[test]
fn the_reason_names_the_rule_or_the_limit() {
    use Violation::*;
    let deep = format!("42[\"a\",{}{}]", "[".repeat(20), "]".repeat(20));
    for (packet, violation) in [
        ("4x", Packet(PacketError::UnknownType(b'x'))),
        ("42{}", Packet(PacketError::InvalidPayload)),
        ("42[\"connect\"]", Packet(PacketError::ReservedEvent)),
        ("453-[\"a\"]", Packet(PacketError::TooManyAttachments)),
        (&deep, Packet(PacketError::TooDeep)),
        ("40", AlreadyJoined),
        ("42/chat,[\"a\"]", NotJoined),
        ("44{\"message\":\"no\"}", ServerPacket),
    ] {
        let mut pair = Pair::with(|config| {
            config.engine.limits.attachments = 2;
            config.engine.limits.json_depth = 10;
        });
        let (client, _) = pair.member("/");
        pair.send(client, packet);
        assert_eq!(reason(&mut pair), Reason::ForcedClose(violation), "{packet}");
        assert!(pair.is_closed(client));
    }
    let mut pair = Pair::new();
    let (client, _) = pair.polling_member("/");
    pair.send(client, "4abc");
    let violation = Packet(PacketError::UnknownType(b'a'));
    assert_eq!(reason(&mut pair), Reason::ForcedServerClose(violation));

    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send_binary(client, b"x");
    assert_eq!(reason(&mut pair), Reason::ForcedClose(AttachmentOutOfTurn));
}

fn reason(pair: &mut Pair) -> Reason {
    match pair.event() {
        Event::Disconnected { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn acknowledgements_that_can_answer_nothing_are_ignored() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    for packet in ["430[]", "437[1]", "431", "43[\"x\"]"] {
        pair.send(client, packet);
    }
    assert_eq!(pair.texts(), [] as [String; 0]);
    pair.send(client, "42[\"still here\"]");
    assert_eq!(pair.texts(), ["event \"still here\" () 0"]);
}

#[test]
fn an_incomplete_acknowledgement_between_attachments_is_text_all_the_same() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send(client, "451-[\"a\",{\"_placeholder\":true,\"num\":0}]");
    assert_ends(&mut pair, client, "43[\"x\"]", "forced close");
}

#[test]
fn text_between_attachments_ends_the_session() {
    for packet in ["42[\"b\"]", "40/chat,", "41", "430[]", "4abc"] {
        let mut pair = Pair::new();
        let (client, _) = pair.member("/");
        pair.send(client, "451-[\"a\",{\"_placeholder\":true,\"num\":0}]");
        assert_ends(&mut pair, client, packet, "forced close");
    }
}

#[test]
fn a_binary_message_that_belongs_to_nothing_ends_the_session() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send_binary(client, b"x");
    assert_eq!(pair.texts(), ["disconnected: forced close"]);

    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send(client, "451-[\"a\",{\"_placeholder\":true,\"num\":0}]");
    pair.send_binary(client, b"x");
    pair.send_binary(client, b"surplus");
    assert_eq!(
        pair.texts(),
        [
            "event \"a\" ({\"_placeholder\":true,\"num\":0}) 1",
            "disconnected: forced close"
        ]
    );
}
