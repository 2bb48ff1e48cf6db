//! How sessions end (protocol section 1.13).

use super::connection::{Command, Role};
use super::session::{Carrier, Phase, Session};
use super::{CloseReason, Due, Event, Server, SessionId, Stage, TimerKind, later};
use crate::OutBuf;
use std::time::Instant;

impl<M> Server<M> {
    /// Closes a session after what is queued for it. The application hears of it at once; a polling client is
    /// told with its next poll, for which the session waits [`Config::linger`](crate::eio::Config::linger).
    pub fn close(&mut self, now: Instant, session: SessionId) {
        self.advance(now);
        self.close_gracefully(session);
    }

    /// Ends every session at once, wakes every poll, closes every WebSocket, and lets nobody in any more.
    /// What is queued for WebSockets and for polls that wait is still written.
    pub fn shutdown(&mut self, now: Instant) {
        self.advance(now);
        self.stage = Stage::ShutDown;
        for key in self.sessions.keys() {
            let id = SessionId(key);
            if self.is_about_to_answer(id) {
                self.put_text(id, b"1");
            } else {
                self.release_poll(id, "1");
            }
            self.end_session(id, CloseReason::ServerShuttingDown);
        }
        for key in self.connections.keys() {
            let connection = super::ConnId(key);
            match self.connections.get(key).map(|state| &state.role) {
                Some(Role::Idle | Role::Excess(_)) => self.cut(connection),
                Some(Role::Deciding(_)) => self.turn_undecided_away(connection),
                Some(
                    Role::Foreign
                    | Role::Poll { .. }
                    | Role::Post { .. }
                    | Role::WebSocket(_)
                    | Role::Probe(_)
                    | Role::Ending,
                )
                | None => {}
            }
        }
    }

    /// Whether [`shutdown`](Self::shutdown) was called.
    pub fn is_shut_down(&self) -> bool {
        self.stage == Stage::ShutDown
    }

    /// Whether the client of a session would hear of its end at once: on a WebSocket, or while a poll waits.
    pub(crate) fn can_tell_of_close(&self, session: SessionId) -> bool {
        self.sessions
            .get(session.0)
            .is_some_and(|session| match &session.carrier {
                Carrier::Polling(polling) => polling.poll.is_some(),
                Carrier::WebSocket { .. } => true,
            })
    }

    /// Whether a poll waits and there are packets for it.
    fn is_about_to_answer(&self, id: SessionId) -> bool {
        self.sessions.get(id.0).is_some_and(|session| {
            let Carrier::Polling(polling) = &session.carrier else {
                return false;
            };
            polling.poll.is_some() && !session.queue.is_empty()
        })
    }

    pub(super) fn close_gracefully(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id.0) else {
            return;
        };
        if !session.is_open() {
            return;
        }
        let Carrier::Polling(polling) = &session.carrier else {
            return self.end_session(id, CloseReason::ForcedClose);
        };
        if polling.poll.is_some() && session.queue.is_empty() {
            self.release_poll(id, "1");
            return self.end_session(id, CloseReason::ForcedClose);
        }
        let deadline = later(self.now, self.config.linger);
        let timer = self
            .timers
            .arm(TimerKind::Linger as usize, deadline, Due::Linger(id));
        self.stop_heartbeat(id);
        if let Some(polling) = self.polling(id) {
            polling.phase = Phase::Lingering(timer);
        }
        self.events.push_back(Event::Closed {
            session: id,
            reason: CloseReason::ForcedClose,
        });
    }

    /// Ends a session because of what its client did or did not do.
    pub(super) fn close_session(&mut self, id: SessionId, reason: CloseReason) {
        if reason == CloseReason::SlowConsumer {
            // Whoever does not read gets no more to keep in memory; frames in the queue are whole.
            if let Some(session) = self.sessions.get_mut(id.0) {
                session.queue = OutBuf::new();
            }
        }
        // A poll that is about to carry packets carries them; its client hears of the end with its next request.
        if self
            .sessions
            .get(id.0)
            .is_some_and(|session| session.queue.is_empty())
        {
            self.release_poll(id, "1");
        }
        self.end_session(id, reason);
    }

    /// The client sent a close packet.
    pub(super) fn close_by_client(&mut self, id: SessionId) {
        self.release_poll(id, "6");
        self.end_session(id, CloseReason::TransportClose);
    }

    /// A session that was closed here meets a poll: it tells the client and is gone.
    pub(super) fn tell_of_close(&mut self, id: SessionId) {
        self.release_poll(id, "6\u{1e}1");
        self.remove_session(id);
    }

    pub(super) fn linger_due(&mut self, id: SessionId) {
        if let Some(polling) = self.polling(id) {
            polling.phase = Phase::Open;
        }
        self.remove_session(id);
    }

    fn end_session(&mut self, id: SessionId, reason: CloseReason) {
        let is_open = self.sessions.get(id.0).is_some_and(Session::is_open);
        self.remove_session(id);
        if is_open {
            self.events.push_back(Event::Closed { session: id, reason });
        }
    }

    /// Takes a session out of all tables. A poll that still waits gets what is queued, a WebSocket gets it and
    /// a close frame.
    pub(super) fn remove_session(&mut self, id: SessionId) {
        self.stop_heartbeat(id);
        let Some(mut session) = self.sessions.remove(id.0) else {
            return;
        };
        self.by_sid.remove(&session.sid);
        self.spares.truncate(self.most_spares());
        let queue = core::mem::take(&mut session.queue);
        match session.carrier {
            Carrier::Polling(polling) => {
                if let Phase::Lingering(timer) = polling.phase {
                    self.timers.disarm(timer);
                }
                if let Some(upgrade) = polling.upgrade {
                    self.disarm_upgrade(upgrade);
                    self.command(upgrade.connection, Command::Close(None));
                    self.end_connection(upgrade.connection);
                }
                if let Some(poll) = polling.poll {
                    self.answer_poll_with(poll, queue);
                }
            }
            Carrier::WebSocket { connection, .. } => {
                let carries = self
                    .connections
                    .get(connection.0)
                    .is_some_and(|state| matches!(state.role, Role::WebSocket(own) if own == id));
                if carries {
                    if !queue.is_empty() {
                        self.command(connection, Command::Frames(Box::new(queue)));
                    }
                    self.command(connection, Command::Close(None));
                    self.end_connection(connection);
                }
            }
        }
    }
}
