//! Ping and pong (protocol section 1.11), and packets that arrive on a session.
//!
//! | state | on its deadline | on a pong | on another packet |
//! | --- | --- | --- | --- |
//! | Resting | ping, then Pinged until *scheduled ping + ping timeout* | Resting, full interval | – |
//! | Pinged, grace left | closed: ping timeout | Resting, full interval | timeout starts anew, grace used |
//! | Pinged, grace used | closed: ping timeout | Resting, full interval | – |

use super::session::{Grace, Heartbeat};
use super::{CloseReason, Due, Event, Server, SessionId, TimerKind, later};
use crate::wire::Item;
use std::time::Instant;

impl<M> Server<M> {
    /// A packet that means the same on both transports.
    pub(super) fn receive(&mut self, id: SessionId, item: Item<M>) {
        if !self
            .sessions
            .get(id.0)
            .is_some_and(super::session::Session::is_open)
        {
            return;
        }
        match item {
            Item::Pong => return self.rest_heartbeat(id, self.now),
            Item::Message(message) => self.events.push_back(Event::Message { session: id, message }),
            Item::Close => return self.close_by_client(id),
            Item::Malformed(error) => return self.close_session(id, CloseReason::ParseError(error)),
            Item::Ping(_) => return self.close_session(id, CloseReason::InvalidHeartbeat),
            Item::Upgrade | Item::Ignored => {}
            Item::KeepAlive
            | Item::Request(_)
            | Item::BodyEnd
            | Item::Body(_)
            | Item::BodyFailed(_)
            | Item::Closed(_)
            | Item::Failed(_) => return,
        }
        self.use_grace(id);
    }

    /// The next ping is due one interval after `from`.
    pub(super) fn rest_heartbeat(&mut self, id: SessionId, from: Instant) {
        self.stop_heartbeat(id);
        let deadline = later(from, self.config.ping_interval);
        let timer = self
            .timers
            .arm(TimerKind::PingInterval as usize, deadline, Due::Heartbeat(id));
        self.set_heartbeat(id, Heartbeat::Resting(timer));
    }

    pub(super) fn heartbeat_due(&mut self, id: SessionId, deadline: Instant) {
        let Some(session) = self.sessions.get_mut(id.0) else {
            return;
        };
        match session.heartbeat {
            Heartbeat::Resting(_) => {
                self.put_text(id, b"2");
                // Counted from when the ping was due, not from when it was noticed, so that a late timer does
                // not make the client live longer.
                let timeout = later(deadline, self.config.ping_timeout);
                let timer = self
                    .timers
                    .arm(TimerKind::PingTimeout as usize, timeout, Due::Heartbeat(id));
                self.set_heartbeat(
                    id,
                    Heartbeat::Pinged {
                        timeout: timer,
                        grace: Grace::Left,
                    },
                );
            }
            Heartbeat::Pinged { .. } => {
                session.heartbeat = Heartbeat::Stopped;
                self.close_session(id, CloseReason::PingTimeout);
            }
            Heartbeat::Stopped => {}
        }
    }

    /// The first packet after a ping pushes the timeout back once: the client is alive, its pong is on the way.
    fn use_grace(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id.0) else {
            return;
        };
        if let Heartbeat::Pinged {
            timeout,
            grace: Grace::Left,
        } = session.heartbeat
        {
            self.timers.disarm(timeout);
            let deadline = later(self.now, self.config.ping_timeout);
            let timeout = self
                .timers
                .arm(TimerKind::PingTimeout as usize, deadline, Due::Heartbeat(id));
            self.set_heartbeat(
                id,
                Heartbeat::Pinged {
                    timeout,
                    grace: Grace::Used,
                },
            );
        }
    }

    pub(super) fn stop_heartbeat(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id.0) else {
            return;
        };
        match core::mem::replace(&mut session.heartbeat, Heartbeat::Stopped) {
            Heartbeat::Resting(timer) | Heartbeat::Pinged { timeout: timer, .. } => self.timers.disarm(timer),
            Heartbeat::Stopped => {}
        }
    }

    fn set_heartbeat(&mut self, id: SessionId, heartbeat: Heartbeat) {
        if let Some(session) = self.sessions.get_mut(id.0) {
            session.heartbeat = heartbeat;
        }
    }
}
