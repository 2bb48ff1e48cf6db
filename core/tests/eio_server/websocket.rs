//! Sessions on WebSocket: protocol sections 1.2, 1.9 and 1.13, trap T33.

use crate::pair::{Pair, WEBSOCKET, frame};
use bytes::Bytes;
use socketio_core::eio::payload::PayloadError;
use socketio_core::eio::{CloseReason, Delivery, Message, SendError};
use socketio_core::ws::{self, FrameError, OpCode};

#[test]
fn text_and_binary_are_echoed_as_what_they_were() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    pair.send_text(conn, "4hello");
    assert_eq!(pair.text(conn), "4hello");
    for data in [&[1, 2, 3, 4][..], &[], &[7; 70_000]] {
        pair.send_binary(conn, data);
        assert_eq!(
            pair.message(conn),
            Some(ws::Message::Binary(Bytes::copy_from_slice(data)))
        );
    }
    pair.send_text(conn, "4");
    assert_eq!(pair.text(conn), "4");
}

#[test]
fn base64_text_is_binary() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    pair.send_text(conn, "bAQIDBA==");
    assert_eq!(
        pair.messages(),
        [Message::Binary(Bytes::from_static(&[1, 2, 3, 4]))]
    );
    assert_eq!(
        pair.message(conn),
        Some(ws::Message::Binary(Bytes::from_static(&[1, 2, 3, 4])))
    );
}

#[test]
fn a_client_that_cannot_take_binary_gets_base64_text() {
    let mut pair = Pair::new();
    let conn = pair.websocket(&format!("{WEBSOCKET}&b64=1"));
    pair.text(conn);
    pair.send_text(conn, "4a");
    pair.send_text(conn, "bAQIDBA==");
    pair.send_binary(conn, &[9; 3_000]);
    pair.send_text(conn, "4b");
    assert_eq!(pair.text(conn), "4a");
    assert_eq!(pair.text(conn), "bAQIDBA==");
    assert_eq!(pair.text(conn), format!("b{}", "CQkJ".repeat(1_000)));
    assert_eq!(pair.text(conn), "4b");
    // Present and empty is as good as absent.
    let conn = pair.websocket(&format!("{WEBSOCKET}&b64="));
    pair.text(conn);
    pair.send_binary(conn, &[1]);
    assert_eq!(
        pair.message(conn),
        Some(ws::Message::Binary(Bytes::from_static(&[1])))
    );
}

#[test]
fn a_close_packet_closes() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    pair.send_text(conn, "1");
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), [CloseReason::TransportClose]);
    pair.assert_empty();
}

#[test]
fn a_close_frame_is_answered_and_ends_the_session() {
    for (payload, code) in [
        (&b""[..], None),
        (&[0x03, 0xe8][..], Some(1000)),
        (&[0x03, 0xe9, b'x'][..], Some(1001)),
    ] {
        let mut pair = Pair::new();
        let conn = pair.open_websocket();
        pair.send(conn, frame(OpCode::Close, payload));
        assert_eq!(pair.close_code(conn), code);
        assert_eq!(pair.message(conn), None);
        assert_eq!(pair.closed(), [CloseReason::TransportClose]);
        pair.assert_empty();
    }
}

#[test]
fn a_lost_connection_ends_the_session() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    pair.lose(conn);
    assert_eq!(pair.closed(), [CloseReason::TransportClose]);
    pair.assert_empty();
}

#[test]
fn frames_that_break_the_rules_are_closed_with_their_code() {
    let unmasked = [0x81, 0x02, b'4', b'a'];
    let reserved_bit = [0xc1, 0x82, 0, 0, 0, 0, b'4', b'a'];
    let reserved_opcode = [0x83, 0x80, 0, 0, 0, 0];
    use FrameError::*;
    for (bytes, error) in [
        (unmasked.to_vec(), Unmasked),
        (reserved_bit.to_vec(), ReservedBits),
        (reserved_opcode.to_vec(), ReservedOpCode),
        (frame(OpCode::Continuation, b"a"), UnexpectedContinuation),
        (frame(OpCode::Close, b"x"), TruncatedCloseCode),
        (frame(OpCode::Text, b"4\xff"), InvalidUtf8),
        (frame(OpCode::Binary, &[0; 1_001]), TooLarge),
    ] {
        let mut pair = Pair::with(|config| config.max_payload = 1_000);
        let conn = pair.open_websocket();
        pair.send_text(conn, "4before");
        pair.send(conn, &bytes);
        pair.send_text(conn, "4after");
        assert_eq!(pair.text(conn), "4before");
        let code = error.close_code().get();
        assert_eq!(pair.close_code(conn), Some(code), "{bytes:?}");
        let reason = match error {
            TooLarge => CloseReason::MessageTooLarge,
            error => CloseReason::BadFrame(error),
        };
        assert_eq!(pair.closed(), [reason]);
        assert_eq!(pair.messages().len(), 1);
        pair.assert_empty();
    }
}

#[test]
fn a_message_as_large_as_the_limit_passes() {
    let mut pair = Pair::with(|config| config.max_payload = 1_000);
    let conn = pair.open_websocket();
    pair.send_binary(conn, &[0; 1_000]);
    assert!(matches!(pair.message(conn), Some(ws::Message::Binary(_))));
}

#[test]
fn what_is_no_packet_closes_without_a_code() {
    for (text, reason) in [
        ("abc", CloseReason::ParseError(PayloadError::UnknownType)),
        ("", CloseReason::ParseError(PayloadError::EmptyPacket)),
        ("2", CloseReason::InvalidHeartbeat),
    ] {
        let mut pair = Pair::new();
        let conn = pair.open_websocket();
        pair.send_text(conn, text);
        assert_eq!(pair.close_code(conn), None);
        assert_eq!(pair.closed(), [reason]);
    }
}

#[test]
fn packets_that_mean_nothing_here_are_ignored() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    for text in ["0", "3", "5", "6", "3probe"] {
        pair.send_text(conn, text);
    }
    pair.send_text(conn, "4a");
    assert_eq!(pair.text(conn), "4a");
}

#[test]
fn a_websocket_ping_is_answered_with_its_data() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    pair.send(conn, frame(OpCode::Ping, b"data"));
    assert_eq!(
        pair.message(conn),
        Some(ws::Message::Pong(Bytes::from_static(b"data")))
    );
    assert_eq!(pair.closed(), []);
}

#[test]
fn frames_sent_with_the_handshake_are_not_lost() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    let head = format!(
        "GET {WEBSOCKET} HTTP/1.1\r\nHost: a\r\n{}\r\n",
        crate::pair::UPGRADE
    );
    let bytes = [head.as_bytes(), &frame(OpCode::Text, b"4early")].concat();
    pair.send(conn, bytes);
    assert_eq!(pair.answer(conn).unwrap().status, 101);
    pair.text(conn);
    assert_eq!(pair.text(conn), "4early");
}

#[test]
fn the_application_closes_after_what_it_said() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    let session = pair.session();
    pair.server
        .send(
            pair.now,
            session,
            &Message::Text("last".into()),
            Delivery::Reliable,
        )
        .unwrap();
    pair.close(session);
    assert_eq!(pair.text(conn), "4last");
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), [CloseReason::ForcedClose]);
    let late = pair.server.send(
        pair.now,
        session,
        &Message::Text("late".into()),
        Delivery::Reliable,
    );
    assert_eq!(late, Err(SendError::Closed));
    pair.assert_empty();
}

#[test]
fn what_is_volatile_is_dropped_while_something_is_being_written() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    let session = pair.session();
    assert!(pair.emit_volatile(session, "a"));
    assert!(pair.emit_volatile(session, "b"));
    pair.set_window(conn, 3);
    pair.emit(session, "slow");
    assert!(!pair.emit_volatile(session, "dropped"));
    pair.set_window(conn, usize::MAX);
    assert!(pair.emit_volatile(session, "c"));
    let texts: Vec<String> = (0..4).map(|_| pair.text(conn)).collect();
    assert_eq!(texts, ["4a", "4b", "4slow", "4c"]);
}
