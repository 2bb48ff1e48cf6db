//! Socket.IO packets, the JSON in them and their attachments.

use crate::script::Script;
use bytes::{Bytes, BytesMut};
use serde::de::IgnoredAny;
use socketio_core::Text;
use socketio_core::json::{self, Arguments, DecodeError, Value};
use socketio_core::sio::packet::decode;
use socketio_core::sio::{Encoder, Packet, PacketLimits};

const LIMITS: PacketLimits = PacketLimits {
    json_depth: 40,
    attachments: 4,
};

/// Deeper than this, serde_json gives up; ours is told how deep it may go.
const COMPARED_DEPTH: usize = 100;

/// A text, and after it attachments, each ending in the byte 0xff.
///
/// The validator agrees with serde_json, a packet that was read can be written and read again, and its arguments
/// are the trees that a naive reader makes of them.
pub fn sio_packet(data: &[u8]) {
    let mut script = Script::new(data);
    let text = valid_prefix(script.text());
    validator_agrees(text);
    let Ok(packet) = decode(Text::from(text), &LIMITS) else {
        return;
    };
    let (arguments, count) = match &packet {
        Packet::Event {
            arguments,
            attachments,
            ..
        }
        | Packet::Ack {
            arguments,
            attachments,
            ..
        } => (arguments.clone(), *attachments),
        _ => (Bytes::new(), 0),
    };
    let attachments: Vec<Bytes> = (0..count)
        .map(|_| Bytes::copy_from_slice(script.text()))
        .collect();
    survives_the_round_trip(&packet, &attachments);
    arguments_agree(&Arguments::new(arguments, attachments));
}

fn valid_prefix(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

fn validator_agrees(text: &str) {
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets < COMPARED_DEPTH {
        let ours = json::validate(text.as_bytes(), u32::MAX);
        let theirs = serde_json::from_str::<IgnoredAny>(text);
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?} {theirs:?}");
    }
    for depth in [0, 3] {
        let _ = json::validate(text.as_bytes(), depth);
    }
}

fn survives_the_round_trip(packet: &Packet, attachments: &[Bytes]) {
    let mut encoder = Encoder::new();
    let encoded = match packet {
        Packet::Connect { namespace, auth } => encoder.raw_connect(namespace.as_str(), auth.as_deref()),
        Packet::Disconnect { namespace } => encoder.disconnect(namespace.as_str()),
        Packet::Event {
            namespace,
            id,
            name,
            arguments,
            ..
        } => {
            let event = encoder.raw_event(namespace.as_str(), name, arguments, attachments);
            event.map(|event| match id {
                Some(id) => encoder.with_ack_id(&event, *id),
                None => event,
            })
        }
        Packet::Ack {
            namespace,
            id,
            arguments,
            ..
        } => encoder.raw_ack(namespace.as_str(), *id, arguments, attachments),
        // Nothing here writes one from the text of another.
        Packet::ConnectError { .. } => return,
    };
    let encoded = encoded.expect("what was read can be written");
    assert_eq!(encoded.attachments(), attachments);
    let text = Text::from_utf8(encoded.packet().slice(1..)).expect("packets are text");
    assert_eq!(decode(text, &LIMITS).as_ref(), Ok(packet));
}

fn arguments_agree(arguments: &Arguments) {
    let values = match arguments.to_values() {
        Ok(values) => values,
        // A kilobyte of placeholders may not make a megabyte of attachments.
        Err(DecodeError::AttachmentsRepeated) => return,
        Err(error) => panic!("a valid list can be read: {error}"),
    };
    assert_eq!(arguments.iter().count(), values.len());
    assert_eq!(arguments.is_empty(), values.is_empty());
    assert_eq!(arguments.detach(), *arguments);

    let written = Arguments::from_trees(&values);
    assert_eq!(written.to_values().as_ref(), Ok(&values));
    let (mut text, mut moved) = (BytesMut::new(), Vec::new());
    arguments.write_to(&mut text, &mut moved);
    assert_eq!(
        Arguments::new(text.freeze(), moved).to_values().as_ref(),
        Ok(&values)
    );

    // It refuses lone surrogates and numbers beyond f64, which ours pass on.
    let list = format!("[{}]", arguments.text());
    if let Ok(naive) = serde_json::from_str::<Vec<serde_json::Value>>(&list) {
        assert_eq!(naive.len(), values.len());
        for (naive, ours) in naive.iter().zip(&values) {
            agrees(naive, ours, arguments.attachments());
        }
    }
}

/// Whether a tree is what protocol section 3.3 makes of plain JSON, in the simplest way to say it.
fn agrees(naive: &serde_json::Value, ours: &Value, attachments: &[Bytes]) {
    use serde_json::Value as Naive;
    match (naive, ours) {
        (Naive::Object(members), Value::Binary(data)) => {
            assert_eq!(members.get("_placeholder"), Some(&Naive::Bool(true)));
            let num = members.get("num").and_then(Naive::as_u64).expect("a number");
            assert_eq!(attachments.get(num as usize), Some(data));
        }
        (Naive::Object(members), Value::Object(object)) => {
            // Only one of those with the same key is left there.
            if members.len() == object.len() {
                assert!(attachments.is_empty() || members.get("_placeholder") != Some(&Naive::Bool(true)));
                for (key, value) in members {
                    agrees(value, object.get(key).expect("the same keys"), attachments);
                }
            }
        }
        (Naive::Array(elements), Value::Array(array)) => {
            assert_eq!(elements.len(), array.len());
            for (naive, ours) in elements.iter().zip(array.iter()) {
                agrees(naive, ours, attachments);
            }
        }
        (Naive::Null, ours) => assert!(ours.is_null()),
        (Naive::Bool(value), ours) => assert_eq!(ours.as_bool(), Some(*value)),
        (Naive::Number(number), ours) => {
            let (ours_read, naive_read) = (ours.as_f64(), number.as_f64());
            let (Some(one), Some(other)) = (ours_read, naive_read) else {
                panic!("{ours:?} {number}");
            };
            // It rounds in a hurry: its last bits are not those of the standard library.
            assert!(
                (one - other).abs() <= one.abs() * 4.0 * f64::EPSILON,
                "{one} {other}"
            );
            assert_eq!(ours.as_u64(), number.as_u64());
            // It reads `-0` as a fraction, because only those have a negative zero.
            if ours.as_f64() != Some(0.0) {
                assert_eq!(ours.as_i64(), number.as_i64());
            }
        }
        (Naive::String(text), ours) => assert_eq!(ours.as_str().as_deref(), Some(text.as_str())),
        (naive, ours) => panic!("{naive:?} was read as {ours:?}"),
    }
}
