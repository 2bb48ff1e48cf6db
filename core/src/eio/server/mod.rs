//! The Engine.IO server: sessions over long-polling and WebSocket.

mod admission;
mod close;
mod connection;
mod error;
mod event;
mod heartbeat;
mod polling;
mod ready;
mod refusal;
mod route;
mod send;
mod session;
mod transmit;
mod upgrade;

pub use connection::RequestId;
pub use error::RequestError;
pub use event::{CloseReason, Event, Peer};
pub use refusal::RefusalContext;
pub use route::CLIENT_BUNDLES;
pub use send::{Delivery, SendError};
pub use session::SessionId;

use super::{Config, ConnId, Message, Transport};
use crate::http::{Headers, RequestHead, Response};
use crate::id::{Keyed, Random};
use crate::slab::Slab;
use crate::timer::{Timers, later};
use crate::wire::{BodyFailure, Codec, Item, Persistence, Plain, Wire, WireError};
use crate::{OutBuf, Sid};
use admission::Addresses;
use connection::{Command, Connection, Listing, Role};
use hashbrown::HashMap;
use session::Session;
use std::collections::VecDeque;
use std::time::Instant;

/// An Engine.IO server: all sessions of one shard and the connections that carry them.
///
/// It touches nothing: whoever owns the connections tells it what happened and takes out what has to be done.
///
/// * `handle_*` — the outside world did something. They never fail; a peer that breaks a rule gets the answer
///   the protocol has for it, and the application one event with the reason.
/// * plain verbs — the application wants something. On a stale handle they do nothing.
/// * `poll_*` — take one thing out, until `None`. After any of the above: [`poll_event`](Self::poll_event),
///   then [`poll_ready`](Self::poll_ready) and [`poll_transmit`](Self::poll_transmit) for each, and
///   [`poll_timeout`](Self::poll_timeout) for when to call [`handle_timeout`](Self::handle_timeout). Any other
///   order is correct too.
///
/// `M` is what the connections' [`Codec`] makes of a message; the server never looks into it.
pub struct Server<M = Message> {
    config: Config,
    now: Instant,
    random: Random,
    connections: Slab<Connection>,
    sessions: Slab<Session>,
    by_sid: HashMap<Sid, SessionId, Keyed>,
    addresses: Addresses,
    timers: Timers<Due, { Due::KINDS }>,
    ready: VecDeque<ConnId>,
    events: VecDeque<Event<M>>,
    /// Emptied buffers for the next queue that needs one.
    spares: Vec<OutBuf>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    ShutDown,
}

/// Whether a connection had a deadline for something its peer has to send.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    Input,
}

/// Whose deadline it is.
#[derive(Clone, Copy)]
enum Due {
    Heartbeat(SessionId),
    Upgrade(SessionId),
    Noop(SessionId),
    Linger(SessionId),
    Connection(ConnId),
}

/// The lists of deadlines: all in one list are equally far away when armed.
#[derive(Clone, Copy)]
enum TimerKind {
    PingInterval,
    PingTimeout,
    Upgrade,
    Noop,
    Linger,
    Head,
    KeepAlive,
    Body,
}

impl Due {
    const KINDS: usize = 8;
}

/// Emptied buffers kept for later, and the largest that is worth keeping.
const SPARES: usize = 2_048;
const SPARE_BYTES: usize = 16 * 1024;
/// A session has a queue, and a connection that writes it. More buffers than these are never needed at once, and what
/// peers without a session made the server write is not kept for them.
const SPARES_PER_SESSION: usize = 2;
const SPARES_BESIDE: usize = 8;

/// Wires for a server without a layer above; other codecs go into [`Wire::new`] with
/// [`Config::wire`](crate::eio::Config::wire).
impl Server<Message> {
    /// A wire for a connection this server is told of with [`open`](Self::open), which begins with HTTP.
    pub fn wire(&self) -> Wire<Plain> {
        Wire::new(self.config.wire(), Plain)
    }

    /// A wire for one request that the host parsed itself; see [`Wire::hosted`].
    pub fn hosted_wire(&self, head: RequestHead) -> Wire<Plain> {
        Wire::hosted(self.config.wire(), Plain, head)
    }
}

impl<M> Server<M> {
    /// A server without sessions. `seed` is all the chance it will ever have: take it from the operating
    /// system in production, fix it in a test.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut random = Random::new(seed);
        let keyed = random.keyed();
        Self {
            addresses: Addresses::new(&config.limits, keyed),
            config,
            now,
            random,
            connections: Slab::new(),
            sessions: Slab::new(),
            by_sid: HashMap::with_hasher(keyed),
            timers: Timers::new(),
            ready: VecDeque::new(),
            events: VecDeque::new(),
            spares: Vec::new(),
            stage: Stage::Serving,
        }
    }

    /// The configuration it was made with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// How many sessions there are, those included that only wait to tell their client of the end.
    pub const fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// How many connections are open.
    pub const fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// Something happened on a connection.
    pub fn handle_item(&mut self, now: Instant, connection: ConnId, item: Item<M>) {
        self.advance(now);
        let Some(state) = self.connections.get(connection.0) else {
            return;
        };
        match (&state.role, item) {
            (Role::Idle, Item::Request(head)) => self.handle_request(connection, head),
            (Role::Excess(excess), Item::Request(head)) => {
                let context = excess.context();
                self.disarm_connection(connection);
                self.turn_away(connection, &head, context);
            }
            (Role::Foreign, Item::Body(body)) => self.hand_over_body(connection, Ok(body)),
            (Role::Foreign, Item::BodyFailed(failure)) => self.hand_over_body(connection, Err(failure)),
            (Role::Post { session, .. }, item) => self.handle_post_item(connection, *session, item),
            (Role::WebSocket(session), item) => self.handle_websocket_item(connection, *session, item),
            (Role::Probe(session), item) => self.handle_probe_item(connection, *session, item),
            (
                Role::Idle
                | Role::Excess(_)
                | Role::Foreign
                | Role::Deciding(_)
                | Role::Poll { .. }
                | Role::Ending,
                item,
            ) => {
                if let Item::Failed(error) = item {
                    if let WireError::Head(error) = error {
                        self.report(connection, RequestError::BadRequest, RefusalContext::Head(error));
                    }
                    self.end_connection(connection);
                }
            }
        }
    }

    /// A connection was lost or closed; its handle is stale from now on.
    pub fn handle_lost(&mut self, now: Instant, connection: ConnId) {
        self.advance(now);
        let awaited = self.disarm_connection(connection);
        let Some(state) = self.connections.remove(connection.0) else {
            return;
        };
        self.addresses.leave(state.peer);
        if let Some(answer) = state.answer {
            self.forget_answer(answer);
        }
        match state.role {
            Role::Poll { session, .. } => self.poll_lost(session, connection),
            Role::Post { session, .. } => self.post_ended(session, connection, CloseReason::PostLost),
            Role::WebSocket(session) => self.websocket_lost(session, connection),
            Role::Probe(session) => self.abandon_upgrade(session, connection),
            Role::Foreign => self.report_missing_body(connection, state.serial, awaited),
            Role::Idle | Role::Excess(_) | Role::Deciding(_) | Role::Ending => {}
        }
    }

    /// Time has passed. Spurious calls change nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; `None` while nothing is due ever. May
    /// change after any other call.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next thing the application is told.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event<M>> {
        self.events.pop_front()
    }

    /// A connection for which [`poll_transmit`](Self::poll_transmit) has something.
    #[must_use]
    pub fn poll_ready(&mut self) -> Option<ConnId> {
        while let Some(connection) = self.ready.pop_front() {
            if let Some(state) = self.connections.get_mut(connection.0) {
                state.listing = Listing::Unlisted;
                return Some(connection);
            }
        }
        None
    }

    /// The head of a request that the application has to decide about.
    pub fn request_head(&self, request: RequestId) -> Option<&RequestHead> {
        match &self.request(request)?.role {
            Role::Deciding(head) => Some(head),
            _ => None,
        }
    }

    /// Who sent a request.
    pub fn request_peer(&self, request: RequestId) -> Option<Peer> {
        Some(self.request(request)?.peer)
    }

    /// The id of a session, which its client uses as a credential: do not show it to others.
    pub fn sid(&self, session: SessionId) -> Option<Sid> {
        Some(self.sessions.get(session.0)?.sid)
    }

    /// The head of the request that began a session.
    pub fn head(&self, session: SessionId) -> Option<&RequestHead> {
        Some(&self.sessions.get(session.0)?.head)
    }

    /// Who began a session.
    pub fn peer(&self, session: SessionId) -> Option<Peer> {
        Some(self.sessions.get(session.0)?.peer)
    }

    /// What carries a session at the moment.
    pub fn transport(&self, session: SessionId) -> Option<Transport> {
        Some(self.sessions.get(session.0)?.transport())
    }

    /// Bytes queued for a client and not yet handed to its connection.
    pub fn queued_bytes(&self, session: SessionId) -> usize {
        self.sessions
            .get(session.0)
            .map_or(0, |session| session.queue.len())
    }

    /// Bytes queued for all clients together. Costs a look at each session.
    pub fn all_queued_bytes(&self) -> usize {
        let keys = self.sessions.keys().into_iter();
        keys.map(|key| self.queued_bytes(SessionId(key))).sum()
    }

    /// Answers a request that [`Event::Request`] brought.
    pub fn respond(&mut self, now: Instant, request: RequestId, response: Response) {
        self.advance(now);
        if self
            .request(request)
            .is_some_and(|state| matches!(state.role, Role::Foreign))
        {
            self.answer(request.connection, response);
        }
    }

    /// Asks for the body of a request that [`Event::Request`] brought, once; it comes as
    /// [`Event::RequestBody`], which comes too when the body does not.
    pub fn read_body(&mut self, now: Instant, request: RequestId, limit: usize) {
        self.advance(now);
        if self
            .request(request)
            .is_some_and(|state| matches!(state.role, Role::Foreign))
        {
            self.arm_connection(request.connection, TimerKind::Body);
            self.command(request.connection, Command::ReadBody(limit));
        }
    }

    /// Takes an emptied buffer back for the next queue that needs one.
    pub fn recycle(&mut self, mut buffer: OutBuf) {
        if self.spares.len() < self.most_spares() && (1..=SPARE_BYTES).contains(&buffer.memory()) {
            buffer.clear();
            self.spares.push(buffer);
        }
    }

    fn most_spares(&self) -> usize {
        let needed = self.sessions.len().saturating_mul(SPARES_PER_SESSION);
        needed.saturating_add(SPARES_BESIDE).min(SPARES)
    }

    /// Moves what is due for a connection into its wire. Call it for each connection that
    /// [`poll_ready`](Self::poll_ready) names, after passing on the connection's items, and after its output
    /// was written.
    pub fn poll_transmit<C: Codec>(&mut self, connection: ConnId, wire: &mut Wire<C>) {
        self.transmit(connection, wire);
    }

    fn request(&self, request: RequestId) -> Option<&Connection> {
        self.connections
            .get(request.connection.0)
            .filter(|state| state.serial == request.serial)
    }

    fn hand_over_body(&mut self, connection: ConnId, body: Result<bytes::Bytes, BodyFailure>) {
        self.disarm_connection(connection);
        let Some(state) = self.connections.get(connection.0) else {
            return;
        };
        let request = RequestId {
            connection,
            serial: state.serial,
        };
        if let Err(failure) = body {
            self.report(
                connection,
                RequestError::BadRequest,
                RefusalContext::Body(failure),
            );
        }
        self.events.push_back(Event::RequestBody { request, body });
    }

    /// Moves the clock forward, never back, and does what is due by then.
    fn advance(&mut self, now: Instant) {
        if now > self.now {
            self.now = now;
        }
        while let Some((deadline, due)) = self.timers.pop_due(self.now) {
            match due {
                Due::Heartbeat(session) => self.heartbeat_due(session, deadline),
                Due::Upgrade(session) => self.upgrade_due(session),
                Due::Noop(session) => self.noop_due(session),
                Due::Linger(session) => self.linger_due(session),
                Due::Connection(connection) => self.connection_due(connection),
            }
        }
    }

    /// Arms the one deadline of a connection.
    fn arm_connection(&mut self, connection: ConnId, kind: TimerKind) {
        self.disarm_connection(connection);
        let limits = &self.config.limits;
        let after = match kind {
            TimerKind::Body => limits.body_timeout,
            TimerKind::KeepAlive => limits.keep_alive_timeout,
            _ => limits.head_timeout,
        };
        let timer = self
            .timers
            .arm(kind as usize, later(self.now, after), Due::Connection(connection));
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.timer = Some(timer);
        }
    }

    /// Whether there was a deadline.
    fn disarm_connection(&mut self, connection: ConnId) -> Awaited {
        let timer = self
            .connections
            .get_mut(connection.0)
            .and_then(|state| state.timer.take());
        let Some(timer) = timer else {
            return Awaited::Nothing;
        };
        self.timers.disarm(timer);
        Awaited::Input
    }

    /// Whoever asked for a body hears of it exactly once, also when it does not come.
    fn report_missing_body(&mut self, connection: ConnId, serial: u32, awaited: Awaited) {
        if awaited == Awaited::Input {
            let request = RequestId { connection, serial };
            let body = Err(BodyFailure::Incomplete);
            self.events.push_back(Event::RequestBody { request, body });
        }
    }

    /// A peer took too long to send a request or its body.
    fn connection_due(&mut self, connection: ConnId) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        state.timer = None;
        let serial = state.serial;
        let role = core::mem::replace(&mut state.role, Role::Ending);
        let expire = |context, headers| Command::Expire(Some(context), headers);
        match role {
            Role::Post { session, headers } => {
                self.command(connection, expire(RefusalContext::BodyTimedOut, headers));
                self.post_ended(session, connection, CloseReason::PostTimedOut);
            }
            Role::Foreign => {
                self.command(connection, expire(RefusalContext::BodyTimedOut, Headers::new()));
                self.report_missing_body(connection, serial, Awaited::Input);
            }
            _ => self.command(connection, expire(RefusalContext::HeadTimedOut, Headers::new())),
        }
    }

    fn command(&mut self, connection: ConnId, command: Command) {
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.commands.push_back(command);
        }
        self.mark_ready(connection);
    }

    fn mark_ready(&mut self, connection: ConnId) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        if state.listing == Listing::Unlisted {
            state.listing = Listing::Listed;
            self.ready.push_back(connection);
        }
    }

    /// Answers the request on a connection, which then waits for the next one, unless the server is shut down.
    fn answer(&mut self, connection: ConnId, response: Response) {
        if self.stage == Stage::ShutDown {
            return self.answer_last(connection, response);
        }
        self.command(
            connection,
            Command::Respond(Box::new(response), Persistence::KeepAlive),
        );
        self.rest(connection);
    }

    /// Answers the request on a connection, which then closes.
    fn answer_last(&mut self, connection: ConnId, response: Response) {
        self.command(
            connection,
            Command::Respond(Box::new(response), Persistence::Close),
        );
        self.end_connection(connection);
    }

    /// The connection waits for its next request.
    fn rest(&mut self, connection: ConnId) {
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.role = Role::Idle;
            state.serial = state.serial.wrapping_add(1);
            self.arm_connection(connection, TimerKind::KeepAlive);
        }
    }

    /// Nothing more is expected of a connection.
    fn end_connection(&mut self, connection: ConnId) {
        self.disarm_connection(connection);
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.role = Role::Ending;
        }
    }

    /// A buffer to put packets into.
    fn queue_of<'a>(spares: &mut Vec<OutBuf>, session: &'a mut Session) -> &'a mut OutBuf {
        session.queue.take_from(spares);
        &mut session.queue
    }
}

#[cfg(test)]
mod tests;
