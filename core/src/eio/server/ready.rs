//! When a client is ready for more.

use super::connection::{Answer, Role};
use super::session::Session;
use super::{ConnId, Event, Server, SessionId};
use crate::eio::{Readiness, Watch};
use std::time::Instant;

impl<M> Server<M> {
    /// Asks to be told when less than [`Limits::ready_bytes`](crate::Limits::ready_bytes) is on its way to a client:
    /// by [`Event::Ready`], if it is not [ready](Readiness::Ready) already.
    ///
    /// Whoever asks before each message never fills the queue of a client that does not read.
    pub fn watch_ready(&mut self, now: Instant, session: SessionId) -> Readiness {
        self.advance(now);
        let limits = &self.config.limits;
        match self
            .sessions
            .get_mut(session.0)
            .filter(|session| session.is_open())
        {
            None => Readiness::Never,
            Some(session) if limits.is_ready(session.under_way()) => Readiness::Ready,
            Some(session) => {
                session.watch = Watch::Watching;
                Readiness::Awaited
            }
        }
    }

    /// Bytes on their way to a client: queued, or handed to a connection that has not written them yet.
    pub fn bytes_under_way(&self, session: SessionId) -> usize {
        self.sessions.get(session.0).map_or(0, Session::under_way)
    }

    /// Tells who waits for it that a client is ready, if it is.
    pub(super) fn tell_if_ready(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id.0) else {
            return;
        };
        let is_ready = session.is_open() && self.config.limits.is_ready(session.under_way());
        if is_ready && session.watch.end() {
            self.events.push_back(Event::Ready { session: id });
        }
    }

    /// The packets of a session were handed to a connection as the answer to a poll. What is left there of an earlier one
    /// counts with it.
    pub(super) fn begin_answer(&mut self, connection: ConnId, session: SessionId, unwritten: usize) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        let before = state.answer.replace(Answer { session, unwritten });
        if let Some(carried) = self.sessions.get_mut(session.0) {
            carried.answers = carried.answers.saturating_add(unwritten);
        }
        if let Some(before) = before {
            self.forget_answer(before);
        }
    }

    /// So much is unwritten on a connection now. What a WebSocket has not written is counted by its own session.
    pub(super) fn count_answer(&mut self, connection: ConnId, unwritten: usize) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        let Some(answer) = &mut state.answer else { return };
        let left = match state.role {
            Role::WebSocket(_) => 0,
            // What is more belongs to later answers.
            _ => unwritten.min(answer.unwritten),
        };
        let written = Answer {
            session: answer.session,
            unwritten: answer.unwritten.saturating_sub(left),
        };
        answer.unwritten = left;
        if left == 0 {
            state.answer = None;
        }
        self.forget_answer(written);
    }

    /// So much of an answer does not count any more.
    pub(super) fn forget_answer(&mut self, answer: Answer) {
        if let Some(session) = self.sessions.get_mut(answer.session.0) {
            session.answers = session.answers.saturating_sub(answer.unwritten);
        }
        self.tell_if_ready(answer.session);
    }
}
