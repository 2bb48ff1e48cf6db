//! Encoding of Socket.IO packets: canonical bytes, refusals, and what decoding makes of them.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use socketio_core::Text;
use socketio_core::json::EncodeError as JsonError;
use socketio_core::sio::encode::{EncodeError, Encoded, Encoder, RawArguments, WriteArguments};
use socketio_core::sio::packet::{EventName, Packet, PacketLimits, decode};

const NONE: RawArguments<'static> = RawArguments {
    text: b"",
    attachments: &[],
};

fn raw(text: &str) -> RawArguments<'_> {
    RawArguments {
        text: text.as_bytes(),
        attachments: &[],
    }
}

fn text_of(encoded: Result<Encoded, EncodeError>) -> String {
    let packet = encoded.unwrap().packet();
    String::from_utf8(packet.to_vec()).unwrap()
}

struct Refusing;

impl WriteArguments for Refusing {
    fn write_arguments(&self, out: &mut BytesMut, attachments: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        out.extend_from_slice(b"[1,");
        attachments.push(Bytes::from_static(b"lost"));
        Err(EncodeError::Arguments(JsonError::KeyNotText))
    }
}

#[test]
fn canonical_packets_are_written() {
    let mut encoder = Encoder::new();
    assert_eq!(text_of(encoder.raw_connect("/", None)), "40");
    assert_eq!(text_of(encoder.raw_connect("/admin", None)), "40/admin,");
    assert_eq!(
        text_of(encoder.raw_connect("/admin", Some(br#"{"token":"123"}"#))),
        r#"40/admin,{"token":"123"}"#
    );
    assert_eq!(text_of(encoder.connect("/", "abc")), r#"40{"sid":"abc"}"#);
    assert_eq!(text_of(encoder.disconnect("/")), "41");
    assert_eq!(text_of(encoder.disconnect("/admin")), "41/admin,");
    assert_eq!(text_of(encoder.event("/", "foo", &NONE)), r#"42["foo"]"#);
    assert_eq!(
        text_of(encoder.event("/admin", "bar", &NONE)),
        r#"42/admin,["bar"]"#
    );
    assert_eq!(
        text_of(encoder.event_with_ack("/", 12, "foo", &NONE)),
        r#"4212["foo"]"#
    );
    assert_eq!(
        text_of(encoder.event("/", "foo", &raw(r#"1,"a""#))),
        r#"42["foo",1,"a"]"#
    );
    assert_eq!(
        text_of(encoder.ack("/admin", 13, &raw(r#""bar""#))),
        r#"43/admin,13["bar"]"#
    );
    assert_eq!(text_of(encoder.ack("/", 0, &NONE)), "430[]");
    assert_eq!(
        text_of(encoder.connect_error::<RawArguments<'_>>("/random", "Invalid namespace", None)),
        r#"44/random,{"message":"Invalid namespace"}"#
    );
    assert_eq!(
        text_of(encoder.connect_error("/", "Not authorized", Some(&raw(r#"{"code":1}"#)))),
        r#"44{"message":"Not authorized","data":{"code":1}}"#
    );
}

#[test]
fn canonical_binary_packets_are_written() {
    let mut encoder = Encoder::new();
    let one = [Bytes::from_static(b"\x01")];
    let two = [one[0].clone(), one[0].clone()];
    let first = br#"{"_placeholder":true,"num":0}"#.as_slice();
    let both = br#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#.as_slice();
    assert_eq!(
        text_of(encoder.event(
            "/",
            "baz",
            &RawArguments {
                text: first,
                attachments: &one
            }
        )),
        r#"451-["baz",{"_placeholder":true,"num":0}]"#
    );
    assert_eq!(
        text_of(encoder.event_with_ack(
            "/admin",
            7,
            "baz",
            &RawArguments {
                text: both,
                attachments: &two
            }
        )),
        r#"452-/admin,7["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#
    );
    assert_eq!(
        text_of(encoder.raw_ack("/", 15, br#""bar",{"_placeholder":true,"num":0}"#, &one)),
        r#"461-15["bar",{"_placeholder":true,"num":0}]"#
    );
}

#[test]
fn names_are_escaped_and_decoded_names_are_sent_as_they_were_written() {
    let mut encoder = Encoder::new();
    assert_eq!(
        text_of(encoder.event("/", "\"\\\n\r\t\u{8}\u{c}\u{0}\u{1f}\u{7f}ä/🦀", &NONE)),
        "42[\"\\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f\u{7f}ä/🦀\"]"
    );
    for packet in [r#"42["\u0061\ud800",1]"#, "42[-1.50,2]", r#"42["plain"]"#] {
        let text = Text::from(packet.strip_prefix('4').unwrap());
        let Ok(Packet::Event { name, arguments, .. }) = decode(text, &PacketLimits::default()) else {
            panic!("{packet} is no event");
        };
        assert_eq!(text_of(encoder.raw_event("/", &name, &arguments, &[])), packet);
    }
}

#[test]
fn what_cannot_be_sent_is_refused_and_the_encoder_goes_on() {
    let mut encoder = Encoder::new();
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ] {
        assert_eq!(
            encoder.event("/", name, &NONE).unwrap_err(),
            EncodeError::ReservedEvent
        );
        assert_eq!(
            encoder
                .raw_event("/", &EventName::from(name), b"", &[])
                .unwrap_err(),
            EncodeError::ReservedEvent
        );
    }
    for namespace in ["", "admin", "/a,b", "/a\u{1e}b", "/a\n"] {
        assert_eq!(
            encoder.event(namespace, "a", &NONE).unwrap_err(),
            EncodeError::InvalidNamespace
        );
        assert_eq!(
            encoder.disconnect(namespace).unwrap_err(),
            EncodeError::InvalidNamespace
        );
    }
    assert_eq!(
        encoder.event("/", "a", &Refusing).unwrap_err(),
        EncodeError::Arguments(JsonError::KeyNotText)
    );
    assert_eq!(
        encoder.ack("/", 1, &Refusing).unwrap_err(),
        EncodeError::Arguments(JsonError::KeyNotText)
    );
    for data in ["", "1,2", "{"] {
        assert_eq!(
            encoder.connect_error("/", "no", Some(&raw(data))).unwrap_err(),
            EncodeError::InvalidData
        );
    }
    let binary = RawArguments {
        text: b"1",
        attachments: &[Bytes::from_static(b"x")],
    };
    assert_eq!(
        encoder.connect_error("/", "no", Some(&binary)).unwrap_err(),
        EncodeError::UnexpectedBinary
    );

    let encoded = encoder.event("/", "a", &NONE).unwrap();
    assert!(encoded.attachments().is_empty());
    assert_eq!(text_of(Ok(encoded)), r#"42["a"]"#);
}

#[test]
fn the_frame_has_the_shortest_header_at_every_length() {
    let mut encoder = Encoder::new();
    for length in [7, 125, 126, 127, 65_535, 65_536, 65_537, 300_000] {
        // `42["a",` and `]` are eight bytes, and a string has two quotes.
        let argument = match length {
            7 => String::new(),
            _ => format!("\"{}\"", "x".repeat(length - 10)),
        };
        let encoded = encoder.event("/", "a", &raw(&argument)).unwrap();
        let header: &[u8] = match length {
            0..=125 => &[0x81, length as u8],
            126..=65_535 => &[0x81, 126, (length >> 8) as u8, length as u8],
            _ => &[
                0x81,
                127,
                0,
                0,
                0,
                0,
                0,
                (length >> 16) as u8,
                (length >> 8) as u8,
                length as u8,
            ],
        };
        assert_eq!(encoded.header_len(), header.len(), "{length}");
        assert_eq!(&encoded.frame()[..header.len()], header, "{length}");
        assert_eq!(encoded.packet(), &encoded.frame()[header.len()..], "{length}");
        assert_eq!(encoded.packet().len(), length);
        assert_eq!(encoded.encoded_len(), header.len() + length);
    }
}

#[test]
fn an_id_can_be_added_later() {
    let mut encoder = Encoder::new();
    let bytes = [Bytes::from_static(b"abc")];
    let arguments = RawArguments {
        text: br#"{"_placeholder":true,"num":0}"#,
        attachments: &bytes,
    };
    for (namespace, id) in [("/", 0), ("/admin", u64::MAX)] {
        let plain = encoder.event(namespace, "a", &arguments).unwrap();
        let numbered = encoder.event_with_ack(namespace, id, "a", &arguments).unwrap();
        let later = encoder.with_ack_id(&plain, id);
        let again = encoder.with_ack_id(&numbered, 7);
        assert_eq!(encoder.with_ack_id(&again, id).frame(), numbered.frame());
        assert!(!plain.has_ack_id() && later.has_ack_id() && again.has_ack_id());
        assert_eq!(later.frame(), numbered.frame());
        assert_eq!(later.header_len(), numbered.header_len());
        assert_eq!(later.attachments(), numbered.attachments());
        assert_eq!(
            (plain.id_offset(), later.id_offset()),
            (numbered.id_offset(), numbered.id_offset())
        );
        assert_eq!(later.encoded_len(), later.frame().len() + 13);
    }
}

#[test]
fn packets_that_are_kept_stay_as_they_are() {
    let mut encoder = Encoder::new();
    let kept: Vec<_> = (0..5_000_u64)
        .map(|id| encoder.event_with_ack("/", id, "event", &raw("[1,2,3]")).unwrap())
        .collect();
    for (id, encoded) in kept.into_iter().enumerate() {
        assert_eq!(text_of(Ok(encoded)), format!(r#"42{id}["event",[1,2,3]]"#));
    }
}

fn namespaces() -> impl Strategy<Value = String> {
    prop_oneof![Just("/".to_owned()), "/[^,\u{0}-\u{1f}]{1,20}"]
}

fn attachments() -> impl Strategy<Value = Vec<Bytes>> {
    prop::collection::vec(
        prop::collection::vec(any::<u8>(), 0..8).prop_map(Bytes::from),
        0..12,
    )
}

fn placeholders(attachments: &[Bytes]) -> String {
    let each = (0..attachments.len()).map(|num| format!(r#"{{"_placeholder":true,"num":{num}}}"#));
    each.collect::<Vec<_>>().join(",")
}

fn decoded(encoded: &Encoded) -> Packet {
    let packet = Text::from_utf8(encoded.packet().slice(1..)).unwrap();
    decode(
        packet,
        &PacketLimits {
            attachments: 12,
            ..PacketLimits::default()
        },
    )
    .unwrap()
}

proptest! {
    #[test]
    fn an_event_survives_the_round_trip(
        namespace in namespaces(), name in any::<String>(), id in any::<Option<u64>>(), sent in attachments()
    ) {
        let mut encoder = Encoder::new();
        let text = placeholders(&sent);
        let arguments = RawArguments { text: text.as_bytes(), attachments: &sent };
        let encoded = match id {
            Some(id) => encoder.event_with_ack(&namespace, id, &name, &arguments),
            None => encoder.event(&namespace, &name, &arguments),
        }.unwrap();
        prop_assert_eq!(encoded.attachments(), &sent);
        prop_assert_eq!(decoded(&encoded), Packet::Event {
            namespace: namespace.as_str().into(),
            id,
            name: EventName::from(name.as_str()),
            arguments: text.clone().into(),
            attachments: sent.len() as u32,
        });
        let again = encoder.raw_event(&namespace, &EventName::from(name.as_str()), text.as_bytes(), &sent).unwrap();
        let again = id.map_or_else(|| again.clone(), |id| encoder.with_ack_id(&again, id));
        prop_assert_eq!(again.frame(), encoded.frame());
    }

    #[test]
    fn an_answer_survives_the_round_trip(namespace in namespaces(), id in any::<u64>(), sent in attachments()) {
        let text = placeholders(&sent);
        let encoded = Encoder::new().raw_ack(&namespace, id, text.as_bytes(), &sent).unwrap();
        prop_assert_eq!(decoded(&encoded), Packet::Ack {
            namespace: namespace.as_str().into(),
            id,
            arguments: text.into(),
            attachments: sent.len() as u32,
        });
    }

    #[test]
    fn packets_about_namespaces_survive_the_round_trip(namespace in namespaces(), text in any::<String>()) {
        let mut encoder = Encoder::new();
        let expected = Text::from(namespace.as_str());
        let sid = serde_json::json!({ "sid": text }).to_string();
        prop_assert_eq!(
            decoded(&encoder.connect(&namespace, &text).unwrap()),
            Packet::Connect { namespace: expected.clone(), auth: Some(sid.into()) }
        );
        let quoted = serde_json::to_string(&text).unwrap();
        let payload = format!(r#"{{"message":{quoted},"data":{quoted}}}"#);
        prop_assert_eq!(
            decoded(&encoder.connect_error(&namespace, &text, Some(&raw(&quoted))).unwrap()),
            Packet::ConnectError { namespace: expected.clone(), payload: payload.into() }
        );
        prop_assert_eq!(
            decoded(&encoder.disconnect(&namespace).unwrap()),
            Packet::Disconnect { namespace: expected }
        );
    }
}
