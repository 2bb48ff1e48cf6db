//! The Socket.IO server: namespaces, sockets, acknowledgements and rooms on top of Engine.IO sessions.

mod acks;
mod broadcast;
mod emit;
mod event;
mod inbound;
mod namespace;
mod peers;
mod ready;
mod rooms;
mod socket;
#[cfg(test)]
mod tests;

pub use broadcast::Target;
pub use emit::EmitError;
pub use event::{Event, Reason};
pub use peers::{DisconnectScope, PeerId, PeerMessage};
pub use rooms::RoomError;
pub use socket::{AckToken, Handshake, SocketId};

use super::acks::Acks;
use super::encode::Encoder;
use super::namespace_name::{NamespaceError, check_name};
use super::packet::PacketLimits;
use super::{AckError, AckId, Config, Inbound, NamespaceId, SocketIo};
use crate::eio::{self, ConnId, Peer, RefusalContext, RequestError, RequestId, SessionId, Transport};
use crate::http::{RequestHead, Response};
use crate::id::{Keyed, Random};
use crate::json::{Attachments, Raw};
use crate::slab::Slab;
use crate::timer::Timers;
use crate::wire::{Codec, Item, Wire};
use crate::{OutBuf, Sid, Text};
use acks::Owed;
use hashbrown::HashMap;
use namespace::Namespace;
use peers::Peers;
use socket::{Client, Socket, Stage};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A Socket.IO server: all clients, sockets and rooms of one shard.
///
/// It stands on an [`eio::Server`] and is driven in the same way; see the [crate](crate) for what `handle_*`, plain verbs
/// and `poll_*` mean and when to call them. Every connection needs a [`Wire`] of its own from
/// [`wire`](Self::wire).
///
/// | a socket is | from | until |
/// | --- | --- | --- |
/// | connecting | CONNECT, [`Event::Connect`] | [`accept`](Self::accept), [`refuse`](Self::refuse), or the end of its session |
/// | connected | `accept` | DISCONNECT from either side, or the end of its session: [`Event::Disconnected`] |
///
/// What a client may not do ends its whole session (protocol section 3.4): a packet that can not be read, a
/// packet for a namespace it is not in, a second CONNECT for one it is in or asks for.
pub struct Server {
    engine: eio::Server<Inbound>,
    limits: PacketLimits,
    connect_timeout: Duration,
    now: Instant,
    random: Random,
    keyed: Keyed,
    namespaces: Vec<Namespace>,
    by_name: HashMap<Text, NamespaceId, Keyed>,
    /// By the index of the session.
    clients: Vec<Option<Client>>,
    sockets: Slab<Socket>,
    by_sid: HashMap<Sid, SocketId, Keyed>,
    acks: Acks<Owed>,
    timers: Timers<SessionId, 1>,
    events: VecDeque<Event>,
    peers: Peers,
    encoder: Encoder,
    /// Counts broadcasts to rooms, so that a socket in several of them hears each once.
    epoch: u64,
    recipients: Vec<SocketId>,
}

impl Server {
    /// A server without namespaces. `seed` is all the chance it will ever have.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut random = Random::new(seed);
        let keyed = random.keyed();
        let limits = &config.engine.limits;
        let limits = PacketLimits {
            json_depth: limits.json_depth,
            attachments: limits.attachments,
        };
        Self {
            engine: eio::Server::new(config.engine, random.seed(), now),
            limits,
            connect_timeout: config.connect_timeout,
            now,
            random,
            keyed,
            namespaces: Vec::new(),
            by_name: HashMap::with_hasher(keyed),
            clients: Vec::new(),
            sockets: Slab::new(),
            by_sid: HashMap::with_hasher(keyed),
            acks: Acks::new(),
            timers: Timers::new(),
            events: VecDeque::new(),
            peers: Peers::default(),
            encoder: Encoder::new(),
            epoch: 0,
            recipients: Vec::new(),
        }
    }

    /// Adds a namespace clients may ask for; any other is refused with `Invalid namespace`.
    pub fn add_namespace(&mut self, name: &str) -> Result<NamespaceId, NamespaceError> {
        check_name(name)?;
        if self.by_name.contains_key(name.as_bytes()) {
            return Err(NamespaceError::Duplicate);
        }
        let id = NamespaceId(self.namespaces.len() as u32);
        let name = Text::from(name);
        self.namespaces.push(Namespace::new(name.clone(), self.keyed));
        self.by_name.insert(name, id);
        Ok(id)
    }

    /// The namespace of that name.
    pub fn namespace(&self, name: &str) -> Option<NamespaceId> {
        self.by_name.get(name.as_bytes()).copied()
    }

    /// The name of a namespace.
    pub fn namespace_name(&self, namespace: NamespaceId) -> Option<&Text> {
        Some(&self.namespaces.get(namespace.index())?.name)
    }

    /// The Engine.IO configuration below.
    pub const fn engine_config(&self) -> &eio::Config {
        self.engine.config()
    }

    /// The codec for the wires of this server's connections.
    pub const fn codec(&self) -> SocketIo {
        SocketIo::new(self.limits)
    }

    /// A wire for a connection this server is told of with [`open`](Self::open), which begins with HTTP.
    pub fn wire(&self) -> Wire<SocketIo> {
        Wire::new(self.engine_config().wire(), self.codec())
    }

    /// A wire for one request that the host parsed itself; see [`Wire::hosted`].
    pub fn hosted_wire(&self, head: RequestHead) -> Wire<SocketIo> {
        Wire::hosted(self.engine_config().wire(), self.codec(), head)
    }

    /// How many of everything there are. Costs a look at each session.
    pub fn counts(&self) -> Counts {
        Counts {
            connections: self.engine.connection_count(),
            sessions: self.engine.session_count(),
            sockets: self.sockets.len(),
            rooms: self.namespaces.iter().map(Namespace::room_count).sum(),
            acks: self.acks.len(),
            queued_bytes: self.engine.all_queued_bytes(),
        }
    }

    /// A connection was made. Its owner keeps a [`Wire`] for it and passes on the wire's items. See
    /// [`eio::Server::open`] for what becomes of one too many.
    pub fn open(&mut self, now: Instant, peer: Peer) -> ConnId {
        self.advance(now);
        let connection = self.engine.open(self.now, peer);
        self.drain();
        connection
    }

    /// As [`open`](Self::open), but `None` far beyond a limit, a sixteenth above it: close the connection at once. The
    /// application is told.
    pub fn try_open(&mut self, now: Instant, peer: Peer) -> Option<ConnId> {
        self.advance(now);
        let connection = self.engine.try_open(self.now, peer);
        self.drain();
        connection
    }

    /// Something happened on a connection.
    pub fn handle_item(&mut self, now: Instant, connection: ConnId, item: Item<Inbound>) {
        self.advance(now);
        self.engine.handle_item(self.now, connection, item);
        self.drain();
    }

    /// A connection was lost or closed; its handle is stale from now on.
    pub fn handle_lost(&mut self, now: Instant, connection: ConnId) {
        self.advance(now);
        self.engine.handle_lost(self.now, connection);
        self.drain();
    }

    /// Time has passed. Spurious calls change nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; `None` while nothing is due ever. May
    /// change after any other call.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.engine.poll_timeout(),
            self.timers.next(),
            self.acks.next_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The next thing the application is told.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A connection for which [`poll_transmit`](Self::poll_transmit) has something.
    #[must_use]
    pub fn poll_ready(&mut self) -> Option<ConnId> {
        self.engine.poll_ready()
    }

    /// Moves what is due for a connection into its wire.
    pub fn poll_transmit<C: Codec>(&mut self, connection: ConnId, wire: &mut Wire<C>) {
        self.engine.poll_transmit(connection, wire);
        // Whether a request that took too long had begun is known to the wire alone.
        self.drain();
    }

    /// Takes an emptied buffer back for the next queue that needs one.
    pub fn recycle(&mut self, buffer: OutBuf) {
        self.engine.recycle(buffer);
    }

    /// Lets a handshake in that [`Event::Handshake`] asked about.
    pub fn allow(&mut self, now: Instant, request: RequestId) {
        self.advance(now);
        self.engine.allow(self.now, request);
        self.drain();
    }

    /// Refuses a handshake that [`Event::Handshake`] asked about.
    pub fn forbid(&mut self, now: Instant, request: RequestId, message: &str) {
        self.advance(now);
        self.engine.forbid(self.now, request, message);
        self.drain();
    }

    /// The head of a request that the application has to decide about.
    pub fn request_head(&self, request: RequestId) -> Option<&RequestHead> {
        self.engine.request_head(request)
    }

    /// Who sent a request.
    pub fn request_peer(&self, request: RequestId) -> Option<Peer> {
        self.engine.request_peer(request)
    }

    /// Answers a request that [`Event::Request`] brought.
    pub fn respond(&mut self, now: Instant, request: RequestId, response: Response) {
        self.advance(now);
        self.engine.respond(self.now, request, response);
        self.drain();
    }

    /// Asks for the body of a request that [`Event::Request`] brought; it comes as [`Event::RequestBody`].
    pub fn read_body(&mut self, now: Instant, request: RequestId, limit: usize) {
        self.advance(now);
        self.engine.read_body(self.now, request, limit);
        self.drain();
    }

    /// Ends every session at once, wakes every poll, closes every WebSocket, and lets nobody in any more. As
    /// in JS no DISCONNECT is sent: clients reconnect elsewhere.
    pub fn shutdown(&mut self, now: Instant) {
        self.advance(now);
        self.engine.shutdown(self.now);
        self.drain();
    }

    /// The public id of a socket.
    pub fn sid(&self, socket: SocketId) -> Option<Sid> {
        Some(self.sockets.get(socket.0)?.sid)
    }

    /// The namespace of a socket.
    pub fn namespace_of(&self, socket: SocketId) -> Option<NamespaceId> {
        Some(self.sockets.get(socket.0)?.namespace)
    }

    /// The accepted socket with this public id.
    pub fn socket_by_sid(&self, namespace: NamespaceId, sid: &str) -> Option<SocketId> {
        let id = *self.by_sid.get(&Sid::parse(sid)?)?;
        let socket = self.sockets.get(id.0)?;
        (socket.namespace == namespace && socket.stage != Stage::Connecting).then_some(id)
    }

    /// All accepted sockets of a namespace.
    pub fn sockets(&self, namespace: NamespaceId) -> &[SocketId] {
        self.namespaces
            .get(namespace.index())
            .map_or(&[], |namespace| &namespace.sockets)
    }

    /// Whether a socket was accepted and is not gone.
    pub fn is_connected(&self, socket: SocketId) -> bool {
        self.sockets
            .get(socket.0)
            .is_some_and(|socket| socket.stage != Stage::Connecting)
    }

    /// What is known of a client from its first request and its CONNECT packet.
    pub fn handshake(&self, socket: SocketId) -> Option<Handshake> {
        let socket = self.sockets.get(socket.0)?;
        Some(Handshake {
            head: self.engine.head(socket.session)?.clone(),
            peer: self.engine.peer(socket.session)?,
            auth: socket
                .auth
                .clone()
                .map(|auth| Raw::trusted(auth, Attachments::default())),
        })
    }

    /// What carries a client at the moment.
    pub fn transport(&self, socket: SocketId) -> Option<Transport> {
        self.engine.transport(self.sockets.get(socket.0)?.session)
    }

    /// The session a socket belongs to: sockets of one client share it.
    pub fn session(&self, socket: SocketId) -> Option<SessionId> {
        Some(self.sockets.get(socket.0)?.session)
    }

    fn client(&mut self, session: SessionId) -> Option<&mut Client> {
        self.clients
            .get_mut(session.index())?
            .as_mut()
            .filter(|client| client.session == session)
    }

    /// Moves the clock forward and does what is due by then, each at its time, so that a late call tells the
    /// same as a timely one.
    fn advance(&mut self, now: Instant) {
        while let Some(due) = self.poll_timeout().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            self.expire();
        }
        self.now = self.now.max(now);
        // Nothing is due any more, but what it arms from now on counts from here.
        self.engine.handle_timeout(self.now);
    }

    fn expire(&mut self) {
        self.engine.handle_timeout(self.now);
        self.drain();
        while let Some((_, session)) = self.timers.pop_due(self.now) {
            if let Some(client) = self.client(session) {
                client.connect_timer = None;
                self.report(session, RequestError::BadRequest, RefusalContext::NothingJoined);
                self.engine.close(self.now, session);
                self.drain();
            }
        }
        while let Some(ack) = self.acks.first_due(self.now) {
            self.fail_ack(ack, AckError::TimedOut);
        }
    }

    /// Handles everything Engine.IO has to tell.
    fn drain(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            match event {
                eio::Event::Message { session, message } => self.receive(session, message),
                eio::Event::Opened { session } => self.admit(session),
                eio::Event::Closed { session, reason } => self.dismiss(session, reason),
                eio::Event::Ready { session } => self.tell_ready(session),
                eio::Event::Upgraded { .. } => {}
                eio::Event::Handshake { request } => self.events.push_back(Event::Handshake { request }),
                eio::Event::Request { request, head } => {
                    self.events.push_back(Event::Request { request, head });
                }
                eio::Event::RequestBody { request, body } => {
                    self.events.push_back(Event::RequestBody { request, body });
                }
                eio::Event::Refused { peer, error, context } => {
                    self.events.push_back(Event::Refused { peer, error, context });
                }
            }
        }
    }
}

/// How many of everything there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections.
    pub connections: usize,
    /// Engine.IO sessions.
    pub sessions: usize,
    /// Sockets, those included that are not accepted yet.
    pub sockets: usize,
    /// Rooms with at least one member.
    pub rooms: usize,
    /// Acknowledgements that clients owe.
    pub acks: usize,
    /// Bytes that are queued for all clients and not yet handed to their connections.
    pub queued_bytes: usize,
}
