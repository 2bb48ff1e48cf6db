//! From the queue into the wires.

use super::connection::{Command, Errand, Role, Speech};
use super::session::{Carrier, Phase, Stage};
use super::{Client, ConnId};
use crate::eio::Transport;
use crate::http::RequestKind;
use crate::wire::{ClientWire, Codec};

/// While this much is unwritten on a connection the rest stays in the queue, where it is counted.
const HIGH_WATER: usize = 256 * 1024;

impl<M> Client<M> {
    pub(super) fn transmit<C: Codec>(&mut self, connection: ConnId, wire: &mut ClientWire<C>) {
        while let Some(command) = self.next_command(connection) {
            match command {
                Command::Ask(errand) if wire.takes_request() || !self.is_reused(connection) => {
                    self.write_request(errand, wire);
                }
                Command::Ask(errand) => self.ask_elsewhere(connection, errand),
                Command::Text(text) => wire.send_text(text),
                Command::Close => wire.close(None),
            }
        }
        let role = self.connections.get(connection.0).map(|state| &state.role);
        match role {
            Some(Role::WebSocket(Speech::Session)) => self.write_queue(wire),
            Some(Role::Busy(exchange)) if exchange.errand == Errand::Post => {
                let unwritten = wire.unwritten();
                if let Some(polling) = self.polling() {
                    polling.unwritten = unwritten;
                }
            }
            _ => {}
        }
        self.tell_if_ready();
    }

    fn next_command(&mut self, connection: ConnId) -> Option<Command> {
        self.connections.get_mut(connection.0)?.commands.pop_front()
    }

    fn write_request<C: Codec>(&mut self, errand: Errand, wire: &mut ClientWire<C>) {
        let kind = match errand {
            Errand::Handshake(Transport::Polling) | Errand::Poll => RequestKind::Poll,
            Errand::Handshake(Transport::WebSocket) | Errand::Probe => self.requests.websocket(),
            Errand::Post => {
                let limit = self.body_limit();
                RequestKind::Post(ClientWire::<C>::take_payload(&mut self.queue, limit))
            }
        };
        let sid = match &self.phase {
            Phase::Open(session) => Some(&session.sid),
            Phase::Idle | Phase::Opening(_) => None,
        };
        wire.take_output_from(&mut self.spares);
        wire.request(self.requests.next(self.now, kind, sid));
        self.keep_spare();
    }

    /// The largest polling body the server takes.
    fn body_limit(&self) -> usize {
        self.max_payload()
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX)
    }

    fn write_queue<C: Codec>(&mut self, wire: &mut ClientWire<C>) {
        let Phase::Open(session) = &mut self.phase else {
            return;
        };
        if !self.queue.is_empty() && wire.unwritten() < HIGH_WATER {
            wire.take_output_from(&mut self.spares);
            wire.send(&mut self.queue);
        }
        if let Carrier::WebSocket { unwritten, .. } = &mut session.carrier {
            *unwritten = wire.unwritten();
        }
        if session.stage == Stage::Closing && self.queue.is_empty() {
            wire.close(None);
        }
        self.keep_spare();
    }

    /// An emptied queue gives its buffer away until something is queued again.
    fn keep_spare(&mut self) {
        if let Some(spare) = self.queue.take_spare() {
            self.recycle(spare);
        }
    }
}
