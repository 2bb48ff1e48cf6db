//! The Engine.IO client: one session at a time, over long-polling and WebSocket.
//!
//! | state | on | then |
//! | --- | --- | --- |
//! | Idle | `connect` | Opening: a connection for the first transport is dialled |
//! | Opening | a handshake packet | Open, [`Event::Opened`] |
//! | | the dial fails, a status, garbage, the connection is lost | the next transport; Idle when there is none |
//! | | a WebSocket before polling is not ready within [`Config::upgrade_timeout`] | polling |
//! | | [`Config::connect_timeout`], `close` | Idle |
//! | Open | a message | [`Event::Message`] |
//! | | a ping | a pong is queued; the heartbeat deadline is put off |
//! | | no ping within *interval + timeout* | Idle, [`CloseReason::PingTimeout`] |
//! | | on polling, the server offers WebSocket | a probe beside polling; see below |
//! | | a status other than 200, a bad packet, a lost connection, `1`, a close frame | Idle |
//! | | `close` | Closing |
//! | Closing | everything queued has left, anything that ends a session, [`Config::close_timeout`] | Idle, [`CloseReason::ForcedClose`] |
//!
//! On the way to Idle there is exactly one [`Event::Closed`], and every connection becomes unwanted.
//!
//! Polling has two needs: a poll, always, and a POST, while something is queued. The upgrade:
//!
//! | step | on | then |
//! | --- | --- | --- |
//! | dialled, asked | 101 | Probing: `2probe` is sent |
//! | Probing | `3probe` | Pausing: no new poll, no new POST |
//! | Pausing | the poll and the POST under way are answered | `5` is sent, [`Event::Upgraded`], then what is queued |
//! | any | it is lost, refused, malformed, [`Config::upgrade_timeout`] | [`Event::UpgradeFailed`]; polling goes on |

mod attempt;
mod close;
mod config;
mod connection;
mod deadlines;
mod event;
mod exchange;
mod handshake;
mod heartbeat;
mod polling;
mod ready;
mod request;
mod send;
mod session;
mod transmit;
mod upgrade;

pub use config::{Config, Cookies, Fallback, Remembered, Security, Target, TransportOrder};
pub use event::{CloseReason, Dial, Event, State};
pub use send::SendError;

use super::{ConnId, Message, Transport, Watch};
use crate::id::Random;
use crate::slab::Slab;
use crate::wire::{ClientItem, ClientWire, ClientWireError, Codec, Plain};
use crate::{OutBuf, Text};
use config::Start;
use connection::{Command, Connection, Errand, Line, Purpose, Readiness, Role, Speech};
use deadlines::{Deadlines, Due};
use request::Requests;
use session::{Phase, Stage};
use std::collections::VecDeque;
use std::time::Instant;

/// An Engine.IO client: one session at a time with one server, and the connections that carry it.
///
/// It touches nothing: whoever makes the connections tells it what happened and takes out what has to be done.
///
/// * `handle_*` — the outside world did something. They never fail.
/// * plain verbs — the application wants something. Where it makes no sense they do nothing, or say so.
/// * `poll_*` — take one thing out, until `None`. After any of the above: [`poll_event`](Self::poll_event), then
///   [`poll_dial`](Self::poll_dial) for connections to make, [`poll_ready`](Self::poll_ready) and
///   [`poll_transmit`](Self::poll_transmit) for each, and [`poll_timeout`](Self::poll_timeout) for when to call
///   [`handle_timeout`](Self::handle_timeout). Any other order is correct too.
///
/// A connection that [`poll_dial`](Self::poll_dial) named ends with [`handle_lost`](Self::handle_lost), or with
/// [`handle_open`](Self::handle_open) saying `false`; until then its handle is not used for another.
///
/// `M` is what the connections' [`Codec`] makes of a message; the client never looks into it. See the
/// [module](self) for its states.
pub struct Client<M = Message> {
    config: Config,
    now: Instant,
    random: Random,
    requests: Requests,
    /// With what the next attempt begins.
    start: Start,
    phase: Phase,
    connections: Slab<Connection>,
    /// Connections nobody was told of yet.
    dials: VecDeque<Dial>,
    deadlines: Deadlines,
    ready: VecDeque<ConnId>,
    events: VecDeque<Event<M>>,
    /// Packets for the server as complete, unmasked WebSocket frames, whatever the transport.
    queue: OutBuf,
    watch: Watch,
    /// Emptied buffers for the queue.
    spares: Vec<OutBuf>,
}

/// Emptied buffers kept for later, and the largest that is worth keeping.
const SPARES: usize = 4;
const SPARE_BYTES: usize = 16 * 1024;

/// Wires for a client without a layer above; other codecs go into [`ClientWire::new`] with [`Config::wire`].
impl Client<Message> {
    /// A wire for a connection that was made.
    pub fn wire(&mut self) -> ClientWire<Plain> {
        let seed = self.wire_seed();
        ClientWire::new(self.config.wire(), Plain, seed)
    }
}

impl<M> Client<M> {
    /// A client without a session. `seed` is all the chance it will ever have: take it from the operating
    /// system in production, fix it in a test.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut random = Random::new(seed);
        Self {
            requests: Requests::new(&config, random.number()),
            config,
            now,
            random,
            start: Start::First,
            phase: Phase::Idle,
            connections: Slab::new(),
            dials: VecDeque::new(),
            deadlines: Deadlines::default(),
            ready: VecDeque::new(),
            events: VecDeque::new(),
            queue: OutBuf::new(),
            watch: Watch::Idle,
            spares: Vec::new(),
        }
    }

    /// The configuration it was made with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// A seed for the masks of a wire.
    pub(crate) fn wire_seed(&mut self) -> [u8; 32] {
        self.random.seed()
    }

    /// Asks for a session; `false`, and nothing happens, unless the client is idle. An authority or a subprotocol
    /// that no request can carry ends it at once, with an event.
    pub fn connect(&mut self, now: Instant, target: Target) -> bool {
        self.advance(now);
        if !matches!(self.phase, Phase::Idle) {
            return false;
        }
        self.requests.aim(target);
        match self.requests.check() {
            Ok(()) => self.begin_attempt(),
            Err(error) => self.events.push_back(Event::Closed {
                reason: CloseReason::BadResponse(ClientWireError::Request(error)),
                detail: None,
            }),
        }
        true
    }

    /// The next connection to make.
    #[must_use]
    pub fn poll_dial(&mut self) -> Option<Dial> {
        self.dials.pop_front()
    }

    /// Whether a connection, asked for or made, is still of use. [`poll_ready`](Self::poll_ready) names those
    /// that no longer are: stop dialling them, or let their wires end them.
    pub fn is_wanted(&self, connection: ConnId) -> bool {
        self.connections
            .get(connection.0)
            .is_some_and(|state| !matches!(state.role, Role::Ending))
    }

    /// The connection was made; `false` when nobody wants it any more: drop it.
    pub fn handle_open(&mut self, now: Instant, connection: ConnId) -> bool {
        self.advance(now);
        match self.connections.get(connection.0).map(|state| &state.role) {
            Some(Role::Dialing(Purpose::Handshake(transport))) => {
                self.ask(connection, Errand::Handshake(*transport));
            }
            Some(Role::Dialing(Purpose::Polling)) => self.polling_connected(connection),
            Some(Role::Dialing(Purpose::Probe)) => self.ask(connection, Errand::Probe),
            Some(Role::Idle(_) | Role::Busy(_) | Role::WebSocket(_)) | None => {}
            Some(Role::Ending) => {
                self.connections.remove(connection.0);
            }
        }
        self.connections.get(connection.0).is_some()
    }

    /// Something happened on a connection.
    pub fn handle_item(&mut self, now: Instant, connection: ConnId, item: ClientItem<M>) {
        self.advance(now);
        match self.connections.get(connection.0).map(|state| &state.role) {
            Some(Role::Busy(_)) => self.handle_busy_item(connection, item),
            Some(Role::WebSocket(speech)) => self.handle_websocket_item(connection, *speech, item),
            // The server ends it, or says what nobody asked for; another will be dialled when one is needed.
            Some(Role::Idle(_)) => self.forget_idle(connection),
            Some(Role::Dialing(_) | Role::Ending) | None => {}
        }
        self.tell_if_ready();
    }

    /// The connection could not be made, was lost, or was closed; its handle is stale from now on.
    pub fn handle_lost(&mut self, now: Instant, connection: ConnId) {
        self.advance(now);
        let Some(state) = self.connections.remove(connection.0) else {
            return;
        };
        let is_unsent = state
            .commands
            .iter()
            .any(|command| matches!(command, Command::Ask(_)));
        match state.role {
            Role::Dialing(purpose) => self.dial_failed(connection, purpose),
            Role::Idle(_) => self.forget_idle(connection),
            Role::Busy(exchange) if exchange.line == Line::Reused && is_unsent => {
                self.ask_elsewhere(connection, exchange.errand);
            }
            Role::Busy(exchange) => self.exchange_lost(connection, exchange),
            Role::WebSocket(Speech::Handshake) => {
                self.attempt_failed(CloseReason::ConnectionLost.into());
            }
            Role::WebSocket(Speech::Probe) => self.abandon_upgrade(CloseReason::ConnectionLost),
            Role::WebSocket(Speech::Session) => self.end(CloseReason::ConnectionLost),
            Role::Ending => {}
        }
        self.tell_if_ready();
    }

    /// Time has passed. Spurious calls change nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; `None` while nothing is due ever. May change
    /// after any other call.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The next thing the application is told.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event<M>> {
        self.events.pop_front()
    }

    /// A connection for which [`poll_transmit`](Self::poll_transmit) has something, or that is not
    /// [wanted](Self::is_wanted) any more.
    #[must_use]
    pub fn poll_ready(&mut self) -> Option<ConnId> {
        while let Some(connection) = self.ready.pop_front() {
            if let Some(state) = self.connections.get_mut(connection.0) {
                state.readiness = Readiness::Quiet;
                return Some(connection);
            }
        }
        None
    }

    /// Moves what is due for a connection into its wire. Call it for each connection that
    /// [`poll_ready`](Self::poll_ready) names, after passing on the connection's items, and after its output was
    /// written.
    pub fn poll_transmit<C: Codec>(&mut self, connection: ConnId, wire: &mut ClientWire<C>) {
        self.transmit(connection, wire);
    }

    /// Takes an emptied buffer back for the queue.
    pub fn recycle(&mut self, mut buffer: OutBuf) {
        if self.spares.len() < SPARES && (1..=SPARE_BYTES).contains(&buffer.memory()) {
            buffer.clear();
            self.spares.push(buffer);
        }
    }

    /// Whether there is a session.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Idle => State::Idle,
            Phase::Opening(_) => State::Opening,
            Phase::Open(session) => match session.stage {
                Stage::Open => State::Open,
                Stage::Closing => State::Closing,
            },
        }
    }

    /// The id of the session, which is a credential: do not show it to others.
    pub fn sid(&self) -> Option<&Text> {
        self.session_id()
    }

    /// What carries the session at the moment.
    pub fn transport(&self) -> Option<Transport> {
        match &self.phase {
            Phase::Open(session) => Some(session.transport()),
            Phase::Idle | Phase::Opening(_) => None,
        }
    }

    /// The largest message the server takes, in bytes, if it has said so.
    pub fn max_payload(&self) -> Option<u64> {
        match &self.phase {
            Phase::Open(session) => session.max_payload,
            Phase::Idle | Phase::Opening(_) => None,
        }
    }

    /// How many connections there are, those included that are being dialled or closed.
    pub const fn connection_count(&self) -> usize {
        self.connections.len()
    }

    fn forget_idle(&mut self, connection: ConnId) {
        if let Some(polling) = self.polling() {
            polling.idle.retain(|idle| *idle != connection);
        }
        self.unwant(connection);
    }

    /// Moves the clock forward, never back, and does what is due by then.
    fn advance(&mut self, now: Instant) {
        if now > self.now {
            self.now = now;
        }
        while let Some(due) = self.deadlines.pop_due(self.now) {
            match due {
                Due::Connect => self.connect_due(),
                Due::Heartbeat => self.end(CloseReason::PingTimeout),
                Due::Poll => self.exchange_due(Errand::Poll),
                Due::Post => self.exchange_due(Errand::Post),
                Due::Upgrade => self.websocket_due(),
                Due::Close => self.end(CloseReason::ForcedClose),
            }
        }
    }
}
