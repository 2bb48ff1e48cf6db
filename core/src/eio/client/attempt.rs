//! Opening a session: one transport after the other, until one brings a handshake.

use super::config::{Remembered, Start};
use super::connection::{Answer, Errand, Exchange, Purpose, Role, Speech};
use super::deadlines::Due;
use super::event::{CloseReason, Failure};
use super::handshake::Handshake;
use super::session::{Attempt, Carrier, Phase, Polling, Session, Stage};
use super::{Client, ConnId, Event};
use crate::Text;
use crate::eio::Transport;
use crate::timer::later;
use crate::wire::ClientItem;

impl<M> Client<M> {
    pub(super) fn begin_attempt(&mut self) {
        let deadline = later(self.now, self.config.connect_timeout);
        self.deadlines.arm(Due::Connect, deadline);
        self.try_next(self.config.candidates(self.start), None);
    }

    /// Tries the first of `candidates`.
    fn try_next(&mut self, candidates: &'static [Transport], first_failure: Option<Failure>) {
        let Some((transport, rest)) = candidates.split_first() else {
            return;
        };
        if *transport == Transport::WebSocket && !rest.is_empty() {
            // Intermediaries that know no WebSocket may never answer; polling must have its turn then.
            let half = self.config.connect_timeout.checked_div(2).unwrap_or_default();
            let deadline = later(self.now, self.config.upgrade_timeout.min(half));
            self.deadlines.arm(Due::Upgrade, deadline);
        }
        let connection = self.dial(Purpose::Handshake(*transport));
        self.phase = Phase::Opening(Attempt {
            connection,
            rest,
            first_failure,
        });
    }

    /// The present transport can not open a session.
    pub(super) fn attempt_failed(&mut self, failure: Failure) {
        self.start = Start::First;
        self.deadlines.disarm(Due::Upgrade);
        let Phase::Opening(attempt) = &mut self.phase else {
            return;
        };
        let first = attempt.first_failure.take().unwrap_or(failure);
        if attempt.rest.is_empty() {
            return self.end(first);
        }
        let rest = attempt.rest;
        self.try_next(rest, Some(first));
    }

    /// The time for the attempt is over.
    pub(super) fn connect_due(&mut self) {
        let Phase::Opening(attempt) = &mut self.phase else {
            return;
        };
        let (connection, first) = (attempt.connection, attempt.first_failure.take());
        let failure = first.or_else(|| self.refusal(connection));
        self.start = Start::First;
        self.end(failure.unwrap_or_else(|| CloseReason::ConnectTimedOut.into()));
    }

    /// The time for a WebSocket is over: for one that is tried before polling, or for an upgrade.
    pub(super) fn websocket_due(&mut self) {
        let Phase::Opening(attempt) = &self.phase else {
            return self.abandon_upgrade(CloseReason::UpgradeTimedOut);
        };
        let connection = attempt.connection;
        let failure = self.refusal(connection);
        self.unwant(connection);
        self.attempt_failed(failure.unwrap_or_else(|| CloseReason::ConnectTimedOut.into()));
    }

    /// Something came where a handshake has to.
    pub(super) fn handle_handshake_item(
        &mut self,
        connection: ConnId,
        transport: Transport,
        item: ClientItem<M>,
    ) {
        let reason = match item {
            ClientItem::KeepAlive => return,
            ClientItem::Open(json) => match Handshake::read(&json) {
                Some(handshake) => return self.open_session(connection, transport, handshake),
                None => CloseReason::InvalidHandshake,
            },
            ClientItem::Close | ClientItem::Closed(_) => CloseReason::TransportClose,
            ClientItem::Failed(error) => error.into(),
            _ => CloseReason::InvalidHandshake,
        };
        self.fail(connection, Errand::Handshake(transport), reason);
    }

    fn open_session(&mut self, connection: ConnId, transport: Transport, handshake: Handshake) {
        let Phase::Opening(attempt) = &self.phase else {
            return;
        };
        // A WebSocket that has just failed would only fail again.
        let upgrades = handshake.offers_websocket
            && transport == Transport::Polling
            && attempt.first_failure.is_none()
            && self.config.wants_upgrade();
        let carrier = match transport {
            Transport::Polling => Carrier::Polling(Polling {
                // The answer to the handshake is the answer to the first poll.
                poll: Some(connection),
                ..Polling::default()
            }),
            Transport::WebSocket => Carrier::WebSocket {
                connection,
                unwritten: 0,
            },
        };
        self.deadlines.disarm(Due::Connect);
        self.deadlines.disarm(Due::Upgrade);
        self.phase = Phase::Open(Session {
            sid: handshake.sid,
            patience: handshake.patience,
            max_payload: handshake.max_payload,
            carrier,
            stage: Stage::Open,
        });
        self.await_ping();
        self.events.push_back(Event::Opened { transport });
        match transport {
            Transport::Polling => self.become_poll(connection),
            Transport::WebSocket => {
                self.set_role(connection, Role::WebSocket(Speech::Session));
                self.remember_websocket();
            }
        }
        if upgrades {
            self.begin_upgrade();
        }
    }

    /// What follows the handshake in its answer are packets like any other.
    fn become_poll(&mut self, connection: ConnId) {
        if let Some(state) = self.connections.get_mut(connection.0)
            && let Role::Busy(exchange) = &mut state.role
        {
            exchange.errand = Errand::Poll;
        }
    }

    pub(super) fn remember_websocket(&mut self) {
        if self.config.remembered == Remembered::Upgrade {
            self.start = Start::WebSocket;
        }
    }

    /// What the server has said so far on a connection where it refused something.
    pub(super) fn refusal(&self, connection: ConnId) -> Option<Failure> {
        match &self.connections.get(connection.0)?.role {
            Role::Busy(Exchange {
                answer: Answer::Refused(failure),
                ..
            }) => Some(failure.clone()),
            _ => None,
        }
    }

    pub(super) fn session_id(&self) -> Option<&Text> {
        match &self.phase {
            Phase::Open(session) => Some(&session.sid),
            Phase::Idle | Phase::Opening(_) => None,
        }
    }
}
