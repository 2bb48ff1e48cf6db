//! What must be true of a server over the whole scenario.

use crate::simulation::PendingAcks;
use socketio_core::sio::{AckToken, Event, RequestId, Server, SocketId};
use std::collections::BTreeSet;

/// Which sockets are connected, and which acknowledgements the server waits for.
#[derive(Default)]
pub(super) struct Ledger {
    /// Every socket there ever was, in order.
    pub(super) sockets: Vec<SocketId>,
    connecting: BTreeSet<SocketId>,
    connected: BTreeSet<SocketId>,
    pub(super) acks: PendingAcks,
}

impl Ledger {
    pub(super) fn record(&mut self, event: Event, tokens: &mut Vec<AckToken>, requests: &mut Vec<RequestId>) {
        match event {
            Event::Connect { socket, .. } => {
                assert!(!self.sockets.contains(&socket), "a handle is never given twice");
                self.sockets.push(socket);
                self.connecting.insert(socket);
            }
            Event::Event { socket, ack, .. } => {
                assert!(
                    self.connected.contains(&socket),
                    "an event of a socket that is not connected"
                );
                tokens.extend(ack);
            }
            Event::Acked { ack, .. } => self.acks.end(ack),
            Event::Disconnected { socket, .. } => {
                assert!(
                    self.connected.remove(&socket),
                    "disconnected twice or never connected"
                );
            }
            Event::Handshake { request } | Event::Request { request, .. } => requests.push(request),
            _ => {}
        }
    }

    pub(super) fn accepted(&mut self, socket: SocketId) {
        assert!(self.connecting.remove(&socket), "accepted without a request");
        assert!(self.connected.insert(socket));
    }

    pub(super) fn is_connected(&self, socket: SocketId) -> bool {
        self.connected.contains(&socket)
    }

    pub(super) fn check(&self, server: &Server) {
        for socket in &self.sockets {
            assert_eq!(server.is_connected(*socket), self.is_connected(*socket));
        }
        let counts = server.counts();
        assert_eq!(counts.acks, self.acks.len());
        assert!(counts.sockets >= self.connected.len());
    }

    pub(super) fn assert_over(&self) {
        assert!(self.connected.is_empty(), "a disconnection was never told");
        self.acks.assert_all_ended();
    }
}
