use crate::OutBuf;
use crate::http::{Headers, Request, RequestKind};
use crate::wire::{ClientItem, ClientWire, Flow, Plain, WireConfig};
use crate::ws::{self, Fin, OpCode};
use bytes::{Bytes, BytesMut};

pub(super) const CONFIG: WireConfig = WireConfig {
    max_payload: 4096,
    max_packets: 8,
    head: crate::http::HeadLimits {
        head_bytes: 1024,
        headers: 16,
        target_bytes: 256,
    },
};

pub(super) fn wire() -> ClientWire {
    ClientWire::new(CONFIG, Plain, [7; 32])
}

pub(super) fn request(kind: RequestKind) -> Request {
    Request {
        target: "/socket.io/?EIO=4&transport=x".into(),
        authority: "a.example".into(),
        headers: Headers::new(),
        kind,
    }
}

pub(super) fn websocket(protocols: &[&str]) -> Request {
    let protocols = protocols.iter().map(|protocol| (*protocol).into()).collect();
    request(RequestKind::WebSocket { protocols })
}

/// A wire whose request was sent.
pub(super) fn asking(kind: RequestKind) -> ClientWire {
    let mut wire = wire();
    wire.request(request(kind));
    assert!(!output(&mut wire).is_empty());
    wire
}

/// A wire whose WebSocket is open.
pub(super) fn open() -> ClientWire {
    let mut wire = wire();
    wire.request(websocket(&[]));
    let written = output(&mut wire);
    assert_eq!(
        read(&mut wire, accept(&written, "").as_bytes()),
        ["101 Switching Protocols"]
    );
    assert!(wire.is_websocket());
    wire
}

/// The answer to the handshake in `request`, with more header lines.
pub(super) fn accept(request: &[u8], more: &str) -> String {
    let request = core::str::from_utf8(request).unwrap();
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap();
    assert!(ws::is_valid_key(key.as_bytes()));
    let accept = ws::accept_key(key.as_bytes());
    let accept = core::str::from_utf8(&accept).unwrap();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
}

pub(super) fn frame(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let mut frame = ws::write_header(opcode, Fin::Final, payload.len(), None)
        .as_ref()
        .to_vec();
    frame.extend_from_slice(payload);
    frame
}

/// A queue of text frames, as a session keeps them.
pub(super) fn queue(packets: &[(OpCode, &[u8])]) -> OutBuf {
    let mut queue = OutBuf::new();
    for (opcode, payload) in packets {
        let header = ws::write_header(*opcode, Fin::Final, payload.len(), None);
        queue.put(header.as_ref());
        queue.put_shared(&Bytes::copy_from_slice(payload));
    }
    queue
}

pub(super) fn drain(buffer: &mut OutBuf) -> Vec<u8> {
    let mut bytes = Vec::new();
    buffer.take(usize::MAX, |piece| bytes.extend_from_slice(piece));
    bytes
}

pub(super) fn output(wire: &mut ClientWire) -> Vec<u8> {
    let mut buffer = OutBuf::new();
    let _ = wire.poll_output(&mut buffer);
    let bytes = drain(&mut buffer);
    let _ = wire.poll_output(&mut buffer);
    bytes
}

pub(super) fn flow(wire: &mut ClientWire) -> Flow {
    wire.poll_output(&mut OutBuf::new())
}

/// What `bytes` make happen, each thing in a few words.
pub(super) fn read(wire: &mut ClientWire, bytes: &[u8]) -> Vec<String> {
    wire.handle_input(&mut BytesMut::from(bytes));
    items(wire)
}

pub(super) fn end(wire: &mut ClientWire) -> Vec<String> {
    wire.handle_end();
    items(wire)
}

fn items(wire: &mut ClientWire) -> Vec<String> {
    core::iter::from_fn(|| wire.poll_item())
        .map(|item| words(&item))
        .collect()
}

fn words(item: &ClientItem) -> String {
    match item {
        ClientItem::Response(head) => head.status().to_string(),
        item => format!("{item:?}"),
    }
}
