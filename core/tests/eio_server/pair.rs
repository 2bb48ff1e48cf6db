//! A server, its connections and a clock the test owns. Everything a client sends is raw bytes.

use bytes::{Bytes, BytesMut};
use socketio_core::OutBuf;
use socketio_core::eio::{
    CloseReason, Config, ConnId, Delivery, Event, Message, Peer, RefusalContext, RequestError, RequestId,
    Server, SessionId,
};
use socketio_core::wire::{Flow, Item, Plain, Wire};
use socketio_core::ws::{self, Fin, OpCode, Role};
use std::time::{Duration, Instant};

/// A server and its clients: [`Pair::settle`] does what a driver does until nothing moves any more.
pub(crate) struct Pair {
    pub(crate) server: Server,
    pub(crate) now: Instant,
    links: Vec<Link>,
    /// Events that no test has taken yet.
    pub(crate) events: Vec<Event>,
    pub(crate) app: App,
    /// How many bytes one read brings at most.
    pub(crate) read_size: usize,
}

/// What the application does with messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum App {
    Echo,
    Silent,
}

/// A connection as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conn(pub usize);

struct Link {
    id: ConnId,
    wire: Wire<Plain>,
    out: OutBuf,
    received: BytesMut,
    decoder: ws::Decoder,
    state: LinkState,
    flow: Flow,
    /// How many bytes the client's receive window still takes.
    window: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Open,
    /// The server has written everything and closed.
    Closed,
    /// The client is gone.
    Lost,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

impl Pair {
    /// A server that echoes, with the heartbeat of the official suites: 300 and 200 ms.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.ping_interval = ms(300);
        config.ping_timeout = ms(200);
        change(&mut config);
        #[allow(clippy::disallowed_methods)] // The one reading of the clock, from which a test counts.
        let now = Instant::now();
        Self {
            server: Server::new(config, [7; 32], now),
            now,
            links: Vec::new(),
            events: Vec::new(),
            app: App::Echo,
            read_size: usize::MAX,
        }
    }

    pub(crate) fn connect(&mut self) -> Conn {
        self.connect_from(Peer::Unknown)
    }

    pub(crate) fn connect_from(&mut self, peer: Peer) -> Conn {
        let wire = Wire::new(self.server.config().wire(), Plain);
        self.add_from(wire, peer)
    }

    /// A connection whose HTTP is a host's; `wire` is made by the test.
    pub(crate) fn add(&mut self, wire: Wire<Plain>) -> Conn {
        self.add_from(wire, Peer::Unknown)
    }

    fn add_from(&mut self, wire: Wire<Plain>, peer: Peer) -> Conn {
        let id = self.server.open(self.now, peer);
        self.links.push(Link {
            id,
            wire,
            out: OutBuf::new(),
            received: BytesMut::new(),
            decoder: ws::Decoder::new(Role::Client, usize::MAX),
            state: LinkState::Open,
            flow: Flow::Open,
            window: usize::MAX,
        });
        Conn(self.links.len() - 1)
    }

    pub(crate) fn wire(&mut self, conn: Conn) -> &mut Wire<Plain> {
        &mut self.links[conn.0].wire
    }

    pub(crate) fn id(&self, conn: Conn) -> ConnId {
        self.links[conn.0].id
    }

    /// The client sends bytes; they arrive in reads of at most [`Pair::read_size`].
    pub(crate) fn send(&mut self, conn: Conn, bytes: impl AsRef<[u8]>) {
        for piece in bytes.as_ref().chunks(self.read_size.min(1 << 30)) {
            let link = &mut self.links[conn.0];
            if link.state == LinkState::Lost {
                return;
            }
            link.wire.handle_input(&mut BytesMut::from(piece));
            self.settle();
        }
    }

    /// The client's end of the connection disappears.
    pub(crate) fn lose(&mut self, conn: Conn) {
        if self.links[conn.0].state == LinkState::Open {
            self.links[conn.0].state = LinkState::Lost;
            self.server.handle_lost(self.now, self.links[conn.0].id);
            self.settle();
        }
    }

    pub(crate) fn lose_all(&mut self) {
        for index in 0..self.links.len() {
            self.lose(Conn(index));
        }
    }

    /// The client reads `window` more bytes and then no more.
    pub(crate) fn set_window(&mut self, conn: Conn, window: usize) {
        self.links[conn.0].window = window;
        self.pump(conn.0);
        self.settle();
    }

    /// Time passes, and the timer fires on every deadline.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(deadline) = self.server.poll_timeout().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.server.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
        self.server.handle_timeout(self.now);
        self.settle();
    }

    /// Time passes and nobody calls the server.
    pub(crate) fn sleep_through(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// Does what a driver does until nothing moves any more.
    pub(crate) fn settle(&mut self) {
        loop {
            let mut moved = self.poll_events();
            for index in 0..self.links.len() {
                while let Some(item) = self.poll_item(index) {
                    self.server.handle_item(self.now, self.links[index].id, item);
                    self.poll_events();
                    self.transmit();
                    moved = true;
                }
                self.pump(index);
            }
            moved |= self.transmit();
            if !moved {
                return;
            }
        }
    }

    fn poll_item(&mut self, index: usize) -> Option<Item> {
        let link = &mut self.links[index];
        if link.state != LinkState::Open {
            return None;
        }
        link.wire.poll_item()
    }

    fn transmit(&mut self) -> bool {
        let mut moved = false;
        while let Some(id) = self.server.poll_ready() {
            moved = true;
            let live = |link: &Link| link.id == id && link.state == LinkState::Open;
            if let Some(index) = self.links.iter().position(live) {
                self.pump(index);
            }
        }
        moved
    }

    /// Writes the output of a connection, as far as the client takes it.
    fn pump(&mut self, index: usize) {
        let link = &mut self.links[index];
        if link.state != LinkState::Open {
            return;
        }
        loop {
            self.server.poll_transmit(link.id, &mut link.wire);
            let flow = link.wire.poll_output(&mut link.out);
            let count = link.out.len().min(link.window);
            link.out
                .take(count, |piece| link.received.extend_from_slice(piece));
            link.window = link.window.saturating_sub(count);
            link.flow = flow;
            if count > 0 {
                // Tells the wire how much is still unwritten.
                let _ = link.wire.poll_output(&mut link.out);
                continue;
            }
            if flow == Flow::Closing && link.out.is_empty() {
                link.state = LinkState::Closed;
                self.server.handle_lost(self.now, link.id);
            }
            return;
        }
    }

    fn poll_events(&mut self) -> bool {
        let mut has_events = false;
        while let Some(event) = self.server.poll_event() {
            has_events = true;
            if let (App::Echo, Event::Message { session, message }) = (self.app, &event) {
                let _ = self.server.send(self.now, *session, message, Delivery::Reliable);
            }
            self.events.push(event);
        }
        has_events
    }

    /// Whether the server has closed the connection.
    pub(crate) fn is_closed(&self, conn: Conn) -> bool {
        self.links[conn.0].state == LinkState::Closed
    }

    /// Whether the server asked not to be handed more.
    pub(crate) fn is_paused(&self, conn: Conn) -> bool {
        self.links[conn.0].flow == Flow::Paused
    }

    /// Everything received and not looked at.
    pub(crate) fn raw(&mut self, conn: Conn) -> Bytes {
        self.links[conn.0].received.split().freeze()
    }

    /// Bytes that wait for the client to read.
    pub(crate) fn unread(&self, conn: Conn) -> usize {
        match self.links[conn.0].state {
            // What it held is gone with it.
            LinkState::Lost => 0,
            _ => self.links[conn.0].out.len(),
        }
    }
}

/// Requests and answers.
impl Pair {
    pub(crate) fn request(&mut self, conn: Conn, method: &str, target: &str, headers: &str, body: &str) {
        let length = match body {
            "" => String::new(),
            body => format!("Content-Length: {}\r\n", body.len()),
        };
        let text = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{headers}{length}\r\n{body}");
        self.send(conn, text);
    }

    /// One request on a connection of its own.
    pub(crate) fn send_alone(&mut self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        let conn = self.connect();
        self.request(conn, method, target, headers, body);
        self.answer(conn).expect("an answer")
    }

    /// The next complete answer, if there is one.
    pub(crate) fn answer(&mut self, conn: Conn) -> Option<Answer> {
        self.answer_to(conn, "GET")
    }

    pub(crate) fn answer_to(&mut self, conn: Conn, method: &str) -> Option<Answer> {
        let received = &mut self.links[conn.0].received;
        let end = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(received[..end].to_vec()).expect("a head of ASCII");
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Answer {
            status,
            headers,
            body: String::new(),
        };
        let length: usize = match answer.header("content-length") {
            Some(length) if method != "HEAD" => length.parse().expect("a length"),
            _ => 0,
        };
        if received.len() < end + length {
            return None;
        }
        let whole = received.split_to(end + length);
        answer.body = String::from_utf8(whole[end..].to_vec()).expect("a body of text");
        Some(answer)
    }
}

pub(crate) const POLLING: &str = "/engine.io/?EIO=4&transport=polling";
pub(crate) const WEBSOCKET: &str = "/engine.io/?EIO=4&transport=websocket";
pub(crate) const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                           Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Clients of Engine.IO.
impl Pair {
    /// A handshake over polling; the session's id.
    pub(crate) fn open_polling(&mut self) -> String {
        let answer = self.send_alone("GET", POLLING, "", "");
        assert_eq!(answer.status, 200);
        sid_of(&answer.body)
    }

    /// [`open_polling`](Self::open_polling), and the server's handle of that session.
    pub(crate) fn open_polling_session(&mut self) -> (String, SessionId) {
        (self.open_polling(), self.session())
    }

    /// A poll on a connection of its own.
    pub(crate) fn poll(&mut self, sid: &str) -> Conn {
        let conn = self.connect();
        self.request(conn, "GET", &format!("{POLLING}&sid={sid}"), "", "");
        conn
    }

    /// The status and body of a poll that is answered at once.
    pub(crate) fn poll_now(&mut self, sid: &str) -> (u16, String) {
        let conn = self.poll(sid);
        self.polled(conn)
    }

    /// The status and body of a poll that has been answered.
    pub(crate) fn polled(&mut self, conn: Conn) -> (u16, String) {
        let answer = self.answer(conn).expect("the poll is answered");
        (answer.status, answer.body)
    }

    pub(crate) fn post(&mut self, sid: &str, body: &str) -> (u16, String) {
        let answer = self.send_alone("POST", &format!("{POLLING}&sid={sid}"), "", body);
        (answer.status, answer.body)
    }

    /// A WebSocket that was accepted.
    pub(crate) fn websocket(&mut self, target: &str) -> Conn {
        let conn = self.connect();
        self.request(conn, "GET", target, UPGRADE, "");
        assert_eq!(self.answer(conn).expect("an answer").status, 101);
        conn
    }

    /// A handshake over WebSocket.
    pub(crate) fn open_websocket(&mut self) -> Conn {
        let conn = self.websocket(WEBSOCKET);
        let handshake = self.text(conn);
        assert!(handshake.starts_with("0{"), "{handshake}");
        conn
    }

    /// A WebSocket that asks to take a polling session over.
    pub(crate) fn upgrading(&mut self, sid: &str) -> Conn {
        self.websocket(&format!("{WEBSOCKET}&sid={sid}"))
    }

    pub(crate) fn send_text(&mut self, conn: Conn, text: &str) {
        self.send(conn, frame(OpCode::Text, text.as_bytes()));
    }

    pub(crate) fn send_binary(&mut self, conn: Conn, data: &[u8]) {
        self.send(conn, frame(OpCode::Binary, data));
    }

    /// The next message from the server, if there is one.
    pub(crate) fn message(&mut self, conn: Conn) -> Option<ws::Message> {
        let link = &mut self.links[conn.0];
        link.decoder
            .poll_message(&mut link.received)
            .expect("frames of a server")
    }

    /// The next message, which is a text.
    pub(crate) fn text(&mut self, conn: Conn) -> String {
        match self.message(conn) {
            Some(ws::Message::Text(text)) => text.as_str().to_owned(),
            other => panic!("not a text but {other:?}"),
        }
    }

    /// The code of the close frame that comes next, and that the connection was closed after it.
    pub(crate) fn close_code(&mut self, conn: Conn) -> Option<u16> {
        let code = match self.message(conn) {
            Some(ws::Message::Close(code, _)) => code.map(ws::CloseCode::get),
            other => panic!("not a close frame but {other:?}"),
        };
        assert!(self.is_closed(conn));
        code
    }
}

/// The events of the application, and its verbs.
impl Pair {
    /// The session that began last.
    pub(crate) fn session(&self) -> SessionId {
        let opened = |event: &Event| match event {
            Event::Opened { session } => Some(*session),
            _ => None,
        };
        self.events.iter().rev().find_map(opened).expect("a session")
    }

    /// Why sessions ended, since the last look.
    pub(crate) fn closed(&mut self) -> Vec<CloseReason> {
        self.take(|event| match event {
            Event::Closed { reason, .. } => Some(*reason),
            _ => None,
        })
    }

    /// Messages that arrived, since the last look.
    pub(crate) fn messages(&mut self) -> Vec<Message> {
        self.take(|event| match event {
            Event::Message { message, .. } => Some(message.clone()),
            _ => None,
        })
    }

    /// How requests were refused, since the last look.
    pub(crate) fn refused(&mut self) -> Vec<(RequestError, RefusalContext)> {
        self.take(|event| match event {
            Event::Refused { error, context, .. } => Some((error.clone(), *context)),
            _ => None,
        })
    }

    /// Requests that the application must answer or decide about, since the last look.
    pub(crate) fn requests(&mut self) -> Vec<RequestId> {
        self.take(|event| match event {
            Event::Request { request, .. } | Event::Handshake { request } => Some(*request),
            _ => None,
        })
    }

    fn take<T>(&mut self, of: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        let taken = self.events.iter().filter_map(&of).collect();
        self.events.retain(|event| of(event).is_none());
        taken
    }

    /// The application emits a text.
    pub(crate) fn emit(&mut self, session: SessionId, text: &str) {
        self.queue(session, text);
        self.settle();
    }

    /// As [`emit`](Self::emit), without a driver that moves it any further.
    pub(crate) fn queue(&mut self, session: SessionId, text: &str) {
        let message = Message::Text(text.into());
        self.server
            .send(self.now, session, &message, Delivery::Reliable)
            .expect("an open session");
    }

    /// The application emits what is dropped unless it can leave at once; whether it left.
    pub(crate) fn emit_volatile(&mut self, session: SessionId, text: &str) -> bool {
        let message = Message::Text(text.into());
        let sent = self.server.send(self.now, session, &message, Delivery::Volatile);
        self.settle();
        sent.is_ok()
    }

    pub(crate) fn close(&mut self, session: SessionId) {
        self.server.close(self.now, session);
        self.settle();
    }

    pub(crate) fn shutdown(&mut self) {
        self.server.shutdown(self.now);
        self.settle();
    }

    /// No session, connection or timer is left.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.server.session_count(), 0);
        assert_eq!(self.server.connection_count(), 0);
        assert_eq!(self.server.poll_timeout(), None);
    }
}

pub(crate) fn sid_of(handshake: &str) -> String {
    handshake
        .strip_prefix("0{\"sid\":\"")
        .and_then(|rest| rest.get(..20))
        .expect("a handshake")
        .to_owned()
}

/// A client's frame, masked.
pub(crate) fn frame(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let key = [1, 2, 3, 4];
    let mut bytes = ws::write_header(opcode, Fin::Final, payload.len(), Some(key))
        .as_ref()
        .to_vec();
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    ws::mask(&mut bytes[start..], key, 0);
    bytes
}
