//! Frames that break RFC 6455, and the status code each is closed with.

use crate::conformance::assert_still_serves;
use crate::kit::{Frame, LengthForm, RawWebSocket};
use crate::testbed::Target;

const PROTOCOL_ERROR: u16 = 1002;
const INVALID_PAYLOAD: u16 = 1007;
const TOO_BIG: u16 = 1009;

pub(crate) fn unmasked_frames_close_with_1002(target: &Target) {
    closes_with(target, &[Frame::text("4hello").unmasked()], PROTOCOL_ERROR);
    assert_still_serves(target);
}

pub(crate) fn reserved_bits_close_with_1002(target: &Target) {
    for bits in [0x40, 0x20, 0x10, 0x70] {
        closes_with(target, &[Frame::text("4hello").reserved(bits)], PROTOCOL_ERROR);
    }
    assert_still_serves(target);
}

pub(crate) fn reserved_opcodes_close_with_1002(target: &Target) {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        closes_with(target, &[Frame::new(opcode, "4hello")], PROTOCOL_ERROR);
    }
    assert_still_serves(target);
}

pub(crate) fn malformed_control_frames_close_with_1002(target: &Target) {
    for opcode in [8, 9, 10] {
        closes_with(target, &[Frame::new(opcode, "ab").unfinished()], PROTOCOL_ERROR);
        closes_with(target, &[Frame::new(opcode, [3; 126])], PROTOCOL_ERROR);
    }
    assert_still_serves(target);
}

pub(crate) fn malformed_close_frames_close_with_1002(target: &Target) {
    closes_with(target, &[Frame::new(8, [3])], PROTOCOL_ERROR);
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 2000, 5000] {
        closes_with(target, &[Frame::new(8, code.to_be_bytes())], PROTOCOL_ERROR);
    }
    closes_with(
        target,
        &[Frame::new(8, [0x03, 0xe8, 0xff, 0xfe])],
        INVALID_PAYLOAD,
    );
    assert_still_serves(target);
}

pub(crate) fn fragments_out_of_order_close_with_1002(target: &Target) {
    closes_with(target, &[Frame::new(0, "hello")], PROTOCOL_ERROR);
    closes_with(
        target,
        &[Frame::text("4hel").unfinished(), Frame::text("lo")],
        PROTOCOL_ERROR,
    );
    closes_with(
        target,
        &[Frame::text("4hel").unfinished(), Frame::new(2, "lo")],
        PROTOCOL_ERROR,
    );
    assert_still_serves(target);
}

pub(crate) fn text_that_is_not_utf8_closes_with_1007(target: &Target) {
    let samples: [&[u8]; 6] = [
        b"4\xff",
        b"4\xc3",
        b"4\xed\xa0\x80",
        b"4\xc0\xaf",
        b"4\xf4\x90\x80\x80",
        b"4\xe2\x82",
    ];
    for sample in samples {
        closes_with(target, &[Frame::new(1, sample)], INVALID_PAYLOAD);
    }
    closes_with(
        target,
        &[Frame::new(1, b"4\xe2\x82").unfinished(), Frame::new(0, "x")],
        INVALID_PAYLOAD,
    );
    assert_still_serves(target);
}

pub(crate) fn oversize_messages_close_with_1009(target: &Target) {
    closes_with(target, &[Frame::new(1, vec![b'4'; 1_000_001])], TOO_BIG);
    closes_with(target, &[Frame::new(2, vec![0; 1_000_001])], TOO_BIG);
    let half = vec![b'4'; 500_001];
    closes_with(
        target,
        &[Frame::new(1, half.clone()).unfinished(), Frame::new(0, half)],
        TOO_BIG,
    );
    assert_still_serves(target);
}

pub(crate) fn announced_oversize_closes_with_1009_before_it_comes(target: &Target) {
    for length in [1_000_001, 1 << 32, 1 << 62] {
        closes_with(target, &[Frame::text("").declaring(length)], TOO_BIG);
    }
    assert_still_serves(target);
}

pub(crate) fn a_length_with_its_top_bit_set_closes(target: &Target) {
    for length in [1 << 63, u64::MAX] {
        let mut socket = RawWebSocket::open_session(target);
        socket.send(&Frame::text("").declaring(length));
        let frame = socket.message();
        assert_eq!(frame.first, 0x88);
        let code = frame
            .payload
            .get(..2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
        assert!(
            code == Some(PROTOCOL_ERROR) || code == Some(TOO_BIG),
            "closed with {code:?}"
        );
    }
    assert_still_serves(target);
}

/// differs_from_js: `ws` accepts any form.
pub(crate) fn lengths_not_in_their_shortest_form_close_with_1002(target: &Target) {
    let long = vec![b'4'; 200];
    closes_with(
        target,
        &[Frame::text("4hello").length_form(LengthForm::Sixteen)],
        PROTOCOL_ERROR,
    );
    closes_with(
        target,
        &[Frame::text("4hello").length_form(LengthForm::SixtyFour)],
        PROTOCOL_ERROR,
    );
    closes_with(
        target,
        &[Frame::new(1, long).length_form(LengthForm::SixtyFour)],
        PROTOCOL_ERROR,
    );
    assert_still_serves(target);
}

pub(crate) fn fragments_pings_and_single_bytes_are_legal(target: &Target) {
    let mut socket = RawWebSocket::open_session(target);
    socket.send(&Frame::new(1, b"4h\xc3").unfinished());
    socket.send(&Frame::new(9, "are you there"));
    socket.send(&Frame::new(0, "").unfinished());
    socket.send(&Frame::new(10, "unasked"));
    socket.send(&Frame::new(0, b"\xa9"));
    let mut frames = [socket.message(), socket.message()].map(|frame| (frame.first, frame.payload));
    frames.sort();
    assert_eq!(
        frames,
        [(0x81, b"4h\xc3\xa9".to_vec()), (0x8a, b"are you there".to_vec())]
    );
    for byte in Frame::text("4one by one").encode() {
        socket.connection.send_bytes(&[byte]);
    }
    socket.expect_text("4one by one");
}

pub(crate) fn ten_thousand_tiny_frames_in_one_segment_come_back(target: &Target) {
    let mut socket = RawWebSocket::open_session(target);
    let mut bytes = Vec::new();
    for number in 0..10_000 {
        bytes.extend(Frame::text(&format!("4{number}")).encode());
    }
    socket.connection.send_bytes(&bytes);
    for number in 0..10_000 {
        socket.expect_text(&format!("4{number}"));
    }
}

pub(crate) fn a_message_in_ten_thousand_fragments_comes_back(target: &Target) {
    let mut socket = RawWebSocket::open_session(target);
    let mut bytes = Frame::text("4").unfinished().encode();
    for _ in 0..9_998 {
        bytes.extend(Frame::new(0, "x").unfinished().encode());
    }
    bytes.extend(Frame::new(0, "x").encode());
    socket.connection.send_bytes(&bytes);
    socket.expect_text(&format!("4{}", "x".repeat(9_999)));
}

pub(crate) fn websockets_cut_anywhere_leave_no_harm(target: &Target) {
    let bytes = Frame::text(&format!("4{}", "x".repeat(200))).encode();
    for cut in [1, 2, 3, 4, 7, 8, 9, bytes.len() - 1] {
        let mut socket = RawWebSocket::open_session(target);
        socket.connection.send_bytes(&bytes[..cut]);
    }
    assert_still_serves(target);
}

#[track_caller]
fn closes_with(target: &Target, frames: &[Frame], code: u16) {
    let mut socket = RawWebSocket::open_session(target);
    for frame in frames {
        socket.connection.offer_bytes(&frame.encode());
    }
    socket.expect_close(Some(code));
}
