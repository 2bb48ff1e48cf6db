use super::support::*;
use crate::wire::Flow;
use crate::ws::{self, CloseCode, Decoder, Fin, Message, OpCode, Role};
use crate::{OutBuf, Text};
use bytes::BytesMut;
use std::collections::VecDeque;
use std::io;

/// What a server makes of the bytes a wire wrote.
fn received(bytes: &[u8]) -> Vec<Message> {
    let mut input = BytesMut::from(bytes);
    let mut decoder = Decoder::new(Role::Server, usize::MAX);
    let messages: Vec<_> = core::iter::from_fn(|| decoder.poll_message(&mut input).unwrap()).collect();
    assert!(input.is_empty());
    messages
}

#[test]
fn packets_pass_in_both_directions_once_the_handshake_is_done() {
    let mut wire = open();
    let bytes = [
        frame(OpCode::Text, b"0{}"),
        frame(OpCode::Text, b"3probe"),
        frame(OpCode::Binary, &[1]),
    ];
    assert_eq!(
        read(&mut wire, &bytes.concat()),
        ["Open(\"{}\")", "Pong(\"probe\")", "Message(Binary(b\"\\x01\"))"]
    );
    let mut waiting = queue(&[(OpCode::Text, b"4hello"), (OpCode::Binary, b"bytes")]);
    wire.send(&mut waiting);
    wire.send_text(b"5");
    assert!(waiting.is_empty());
    let written = output(&mut wire);
    assert!(!written.windows(5).any(|window| window == b"hello"));
    let expected = [
        Message::Text("4hello".into()),
        Message::Binary(b"bytes"[..].into()),
        Message::Text("5".into()),
    ];
    assert_eq!(received(&written), expected);
    assert_eq!(flow(&mut wire), Flow::Open);
}

#[test]
fn frames_may_follow_the_handshake_in_one_read() {
    let mut wire = wire();
    wire.request(websocket(&["a", "b"]));
    let mut answer = accept(&output(&mut wire), "Sec-WebSocket-Protocol: b\r\n").into_bytes();
    answer.extend(frame(OpCode::Text, b"6"));
    assert_eq!(read(&mut wire, &answer), ["101 Switching Protocols", "Noop"]);
    assert_eq!(wire.buffered(), 0);
}

#[test]
fn pings_are_answered_unless_the_server_does_not_read() {
    let mut wire = open();
    assert_eq!(read(&mut wire, &frame(OpCode::Ping, b"ab")), ["KeepAlive"]);
    assert_eq!(received(&output(&mut wire)), [Message::Pong(b"ab"[..].into())]);
    assert_eq!(read(&mut wire, &frame(OpCode::Pong, b"")), ["KeepAlive"]);
    let ping = frame(OpCode::Ping, &[0; 125]).repeat(10_000);
    assert_eq!(read(&mut wire, &ping).len(), 10_000);
    assert!(wire.unwritten() < 65 * 1024);
}

#[test]
fn a_close_frame_is_echoed_once() {
    let mut wire = open();
    let close = frame(OpCode::Close, &1001_u16.to_be_bytes());
    assert_eq!(read(&mut wire, &close), ["Closed(Some(CloseCode(1001)))"]);
    assert_eq!(
        received(&output(&mut wire)),
        [Message::Close(Some(CloseCode::GOING_AWAY), Text::default())]
    );
    assert_eq!(flow(&mut wire), Flow::Closing);
    wire.close(None);
    assert!(output(&mut wire).is_empty());
    let mut wire = open();
    assert_eq!(read(&mut wire, &frame(OpCode::Close, b"")), ["Closed(None)"]);
    assert_eq!(
        received(&output(&mut wire)),
        [Message::Close(None, Text::default())]
    );
}

#[test]
fn closing_sends_what_is_queued_and_receives_nothing_more() {
    let mut wire = open();
    wire.send(&mut queue(&[(OpCode::Text, b"4a")]));
    wire.close(Some(CloseCode::NORMAL));
    assert!(read(&mut wire, &frame(OpCode::Text, b"4late")).is_empty());
    let expected = [
        Message::Text("4a".into()),
        Message::Close(Some(CloseCode::NORMAL), Text::default()),
    ];
    assert_eq!(received(&output(&mut wire)), expected);
    assert_eq!(flow(&mut wire), Flow::Closing);
}

#[test]
fn the_end_of_the_stream_makes_no_item() {
    let mut wire = open();
    assert!(read(&mut wire, &[0x81]).is_empty());
    assert!(end(&mut wire).is_empty());
    assert_eq!(flow(&mut wire), Flow::Closing);
}

#[test]
fn every_frame_has_a_key_of_its_own_and_the_seed_decides() {
    let written = || {
        let mut wire = open();
        wire.send(&mut queue(&[
            (OpCode::Binary, &[0; 8]),
            (OpCode::Binary, &[0; 8]),
        ]));
        output(&mut wire)
    };
    let frames = written();
    let (first, second) = frames.split_at(frames.len() / 2);
    assert_ne!(first, second);
    assert_eq!(first[2..6], first[6..10], "what was zero shows the key");
    assert_eq!(written(), frames);
}

#[test]
fn small_frames_cost_no_allocation_once_warm() {
    let mut wire = open();
    let mut waiting = OutBuf::new();
    let mut written = OutBuf::new();
    let mut round = || {
        for _ in 0..100 {
            waiting.put(ws::write_header(OpCode::Text, Fin::Final, 64, None).as_ref());
            waiting.put(&[b'4'; 64]);
        }
        wire.send(&mut waiting);
        wire.send_text(b"3");
        let _ = wire.poll_output(&mut written);
        written.advance(usize::MAX);
    };
    let mut allocations =
        |rounds| allocation_counter::measure(|| (0..rounds).for_each(|_| round())).count_total;
    assert!(allocations(1) > 0, "the counter counts");
    allocations(1);
    assert_eq!(allocations(100), 0);
}

#[test]
fn a_recycled_buffer_is_used_for_what_is_sent_next() {
    let mut wire = open();
    let mut spare = OutBuf::new();
    spare.put(&[0; 1000]);
    spare.clear();
    let mut spares = vec![spare];
    wire.take_output_from(&mut spares);
    assert!(spares.is_empty());
    let count = allocation_counter::measure(|| wire.send_text(b"4hello")).count_total;
    assert_eq!(count, 0);
}

/// The server's end of a connection in memory, for tungstenite.
#[derive(Default)]
struct Pipe {
    to_read: VecDeque<u8>,
    written: Vec<u8>,
}

impl io::Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.to_read.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.to_read.read(buffer)
    }
}

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn tungstenite_understands_the_handshake_and_every_length_of_frame() {
    let mut wire = wire();
    wire.request(websocket(&[]));
    let mut pipe = Pipe::default();
    pipe.to_read.extend(output(&mut wire));
    let mut server = tungstenite::accept(pipe).unwrap();
    let answer = core::mem::take(&mut server.get_mut().written);
    assert_eq!(read(&mut wire, &answer), ["101 Switching Protocols"]);
    for length in [0, 1, 125, 126, 1023, 1024, 65_535, 65_536, 100_000] {
        let text = "x".repeat(length);
        wire.send(&mut queue(&[
            (OpCode::Text, text.as_bytes()),
            (OpCode::Binary, text.as_bytes()),
        ]));
        let written = output(&mut wire);
        server.get_mut().to_read.extend(written);
        assert_eq!(server.read().unwrap(), tungstenite::Message::text(text.clone()));
        assert_eq!(
            server.read().unwrap(),
            tungstenite::Message::binary(text.into_bytes())
        );
    }
    server.send(tungstenite::Message::text("4hello")).unwrap();
    server.send(tungstenite::Message::Ping(b"p"[..].into())).unwrap();
    server.close(None).unwrap();
    let heard = core::mem::take(&mut server.get_mut().written);
    assert_eq!(
        read(&mut wire, &heard),
        ["Message(Text(\"hello\"))", "KeepAlive", "Closed(None)"]
    );
    let written = output(&mut wire);
    server.get_mut().to_read.extend(written);
    assert_eq!(
        server.read().unwrap(),
        tungstenite::Message::Pong(b"p"[..].into())
    );
    assert_eq!(server.read().unwrap(), tungstenite::Message::Close(None));
}
