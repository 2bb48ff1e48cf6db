//! From polling to WebSocket (protocol section 1.12).
//!
//! The steps stand in the table of the [client](super).
//!
//! What is lost, refused or too late before `5` leaves the session on polling as if nothing had been.

use super::connection::{Command, Errand, Purpose, Role, Speech};
use super::deadlines::Due;
use super::event::CloseReason;
use super::session::{Carrier, Phase, Step, Upgrade};
use super::{Client, ConnId, Event};
use crate::timer::later;
use crate::wire::ClientItem;

impl<M> Client<M> {
    pub(super) fn begin_upgrade(&mut self) {
        let deadline = later(self.now, self.config.upgrade_timeout);
        self.deadlines.arm(Due::Upgrade, deadline);
        let connection = self.dial(Purpose::Probe);
        if let Some(polling) = self.polling() {
            polling.upgrade = Some(Upgrade {
                connection,
                step: Step::Probing,
            });
        }
    }

    pub(super) fn handle_probe_item(&mut self, connection: ConnId, item: ClientItem<M>) {
        let reason = match item {
            ClientItem::KeepAlive => return,
            ClientItem::Pong(data) if data == "probe" => return self.pause_polling(),
            ClientItem::Closed(_) | ClientItem::Close => CloseReason::TransportClose,
            ClientItem::Failed(error) => error.into(),
            _ => CloseReason::InvalidHandshake,
        };
        self.fail(connection, Errand::Probe, reason);
    }

    fn pause_polling(&mut self) {
        let Some(polling) = self.polling() else { return };
        if let Some(upgrade) = &mut polling.upgrade {
            upgrade.step = Step::Pausing;
        }
        if polling.post.is_none() {
            // One may have waited for its connection.
            self.deadlines.disarm(Due::Post);
        }
        self.drive_polling();
    }

    /// Polling has come to rest: the WebSocket takes over.
    pub(super) fn complete_upgrade(&mut self) {
        let Some(upgrade) = self.polling().and_then(|polling| polling.upgrade.take()) else {
            return;
        };
        let connection = upgrade.connection;
        self.deadlines.disarm(Due::Upgrade);
        self.unwant_all_but(Some(connection));
        self.set_role(connection, Role::WebSocket(Speech::Session));
        self.command(connection, Command::Text(b"5"));
        if let Phase::Open(session) = &mut self.phase {
            session.carrier = Carrier::WebSocket {
                connection,
                unwritten: 0,
            };
        }
        self.remember_websocket();
        self.events.push_back(Event::Upgraded);
    }

    /// The upgrade came to nothing: the session goes on polling.
    pub(super) fn abandon_upgrade(&mut self, reason: CloseReason) {
        if self.drop_probe() {
            self.events.push_back(Event::UpgradeFailed(reason));
            self.drive_polling();
        }
    }

    /// Whether there was one.
    pub(super) fn drop_probe(&mut self) -> bool {
        let Some(upgrade) = self.polling().and_then(|polling| polling.upgrade.take()) else {
            return false;
        };
        self.deadlines.disarm(Due::Upgrade);
        self.unwant(upgrade.connection);
        true
    }
}
