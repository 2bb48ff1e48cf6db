//! Clients made of bytes: no code of the library reads or writes for them.

use crate::pair::Pair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::eio::ConnId;
use socketio_core::sio::SocketIo;
use socketio_core::wire::Wire;
use std::collections::VecDeque;

/// One client of a [`Pair`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientId(pub(crate) usize);

/// One connection of a [`Pair`].
#[derive(Clone, Copy)]
pub(crate) struct ConnectionIndex(pub(crate) usize);

/// What a client received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// A text packet with its Engine.IO type.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A WebSocket close frame.
    Closed,
    /// An answer to a poll that was not 200.
    Refused(u16),
}

/// Shorthand for a text packet.
pub(crate) fn text(packet: &str) -> Packet {
    Packet::Text(packet.to_owned())
}

/// Whether a connection takes what is sent to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Everything,
    Nothing,
}

pub(crate) struct Connection {
    pub(crate) id: ConnId,
    pub(crate) wire: Wire<SocketIo>,
    pub(crate) out: OutBuf,
    pub(crate) reads: Reads,
    pub(crate) is_open: bool,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(id: ConnId, wire: Wire<SocketIo>) -> Self {
        Self {
            id,
            wire,
            out: OutBuf::new(),
            reads: Reads::Everything,
            is_open: true,
            received: Vec::new(),
        }
    }

    pub(crate) fn take_output(&mut self) {
        while !self.out.is_empty() {
            self.received.extend_from_slice(self.out.chunk());
            let count = self.out.chunk().len();
            self.out.advance(count);
        }
    }

    /// A complete response: status and body.
    fn take_response(&mut self) -> Option<(u16, Vec<u8>)> {
        let end = self
            .received
            .windows(4)
            .position(|window| window == b"\r\n\r\n")?
            + 4;
        let head = String::from_utf8(self.received[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length: usize = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.parse().unwrap());
        let body = self.received.get(end..end + length)?.to_vec();
        self.received.drain(..end + length);
        Some((status, body))
    }

    /// A complete frame of a server: no mask, not fragmented.
    fn take_frame(&mut self) -> Option<Packet> {
        let (opcode, short) = (*self.received.first()?, *self.received.get(1)?);
        let (start, length) = match short {
            126 => {
                let bytes = self.received.get(2..4)?;
                (4, u16::from_be_bytes(bytes.try_into().unwrap()).into())
            }
            127 => {
                let bytes = self.received.get(2..10)?;
                (10, u64::from_be_bytes(bytes.try_into().unwrap()) as usize)
            }
            length => (2, usize::from(length)),
        };
        let payload = self.received.get(start..start + length)?.to_vec();
        self.received.drain(..start + length);
        Some(match opcode {
            0x81 => Packet::Text(String::from_utf8(payload).unwrap()),
            0x82 => Packet::Binary(payload),
            0x88 => Packet::Closed,
            other => panic!("frame {other:#x}"),
        })
    }
}

pub(crate) struct Client {
    sid: String,
    carrier: Carrier,
    inbox: VecDeque<Packet>,
}

#[derive(Clone, Copy)]
enum Carrier {
    WebSocket(ConnectionIndex),
    Polling {
        get: ConnectionIndex,
        post: ConnectionIndex,
        poll: Poll,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Poll {
    None,
    Waits,
}

impl Pair {
    /// A session on a WebSocket.
    pub(crate) fn websocket(&mut self) -> ClientId {
        let index = self.open();
        self.upgrade_request(index, "");
        let connection = &mut self.connections[index.0];
        let Some(Packet::Text(open)) = connection.take_frame() else {
            panic!("a handshake");
        };
        self.add_client(&open, Carrier::WebSocket(index))
    }

    /// A session on long-polling; no poll waits.
    pub(crate) fn polling(&mut self) -> ClientId {
        let (get, post) = (self.open(), self.open());
        self.write(
            get,
            b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n",
        );
        let (_, body) = self.connections[get.0].take_response().unwrap();
        let poll = Poll::None;
        self.add_client(
            core::str::from_utf8(&body).unwrap(),
            Carrier::Polling { get, post, poll },
        )
    }

    fn add_client(&mut self, open: &str, carrier: Carrier) -> ClientId {
        let sid = open
            .strip_prefix("0{\"sid\":\"")
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        self.clients.push(Client {
            sid: sid.to_owned(),
            carrier,
            inbox: VecDeque::new(),
        });
        ClientId(self.clients.len() - 1)
    }

    fn upgrade_request(&mut self, index: ConnectionIndex, session: &str) {
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket{session} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.write(index, request.as_bytes());
        let (status, _) = self.connections[index.0].take_response().unwrap();
        assert_eq!(status, 101);
    }

    /// A second connection of a polling client becomes a WebSocket and is probed.
    pub(crate) fn probe(&mut self, client: ClientId) -> ConnectionIndex {
        let index = self.open();
        let session = format!("&sid={}", self.clients[client.0].sid);
        self.upgrade_request(index, &session);
        self.write_frame(index, 1, b"2probe");
        assert_eq!(self.connections[index.0].take_frame(), Some(text("3probe")));
        index
    }

    /// The probed WebSocket takes the session over.
    pub(crate) fn upgrade(&mut self, client: ClientId, index: ConnectionIndex) {
        self.collect(client);
        self.write_frame(index, 1, b"5");
        self.clients[client.0].carrier = Carrier::WebSocket(index);
    }

    /// A client whose connection the server has closed makes another.
    fn reopen(&mut self, client: ClientId) {
        if let Carrier::Polling { get, post, poll } = self.clients[client.0].carrier {
            let mut again = |index: ConnectionIndex| match self.connections[index.0].is_open {
                true => index,
                false => self.open(),
            };
            let (get, post) = (again(get), again(post));
            self.clients[client.0].carrier = Carrier::Polling { get, post, poll };
        }
    }

    /// Sends one text packet, type included; several to a polling session with `\x1e` between.
    pub(crate) fn send(&mut self, client: ClientId, packet: &str) {
        self.collect(client);
        self.reopen(client);
        match self.clients[client.0].carrier {
            Carrier::WebSocket(index) => self.write_frame(index, 1, packet.as_bytes()),
            Carrier::Polling { post, .. } => {
                let sid = &self.clients[client.0].sid;
                let request = format!(
                    "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n\
                     Content-Length: {}\r\n\r\n{packet}",
                    packet.len()
                );
                self.write(post, request.as_bytes());
                let (status, _) = self.connections[post.0].take_response().unwrap();
                assert!(status == 200 || status == 400, "{status}");
            }
        }
    }

    /// Sends one binary message, as base64 where that is the only way.
    pub(crate) fn send_binary(&mut self, client: ClientId, data: &[u8]) {
        match self.clients[client.0].carrier {
            Carrier::WebSocket(index) => self.write_frame(index, 2, data),
            Carrier::Polling { .. } => self.send(client, &base64(data)),
        }
    }

    /// Parks a poll, unless one waits already. A WebSocket needs none.
    pub(crate) fn poll(&mut self, client: ClientId) {
        self.collect(client);
        self.reopen(client);
        if let Carrier::Polling { get, poll, .. } = &mut self.clients[client.0].carrier
            && core::mem::replace(poll, Poll::Waits) == Poll::None
        {
            let get = *get;
            let request = format!(
                "GET /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: x\r\n\r\n",
                self.clients[client.0].sid
            );
            self.write(get, request.as_bytes());
        }
        self.collect(client);
    }

    /// Everything received since the last time; a polling client polls for it, and leaves no poll behind when
    /// there is something.
    pub(crate) fn receive(&mut self, client: ClientId) -> Vec<Packet> {
        self.pump();
        if self.unread(client).is_empty() {
            self.poll(client);
        }
        self.clients[client.0].inbox.drain(..).collect()
    }

    /// Everything received that is not looked at yet, without polling.
    pub(crate) fn unread(&mut self, client: ClientId) -> Vec<Packet> {
        self.collect(client);
        self.clients[client.0].inbox.iter().cloned().collect()
    }

    /// Whether the session is over for its client: its WebSocket was closed, or its poll is refused.
    pub(crate) fn is_closed(&mut self, client: ClientId) -> bool {
        let last = self.receive(client).pop();
        matches!(last, Some(Packet::Closed | Packet::Refused(400))) || last == Some(text("1"))
    }

    /// The network loses all connections of a client.
    pub(crate) fn lose(&mut self, client: ClientId) {
        let indices = match self.clients[client.0].carrier {
            Carrier::WebSocket(index) => vec![index],
            Carrier::Polling { get, post, .. } => vec![get, post],
        };
        for index in indices {
            let connection = &mut self.connections[index.0];
            if core::mem::replace(&mut connection.is_open, false) {
                self.server.handle_lost(self.now, connection.id);
            }
        }
        self.pump();
    }

    /// The client stops or starts taking bytes off its connections.
    pub(crate) fn set_reads(&mut self, client: ClientId, reads: Reads) {
        if let Carrier::WebSocket(index) = self.clients[client.0].carrier {
            self.connections[index.0].reads = reads;
        }
    }

    fn collect(&mut self, client: ClientId) {
        let Client { carrier, inbox, .. } = &mut self.clients[client.0];
        match carrier {
            Carrier::WebSocket(index) => {
                while let Some(packet) = self.connections[index.0].take_frame() {
                    inbox.push_back(packet);
                }
            }
            Carrier::Polling { get, poll, .. } => {
                while let Some((status, body)) = self.connections[get.0].take_response() {
                    *poll = Poll::None;
                    if status == 200 {
                        inbox.extend(body.split(|byte| *byte == 0x1e).map(read_packet));
                    } else {
                        inbox.push_back(Packet::Refused(status));
                    }
                }
            }
        }
    }

    pub(crate) fn write_frame(&mut self, index: ConnectionIndex, opcode: u8, payload: &[u8]) {
        const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ ..=125 => frame.push(0x80 | length as u8),
            length @ ..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&MASK);
        frame.extend(
            payload
                .iter()
                .zip(MASK.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        self.write(index, &frame);
    }

    fn write(&mut self, index: ConnectionIndex, bytes: &[u8]) {
        let connection = &mut self.connections[index.0];
        if connection.is_open {
            connection.wire.handle_input(&mut BytesMut::from(bytes));
        }
        self.pump();
    }
}

/// A binary message as polling has it.
pub(crate) fn base64(data: &[u8]) -> String {
    format!("b{}", STANDARD.encode(data))
}

fn read_packet(packet: &[u8]) -> Packet {
    match packet.strip_prefix(b"b") {
        Some(data) => Packet::Binary(STANDARD.decode(data).unwrap()),
        None => Packet::Text(String::from_utf8(packet.to_vec()).unwrap()),
    }
}
