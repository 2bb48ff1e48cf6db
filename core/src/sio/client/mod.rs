//! The Socket.IO client: one connection to one server, made anew when it is lost, and the namespaces on it.
//!
//! # The connection
//!
//! ```text
//!                connect                proceed                  Engine.IO opens
//!   Offline ────────────────► Asking ────────────────► Opening ───────────────────► Open
//!      ▲                       ▲  │                       │                           │
//!      │              the time │  │ abandon               │ it fails                  │ it is lost, the server breaks a rule
//!      │     comes, or connect │  ▼                       ▼                           ▼ or lets the client join nothing
//!      │                      Waiting ◄───────────────────┴───────────────────────────┤
//!      │ no attempt is left      │                                                    │ close, the last namespace
//!      ├─────────────────────────┘                                                    ▼ is left or refused
//!      └──────────────────────────────────────────────────────────────────────────  Closing
//! ```
//!
//! | state | told on entering | means |
//! | --- | --- | --- |
//! | Offline | [`Event::Closed`] | there is no connection and none is wanted |
//! | Asking | [`Event::Attempt`] | the application says where to connect to |
//! | Opening | | Engine.IO opens a session |
//! | Open | [`Event::Opened`] | namespaces are asked for |
//! | Waiting | [`Event::Failed`], [`Event::Reconnecting`] | until the next attempt |
//! | Closing | | what is queued still leaves; then Offline, or Asking if `connect` was called meanwhile |
//!
//! Where no attempt is allowed, `Failed` is followed by `Closed` in place of `Reconnecting`.
//!
//! # A namespace
//!
//! ```text
//!           connect, enter           Opened           join             CONNECT from the server
//!   Idle ────────────────► Waiting ─────────► Asking ──────► Joining ───────────────────────► Joined
//!    ▲ ▲                      ▲                                  │                               │
//!    │ │                      └──────────── connection lost ─────┼───────────────────────────────┤
//!    │ │ the server answers          leave, no answer in time    │                               │
//!    │ └─────────────────── Leaving ◄────────────────────────────┤                               │
//!    └───────────────────────────────────────────────────────────┴───────────────────────────────┘
//!                                  CONNECT_ERROR                  DISCONNECT from either side, close
//! ```
//!
//! | state | told on entering | means |
//! | --- | --- | --- |
//! | Idle | [`Event::Refused`], [`Event::Left`] | not asked for: it was refused or left, or the connection was closed. [`enter`](Client::enter) changes that, and so does [`connect`](Client::connect) unless the application had left it |
//! | Waiting | [`Event::Left`] if it was joined | wanted, as soon as there is a connection |
//! | Asking | [`Event::Joining`] | the application makes the CONNECT packet |
//! | Joining | | the server has to answer in time; events that come before are held |
//! | Joined | [`Event::Joined`], then the events held | everything flows |
//! | Leaving | | was asked for and is not wanted any more, which no packet can say before the answer (protocol section 3.4) |
//!
//! # Events
//!
//! | an emit while its namespace is | |
//! | --- | --- |
//! | Joined | is queued in the Engine.IO session, unless others of its namespace still wait before it |
//! | Waiting, Asking, Joining | follows [`Config::offline`] |
//! | Idle, Leaving | is refused |
//!
//! What is *sent* is in the queue of the session: it may be lost with it, and its acknowledgement then ends
//! [`Disconnected`](super::AckError::Disconnected). What *waits* survives any number of lost connections, and ends when
//! its namespace becomes Idle.

mod acks;
mod backoff;
mod buffer;
mod config;
mod connection;
mod deliver;
mod emit;
mod event;
mod inbound;
mod namespace;
mod ready;
#[cfg(test)]
mod tests;

pub use crate::eio::client::{CloseReason, Dial, Security, Target};
pub use config::{Attempts, Config, Initial, Offline, Reconnection, Retry};
pub use emit::EmitError;
pub use event::{AckToken, Event, JoinError, Reason, Rejoins};
pub use inbound::HELD_EVENTS;

use super::acks::Acks;
use super::assembly::Assembly;
use super::encode::Encoder;
use super::packet::PacketLimits;
use super::{Inbound, NamespaceId, SocketIo};
use crate::eio::client as engine;
use crate::eio::{ConnId, Transport, Watch};
use crate::id::{Keyed, Random};
use crate::timer::Timers;
use crate::wire::{ClientItem, ClientWire, Codec};
use crate::{OutBuf, Text};
use acks::Owed;
use connection::{Connection, History};
use hashbrown::HashMap;
use namespace::{Namespace, State};
use std::collections::VecDeque;
use std::time::Instant;

/// A Socket.IO client: one connection to one server with any number of namespaces, reconnected when it is lost.
///
/// It stands on an [`eio::Client`](crate::eio::Client) and is driven in the same way; see the [crate] for what
/// `handle_*`, plain verbs and `poll_*` mean and when to call them, and the [module](self) for its states. Every
/// connection that [`poll_dial`](Self::poll_dial) asks for needs a [`ClientWire`] of its own from [`wire`](Self::wire).
pub struct Client {
    config: Config,
    limits: PacketLimits,
    engine: engine::Client<Inbound>,
    now: Instant,
    random: Random,
    connection: Connection,
    history: History,
    /// Why the session was ended from here, until Engine.IO tells that it did.
    fault: Option<Reason>,
    namespaces: Vec<Namespace>,
    by_name: HashMap<Text, NamespaceId, Keyed>,
    join_timers: Timers<NamespaceId, 1>,
    assembly: Assembly,
    acks: Acks<Owed>,
    /// Namespaces of which something waits for room in the session's queue, the one that has waited longest first.
    stalled: VecDeque<NamespaceId>,
    /// Whether somebody waits for a namespace to be ready.
    watch: Watch,
    encoder: Encoder,
    events: VecDeque<Event>,
}

impl Client {
    /// A client without namespaces and without connection. `seed` is all the chance it will ever have.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut random = Random::new(seed);
        let keyed = random.keyed();
        let limits = &config.engine.limits;
        let limits = PacketLimits {
            json_depth: limits.json_depth,
            attachments: limits.attachments,
        };
        Self {
            limits,
            engine: engine::Client::new(config.engine.clone(), random.seed(), now),
            config,
            now,
            random,
            connection: Connection::Offline,
            history: History::NeverJoined,
            fault: None,
            namespaces: Vec::new(),
            by_name: HashMap::with_hasher(keyed),
            join_timers: Timers::new(),
            assembly: Assembly::default(),
            acks: Acks::new(),
            stalled: VecDeque::new(),
            watch: Watch::Idle,
            encoder: Encoder::new(),
            events: VecDeque::new(),
        }
    }

    /// How the client behaves.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The codec for the wires of this client's connections.
    pub const fn codec(&self) -> SocketIo {
        SocketIo::new(self.limits)
    }

    /// A wire for a connection that [`poll_dial`](Self::poll_dial) asked for. Each is different: what it masks its
    /// frames with is drawn from the seed.
    pub fn wire(&mut self) -> ClientWire<SocketIo> {
        ClientWire::new(self.config.engine.wire(), self.codec(), self.engine.wire_seed())
    }

    /// The namespace of that name.
    pub fn namespace(&self, name: &str) -> Option<NamespaceId> {
        self.by_name.get(name.as_bytes()).copied()
    }

    /// The name of a namespace.
    pub fn namespace_name(&self, namespace: NamespaceId) -> Option<&Text> {
        Some(&self.namespaces.get(namespace.index())?.name)
    }

    /// The socket's id while the namespace is joined.
    pub fn sid(&self, namespace: NamespaceId) -> Option<&Text> {
        self.namespaces.get(namespace.index())?.sid()
    }

    /// Whether events reach the server's namespace.
    pub fn is_joined(&self, namespace: NamespaceId) -> bool {
        self.sid(namespace).is_some()
    }

    /// Whether a namespace is joined or will be by itself: it was neither left nor refused, and a connection is wanted.
    pub fn wants(&self, namespace: NamespaceId) -> bool {
        let state = self.namespaces.get(namespace.index()).map(|known| &known.state);
        !matches!(state, None | Some(State::Idle(_) | State::Leaving(_)))
    }

    /// What carries the session at the moment, if there is one.
    pub fn transport(&self) -> Option<Transport> {
        self.engine.transport()
    }

    /// The largest message the server takes, once it has said so.
    pub fn max_payload(&self) -> Option<u64> {
        self.engine.max_payload()
    }

    /// Whether an event would leave at once: what [volatile](crate::sio::Delivery::Volatile) ones ask.
    pub fn is_writable(&self) -> bool {
        self.engine.is_writable()
    }

    /// Bytes that wait to leave: at most [`Limits::queued_bytes`](crate::Limits::queued_bytes), one message that is larger
    /// alone, or the packets that ask for namespaces and leave them. Those not included that wait for a namespace to be
    /// joined.
    pub fn queued_bytes(&self) -> usize {
        self.engine.queued_bytes()
    }

    /// Acknowledgements that have not come, those of events included that wait.
    pub const fn pending_acks(&self) -> usize {
        self.acks.len()
    }

    /// Packets that wait for a namespace to be joined, or for room in the queue; those of
    /// [`deliver`](Self::deliver) not included.
    pub fn buffered_packets(&self, namespace: NamespaceId) -> usize {
        self.namespaces
            .get(namespace.index())
            .map_or(0, |namespace| namespace.buffer.len())
    }

    /// The next connection to be made; whoever makes it says so with [`handle_open`](Self::handle_open), or
    /// [`handle_lost`](Self::handle_lost) when it can not be made.
    #[must_use]
    pub fn poll_dial(&mut self) -> Option<Dial> {
        self.engine.poll_dial()
    }

    /// Whether a connection, asked for or made, is still of use. [`poll_ready`](Self::poll_ready) names those that no
    /// longer are.
    pub fn is_wanted(&self, connection: ConnId) -> bool {
        self.engine.is_wanted(connection)
    }

    /// A connection was made; `false` when nobody wants it any more: drop it.
    pub fn handle_open(&mut self, now: Instant, connection: ConnId) -> bool {
        self.advance(now);
        let is_wanted = self.engine.handle_open(self.now, connection);
        self.drain();
        is_wanted
    }

    /// Something happened on a connection.
    pub fn handle_item(&mut self, now: Instant, connection: ConnId, item: ClientItem<Inbound>) {
        self.advance(now);
        self.engine.handle_item(self.now, connection, item);
        self.drain();
    }

    /// A connection could not be made, was lost, or was closed; its handle is stale from now on.
    pub fn handle_lost(&mut self, now: Instant, connection: ConnId) {
        self.advance(now);
        self.engine.handle_lost(self.now, connection);
        self.drain();
    }

    /// Time has passed. Spurious calls change nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; `None` while nothing is due ever. May change after
    /// any other call.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.engine.poll_timeout(),
            self.connection.due(),
            self.join_timers.next(),
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

    /// A connection for which [`poll_transmit`](Self::poll_transmit) has something, or which is not
    /// [wanted](Self::is_wanted) any more.
    #[must_use]
    pub fn poll_ready(&mut self) -> Option<ConnId> {
        self.engine.poll_ready()
    }

    /// Moves what is due for a connection into its wire.
    pub fn poll_transmit<C: Codec>(&mut self, connection: ConnId, wire: &mut ClientWire<C>) {
        self.flush_stalled();
        self.engine.poll_transmit(connection, wire);
        self.tell_ready();
    }

    /// Takes an emptied buffer back for the next queue that needs one.
    pub fn recycle(&mut self, buffer: OutBuf) {
        self.engine.recycle(buffer);
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
        self.drain();
    }

    fn expire(&mut self) {
        self.engine.handle_timeout(self.now);
        self.drain();
        while let Some((_, namespace)) = self.join_timers.pop_due(self.now) {
            self.join_timed_out(namespace);
            self.drain();
        }
        while let Some(ack) = self.acks.first_due(self.now) {
            self.ack_timed_out(ack);
        }
        self.attempt_if_due();
    }

    /// Handles everything Engine.IO has to tell.
    fn drain(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            match event {
                engine::Event::Message(message) => self.receive(message),
                engine::Event::Opened { transport } => self.opened(transport),
                // Asked for where it is known what waits above it.
                engine::Event::Ready => {}
                engine::Event::Upgraded => self.events.push_back(Event::Upgraded),
                engine::Event::UpgradeFailed(reason) => {
                    self.events.push_back(Event::UpgradeFailed(reason));
                }
                engine::Event::Closed { reason, detail } => self.ended(reason, detail),
            }
        }
        self.flush_stalled();
        self.tell_ready();
    }
}
