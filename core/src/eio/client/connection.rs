//! The table of connections: what each is used for, and what its wire has to be told.
//!
//! | role | begins with | ends with |
//! | --- | --- | --- |
//! | Dialing | `poll_dial` names it | `handle_open`: Busy, or Idle for a poll or POST to take · `handle_lost` |
//! | Busy | a request | `End`: Idle, or Ending unless the connection stays · 101: WebSocket |
//! | Idle | – | a poll or a POST takes it · it rested too long for a POST: Ending |
//! | WebSocket | 101 | `handle_lost` |
//! | Ending | nobody wants it any more | `handle_lost`, or `handle_open` saying `false` |

use super::event::{CloseReason, Dial, Failure};
use super::{Client, ConnId};
use crate::eio::Transport;
use crate::http::{BodyLength, ResponseHead};
use crate::timer::later;
use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

pub(super) struct Connection {
    pub(super) role: Role,
    /// What the wire has to be told, oldest first.
    pub(super) commands: VecDeque<Command>,
    pub(super) readiness: Readiness,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    Quiet,
    /// In the ready list already.
    Ready,
}

/// What a connection is being used for.
pub(super) enum Role {
    /// Asked for, and not made yet.
    Dialing(Purpose),
    /// Between two exchanges of a polling session.
    Idle(Rest),
    /// A request was sent, its answer is not complete.
    Busy(Exchange),
    /// Frames are exchanged.
    WebSocket(Speech),
    /// Nobody wants it any more.
    Ending,
}

/// What a connection is dialled for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Handshake(Transport),
    /// For the next poll or POST that needs one.
    Polling,
    Probe,
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    Handshake(Transport),
    Poll,
    Post,
    Probe,
}

/// What is awaited on a WebSocket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Speech {
    /// The packet that opens a session.
    Handshake,
    /// The answer to a probe, or that polling has come to rest.
    Probe,
    /// It carries the session.
    Session,
}

/// One request and its answer.
pub(super) struct Exchange {
    pub(super) errand: Errand,
    pub(super) answer: Answer,
    pub(super) line: Line,
}

/// How far an answer has come.
pub(super) enum Answer {
    Awaited,
    /// It is what was hoped for.
    Accepted(Persistence),
    /// It is not; its body may still say why.
    Refused(Failure),
}

/// Whether a connection has served before: one that has may have been closed by the server meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Fresh,
    Reused,
}

/// Whether a connection serves another request, and for how long after this one a POST may go out on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Persistence {
    Close,
    KeepAlive(Duration),
}

/// A connection that waits for its next request.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    pub(super) line: Line,
    /// A POST may go out on it until then.
    pub(super) fresh_until: Instant,
}

pub(super) enum Command {
    Ask(Errand),
    Text(&'static [u8]),
    Close,
}

/// How long a connection may rest before no POST goes out on it any more: Node closes after 5 s, and nobody can
/// say whether a POST on a connection that was closed meanwhile arrived.
pub(super) const REST: Duration = Duration::from_secs(4);

impl Persistence {
    pub(super) fn after(head: &ResponseHead) -> Self {
        // A body whose end is the connection's end leaves none.
        if !head.keep_alive() || head.body_length() == BodyLength::UntilClose {
            return Self::Close;
        }
        let announced = head
            .keep_alive_timeout()
            .map_or(REST, |timeout| timeout.saturating_sub(Duration::from_secs(1)));
        Self::KeepAlive(announced.min(REST))
    }
}

impl<M> Client<M> {
    /// Asks for a connection.
    pub(super) fn dial(&mut self, purpose: Purpose) -> ConnId {
        let connection = ConnId(self.connections.insert(Connection {
            role: Role::Dialing(purpose),
            commands: VecDeque::new(),
            readiness: Readiness::Quiet,
        }));
        let transport = match purpose {
            Purpose::Handshake(transport) => transport,
            Purpose::Polling => Transport::Polling,
            Purpose::Probe => Transport::WebSocket,
        };
        self.dials.push_back(Dial {
            connection,
            transport,
        });
        connection
    }

    /// Sends a request on a connection that is at rest.
    pub(super) fn ask(&mut self, connection: ConnId, errand: Errand) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        let line = match state.role {
            Role::Idle(rest) => rest.line,
            _ => Line::Fresh,
        };
        state.role = Role::Busy(Exchange {
            errand,
            answer: Answer::Awaited,
            line,
        });
        self.command(connection, Command::Ask(errand));
    }

    /// Leaves a connection for the next poll or POST, if it can serve one.
    pub(super) fn rest(&mut self, connection: ConnId, line: Line, persistence: Persistence) {
        let now = self.now;
        let (Some(state), Persistence::KeepAlive(rest)) =
            (self.connections.get_mut(connection.0), persistence)
        else {
            return self.unwant(connection);
        };
        state.role = Role::Idle(Rest {
            line,
            fresh_until: later(now, rest),
        });
        match self.polling() {
            Some(polling) => polling.idle.push(connection),
            None => self.unwant(connection),
        }
    }

    /// Nobody wants a connection any more: it closes, and its dialling is given up.
    pub(super) fn unwant(&mut self, connection: ConnId) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        match core::mem::replace(&mut state.role, Role::Ending) {
            Role::Ending => return,
            Role::Dialing(_) => {
                let known = self.dials.len();
                self.dials.retain(|dial| dial.connection != connection);
                if self.dials.len() < known {
                    // Nobody was told of it.
                    self.connections.remove(connection.0);
                    return;
                }
            }
            Role::Idle(_) | Role::Busy(_) | Role::WebSocket(_) => {
                state.commands.clear();
                state.commands.push_back(Command::Close);
            }
        }
        self.mark_ready(connection);
    }

    pub(super) fn unwant_all_but(&mut self, kept: Option<ConnId>) {
        for key in self.connections.keys() {
            let connection = ConnId(key);
            if Some(connection) != kept {
                self.unwant(connection);
            }
        }
    }

    pub(super) fn command(&mut self, connection: ConnId, command: Command) {
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.commands.push_back(command);
        }
        self.mark_ready(connection);
    }

    pub(super) fn mark_ready(&mut self, connection: ConnId) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        if state.readiness == Readiness::Quiet {
            state.readiness = Readiness::Ready;
            self.ready.push_back(connection);
        }
    }

    pub(super) fn set_role(&mut self, connection: ConnId, role: Role) {
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.role = role;
        }
    }

    /// What `connection` was to do came to nothing.
    pub(super) fn fail(&mut self, connection: ConnId, errand: Errand, failure: impl Into<Failure>) {
        self.unwant(connection);
        let failure = failure.into();
        match errand {
            Errand::Handshake(_) => self.attempt_failed(failure),
            Errand::Poll => self.poll_failed(failure),
            Errand::Post => self.end(failure),
            Errand::Probe => self.abandon_upgrade(failure.reason),
        }
    }

    /// A connection that was dialled can not be made.
    pub(super) fn dial_failed(&mut self, connection: ConnId, purpose: Purpose) {
        self.dials.retain(|dial| dial.connection != connection);
        let failure = Failure::from(CloseReason::DialFailed);
        match purpose {
            Purpose::Handshake(_) => self.attempt_failed(failure),
            Purpose::Polling => self.polling_dial_failed(connection, failure),
            Purpose::Probe => self.abandon_upgrade(failure.reason),
        }
    }
}
