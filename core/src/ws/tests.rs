//! The rules of RFC 6455, frame by frame, and what a decoder holds.

use super::*;
use crate::Text;
use bytes::{Bytes, BytesMut};

const MAX_MESSAGE: usize = 1 << 20;

type Outcome = (Vec<Message>, Option<FrameError>);

fn decode_pieces<'a>(role: Role, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::new(role, MAX_MESSAGE);
    let mut messages = Vec::new();
    for piece in pieces {
        let mut input = BytesMut::from(piece);
        loop {
            match decoder.poll_message(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
        assert!(input.is_empty());
    }
    (messages, None)
}

/// The outcome, having checked that it does not depend on how the bytes are cut.
fn decode(role: Role, bytes: &[u8]) -> Outcome {
    let whole = decode_pieces(role, [bytes]);
    assert_eq!(whole, decode_pieces(role, bytes.chunks(1)));
    whole
}

fn error_for_client(bytes: &[u8]) -> Option<FrameError> {
    decode(Role::Client, bytes).1
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

fn masked(opcode: OpCode, fin: Fin, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = write_header(opcode, fin, payload.len(), Some(key))
        .as_ref()
        .to_vec();
    let start = frame.len();
    frame.extend_from_slice(payload);
    mask(&mut frame[start..], key, 0);
    frame
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    let hello = Bytes::from_static(b"Hello");
    let masked_hello = [0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    let client = |bytes: &[u8]| decode(Role::Client, bytes);
    let server = |first: u8| decode(Role::Server, &[&[first][..], &masked_hello].concat());

    assert_eq!(client(b"\x81\x05Hello"), (vec![text("Hello")], None));
    assert_eq!(server(0x81), (vec![text("Hello")], None));
    assert_eq!(client(b"\x01\x03Hel\x80\x02lo"), (vec![text("Hello")], None));
    assert_eq!(
        client(b"\x89\x05Hello"),
        (vec![Message::Ping(hello.clone())], None)
    );
    assert_eq!(server(0x8a), (vec![Message::Pong(hello)], None));
    for (head, len) in [
        (&b"\x82\x7e\x01\x00"[..], 256),
        (b"\x82\x7f\0\0\0\0\0\x01\0\0", 65_536),
    ] {
        let payload = vec![7; len];
        let frame = [head, &payload].concat();
        assert_eq!(write_header(OpCode::Binary, Fin::Final, len, None).as_ref(), head);
        assert_eq!(client(&frame), (vec![Message::Binary(payload.into())], None));
    }
}

#[test]
fn control_frames_may_stand_between_fragments() {
    let (messages, error) = decode(
        Role::Client,
        b"\x01\x03Hel\x89\x01p\x00\x00\x8a\x00\x80\x02lo\x82\x00",
    );
    let expected = [
        Message::Ping(Bytes::from_static(b"p")),
        Message::Pong(Bytes::new()),
        text("Hello"),
        Message::Binary(Bytes::new()),
    ];
    assert_eq!((&messages[..], error), (&expected[..], None));
}

#[test]
fn a_character_may_be_cut_between_fragments() {
    let (messages, error) = decode(Role::Client, b"\x01\x02\xe2\x82\x80\x01\xac");
    assert_eq!((&messages[..], error), (&[text("\u{20ac}")][..], None));
}

#[test]
fn a_broken_rule_of_one_frame_has_its_error() {
    use FrameError as E;
    for (bytes, error) in [
        (&b"\xc1\x00"[..], E::ReservedBits),
        (b"\xa1\x00", E::ReservedBits),
        (b"\x91\x00", E::ReservedBits),
        (b"\x83\x00", E::ReservedOpCode),
        (b"\x8f\x00", E::ReservedOpCode),
        (b"\x81\x80\0\0\0\0", E::Masked),
        (b"\x09\x00", E::FragmentedControl),
        (b"\x89\x7e\x00\x7e", E::ControlTooLong),
        (b"\x88\x7f", E::ControlTooLong),
        (b"\x82\x7e\x00\x7d", E::LengthNotMinimal),
        (b"\x82\x7f\0\0\0\0\0\0\xff\xff", E::LengthNotMinimal),
        (b"\x82\x7f\x80\0\0\0\0\0\0\0", E::LengthTopBit),
        (b"\x88\x01\x03", E::TruncatedCloseCode),
        (b"\x88\x02\x03\xed", E::InvalidCloseCode),
    ] {
        assert_eq!(error_for_client(bytes), Some(error), "{bytes:x?}");
        assert_eq!(error.close_code(), CloseCode::PROTOCOL_ERROR);
    }
    assert_eq!(decode(Role::Server, b"\x81\x00").1, Some(FrameError::Unmasked));
}

#[test]
fn fragments_must_follow_their_start_and_come_before_the_next() {
    assert_eq!(
        error_for_client(b"\x80\x00"),
        Some(FrameError::UnexpectedContinuation)
    );
    assert_eq!(
        error_for_client(b"\x81\x00\x80\x00"),
        Some(FrameError::UnexpectedContinuation)
    );
    assert_eq!(
        error_for_client(b"\x01\x00\x81\x00"),
        Some(FrameError::ExpectedContinuation)
    );
}

#[test]
fn text_that_is_not_utf8_closes_with_1007() {
    for bytes in [
        &b"\x88\x03\x03\xe8\xff"[..],
        b"\x81\x01\xff",
        b"\x01\x01a\x80\x02\xe2\x82",
    ] {
        assert_eq!(
            error_for_client(bytes),
            Some(FrameError::InvalidUtf8),
            "{bytes:x?}"
        );
    }
    assert_eq!(FrameError::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
}

#[test]
fn a_message_over_the_limit_closes_with_1009_before_it_arrives() {
    for bytes in [
        &b"\x82\x7f\0\0\0\0\0\x10\0\x01"[..],
        b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x02\x01a\x80\x7f\0\0\0\0\0\x10\0\0",
    ] {
        assert_eq!(error_for_client(bytes), Some(FrameError::TooLarge), "{bytes:x?}");
    }
    assert_eq!(FrameError::TooLarge.close_code(), CloseCode::TOO_LARGE);
}

#[test]
fn what_follows_a_close_or_an_error_is_discarded() {
    let mut decoder = Decoder::new(Role::Client, MAX_MESSAGE);
    let mut input = BytesMut::from(&b"\x88\x05\x0f\xa0bye\x81\x01a"[..]);
    let close = Message::Close(Some(CloseCode::new(4000)), Text::from("bye"));
    assert_eq!(decoder.poll_message(&mut input), Ok(Some(close)));
    assert_eq!(decoder.poll_message(&mut input), Ok(None));
    assert_eq!(
        decoder.poll_message(&mut BytesMut::from(&b"\xff\xff"[..])),
        Ok(None)
    );

    let mut decoder = Decoder::new(Role::Client, MAX_MESSAGE);
    for bytes in [&b"\xff\xff"[..], b"\x81\x01a"] {
        let outcome = decoder.poll_message(&mut BytesMut::from(bytes));
        assert_eq!(outcome, Err(FrameError::ReservedBits));
    }
}

#[test]
fn an_empty_close_has_no_code() {
    assert_eq!(
        decode(Role::Client, b"\x88\x00"),
        (vec![Message::Close(None, Text::default())], None)
    );
}

#[test]
fn whole_frames_are_slices_of_the_input() {
    let frame = masked(OpCode::Binary, Fin::Final, &[1; 100]);
    let mut input = BytesMut::from(&[frame.as_slice(), &frame, &[0x82]].concat()[..]);
    let start = input.as_ptr();
    let mut decoder = Decoder::new(Role::Server, MAX_MESSAGE);
    for payload_at in [frame.len() - 100, 2 * frame.len() - 100] {
        let Ok(Some(Message::Binary(payload))) = decoder.poll_message(&mut input) else {
            panic!("a binary message");
        };
        assert_eq!(payload.as_ptr(), start.wrapping_add(payload_at));
    }
    assert_eq!(decoder.poll_message(&mut input), Ok(None));
    assert!(input.is_empty());
}

#[test]
fn after_a_frame_in_pieces_the_next_is_a_slice_again() {
    let frame = masked(OpCode::Binary, Fin::Final, &[1; 100]);
    let mut decoder = Decoder::new(Role::Server, MAX_MESSAGE);
    assert_eq!(decoder.poll_message(&mut BytesMut::from(&frame[..50])), Ok(None));
    let mut input = BytesMut::from(&[&frame[50..], &frame].concat()[..]);
    let start = input.as_ptr();
    assert_eq!(
        decoder.poll_message(&mut input),
        Ok(Some(Message::Binary(vec![1; 100].into())))
    );
    assert_eq!(input.len(), frame.len());
    let Ok(Some(Message::Binary(payload))) = decoder.poll_message(&mut input) else {
        panic!("a binary message");
    };
    assert_eq!(payload.as_ptr(), start.wrapping_add(2 * frame.len() - 50 - 100));
}

#[test]
fn a_length_costs_nothing_until_its_bytes_arrive() {
    let mut decoder = Decoder::new(Role::Client, MAX_MESSAGE);
    let mut input = BytesMut::from(&b"\x82\x7f\0\0\0\0\0\x10\0\0"[..]);
    assert_eq!(decoder.poll_message(&mut input), Ok(None));
    assert_eq!(decoder.memory(), 0);
    let mut arrived = 0;
    while arrived + 1000 < MAX_MESSAGE {
        assert_eq!(decoder.poll_message(&mut BytesMut::zeroed(1000)), Ok(None));
        arrived += 1000;
        assert!(
            decoder.memory() <= (2 * arrived).min(MAX_MESSAGE),
            "{} for {arrived}",
            decoder.memory()
        );
    }
    let last = decoder.poll_message(&mut BytesMut::zeroed(MAX_MESSAGE - arrived));
    assert_eq!(last, Ok(Some(Message::Binary(vec![0; MAX_MESSAGE].into()))));
    assert_eq!(decoder.memory(), 0);
}

#[test]
fn a_decoder_holds_nothing_between_messages() {
    let mut decoder = Decoder::new(Role::Server, MAX_MESSAGE);
    let fragments = [
        masked(OpCode::Text, Fin::More, &[b'a'; 5000]),
        masked(OpCode::Continuation, Fin::Final, b"b"),
    ];
    assert_eq!(
        decoder.poll_message(&mut BytesMut::from(&fragments[0][..])),
        Ok(None)
    );
    assert!((5000..=10_000).contains(&decoder.memory()));
    assert!(matches!(
        decoder.poll_message(&mut BytesMut::from(&fragments[1][..])),
        Ok(Some(_))
    ));
    assert_eq!(decoder.memory(), 0);
}

#[test]
fn an_error_gives_the_memory_away() {
    let mut decoder = Decoder::new(Role::Server, MAX_MESSAGE);
    let fragment = masked(OpCode::Text, Fin::More, &[b'a'; 5000]);
    assert_eq!(decoder.poll_message(&mut BytesMut::from(&fragment[..])), Ok(None));
    let outcome = decoder.poll_message(&mut BytesMut::from(&fragment[..]));
    assert_eq!(outcome, Err(FrameError::ExpectedContinuation));
    assert_eq!(decoder.memory(), 0);
}
