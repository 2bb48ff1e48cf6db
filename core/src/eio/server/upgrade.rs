//! WebSockets: those that carry a session, and those that want to (protocol section 1.12).
//!
//! | an upgrading WebSocket sends | what happens |
//! | --- | --- |
//! | `2probe` | `3probe` at once; the waiting poll gets `6`, and so does every later one |
//! | `5` | the WebSocket carries the session; queued packets follow in order |
//! | anything else | it is closed; the session goes on polling |
//!
//! It is also abandoned when it is lost or when the time for an upgrade has passed. The heartbeat runs through
//! all of this.

use super::connection::{Command, Role};
use super::session::{Carrier, Phase, Probe, Upgrade};
use super::{CloseReason, ConnId, Due, Event, Server, SessionId, TimerKind, later};
use crate::http::Headers;
use crate::wire::{Item, WireError};
use crate::ws::FrameError;
use core::time::Duration;

/// Polls that arrive during an upgrade are released one by one at this distance, as in JS.
const NOOP_INTERVAL: Duration = Duration::from_millis(100);

/// Answers to probes that wait to be written.
const PROBE_ANSWERS: usize = 64;

impl<M> Server<M> {
    pub(super) fn handle_websocket_item(&mut self, connection: ConnId, id: SessionId, item: Item<M>) {
        match item {
            Item::Closed(_) => self.websocket_lost(id, connection),
            Item::Failed(error) => {
                self.end_connection(connection);
                self.close_session(
                    id,
                    match error {
                        WireError::Frame(FrameError::TooLarge) => CloseReason::MessageTooLarge,
                        WireError::Frame(error) => CloseReason::BadFrame(error),
                        WireError::Head(_) => CloseReason::TransportClose,
                    },
                );
            }
            item => self.receive(id, item),
        }
    }

    pub(super) fn websocket_lost(&mut self, id: SessionId, connection: ConnId) {
        let carries = self.sessions.get(id.0).is_some_and(
            |session| matches!(session.carrier, Carrier::WebSocket { connection: own, .. } if own == connection),
        );
        if carries {
            self.end_connection(connection);
            self.close_session(id, CloseReason::TransportClose);
        }
    }

    pub(super) fn accept_upgrade(&mut self, connection: ConnId, id: SessionId, headers: Headers) {
        let deadline = later(self.now, self.config.upgrade_timeout);
        let timeout = self
            .timers
            .arm(TimerKind::Upgrade as usize, deadline, Due::Upgrade(id));
        let Some(polling) = self.polling(id) else {
            return self.timers.disarm(timeout);
        };
        polling.upgrade = Some(Upgrade {
            connection,
            timeout,
            probe: Probe::Awaited,
        });
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.role = Role::Probe(id);
        }
        self.command(connection, Command::AcceptWebSocket(headers));
    }

    pub(super) fn handle_probe_item(&mut self, connection: ConnId, id: SessionId, item: Item<M>) {
        match item {
            Item::Ping(data) if data == "probe" => {
                self.answer_probe(connection);
                if let Some(upgrade) = self.upgrade(id)
                    && matches!(upgrade.probe, Probe::Awaited)
                {
                    upgrade.probe = Probe::Answered { next_noop: None };
                }
                self.release_if_upgrading(id);
            }
            Item::Upgrade => self.complete_upgrade(connection, id),
            Item::KeepAlive => {}
            Item::Closed(_) | Item::Failed(_) => {
                self.end_connection(connection);
                self.abandon_upgrade(id, connection);
            }
            _ => {
                self.command(connection, Command::Close(None));
                self.end_connection(connection);
                self.abandon_upgrade(id, connection);
            }
        }
    }

    /// Whoever probes again and again before the answers are written gets a few of them.
    fn answer_probe(&mut self, connection: ConnId) {
        let commands = self
            .connections
            .get(connection.0)
            .map_or(0, |state| state.commands.len());
        if commands < PROBE_ANSWERS {
            self.command(connection, Command::Text(b"3probe"));
        }
    }

    /// While an upgrade is being tried no poll may wait long: the client stops polling before it upgrades.
    /// The first is released at once, later ones at a distance. One for which packets are queued is about to be
    /// answered anyway.
    pub(super) fn release_if_upgrading(&mut self, id: SessionId) {
        if self.queued_bytes(id) > 0 {
            return;
        }
        let Some(polling) = self.polling(id) else { return };
        if polling.poll.is_none() {
            return;
        }
        let Some(Upgrade {
            probe: Probe::Answered { next_noop: None },
            ..
        }) = polling.upgrade
        else {
            return;
        };
        self.release_poll(id, "6");
        let timer = self.timers.arm(
            TimerKind::Noop as usize,
            later(self.now, NOOP_INTERVAL),
            Due::Noop(id),
        );
        if let Some(upgrade) = self.upgrade(id) {
            upgrade.probe = Probe::Answered {
                next_noop: Some(timer),
            };
        }
    }

    pub(super) fn noop_due(&mut self, id: SessionId) {
        if let Some(upgrade) = self.upgrade(id) {
            upgrade.probe = Probe::Answered { next_noop: None };
        }
        self.release_if_upgrading(id);
    }

    pub(super) fn upgrade_due(&mut self, id: SessionId) {
        let Some(upgrade) = self.polling(id).and_then(|polling| polling.upgrade.take()) else {
            return;
        };
        // Its timeout is the one that has fired.
        self.disarm_noop(upgrade);
        self.command(upgrade.connection, Command::Close(None));
        self.end_connection(upgrade.connection);
    }

    /// The upgrade on `connection` came to nothing; the session goes on polling.
    pub(super) fn abandon_upgrade(&mut self, id: SessionId, connection: ConnId) {
        let Some(polling) = self.polling(id) else { return };
        if polling
            .upgrade
            .is_some_and(|upgrade| upgrade.connection == connection)
            && let Some(upgrade) = polling.upgrade.take()
        {
            self.disarm_upgrade(upgrade);
        }
    }

    pub(super) fn disarm_upgrade(&mut self, upgrade: Upgrade) {
        self.timers.disarm(upgrade.timeout);
        self.disarm_noop(upgrade);
    }

    fn disarm_noop(&mut self, upgrade: Upgrade) {
        if let Probe::Answered {
            next_noop: Some(timer),
        } = upgrade.probe
        {
            self.timers.disarm(timer);
        }
    }

    fn complete_upgrade(&mut self, connection: ConnId, id: SessionId) {
        self.release_poll(id, "6");
        let Some(polling) = self.polling(id) else { return };
        let (upgrade, post, phase) = (polling.upgrade.take(), polling.post.take(), polling.phase);
        if let Some(upgrade) = upgrade {
            self.disarm_upgrade(upgrade);
        }
        if let Some(post) = post {
            self.cut(post);
        }
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.role = Role::WebSocket(id);
        }
        if let Some(session) = self.sessions.get_mut(id.0) {
            session.carrier = Carrier::WebSocket {
                connection,
                unwritten: 0,
            };
        }
        self.mark_ready(connection);
        match phase {
            Phase::Open => self.events.push_back(Event::Upgraded { session: id }),
            Phase::Lingering(timer) => {
                self.timers.disarm(timer);
                self.remove_session(id);
            }
        }
    }

    fn upgrade(&mut self, id: SessionId) -> Option<&mut Upgrade> {
        self.polling(id)?.upgrade.as_mut()
    }
}
