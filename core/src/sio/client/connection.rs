//! The connection: attempts, what follows when it is lost, and its end. See the [module](super) for the states.

use super::namespace::{Former, Namespace, Revival, State};
use super::{Attempts, Client, Event, Initial, Reason, Rejoins, Target};
use crate::Text;
use crate::eio::Transport;
use crate::eio::client::CloseReason;
use crate::sio::NamespaceId;
use std::time::Instant;

/// Where the connection stands.
#[derive(Clone, Copy)]
pub(super) enum Connection {
    Offline,
    Asking {
        attempt: u32,
    },
    Opening {
        attempt: u32,
    },
    Open {
        /// Which attempt this still is; `None` once a namespace was joined.
        attempt: Option<u32>,
    },
    Waiting {
        attempt: u32,
        /// `None` when that is too far away to be expressed.
        until: Option<Instant>,
    },
    Closing {
        reason: Reason,
        next: Next,
    },
}

/// What follows a connection that is being closed.
#[derive(Clone, Copy)]
pub(super) enum Next {
    Rest,
    Connect,
}

/// Whether [`Reconnection::initial`](super::Reconnection::initial) still decides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    NeverJoined,
    Joined,
}

impl Connection {
    /// When the next attempt is due.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Waiting { until, .. } => *until,
            _ => None,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

impl Client {
    /// Wants a connection, now and whenever it is lost, and on it all namespaces but those that were
    /// [left](Self::leave). While the next attempt waits for its time it is made at once; while the connection
    /// is being closed it follows [`Event::Closed`]. When all were left there is nothing to connect for, and `Closed` is
    /// told at once. Otherwise, if there is a connection, this changes nothing.
    pub fn connect(&mut self, now: Instant) {
        self.advance(now);
        match &mut self.connection {
            Connection::Offline => {
                self.revive();
                if self.is_deserted() {
                    let reason = Reason::ClientDisconnect;
                    self.events.push_back(Event::Closed { reason });
                } else {
                    self.begin_anew();
                }
            }
            Connection::Waiting { attempt, .. } => {
                let attempt = *attempt;
                self.begin(attempt);
            }
            Connection::Closing { next, .. } => {
                *next = Next::Connect;
                self.revive();
            }
            Connection::Asking { .. } | Connection::Opening { .. } | Connection::Open { .. } => {}
        }
    }

    /// Answers [`Event::Attempt`].
    pub fn proceed(&mut self, now: Instant, target: Target) {
        self.advance(now);
        let Connection::Asking { attempt } = self.connection else {
            return;
        };
        self.connection = Connection::Opening { attempt };
        if !self.engine.connect(self.now, target) {
            self.lost(Reason::Engine(CloseReason::ForcedClose), None);
        }
        self.drain();
    }

    /// Answers [`Event::Attempt`]: there is nowhere to connect to; counts as an attempt that failed.
    pub fn abandon(&mut self, now: Instant) {
        self.advance(now);
        if matches!(self.connection, Connection::Asking { .. }) {
            self.lost(Reason::Abandoned, None);
        }
    }

    /// Leaves all namespaces, lets what is queued leave, closes the connection, and makes no other. Events that
    /// wait are not sent any more; acknowledgements may still come until [`Event::Closed`].
    pub fn close(&mut self, now: Instant) {
        self.advance(now);
        for namespace in self.all_namespaces() {
            self.leave_for_close(namespace);
        }
        self.end_connection(Reason::ClientDisconnect);
        self.drain();
    }

    /// Ends what there is of a connection, in order; nothing follows.
    pub(super) fn end_connection(&mut self, reason: Reason) {
        match &mut self.connection {
            Connection::Offline => {}
            Connection::Asking { .. } | Connection::Waiting { .. } => self.finish(reason, Next::Rest),
            Connection::Closing { next, .. } => *next = Next::Rest,
            Connection::Opening { .. } | Connection::Open { .. } => {
                self.connection = Connection::Closing {
                    reason,
                    next: Next::Rest,
                };
                for namespace in self.all_namespaces() {
                    self.forget_question(namespace);
                }
                self.engine.close(self.now);
            }
        }
    }

    /// Ends the connection when no namespace wants it any more.
    pub(super) fn end_if_deserted(&mut self, reason: Reason) {
        if !self.wants_any() {
            self.end_connection(reason);
        }
    }

    fn wants_any(&self) -> bool {
        let is_idle = |namespace: &Namespace| matches!(namespace.state, State::Idle(_) | State::Leaving(_));
        !self.namespaces.iter().all(is_idle)
    }

    /// Whether the application has left all namespaces that it had added.
    fn is_deserted(&self) -> bool {
        !self.namespaces.is_empty() && !self.wants_any()
    }

    /// Ends the session at once; the connection counts as lost.
    pub(super) fn break_off(&mut self, reason: Reason) {
        if self.connection.is_open() {
            self.fault = Some(reason);
        }
        self.engine.abort(self.now, CloseReason::ForcedClose);
    }

    /// Makes the next attempt when its time has come.
    pub(super) fn attempt_if_due(&mut self) {
        if let Connection::Waiting {
            attempt,
            until: Some(until),
        } = self.connection
            && until <= self.now
        {
            self.begin(attempt);
        }
    }

    /// Begins with the first attempt.
    pub(super) fn begin_anew(&mut self) {
        self.history = History::NeverJoined;
        self.begin(0);
    }

    fn begin(&mut self, attempt: u32) {
        self.connection = Connection::Asking { attempt };
        self.events.push_back(Event::Attempt { attempt });
    }

    /// Engine.IO has opened a session.
    pub(super) fn opened(&mut self, transport: Transport) {
        let Connection::Opening { attempt } = self.connection else {
            return;
        };
        self.connection = Connection::Open {
            attempt: Some(attempt),
        };
        self.events.push_back(Event::Opened { transport });
        for namespace in self.all_namespaces() {
            self.set_former(namespace, Former::Gone);
            self.ask(namespace);
        }
    }

    /// Engine.IO has ended the session, or could not open one.
    pub(super) fn ended(&mut self, reason: CloseReason, detail: Option<Text>) {
        let fault = self.fault.take();
        self.assembly = Default::default();
        self.forget_stalled();
        match self.connection {
            Connection::Closing { reason, next } => self.finish(reason, next),
            _ => self.lost(fault.unwrap_or(Reason::Engine(reason)), detail),
        }
    }

    /// A namespace was joined: the connection is there, and failures count from the beginning again.
    pub(super) fn settle_in(&mut self) {
        if self.connection.is_open() {
            self.connection = Connection::Open { attempt: None };
            self.history = History::Joined;
        }
    }

    fn lost(&mut self, reason: Reason, detail: Option<Text>) {
        let attempt = match self.connection {
            Connection::Asking { attempt } | Connection::Opening { attempt } => Some(attempt),
            Connection::Open { attempt } => attempt,
            Connection::Offline | Connection::Waiting { .. } | Connection::Closing { .. } => return,
        };
        let next = self.next_attempt(attempt);
        let rejoins = match next {
            Some(_) => Rejoins::Later,
            None => Rejoins::Never,
        };
        // Whatever follows, nothing can be sent.
        self.connection = Connection::Offline;
        for namespace in self.all_namespaces() {
            self.lose(namespace, reason, rejoins);
        }
        self.events.push_back(Event::Failed {
            reason,
            detail,
            attempt,
        });
        let Some(attempt) = next else {
            self.finish(reason, Next::Rest);
            return;
        };
        let delay = self.config.reconnection.delay(attempt, self.random.number());
        let until = self.now.checked_add(delay);
        self.connection = Connection::Waiting { attempt, until };
        self.events.push_back(Event::Reconnecting { attempt, delay });
    }

    /// The number of the attempt after `failed`, if there is to be one.
    fn next_attempt(&self, failed: Option<u32>) -> Option<u32> {
        let reconnection = &self.config.reconnection;
        if self.history == History::NeverJoined && reconnection.initial == Initial::GiveUp {
            return None;
        }
        let attempt = failed.unwrap_or(0).saturating_add(1);
        match reconnection.attempts {
            Attempts::AtMost(limit) if attempt > limit => None,
            _ => Some(attempt),
        }
    }

    /// The connection is over: everything that is owed ends, and what waits unless another connection follows.
    fn finish(&mut self, reason: Reason, next: Next) {
        self.connection = Connection::Offline;
        for namespace in self.all_namespaces() {
            self.end_sent(namespace);
            if matches!(next, Next::Rest) {
                self.set_idle(namespace, Revival::ByConnect);
            }
        }
        self.events.push_back(Event::Closed { reason });
        if matches!(next, Next::Connect) && !self.is_deserted() {
            self.begin_anew();
        }
    }

    /// Namespaces that the application has not left itself are wanted again.
    fn revive(&mut self) {
        for namespace in &mut self.namespaces {
            if matches!(namespace.state, State::Idle(Revival::ByConnect)) {
                namespace.state = State::Waiting;
            }
        }
    }

    /// All namespaces, in the order they were added.
    pub(super) fn all_namespaces(&self) -> impl Iterator<Item = NamespaceId> + use<> {
        (0..self.namespaces.len() as u32).map(NamespaceId)
    }
}
