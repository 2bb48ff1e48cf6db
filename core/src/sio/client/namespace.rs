//! The namespaces: wanted, asked for, joined and left. See the [module](super) for the states.

use super::buffer::Buffer;
use super::connection::{Connection, Next};
use super::deliver::Deliveries;
use super::inbound::Held;
use super::{Client, Event, JoinError, Reason, Rejoins};
use crate::Text;
use crate::eio::Watch;
use crate::sio::namespace_name::{NamespaceError, check_name};
use crate::sio::{AckId, Encoded, NamespaceId};
use crate::timer::TimerId;
use std::collections::BTreeMap;
use std::time::Instant;

pub(super) struct Namespace {
    pub(super) name: Text,
    pub(super) state: State,
    /// Counts how often it was joined.
    pub(super) epoch: u64,
    /// The number of the next event that asks for an acknowledgement.
    pub(super) next_number: u64,
    /// Acknowledgements the server owes, those of events included that wait.
    pub(super) owed: usize,
    /// Those whose events were sent, by the number they were sent with.
    pub(super) sent: BTreeMap<u64, AckId>,
    pub(super) buffer: Buffer,
    pub(super) deliveries: Deliveries,
    pub(super) room: Room,
    pub(super) former: Former,
    pub(super) watch: Watch,
}

/// Whether packets may be under way for a socket that was left on this connection. The server does not confirm that it
/// is left; what it sends before it answers the next CONNECT is for the socket before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Former {
    Gone,
    MayBeHeard,
}

/// Whether something of a namespace waits for room in the queue of the session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Enough,
    /// It stands among those that are [stalled](Client::stalled).
    Awaited,
}

pub(super) enum State {
    Idle(Revival),
    Waiting,
    Asking,
    Joining {
        timer: Option<TimerId>,
        held: Box<Held>,
    },
    Joined {
        sid: Text,
    },
    /// What it becomes once the server has answered.
    Leaving(Revival),
}

/// What makes an idle namespace wanted again.
#[derive(Clone, Copy)]
pub(super) enum Revival {
    /// [`Client::connect`] and [`Client::enter`].
    ByConnect,
    /// [`Client::enter`] alone: the application had left it.
    ByEnter,
}

impl Namespace {
    const fn new(name: Text) -> Self {
        Self {
            name,
            state: State::Waiting,
            epoch: 0,
            next_number: 0,
            owed: 0,
            sent: BTreeMap::new(),
            buffer: Buffer::new(),
            deliveries: Deliveries::new(),
            room: Room::Enough,
            former: Former::Gone,
            watch: Watch::Idle,
        }
    }

    pub(super) const fn sid(&self) -> Option<&Text> {
        match &self.state {
            State::Joined { sid } => Some(sid),
            _ => None,
        }
    }

    pub(super) const fn is_joined(&self) -> bool {
        matches!(self.state, State::Joined { .. })
    }
}

impl Client {
    /// Adds a namespace, which is asked for whenever there is a connection: at once if there is one.
    pub fn add_namespace(&mut self, now: Instant, name: &str) -> Result<NamespaceId, NamespaceError> {
        self.advance(now);
        check_name(name)?;
        if self.by_name.contains_key(name.as_bytes()) {
            return Err(NamespaceError::Duplicate);
        }
        let namespace = NamespaceId(self.namespaces.len() as u32);
        let name = Text::from(name);
        self.namespaces.push(Namespace::new(name.clone()));
        self.by_name.insert(name, namespace);
        self.ask(namespace);
        Ok(namespace)
    }

    /// Answers [`Event::Joining`] with a packet of [`Encoder::raw_connect`](crate::sio::Encoder::raw_connect).
    pub fn join(&mut self, now: Instant, namespace: NamespaceId, packet: &Encoded) {
        self.advance(now);
        if !matches!(self.state(namespace), Some(State::Asking)) {
            return;
        }
        match self.send_regardless(packet) {
            Ok(()) => self.await_answer(namespace),
            Err(error) => self.refused(namespace, JoinError::NotSent(error.into())),
        }
        self.drain();
    }

    /// Answers [`Event::Joining`]: there is nothing to ask with. If another namespace is joined, this one is refused
    /// with [`JoinError::Abandoned`]; otherwise the attempt has failed with [`Reason::Abandoned`].
    pub fn forgo(&mut self, now: Instant, namespace: NamespaceId) {
        self.advance(now);
        if matches!(self.state(namespace), Some(State::Asking)) {
            self.give_up(namespace, Reason::Abandoned, JoinError::Abandoned);
        }
        self.drain();
    }

    /// Asks for a namespace again that was left or refused; connects if there is no connection.
    pub fn enter(&mut self, now: Instant, namespace: NamespaceId) {
        self.advance(now);
        match self.state(namespace) {
            Some(State::Idle(_)) => self.set_state(namespace, State::Waiting),
            // The server has been asked already, and will say yes or no to this as well.
            Some(State::Leaving(_)) => return self.await_answer(namespace),
            _ => return,
        }
        match &mut self.connection {
            Connection::Offline => self.begin_anew(),
            Connection::Closing { next, .. } => *next = Next::Connect,
            Connection::Open { .. } => self.ask(namespace),
            Connection::Asking { .. } | Connection::Opening { .. } | Connection::Waiting { .. } => {}
        }
    }

    /// Leaves a namespace for good; with the last one the connection is closed. What its server owes ends
    /// [`Disconnected`](crate::sio::AckError::Disconnected) at once.
    pub fn leave(&mut self, now: Instant, namespace: NamespaceId) {
        self.advance(now);
        if self.state(namespace).is_none() {
            return;
        }
        let was_joined = self.is_joined(namespace);
        if was_joined {
            self.send_disconnect(namespace);
        }
        self.set_idle(namespace, Revival::ByEnter);
        self.end_sent(namespace);
        if was_joined {
            self.tell_left(namespace, Reason::ClientDisconnect, Rejoins::Never);
        }
        self.end_if_deserted(Reason::ClientDisconnect);
        self.drain();
    }

    /// The connection is about to be closed by the application; what was sent may still be acknowledged.
    pub(super) fn leave_for_close(&mut self, namespace: NamespaceId) {
        let was_joined = self.is_joined(namespace);
        if was_joined {
            self.send_disconnect(namespace);
        }
        self.set_idle(namespace, Revival::ByConnect);
        if was_joined {
            self.tell_left(namespace, Reason::ClientDisconnect, Rejoins::Never);
        }
    }

    /// The server took the client out of a namespace.
    pub(super) fn expelled(&mut self, namespace: NamespaceId) {
        self.set_idle(namespace, Revival::ByConnect);
        self.end_sent(namespace);
        self.tell_left(namespace, Reason::ServerDisconnect, Rejoins::Never);
        self.end_if_deserted(Reason::ServerDisconnect);
    }

    /// The connection was lost.
    pub(super) fn lose(&mut self, namespace: NamespaceId, reason: Reason, rejoins: Rejoins) {
        let was_joined = self.is_joined(namespace);
        self.cancel_join_timer(namespace);
        self.forget_question(namespace);
        match self.state_mut(namespace) {
            Some(State::Idle(_)) | None => {}
            Some(state) => *state = State::Waiting,
        }
        self.put_back_or_end_sent(namespace);
        if was_joined {
            self.tell_left(namespace, reason, rejoins);
        }
    }

    /// Asks the application for a CONNECT packet if the namespace is wanted and there is a connection.
    pub(super) fn ask(&mut self, namespace: NamespaceId) {
        if self.connection.is_open() && matches!(self.state(namespace), Some(State::Waiting)) {
            self.set_state(namespace, State::Asking);
            self.events.push_back(Event::Joining { namespace });
        }
    }

    /// CONNECT was sent; the server has to answer in time.
    fn await_answer(&mut self, namespace: NamespaceId) {
        // A time too far away to be expressed is never.
        let timer = self
            .now
            .checked_add(self.config.join_timeout)
            .map(|deadline| self.join_timers.arm(0, deadline, namespace));
        let held = Box::default();
        self.set_state(namespace, State::Joining { timer, held });
    }

    pub(super) fn joined(&mut self, namespace: NamespaceId, sid: Text) {
        self.cancel_join_timer(namespace);
        let Some(state) = self.namespaces.get_mut(namespace.index()) else {
            return;
        };
        state.epoch = state.epoch.wrapping_add(1);
        state.former = Former::Gone;
        let before = core::mem::replace(&mut state.state, State::Joined { sid: sid.clone() });
        self.settle_in();
        self.events.push_back(Event::Joined { namespace, sid });
        if let State::Joining { held, .. } = before {
            self.tell_held(namespace, *held);
        }
        self.flush(namespace);
    }

    /// The namespace was not joined, and is not asked for again by itself.
    pub(super) fn refused(&mut self, namespace: NamespaceId, error: JoinError) {
        self.cancel_join_timer(namespace);
        self.set_state(namespace, State::Idle(Revival::ByConnect));
        self.set_former(namespace, Former::Gone);
        self.end_waiting(namespace);
        self.tell_refused(namespace, error);
    }

    fn tell_refused(&mut self, namespace: NamespaceId, error: JoinError) {
        self.events.push_back(Event::Refused { namespace, error });
        self.end_if_deserted(Reason::Refused);
    }

    pub(super) fn join_timed_out(&mut self, namespace: NamespaceId) {
        // The timer has fired and must not be disarmed.
        if let Some(State::Joining { timer, .. }) = self.state_mut(namespace) {
            *timer = None;
        }
        self.give_up(namespace, Reason::JoinTimedOut, JoinError::TimedOut);
    }

    /// A namespace cannot be joined on this connection.
    fn give_up(&mut self, namespace: NamespaceId, reason: Reason, error: JoinError) {
        let is_any_joined = self.namespaces.iter().any(Namespace::is_joined);
        if !is_any_joined {
            self.break_off(reason);
            return;
        }
        // Others need the connection. An answer may still come.
        self.set_idle(namespace, Revival::ByConnect);
        self.tell_refused(namespace, error);
    }

    /// Nobody wants the namespace any more: what waits for it ends. What was sent is not touched.
    pub(super) fn set_idle(&mut self, namespace: NamespaceId, revival: Revival) {
        self.cancel_join_timer(namespace);
        match self.state_mut(namespace) {
            // What the application has left stays left.
            Some(State::Idle(Revival::ByEnter) | State::Leaving(Revival::ByEnter)) | None => {}
            // The answer is still to come, and says whether the server has to be told.
            Some(state @ (State::Joining { .. } | State::Leaving(_))) => *state = State::Leaving(revival),
            Some(state) => *state = State::Idle(revival),
        }
        self.end_waiting(namespace);
    }

    /// No answer will come any more.
    pub(super) fn forget_question(&mut self, namespace: NamespaceId) {
        if let Some(state) = self.state_mut(namespace)
            && let State::Leaving(revival) = state
        {
            *state = State::Idle(*revival);
        }
    }

    fn cancel_join_timer(&mut self, namespace: NamespaceId) {
        if let Some(State::Joining { timer, .. }) = self.state_mut(namespace)
            && let Some(timer) = timer.take()
        {
            self.join_timers.disarm(timer);
        }
    }

    /// Tells the server that a namespace is left.
    pub(super) fn send_disconnect(&mut self, namespace: NamespaceId) {
        let Some(name) = self.namespace_name(namespace).cloned() else {
            return;
        };
        if let Ok(packet) = self.encoder.disconnect(name.as_str()) {
            // Where there is no session any more, its end says the same.
            let _ = self.send_regardless(&packet);
        }
        self.set_former(namespace, Former::MayBeHeard);
    }

    pub(super) fn set_former(&mut self, namespace: NamespaceId, former: Former) {
        if let Some(state) = self.namespaces.get_mut(namespace.index()) {
            state.former = former;
        }
    }

    pub(super) fn former(&self, namespace: NamespaceId) -> Former {
        let state = self.namespaces.get(namespace.index());
        state.map_or(Former::Gone, |state| state.former)
    }

    fn tell_left(&mut self, namespace: NamespaceId, reason: Reason, rejoins: Rejoins) {
        self.events.push_back(Event::Left {
            namespace,
            reason,
            rejoins,
        });
    }

    pub(super) fn state(&self, namespace: NamespaceId) -> Option<&State> {
        Some(&self.namespaces.get(namespace.index())?.state)
    }

    pub(super) fn state_mut(&mut self, namespace: NamespaceId) -> Option<&mut State> {
        Some(&mut self.namespaces.get_mut(namespace.index())?.state)
    }

    pub(super) fn set_state(&mut self, namespace: NamespaceId, state: State) {
        if let Some(slot) = self.state_mut(namespace) {
            *slot = state;
        }
    }
}
