//! A client and a server joined by queues of bytes, and a clock the test owns.

use crate::host::Host;
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

/// What the test does by itself with questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    Given,
    LeftToTheTest,
}

pub(crate) struct Pair<H: Host = sio::Server> {
    pub(crate) client: Client,
    pub(crate) server: H,
    pub(crate) encoder: Encoder,
    pub(crate) now: Instant,
    pub(crate) network: Network,
    /// Whether attempts and requests to join are answered.
    pub(crate) answers: Answers,
    /// Whether the server reads and writes.
    pub(crate) server_is_awake: bool,
    pub(crate) links: Vec<Link<H>>,
    /// The session of a server without Socket.IO.
    pub(crate) session: Option<SessionId>,
    /// What the client's application was told.
    pub(crate) told: VecDeque<Event>,
    /// What the server's application was told.
    pub(crate) heard: VecDeque<H::Event>,
}

pub(crate) struct Link<H: Host> {
    near: ConnId,
    far: ConnId,
    near_wire: ClientWire<SocketIo>,
    far_wire: Wire<H::Codec>,
    near_out: OutBuf,
    far_out: OutBuf,
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

    /// Joined in `/`, and nothing left to tell.
    pub(crate) fn joined() -> Self {
        Self::joined_with(|_| {})
    }

    pub(crate) fn joined_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut pair = Self::with(adjust);
        pair.connect();
        assert!(pair.client.is_joined(pair.main()));
        pair.told.clear();
        pair
    }

    /// The server is gone with all its sessions, and another in its place.
    pub(crate) fn restart_server(&mut self, seed: u8) {
        self.server = new_server(self.now, seed);
        self.heard.clear();
        self.cut();
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
    pub(crate) fn serve<T: WriteArguments + ?Sized>(&mut self, namespace: &str, name: &str, arguments: &T) {
        let packet = self.encoder.event(namespace, name, arguments).unwrap();
        let socket = self.socket(namespace);
        self.server
            .emit(self.now, socket, &packet, Delivery::Reliable)
            .unwrap();
        self.pump();
    }

    /// What the server heard, without its own affairs, as short texts.
    pub(crate) fn heard(&mut self) -> Vec<String> {
        self.pump();
        let events = self.heard.drain(..).collect::<Vec<_>>();
        events.iter().filter_map(describe_heard).collect()
    }

    /// The server acknowledges every event it heard that asks for it, with the event's own arguments.
    pub(crate) fn acknowledge_all(&mut self) -> usize {
        self.pump();
        let mut count = 0;
        for event in self.heard.drain(..).collect::<Vec<_>>() {
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

    fn admit(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match event {
                sio::Event::Connect { socket, .. } if self.answers == Answers::Given => {
                    self.server.accept(self.now, socket);
                }
                event => self.heard.push_back(event),
            }
        }
    }

    /// Moves bytes until nothing moves; the server lets everybody in.
    pub(crate) fn pump(&mut self) {
        while self.pump_once() {
            self.admit();
        }
    }

    /// Time passes, and both sides wake at each deadline on the way.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.pump();
        while let Some(due) = self.due().filter(|due| *due <= end) {
            self.wake(due);
            self.pump();
        }
        self.wake(end);
        self.pump();
    }

    pub(crate) fn connect(&mut self) {
        self.client.connect(self.now);
        self.pump();
    }

    /// What the client was told, as short texts in order.
    pub(crate) fn told(&mut self) -> Vec<String> {
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

    pub(crate) fn ask<T: WriteArguments + ?Sized>(
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

impl<H: Host> Pair<H> {
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
            server_is_awake: true,
            links: Vec::new(),
            session: None,
            told: VecDeque::new(),
            heard: VecDeque::new(),
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
    pub(crate) fn cut(&mut self) {
        for link in core::mem::take(&mut self.links) {
            self.server.handle_lost(self.now, link.far);
            self.client.handle_lost(self.now, link.near);
        }
    }

    /// Bytes no server would send arrive on the first connection.
    pub(crate) fn garble(&mut self, bytes: &[u8]) {
        if let Some(link) = self.links.first_mut() {
            link.near_wire.handle_input(&mut BytesMut::from(bytes));
        }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        let dues = [self.client.poll_timeout(), self.server.poll_timeout()];
        dues.into_iter().flatten().min()
    }

    pub(crate) fn wake(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
    }

    pub(crate) fn texts(&mut self) -> Vec<String> {
        let events = self.told.drain(..).collect::<Vec<_>>();
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
            if let Some(link) = self.links.iter_mut().find(|link| link.near == id) {
                self.client.poll_transmit(id, &mut link.near_wire);
            } else if !self.client.is_wanted(id) {
                // A dial nobody answers is given up.
                self.client.handle_lost(self.now, id);
            }
        }
        while let Some(id) = self.server.poll_ready() {
            moved = true;
            if let Some(link) = self.links.iter_mut().find(|link| link.far == id) {
                self.server.poll_transmit(id, &mut link.far_wire);
            }
        }
        for place in (0..self.links.len()).rev() {
            moved |= self.pump_link(place);
        }
        moved
    }

    fn dial(&mut self, near: ConnId) {
        match self.network {
            Network::Silent => {}
            Network::Down => self.client.handle_lost(self.now, near),
            Network::Up => {
                if !self.client.handle_open(self.now, near) {
                    return;
                }
                self.links.push(Link {
                    near,
                    far: self.server.open(self.now),
                    near_wire: self.client.wire(),
                    far_wire: self.server.wire(),
                    near_out: OutBuf::new(),
                    far_out: OutBuf::new(),
                });
            }
        }
    }

    fn pump_link(&mut self, place: usize) -> bool {
        let now = self.now;
        let link = &mut self.links[place];
        let mut moved = false;
        self.client.poll_transmit(link.near, &mut link.near_wire);
        while let Some(item) = link.near_wire.poll_item() {
            moved = true;
            self.client.handle_item(now, link.near, item);
            self.client.poll_transmit(link.near, &mut link.near_wire);
        }
        let near_flow = link.near_wire.poll_output(&mut link.near_out);
        if !self.server_is_awake {
            return moved;
        }
        if !link.near_out.is_empty() {
            moved = true;
            link.far_wire.handle_input(&mut take(&mut link.near_out));
            let _ = link.near_wire.poll_output(&mut link.near_out);
            self.client.poll_transmit(link.near, &mut link.near_wire);
        }
        self.server.poll_transmit(link.far, &mut link.far_wire);
        while let Some(item) = link.far_wire.poll_item() {
            moved = true;
            self.server.handle_item(now, link.far, item);
            self.server.poll_transmit(link.far, &mut link.far_wire);
        }
        let far_flow = link.far_wire.poll_output(&mut link.far_out);
        if !link.far_out.is_empty() {
            moved = true;
            link.near_wire.handle_input(&mut take(&mut link.far_out));
            let _ = link.far_wire.poll_output(&mut link.far_out);
            self.server.poll_transmit(link.far, &mut link.far_wire);
        }
        let is_over = near_flow == Flow::Closing || far_flow == Flow::Closing;
        if is_over && !moved {
            self.end_link(place);
            return true;
        }
        moved
    }

    /// One side has closed the connection, and everything before that was read.
    fn end_link(&mut self, place: usize) {
        let mut link = self.links.remove(place);
        self.server.handle_lost(self.now, link.far);
        link.near_wire.handle_end();
        while let Some(item) = link.near_wire.poll_item() {
            self.client.handle_item(self.now, link.near, item);
        }
        self.client.handle_lost(self.now, link.near);
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
            self.told.push_back(event);
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
fn describe_heard(event: &sio::Event) -> Option<String> {
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
