//! One connection to the server, and what a client sends on it.

use crate::script::Script;
use crate::ws_frames::frame;
use bytes::{Bytes, BytesMut};
use socketio_core::OutBuf;
use socketio_core::http::RequestHead;
use socketio_core::sio::{ConnId, SocketIo};
use socketio_core::wire::{Codec, Flow, Item, Reply, Wire};
use socketio_core::ws::{OpCode, Role};

/// What a client does with what is written to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Everything,
    Nothing,
}

enum State {
    Open,
    /// Lost, or closed by the client.
    Lost,
}

pub(super) struct Connection {
    pub(super) id: ConnId,
    pub(super) wire: Wire<SocketIo>,
    pub(super) reading: Reading,
    state: State,
    flow: Flow,
    output: OutBuf,
    received: Vec<u8>,
    /// The body of a hosted request that was not asked for yet.
    body: Option<Vec<u8>>,
}

type Message = <SocketIo as Codec>::Message;

impl Connection {
    pub(super) fn new(id: ConnId, wire: Wire<SocketIo>) -> Self {
        Self {
            id,
            wire,
            reading: Reading::Everything,
            state: State::Open,
            flow: Flow::Open,
            output: OutBuf::new(),
            received: Vec::new(),
            body: None,
        }
    }

    /// For a request that a host has read.
    pub(super) fn hosted(id: ConnId, wire: Wire<SocketIo>, body: Vec<u8>) -> Self {
        Self {
            body: Some(body),
            ..Self::new(id, wire)
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Bytes arrive.
    pub(super) fn read(&mut self, piece: &[u8]) {
        if self.is_open() {
            let mut input = BytesMut::from(piece);
            self.wire.handle_input(&mut input);
            assert!(input.is_empty());
        }
    }

    /// The next item, of a host's request too.
    pub(super) fn poll_item(&mut self) -> Option<Item<Message>> {
        if let Some(item) = self.wire.poll_item() {
            return Some(item);
        }
        self.wire.wants_body()?;
        let body = self.body.take()?;
        self.wire.handle_body(Ok(Bytes::from(body)))
    }

    /// Writes what the client reads; whether it was anything.
    pub(super) fn write(&mut self) -> bool {
        match self.wire.poll_reply() {
            Some(Reply::Response(response)) => {
                let line = format!("response {}\n", response.status());
                self.received.extend_from_slice(line.as_bytes());
            }
            Some(Reply::Upgrade(_)) => self.received.extend_from_slice(b"upgrade\n"),
            None => {}
        }
        self.flow = self.wire.poll_output(&mut self.output);
        if self.reading == Reading::Nothing || self.output.is_empty() {
            return false;
        }
        let received = &mut self.received;
        self.output
            .take(usize::MAX, |piece| received.extend_from_slice(piece));
        self.flow = self.wire.poll_output(&mut self.output);
        true
    }

    /// Whether everything was written and nothing will follow.
    pub(super) fn is_over(&self) -> bool {
        self.flow == Flow::Closing && self.output.is_empty()
    }

    /// Loses the connection; whether it was there.
    pub(super) fn lose(&mut self) -> bool {
        matches!(core::mem::replace(&mut self.state, State::Lost), State::Open)
    }

    pub(super) fn output_bytes(&self) -> usize {
        self.output.len()
    }

    /// The ids of Engine.IO sessions this connection was told.
    pub(super) fn sids(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.received);
        let sids = text.split("0{\"sid\":\"").skip(1);
        sids.filter_map(|rest| Some(rest.get(..20)?.to_owned())).collect()
    }

    pub(super) fn summary(&self) -> (String, bool) {
        let text = self.received.escape_ascii().to_string();
        (text, self.flow == Flow::Closing)
    }
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Method, target and headers of a request, and its body. What is asked of a session names one of `sids`.
fn parts(script: &mut Script<'_>, sids: &[String]) -> (&'static str, String, String, Vec<u8>) {
    let base = "/socket.io/?EIO=4&transport=";
    let kind = script.byte();
    let sid = script
        .choose(sids)
        .unwrap_or_else(|| "AAAAAAAAAAAAAAAAAAAA".to_owned());
    let websocket = UPGRADE.to_owned();
    match kind % 16 {
        0 | 1 => ("GET", format!("{base}polling"), String::new(), Vec::new()),
        2 | 3 => ("GET", format!("{base}websocket"), websocket, Vec::new()),
        4..7 => (
            "GET",
            format!("{base}polling&sid={sid}"),
            String::new(),
            Vec::new(),
        ),
        7 | 8 => ("GET", format!("{base}websocket&sid={sid}"), websocket, Vec::new()),
        9..12 => {
            let body = script.text().to_vec();
            let target = format!("{base}polling&sid={sid}");
            ("POST", target, String::new(), body)
        }
        12 => ("GET", format!("{base}websocket&b64=1"), websocket, Vec::new()),
        13 => (
            "GET",
            "/socket.io/socket.io.js".to_owned(),
            String::new(),
            Vec::new(),
        ),
        14 => {
            let headers = "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n".to_owned();
            ("OPTIONS", format!("{base}polling"), headers, Vec::new())
        }
        _ => (
            "PUT",
            "/other?x=%00".to_owned(),
            String::new(),
            script.text().to_vec(),
        ),
    }
}

/// A request as bytes.
pub(super) fn request(script: &mut Script<'_>, sids: &[String]) -> Vec<u8> {
    let (method, target, headers, body) = parts(script, sids);
    let length = match body.len() {
        0 => String::new(),
        length => format!("Content-Length: {length}\r\n"),
    };
    let head = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{headers}{length}\r\n");
    [head.as_bytes(), &body].concat()
}

/// A request as a host hands it over.
pub(super) fn hosted_request(script: &mut Script<'_>, sids: &[String]) -> Option<(RequestHead, Vec<u8>)> {
    let (method, target, headers, body) = parts(script, sids);
    let fields = headers.split("\r\n").filter_map(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| (name, value.as_bytes()));
    let length = body.len().to_string();
    let fields = fields.chain([("Content-Length", length.as_bytes())]);
    let head = RequestHead::from_parts(method, &target, fields).ok()?;
    Some((head, body))
}

/// A text frame with any text or none.
pub(super) fn text_frame(script: &mut Script<'_>) -> Vec<u8> {
    frame(OpCode::Text, script.text(), Role::Server)
}

/// A frame of any kind.
pub(super) fn other_frame(script: &mut Script<'_>) -> Vec<u8> {
    let opcode = match script.byte() % 8 {
        0..4 => OpCode::Binary,
        4 => OpCode::Ping,
        5 => OpCode::Pong,
        6 => OpCode::Close,
        _ => OpCode::Continuation,
    };
    frame(opcode, script.bytes(), Role::Server)
}
