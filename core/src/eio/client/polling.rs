//! Long-polling: one GET always under way, one POST whenever something is queued.
//!
//! What needs a connection takes one that rests, or has one dialled and takes whichever is there first. So there
//! are never more connections than there are needs, which are two.

use super::connection::{Errand, Line, Persistence, Purpose, Role};
use super::deadlines::Due;
use super::event::{CloseReason, Failure};
use super::session::{Carrier, Phase, Polling, Repeat, Stage};
use super::{Client, ConnId};
use crate::timer::later;

/// What lacks a connection.
struct Needs {
    poll: bool,
    post: bool,
}

impl<M> Client<M> {
    pub(super) fn polling(&mut self) -> Option<&mut Polling> {
        match &mut self.phase {
            Phase::Open(session) => match &mut session.carrier {
                Carrier::Polling(polling) => Some(polling),
                Carrier::WebSocket { .. } => None,
            },
            Phase::Idle | Phase::Opening(_) => None,
        }
    }

    /// Sends whatever can be sent now on the connections there are, and asks for those that lack.
    pub(super) fn drive_polling(&mut self) {
        let Some(polling) = self.polling() else { return };
        if polling.is_pausing() {
            if polling.poll.is_none() && polling.post.is_none() {
                self.complete_upgrade();
            }
            return;
        }
        let needs = self.needs();
        let mut lacking = 0_usize;
        if needs.poll && !self.start_on_idle(Errand::Poll) {
            lacking = lacking.saturating_add(1);
        }
        if needs.post {
            if !self.deadlines.is_armed(Due::Post) {
                let deadline = later(self.now, self.config.request_timeout);
                self.deadlines.arm(Due::Post, deadline);
            }
            if !self.start_on_idle(Errand::Post) {
                lacking = lacking.saturating_add(1);
            }
        }
        while self
            .polling()
            .is_some_and(|polling| polling.dialing.len() < lacking)
        {
            let connection = self.dial(Purpose::Polling);
            if let Some(polling) = self.polling() {
                polling.dialing.push(connection);
            }
        }
    }

    fn needs(&self) -> Needs {
        let none = Needs {
            poll: false,
            post: false,
        };
        let Phase::Open(session) = &self.phase else {
            return none;
        };
        let Carrier::Polling(polling) = &session.carrier else {
            return none;
        };
        if polling.is_pausing() {
            return none;
        }
        let has_queued = !self.queue.is_empty();
        Needs {
            // After its close packet has left the session is not polled any more.
            poll: polling.poll.is_none() && (session.stage == Stage::Open || has_queued),
            post: polling.post.is_none() && has_queued,
        }
    }

    /// Whether a connection was at rest for it.
    fn start_on_idle(&mut self, errand: Errand) -> bool {
        let Some(connection) = self.take_idle(errand) else {
            return false;
        };
        if let Some(polling) = self.polling() {
            match errand {
                Errand::Post => polling.post = Some(connection),
                _ => polling.poll = Some(connection),
            }
        }
        self.ask(connection, errand);
        true
    }

    /// The connection that rested least, if it is good for this. One that rested too long for a POST is closed.
    fn take_idle(&mut self, errand: Errand) -> Option<ConnId> {
        let now = self.now;
        loop {
            let polling = self.polling()?;
            let needs_fresh_line = errand == Errand::Poll && polling.repeat == Repeat::Second;
            let connection = polling.idle.pop()?;
            let is_good = match self.connections.get(connection.0).map(|state| &state.role) {
                Some(Role::Idle(rest)) => match errand {
                    Errand::Post => now <= rest.fresh_until,
                    _ => !needs_fresh_line || rest.line == Line::Fresh,
                },
                _ => false,
            };
            if is_good {
                return Some(connection);
            }
            self.unwant(connection);
        }
    }

    pub(super) fn poll_answered(&mut self, connection: ConnId, persistence: Persistence) {
        if let Some(polling) = self.polling() {
            polling.poll = None;
            polling.repeat = Repeat::First;
        }
        self.rest(connection, Line::Reused, persistence);
        self.drive_polling();
    }

    pub(super) fn post_answered(&mut self, connection: ConnId, persistence: Persistence) {
        self.deadlines.disarm(Due::Post);
        if let Some(polling) = self.polling() {
            polling.post = None;
            polling.unwritten = 0;
        }
        self.rest(connection, Line::Reused, persistence);
        if self.is_closing() && self.queue.is_empty() {
            return self.end(CloseReason::ForcedClose);
        }
        self.drive_polling();
    }

    /// The server has ended a connection that had served before, perhaps for its age, instead of answering the poll on
    /// it. It is sent once more, on a new connection.
    pub(super) fn repeat_poll(&mut self, connection: ConnId) {
        match self.polling() {
            Some(polling) if polling.repeat == Repeat::First => {
                polling.poll = None;
                polling.repeat = Repeat::Second;
                self.unwant(connection);
                self.drive_polling();
            }
            _ => self.fail(connection, Errand::Poll, CloseReason::ConnectionLost),
        }
    }

    /// The server closed a connection at rest just when a request was to go out on it; nothing was sent.
    pub(super) fn ask_elsewhere(&mut self, connection: ConnId, errand: Errand) {
        self.unwant(connection);
        if let Some(polling) = self.polling() {
            match errand {
                Errand::Post => {
                    polling.post = None;
                    polling.unwritten = 0;
                }
                _ => polling.poll = None,
            }
        }
        self.drive_polling();
    }

    pub(super) fn poll_failed(&mut self, failure: Failure) {
        if self.is_closing() && self.queue.is_empty() {
            // The close packet is under way; what the server says to a poll now does not matter.
            self.deadlines.disarm(Due::Poll);
            if let Some(polling) = self.polling() {
                polling.poll = None;
            }
            return;
        }
        self.end(failure);
    }

    /// A connection for the next poll or POST is there.
    pub(super) fn polling_connected(&mut self, connection: ConnId) {
        if let Some(polling) = self.polling() {
            polling.dialing.retain(|dialing| *dialing != connection);
        }
        self.rest(
            connection,
            Line::Fresh,
            Persistence::KeepAlive(super::connection::REST),
        );
        self.drive_polling();
    }

    pub(super) fn polling_dial_failed(&mut self, connection: ConnId, failure: Failure) {
        if let Some(polling) = self.polling() {
            polling.dialing.retain(|dialing| *dialing != connection);
        }
        let needs = self.needs();
        if needs.poll || needs.post {
            self.end(failure);
        }
    }
}
