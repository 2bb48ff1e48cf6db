//! One connection of the client, and what a server answers on it.

use crate::ws_frames::frame;
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::sio::{ConnId, SocketIo};
use socketio_core::wire::{ClientWire, Flow};
use socketio_core::ws::{OpCode, Role, accept_key};

enum State {
    Dialled,
    Open(Box<ClientWire<SocketIo>>),
    Lost,
}

pub(super) struct Connection {
    pub(super) id: ConnId,
    state: State,
    flow: Flow,
    output: OutBuf,
    sent: Vec<u8>,
}

const HANDSHAKE: &str =
    r#"0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#;
const OFFER: &str =
    r#"0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#;

impl Connection {
    pub(super) fn dialled(id: ConnId) -> Self {
        Self {
            id,
            state: State::Dialled,
            flow: Flow::Open,
            output: OutBuf::new(),
            sent: Vec::new(),
        }
    }

    pub(super) const fn is_dialled(&self) -> bool {
        matches!(self.state, State::Dialled)
    }

    pub(super) fn open(&mut self, wire: ClientWire<SocketIo>) {
        self.state = State::Open(Box::new(wire));
    }

    pub(super) fn wire(&mut self) -> Option<&mut ClientWire<SocketIo>> {
        match &mut self.state {
            State::Open(wire) => Some(wire),
            State::Dialled | State::Lost => None,
        }
    }

    pub(super) fn read(&mut self, piece: &[u8]) {
        if let Some(wire) = self.wire() {
            let mut input = BytesMut::from(piece);
            wire.handle_input(&mut input);
            assert!(input.is_empty());
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(wire) = self.wire() {
            wire.handle_end();
        }
    }

    /// Writes all there is; whether it was anything.
    pub(super) fn write(&mut self) -> bool {
        let State::Open(wire) = &mut self.state else {
            return false;
        };
        self.flow = wire.poll_output(&mut self.output);
        let sent = &mut self.sent;
        let before = sent.len();
        self.output
            .take(usize::MAX, |piece| sent.extend_from_slice(piece));
        self.flow = wire.poll_output(&mut self.output);
        self.sent.len() > before
    }

    pub(super) fn is_over(&self) -> bool {
        self.flow == Flow::Closing && self.output.is_empty()
    }

    /// Loses the connection; whether it was there.
    pub(super) fn lose(&mut self) -> bool {
        !matches!(core::mem::replace(&mut self.state, State::Lost), State::Lost)
    }

    pub(super) fn output_bytes(&self) -> usize {
        self.output.len()
    }

    pub(super) fn summary(&self) -> String {
        self.sent.escape_ascii().to_string()
    }

    /// The head of the last request on it.
    fn last_request(&self) -> String {
        let text = String::from_utf8_lossy(&self.sent);
        let start = text.rfind("GET /").max(text.rfind("POST /")).unwrap_or(0);
        text.get(start..).unwrap_or_default().to_owned()
    }

    fn is_websocket(&self) -> bool {
        matches!(&self.state, State::Open(wire) if wire.is_websocket())
    }

    /// What a server answers that keeps the rules, and `text` where it may send anything.
    pub(super) fn good_answer(&self, kind: u8, text: &[u8]) -> Vec<u8> {
        let request = self.last_request();
        let handshake = if kind & 1 == 0 { HANDSHAKE } else { OFFER };
        if self.is_websocket() {
            let payload = match kind % 8 {
                0 | 1 if request.contains("&sid=") => b"3probe".to_vec(),
                0 | 1 => handshake.as_bytes().to_vec(),
                2 => b"2".to_vec(),
                3 => b"40{\"sid\":\"x\"}".to_vec(),
                _ => text.to_vec(),
            };
            return frame(OpCode::Text, &payload, Role::Client);
        }
        let key = request.split_once("Sec-WebSocket-Key: ");
        if let Some((key, _)) = key.and_then(|(_, rest)| rest.split_once("\r\n")) {
            let accept = accept_key(key.as_bytes());
            let accept = String::from_utf8_lossy(&accept);
            let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket";
            return format!("{head}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n").into_bytes();
        }
        match request {
            request if request.is_empty() => Vec::new(),
            request if request.starts_with("POST") => response("200 OK", "", b"ok"),
            request if !request.contains("sid=") => response("200 OK", "", handshake.as_bytes()),
            _ => match kind % 8 {
                0 | 1 => response("200 OK", "", b"6"),
                2 => response("200 OK", "", b"2"),
                3 => response("200 OK", "", b"40{\"sid\":\"x\"}"),
                _ => response("200 OK", "Set-Cookie: a=b\r\n", text),
            },
        }
    }

    /// A Socket.IO packet: on a WebSocket, or in answer to a poll.
    pub(super) fn message(&self, text: &[u8]) -> Vec<u8> {
        let packet = [b"4", text].concat();
        if self.is_websocket() {
            return frame(OpCode::Text, &packet, Role::Client);
        }
        let request = self.last_request();
        if request.starts_with("GET") && request.contains("sid=") {
            return response("200 OK", "", &packet);
        }
        Vec::new()
    }

    /// A binary frame, on a WebSocket.
    pub(super) fn binary(&self, bytes: &[u8]) -> Vec<u8> {
        if self.is_websocket() {
            return frame(OpCode::Binary, bytes, Role::Client);
        }
        Vec::new()
    }

    /// What a server answers that breaks a rule or refuses.
    pub(super) fn bad_answer(&self, kind: u8, bytes: &[u8]) -> Vec<u8> {
        match kind % 10 {
            0 => response(
                "400 Bad Request",
                "",
                br#"{"code":1,"message":"Session ID unknown"}"#,
            ),
            1 => response("503 Service Unavailable", "Connection: close\r\n", bytes),
            2 => response("302 Found", "Location: /\r\n", &[]),
            3 => [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bytes].concat(),
            4 => [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", bytes].concat(),
            5 => response("200 OK", "Content-Encoding: gzip\r\n", bytes),
            6 => b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                .to_vec(),
            7 => frame(OpCode::Close, bytes, Role::Client),
            8 => frame(OpCode::Ping, bytes, Role::Client),
            _ => frame(OpCode::Text, bytes, Role::Server),
        }
    }
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
