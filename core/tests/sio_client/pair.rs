//! A client and a server joined by queues of bytes, and a clock the test owns.

use crate::test_server::TestServer;
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::eio::SessionId;
use socketio_core::eio::client::TransportOrder;
use socketio_core::http::Headers;
use socketio_core::sio::client::{Client, Config, Event, Security, Target};
use socketio_core::sio::{
    self, AckId, ConnId, Delivery, Encoded, Encoder, NamespaceId, SocketId, SocketIo, WriteArguments,
};
use socketio_core::wire::{ClientWire, Flow, Wire};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const NOTHING: [&str; 0] = [];

/// What becomes of dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Up,
    /// Every dial fails at once.
    Down,
    /// No dial is ever answered.
    Silent,
}

/// Whether the pair answers by itself what the client asks its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    Given,
    LeftToTheTest,
}

pub(crate) struct Pair<H: TestServer = sio::Server> {
    pub(crate) client: Client,
    pub(crate) server: H,
    pub(crate) encoder: Encoder,
    pub(crate) now: Instant,
    pub(crate) network: Network,
    /// Whether attempts and requests to join are answered.
    pub(crate) answers: Answers,
    /// Whether the server reads and writes.
    pub(crate) server_is_running: bool,
    pub(crate) connections: Vec<Connection<H>>,
    /// The session of a server without Socket.IO.
    pub(crate) session: Option<SessionId>,
    /// Events of the client that no test has taken yet.
    pub(crate) client_events: VecDeque<Event>,
    /// Events of the server that no test has taken yet.
    pub(crate) server_events: VecDeque<H::Event>,
}

pub(crate) struct Connection<H: TestServer> {
    client_id: ConnId,
    server_id: ConnId,
    client_wire: ClientWire<SocketIo>,
    server_wire: Wire<H::Codec>,
    client_output: OutBuf,
    server_output: OutBuf,
}

/// The whole of an output, as one read.
fn take(output: &mut OutBuf) -> BytesMut {
    let mut bytes = BytesMut::new();
    output.take(output.len(), |piece| bytes.extend_from_slice(piece));
    bytes
}

pub(crate) fn target() -> Target {
    Target {
        authority: "localhost".to_owned(),
        security: Security::Plain,
        query: Vec::new(),
        headers: Headers::new(),
    }
}

#[allow(clippy::disallowed_methods)]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// A server with the namespaces `/` and `/chat`.
pub(crate) fn new_server(now: Instant, seed: u8) -> sio::Server {
    let mut config = sio::Config::default();
    // Heartbeats are Engine.IO's; here they would only be noise.
    config.engine.ping_interval = 100_000 * SECOND;
    let mut server = sio::Server::new(config, [seed; 32], now);
    server.add_namespace("/").unwrap();
    server.add_namespace("/chat").unwrap();
    server
}

impl Pair {
    /// A client on WebSocket that knows `/`.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let now = start();
        Self::between(new_server(now, 7), now, adjust)
    }

    /// Joined in `/`, with no event left.
    pub(crate) fn joined() -> Self {
        Self::joined_with(|_| {})
    }

    pub(crate) fn joined_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut pair = Self::with(adjust);
        pair.connect();
        assert!(pair.client.is_joined(pair.main()));
        pair.client_events.clear();
        pair
    }

    /// The server is gone with all its sessions, and another in its place.
    pub(crate) fn restart_server(&mut self, seed: u8) {
        self.server = new_server(self.now, seed);
        self.server_events.clear();
        self.lose_all();
    }

    /// The one socket of the server in a namespace.
    pub(crate) fn socket(&self, namespace: &str) -> SocketId {
        let namespace = self.server.namespace(namespace).unwrap();
        match self.server.sockets(namespace) {
            [socket] => *socket,
            other => panic!("{} sockets", other.len()),
        }
    }

    /// The server emits to the one socket of a namespace.
    pub(crate) fn server_emit<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        name: &str,
        arguments: &T,
    ) {
        let packet = self.encoder.event(namespace, name, arguments).unwrap();
        let socket = self.socket(namespace);
        self.server
            .emit(self.now, socket, &packet, Delivery::Reliable)
            .unwrap();
        self.pump();
    }

    /// What the server received, as short texts; its own events are left out.
    pub(crate) fn server_texts(&mut self) -> Vec<String> {
        self.pump();
        let events = self.server_events.drain(..).collect::<Vec<_>>();
        events.iter().filter_map(describe_server_event).collect()
    }

    /// The server acknowledges every event it received that asks for it, with the event's own arguments.
    pub(crate) fn acknowledge_all(&mut self) -> usize {
        self.pump();
        let mut count = 0;
        for event in self.server_events.drain(..).collect::<Vec<_>>() {
            if let sio::Event::Event {
                namespace,
                arguments,
                ack: Some(token),
                ..
            } = event
            {
                let name = self.server.namespace_name(namespace).unwrap().clone();
                let packet = self.encoder.ack(name.as_str(), token.id(), &arguments).unwrap();
                count += usize::from(self.server.ack(self.now, token, &packet).is_ok());
            }
        }
        self.pump();
        count
    }

    fn accept_sockets(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match event {
                sio::Event::Connect { socket, .. } if self.answers == Answers::Given => {
                    self.server.accept(self.now, socket);
                }
                event => self.server_events.push_back(event),
            }
        }
    }

    /// Moves bytes until nothing moves; the server accepts every socket.
    pub(crate) fn pump(&mut self) {
        while self.pump_once() {
            self.accept_sockets();
        }
    }

    /// Time passes, and the timers of both sides fire at each deadline on the way.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.pump();
        while let Some(due) = self.due().filter(|due| *due <= end) {
            self.fire_timers(due);
            self.pump();
        }
        self.fire_timers(end);
        self.pump();
    }

    pub(crate) fn connect(&mut self) {
        self.client.connect(self.now);
        self.pump();
    }

    /// The events of the client, as short texts in order.
    pub(crate) fn client_texts(&mut self) -> Vec<String> {
        self.pump();
        self.texts()
    }

    /// An event of the client to the server.
    pub(crate) fn emit<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        name: &str,
        arguments: &T,
    ) -> Result<(), sio::client::EmitError> {
        let packet = self.encode(namespace, name, arguments);
        let namespace = self.client.namespace(namespace).unwrap();
        let outcome = self.client.emit(self.now, namespace, &packet, Delivery::Reliable);
        self.pump();
        outcome
    }

    pub(crate) fn emit_with_ack<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        name: &str,
        arguments: &T,
        wait: Duration,
    ) -> Result<AckId, sio::client::EmitError> {
        let packet = self.encode(namespace, name, arguments);
        let namespace = self.client.namespace(namespace).unwrap();
        let outcome = self
            .client
            .emit_with_ack(self.now, namespace, &packet, self.now + wait);
        self.pump();
        outcome
    }
}

impl<H: TestServer> Pair<H> {
    pub(crate) fn between(server: H, now: Instant, adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.engine.transports = TransportOrder::WebSocket;
        adjust(&mut config);
        let mut client = Client::new(config, [1; 32], now);
        client.add_namespace(now, "/").unwrap();
        Self {
            client,
            server,
            encoder: Encoder::new(),
            now,
            network: Network::Up,
            answers: Answers::Given,
            server_is_running: true,
            connections: Vec::new(),
            session: None,
            client_events: VecDeque::new(),
            server_events: VecDeque::new(),
        }
    }

    pub(crate) fn main(&self) -> NamespaceId {
        self.client.namespace("/").unwrap()
    }

    pub(crate) fn encode<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        name: &str,
        arguments: &T,
    ) -> Encoded {
        self.encoder.event(namespace, name, arguments).unwrap()
    }

    /// All connections are lost.
    pub(crate) fn lose_all(&mut self) {
        for connection in core::mem::take(&mut self.connections) {
            self.server.handle_lost(self.now, connection.server_id);
            self.client.handle_lost(self.now, connection.client_id);
        }
    }

    /// Bytes no server would send arrive on the first connection.
    pub(crate) fn garble(&mut self, bytes: &[u8]) {
        if let Some(connection) = self.connections.first_mut() {
            connection.client_wire.handle_input(&mut BytesMut::from(bytes));
        }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        let dues = [self.client.poll_timeout(), self.server.poll_timeout()];
        dues.into_iter().flatten().min()
    }

    pub(crate) fn fire_timers(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
    }

    pub(crate) fn texts(&mut self) -> Vec<String> {
        let events = self.client_events.drain(..).collect::<Vec<_>>();
        events.iter().map(|event| self.describe(event)).collect()
    }

    /// Moves what can be moved; whether anything was. The server's events stay in it.
    pub(crate) fn pump_once(&mut self) -> bool {
        let mut moved = self.answer();
        while let Some(dial) = self.client.poll_dial() {
            moved = true;
            self.dial(dial.connection);
        }
        while let Some(id) = self.client.poll_ready() {
            moved = true;
            if let Some(connection) = self
                .connections
                .iter_mut()
                .find(|connection| connection.client_id == id)
            {
                self.client.poll_transmit(id, &mut connection.client_wire);
            } else if !self.client.is_wanted(id) {
                // A dial without an answer is given up.
                self.client.handle_lost(self.now, id);
            }
        }
        while let Some(id) = self.server.poll_ready() {
            moved = true;
            if let Some(connection) = self
                .connections
                .iter_mut()
                .find(|connection| connection.server_id == id)
            {
                self.server.poll_transmit(id, &mut connection.server_wire);
            }
        }
        for index in (0..self.connections.len()).rev() {
            moved |= self.pump_connection(index);
        }
        moved
    }

    fn dial(&mut self, client_id: ConnId) {
        match self.network {
            Network::Silent => {}
            Network::Down => self.client.handle_lost(self.now, client_id),
            Network::Up => {
                if !self.client.handle_open(self.now, client_id) {
                    return;
                }
                self.connections.push(Connection {
                    client_id,
                    server_id: self.server.open(self.now),
                    client_wire: self.client.wire(),
                    server_wire: self.server.wire(),
                    client_output: OutBuf::new(),
                    server_output: OutBuf::new(),
                });
            }
        }
    }

    fn pump_connection(&mut self, index: usize) -> bool {
        let now = self.now;
        let connection = &mut self.connections[index];
        let mut moved = false;
        self.client
            .poll_transmit(connection.client_id, &mut connection.client_wire);
        while let Some(item) = connection.client_wire.poll_item() {
            moved = true;
            self.client.handle_item(now, connection.client_id, item);
            self.client
                .poll_transmit(connection.client_id, &mut connection.client_wire);
        }
        let client_flow = connection.client_wire.poll_output(&mut connection.client_output);
        if !self.server_is_running {
            return moved;
        }
        if !connection.client_output.is_empty() {
            moved = true;
            connection
                .server_wire
                .handle_input(&mut take(&mut connection.client_output));
            let _ = connection.client_wire.poll_output(&mut connection.client_output);
            self.client
                .poll_transmit(connection.client_id, &mut connection.client_wire);
        }
        self.server
            .poll_transmit(connection.server_id, &mut connection.server_wire);
        while let Some(item) = connection.server_wire.poll_item() {
            moved = true;
            self.server.handle_item(now, connection.server_id, item);
            self.server
                .poll_transmit(connection.server_id, &mut connection.server_wire);
        }
        let server_flow = connection.server_wire.poll_output(&mut connection.server_output);
        if !connection.server_output.is_empty() {
            moved = true;
            connection
                .client_wire
                .handle_input(&mut take(&mut connection.server_output));
            let _ = connection.server_wire.poll_output(&mut connection.server_output);
            self.server
                .poll_transmit(connection.server_id, &mut connection.server_wire);
        }
        let is_over = client_flow == Flow::Closing || server_flow == Flow::Closing;
        if is_over && !moved {
            self.end_connection(index);
            return true;
        }
        moved
    }

    /// One side has closed the connection, and everything before that was read.
    fn end_connection(&mut self, index: usize) {
        let mut connection = self.connections.remove(index);
        self.server.handle_lost(self.now, connection.server_id);
        connection.client_wire.handle_end();
        while let Some(item) = connection.client_wire.poll_item() {
            self.client.handle_item(self.now, connection.client_id, item);
        }
        self.client.handle_lost(self.now, connection.client_id);
    }

    fn answer(&mut self) -> bool {
        let mut moved = false;
        while let Some(event) = self.client.poll_event() {
            moved = true;
            if self.answers == Answers::Given {
                match &event {
                    Event::Attempt { .. } => self.client.proceed(self.now, target()),
                    Event::Joining { namespace } => self.join(*namespace),
                    _ => {}
                }
            }
            self.client_events.push_back(event);
        }
        moved
    }

    pub(crate) fn join(&mut self, namespace: NamespaceId) {
        let name = self.client.namespace_name(namespace).unwrap().clone();
        let auth = Some(br#"{"token":1}"#.as_slice());
        let packet = self.encoder.raw_connect(name.as_str(), auth).unwrap();
        self.client.join(self.now, namespace, &packet);
    }

    /// An event of the client in a few words.
    pub(crate) fn describe(&self, event: &Event) -> String {
        let name = |namespace: &NamespaceId| self.client.namespace_name(*namespace).unwrap().clone();
        match event {
            Event::Attempt { attempt } => format!("attempt {attempt}"),
            Event::Opened { .. } => "opened".to_owned(),
            Event::Joining { namespace } => format!("joining {}", name(namespace)),
            Event::Joined { namespace, .. } => format!("joined {}", name(namespace)),
            Event::Refused { namespace, error } => format!("refused {}: {error}", name(namespace)),
            Event::Event {
                namespace,
                name: event,
                arguments,
                ack,
            } => {
                let id = ack.as_ref().map(|token| token.id().to_string());
                format!(
                    "event {} {}{} ({}) {}",
                    name(namespace),
                    id.unwrap_or_default(),
                    event.raw(),
                    arguments.text(),
                    arguments.attachments().len()
                )
            }
            Event::Acked { outcome, .. } => match outcome {
                Ok(arguments) => format!("acked ({}) {}", arguments.text(), arguments.attachments().len()),
                Err(error) => format!("ack failed: {error}"),
            },
            Event::Undeliverable { namespace, error } => {
                format!("undeliverable {}: {error:?}", name(namespace))
            }
            Event::Left {
                namespace,
                reason,
                rejoins,
            } => format!("left {}: {}, {rejoins:?}", name(namespace), reason.as_str()),
            Event::Failed { reason, attempt, .. } => format!("failed {attempt:?}: {}", reason.as_str()),
            Event::Reconnecting { attempt, .. } => format!("reconnecting {attempt}"),
            Event::Closed { reason } => format!("closed: {}", reason.as_str()),
            other => format!("{other:?}"),
        }
    }
}

/// An event of the server in a few words; its own affairs are none.
fn describe_server_event(event: &sio::Event) -> Option<String> {
    match event {
        sio::Event::Event {
            name, arguments, ack, ..
        } => {
            let id = ack.as_ref().map(|token| token.id().to_string());
            let id = id.unwrap_or_default();
            let attachments = arguments.attachments().len();
            Some(format!("{id}{} ({}) {attachments}", name.raw(), arguments.text()))
        }
        sio::Event::Acked { outcome, .. } => Some(match outcome {
            Ok(arguments) => format!("acked ({}) {}", arguments.text(), arguments.attachments().len()),
            Err(error) => format!("ack failed: {error}"),
        }),
        sio::Event::Disconnected { reason, .. } => Some(format!("disconnected: {}", reason.as_str())),
        _ => None,
    }
}
