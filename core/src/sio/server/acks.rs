//! Acknowledgements that clients owe us. Each ends in exactly one outcome, or is forgotten.

use super::{AckError, AckId, Event, Server, SocketId};
use crate::json::Arguments;

/// Who owes an acknowledgement, and the number it has on the wire.
pub(super) struct Owed {
    pub(super) socket: SocketId,
    pub(super) number: u64,
}

impl Server {
    /// Stops waiting for an acknowledgement; no event will come for it.
    pub fn forget_ack(&mut self, ack: AckId) {
        if let Some(owed) = self.acks.remove(ack)
            && let Some(socket) = self.sockets.get_mut(owed.socket.0)
        {
            socket.acks.remove(&owed.number);
        }
    }

    /// A client sent an acknowledgement; one that nobody waits for is ignored.
    pub(super) fn receive_ack(&mut self, socket: SocketId, number: u64, arguments: Arguments) {
        let ack = self
            .sockets
            .get(socket.0)
            .and_then(|socket| socket.acks.get(&number).copied());
        if let Some(ack) = ack {
            self.forget_ack(ack);
            self.events.push_back(Event::Acked {
                ack,
                outcome: Ok(arguments),
            });
        }
    }

    pub(super) fn fail_ack(&mut self, ack: AckId, error: AckError) {
        self.forget_ack(ack);
        self.events.push_back(Event::Acked {
            ack,
            outcome: Err(error),
        });
    }
}
