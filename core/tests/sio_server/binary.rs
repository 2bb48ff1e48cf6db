//! Attachments (protocol section 3.3).

use crate::client::{ClientId, Packet, base64, text};
use crate::pair::Pair;
use bytes::Bytes;
use core::time::Duration;
use socketio_core::json::Arguments;
use socketio_core::sio::Event;

const HEADER: &str = r#"452-["a",{"_placeholder":true,"num":1},[{"_placeholder":true,"num":0}]]"#;
const NOTHING: [String; 0] = [];

fn assert_complete(pair: &mut Pair) -> Arguments {
    match pair.event() {
        Event::Event { arguments, .. } => {
            let (one, [two]): (Bytes, [Bytes; 1]) = arguments.parse().unwrap();
            assert_eq!((&one[..], &two[..]), (&b"second"[..], &b"first"[..]));
            arguments
        }
        other => panic!("{other:?}"),
    }
}

fn echo(pair: &mut Pair, client: ClientId, socket: socketio_core::sio::SocketId, arguments: &Arguments) {
    let packet = pair.encode("/", "back", arguments);
    pair.server
        .emit(pair.now, socket, &packet, Default::default())
        .unwrap();
    let header = r#"452-["back",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]"#;
    let mut got = pair.receive(client);
    while got.len() < 3 {
        got.extend(pair.receive(client));
    }
    let binary = |data: &[u8]| Packet::Binary(data.to_vec());
    assert_eq!(got, [text(header), binary(b"second"), binary(b"first")]);
}

#[test]
fn attachments_arrive_in_frames_of_their_own() {
    let mut pair = Pair::new();
    let (client, socket) = pair.member("/");
    pair.send(client, HEADER);
    pair.send_binary(client, b"first");
    assert_eq!(pair.texts(), NOTHING);
    pair.send_binary(client, b"second");
    let arguments = assert_complete(&mut pair);
    echo(&mut pair, client, socket, &arguments);
}

#[test]
fn a_websocket_may_carry_attachments_as_base64() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send(client, HEADER);
    pair.send(client, &base64(b"first"));
    pair.send_binary(client, b"second");
    assert_complete(&mut pair);
}

#[test]
fn attachments_arrive_in_one_body_or_in_several() {
    let parts = [HEADER.to_owned(), base64(b"first"), base64(b"second")];
    for cuts in 0..4 {
        let mut pair = Pair::new();
        let (client, socket) = pair.polling_member("/");
        let mut body = String::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 && cuts & (1 << (index - 1)) != 0 {
                pair.send(client, &body);
                assert_eq!(pair.texts(), NOTHING);
                body.clear();
            }
            if !body.is_empty() {
                body.push('\u{1e}');
            }
            body.push_str(part);
        }
        pair.send(client, &body);
        let arguments = assert_complete(&mut pair);
        echo(&mut pair, client, socket, &arguments);
    }
}

#[test]
fn an_upgrade_may_come_between_a_packet_and_its_attachments() {
    for sent_before in 0..=2 {
        let mut pair = Pair::new();
        let (client, socket) = pair.polling_member("/");
        pair.send(client, HEADER);
        let parts = [b"first".as_slice(), b"second"];
        for part in &parts[..sent_before.min(1)] {
            pair.send_binary(client, part);
        }
        let index = pair.probe(client);
        if sent_before == 2 {
            pair.send_binary(client, b"second");
        }
        pair.upgrade(client, index);
        for part in &parts[sent_before..] {
            pair.send_binary(client, part);
        }
        let arguments = assert_complete(&mut pair);
        echo(&mut pair, client, socket, &arguments);
    }
}

#[test]
fn packets_and_attachments_stay_together_through_an_upgrade() {
    let mut pair = Pair::new();
    let (client, socket) = pair.polling_member("/");
    let packet = pair.encode("/", "a", &Bytes::from_static(b"data"));
    let index = pair.probe(client);
    for _ in 0..3 {
        pair.server
            .emit(pair.now, socket, &packet, Default::default())
            .unwrap();
    }
    pair.upgrade(client, index);
    let header = text(r#"451-["a",{"_placeholder":true,"num":0}]"#);
    let one = [header, Packet::Binary(b"data".to_vec())];
    assert_eq!(pair.receive(client), [&one[..], &one, &one].concat());
}

#[test]
fn engine_packets_may_come_between_attachments() {
    let mut pair = Pair::with(|config| config.engine.ping_interval = Duration::from_secs(10));
    let (client, _) = pair.member("/");
    pair.send(client, HEADER);
    pair.send_binary(client, b"first");
    pair.wait(Duration::from_secs(10));
    assert_eq!(pair.receive(client), [text("2")]);
    pair.send(client, "3");
    pair.send(client, "6");
    pair.send_binary(client, b"second");
    assert_complete(&mut pair);
}

#[test]
fn empty_and_unused_attachments_are_attachments_and_one_may_be_used_twice() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send(
        client,
        r#"453-7["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#,
    );
    for _ in 0..3 {
        pair.send_binary(client, b"");
    }
    match pair.event() {
        Event::Event { arguments, ack, .. } => {
            assert_eq!(
                arguments.parse::<(Bytes, Bytes)>().unwrap(),
                (Bytes::new(), Bytes::new())
            );
            assert_eq!(arguments.attachments().len(), 3);
            assert_eq!(ack.map(|token| token.id()), Some(7));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn placeholders_without_attachments_are_objects() {
    let mut pair = Pair::new();
    let (client, socket) = pair.member("/");
    let list = r#"{"_placeholder":true,"num":5},{"_placeholder":false}"#;
    pair.send(client, &format!("42[\"a\",{list}]"));
    let Event::Event { arguments, .. } = pair.event() else {
        panic!("an event");
    };
    assert_eq!(arguments.text(), list);
    let packet = pair.encode("/", "back", &arguments);
    pair.server
        .emit(pair.now, socket, &packet, Default::default())
        .unwrap();
    assert_eq!(pair.receive(client), [text(&format!("42[\"back\",{list}]"))]);
}

#[test]
fn as_many_attachments_as_allowed_are_taken_and_no_more() {
    let mut pair = Pair::with(|config| config.engine.limits.attachments = 12);
    let (client, _) = pair.member("/");
    pair.send(client, "4512-[\"a\"]");
    for _ in 0..12 {
        pair.send_binary(client, b"x");
    }
    assert_eq!(pair.texts(), ["event \"a\" () 12"]);
    pair.send(client, "4513-[\"a\"]");
    assert_eq!(pair.texts(), ["disconnected: forced close"]);
}

#[test]
fn acknowledgements_carry_attachments_both_ways() {
    for namespace in ["/", "/chat"] {
        let mut pair = Pair::new();
        let (client, socket) = pair.member(namespace);
        let prefix = crate::pair::prefix(namespace);
        let index = r#"{"_placeholder":true,"num":0}"#;

        pair.send(client, &format!("451-{prefix}789[\"a\",{index}]"));
        pair.send_binary(client, b"\0\x01");
        let Event::Event {
            arguments,
            ack: Some(token),
            ..
        } = pair.event()
        else {
            panic!("an event");
        };
        let packet = pair.encoder.ack(namespace, token.id(), &arguments).unwrap();
        pair.server.ack(pair.now, token, &packet).unwrap();
        let expected = [
            text(&format!("461-{prefix}789[{index}]")),
            Packet::Binary(b"\0\x01".to_vec()),
        ];
        assert_eq!(pair.receive(client), expected);

        let packet = pair.encode(namespace, "b", &());
        let deadline = pair.now + Duration::from_secs(1);
        pair.server
            .emit_with_ack(pair.now, socket, &packet, deadline)
            .unwrap();
        pair.send(client, &format!("461-{prefix}0[1,{index}]"));
        assert_eq!(pair.texts(), NOTHING);
        pair.send_binary(client, b"data");
        let Event::Acked {
            outcome: Ok(arguments),
            ..
        } = pair.event()
        else {
            panic!("an acknowledgement");
        };
        assert_eq!(
            arguments.parse::<(u8, Bytes)>().unwrap(),
            (1, Bytes::from_static(b"data"))
        );
    }
}

#[test]
fn a_session_that_ends_among_attachments_leaves_nothing_behind() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send(client, HEADER);
    pair.send_binary(client, b"first");
    pair.lose(client);
    assert_eq!(pair.texts(), ["disconnected: transport close"]);
    let (next, _) = pair.member("/");
    pair.send(next, "42[\"a\"]");
    assert_eq!(pair.texts(), ["event \"a\" () 0"]);
}
