//! One server, raw clients made of bytes, and a clock the test owns.

use crate::client::{Client, ClientId, Connection, ConnectionIndex, Packet, Reads};
use socketio_core::eio::Peer;
use socketio_core::sio::{
    Config, Encoded, Encoder, Event, NamespaceId, Reason, Server, SocketId, Target, WriteArguments,
};
use socketio_core::wire::{Flow, Wire};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A server with the namespaces `/` and `/chat`, and its clients.
pub(crate) struct Pair {
    pub(crate) server: Server,
    pub(crate) encoder: Encoder,
    pub(crate) now: Instant,
    events: VecDeque<Event>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) clients: Vec<Client>,
    /// Where new connections come from.
    pub(crate) peer: Peer,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    #[allow(clippy::disallowed_methods)]
    pub(crate) fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        // Heartbeats are Engine.IO's; here they would only be noise.
        config.engine.ping_interval = Duration::from_secs(100_000);
        adjust(&mut config);
        let now = Instant::now();
        let mut server = Server::new(config, [7; 32], now);
        server.add_namespace("/").unwrap();
        server.add_namespace("/chat").unwrap();
        Self {
            server,
            encoder: Encoder::new(),
            now,
            events: VecDeque::new(),
            connections: Vec::new(),
            clients: Vec::new(),
            peer: Peer::Unknown,
        }
    }

    pub(crate) fn namespace(&self, name: &str) -> NamespaceId {
        self.server.namespace(name).unwrap()
    }

    /// Time passes, and the server's timer fires at each deadline on the way.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.server.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.server.handle_timeout(self.now);
            self.pump();
        }
        self.now = end;
        self.server.handle_timeout(end);
        self.pump();
    }

    /// The next event.
    pub(crate) fn event(&mut self) -> Event {
        self.pump();
        self.events.pop_front().expect("an event")
    }

    /// All events that no test has taken yet.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.pump();
        self.events.drain(..).collect()
    }

    /// The same as [`events`](Self::events), as short texts.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        self.events().iter().map(describe).collect()
    }

    /// Sends CONNECT, takes its event and accepts the socket.
    pub(crate) fn join(&mut self, client: ClientId, namespace: &str) -> SocketId {
        let socket = self.request_connection(client, namespace);
        assert!(self.server.accept(self.now, socket));
        self.pump();
        socket
    }

    /// Sends CONNECT and takes its event, which is not answered; earlier events stay.
    pub(crate) fn request_connection(&mut self, client: ClientId, namespace: &str) -> SocketId {
        self.send(client, &format!("40{}", prefix(namespace)));
        let is_connect = |event: &Event| matches!(event, Event::Connect { .. });
        let index = self.events.iter().position(is_connect).expect("a connect");
        match self.events.remove(index) {
            Some(Event::Connect {
                socket,
                namespace: asked,
            }) => {
                assert_eq!(asked, self.namespace(namespace));
                socket
            }
            other => panic!("{other:?}"),
        }
    }

    /// A client on a WebSocket that is in `namespace` and has read everything so far.
    pub(crate) fn member(&mut self, namespace: &str) -> (ClientId, SocketId) {
        let client = self.websocket();
        self.join_and_read(client, namespace)
    }

    /// A polling client that is in `namespace` and has read everything so far; no poll waits.
    pub(crate) fn polling_member(&mut self, namespace: &str) -> (ClientId, SocketId) {
        let client = self.polling();
        self.join_and_read(client, namespace)
    }

    fn join_and_read(&mut self, client: ClientId, namespace: &str) -> (ClientId, SocketId) {
        let socket = self.join(client, namespace);
        let sid = self.server.sid(socket).unwrap();
        let expected = format!("40{}{{\"sid\":\"{sid}\"}}", prefix(namespace));
        assert_eq!(self.receive(client), [Packet::Text(expected)]);
        (client, socket)
    }

    pub(crate) fn encode<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        name: &str,
        arguments: &T,
    ) -> Encoded {
        self.encoder.event(namespace, name, arguments).unwrap()
    }

    /// Sends to all sockets of `namespace` that `target` means; how many that were.
    pub(crate) fn broadcast(&mut self, namespace: &str, target: &Target, name: &str) -> usize {
        let packet = self.encode(namespace, name, &());
        let namespace = self.namespace(namespace);
        let count = self
            .server
            .broadcast(self.now, namespace, target, &packet, Default::default());
        self.pump();
        count
    }

    /// A new connection.
    pub(crate) fn open(&mut self) -> ConnectionIndex {
        let id = self.server.open(self.now, self.peer);
        let wire = Wire::new(self.server.engine_config().wire(), self.server.codec());
        self.connections.push(Connection::new(id, wire));
        ConnectionIndex(self.connections.len() - 1)
    }

    /// Moves bytes until nothing moves.
    pub(crate) fn pump(&mut self) {
        loop {
            let mut moved = false;
            for index in 0..self.connections.len() {
                moved |= self.pump_connection(index);
            }
            while let Some(id) = self.server.poll_ready() {
                moved = true;
                if let Some(connection) = self
                    .connections
                    .iter_mut()
                    .find(|connection| connection.id == id && connection.is_open)
                {
                    self.server.poll_transmit(id, &mut connection.wire);
                }
            }
            if !moved {
                break;
            }
        }
        while let Some(event) = self.server.poll_event() {
            self.events.push_back(event);
        }
    }

    fn pump_connection(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        if !connection.is_open {
            return false;
        }
        let mut moved = false;
        while let Some(item) = connection.wire.poll_item() {
            moved = true;
            self.server.handle_item(self.now, connection.id, item);
            self.server.poll_transmit(connection.id, &mut connection.wire);
        }
        let flow = connection.wire.poll_output(&mut connection.out);
        if connection.reads == Reads::Everything && !connection.out.is_empty() {
            moved = true;
            connection.take_output();
            let _ = connection.wire.poll_output(&mut connection.out);
            self.server.poll_transmit(connection.id, &mut connection.wire);
        }
        if flow == Flow::Closing && connection.out.is_empty() {
            moved = true;
            connection.is_open = false;
            self.server.handle_lost(self.now, connection.id);
        }
        moved
    }
}

/// What stands before the rest of a packet of this namespace.
pub(crate) fn prefix(namespace: &str) -> String {
    match namespace {
        "/" => String::new(),
        name => format!("{name},"),
    }
}

/// An event in a few words.
pub(crate) fn describe(event: &Event) -> String {
    match event {
        Event::Connect { .. } => "connect".to_owned(),
        Event::Event {
            name, arguments, ack, ..
        } => {
            let attachments = arguments.attachments().len();
            let id = ack.as_ref().map(|token| token.id().to_string());
            let text = arguments.text();
            format!(
                "event {}{} ({text}) {attachments}",
                id.unwrap_or_default(),
                name.raw()
            )
        }
        Event::Acked { outcome, .. } => match outcome {
            Ok(arguments) => format!("acked ({}) {}", arguments.text(), arguments.attachments().len()),
            Err(error) => format!("ack failed: {error}"),
        },
        Event::Disconnected {
            reason: reason @ (Reason::ForcedClose(_) | Reason::ForcedServerClose(_)),
            ..
        } => format!("disconnected: {}", reason.as_str()),
        Event::Disconnected { reason, .. } => format!("disconnected: {reason}"),
        Event::Refused { context, .. } => format!("refused: {context:?}"),
        other => format!("{other:?}"),
    }
}
