//! What must be true of the whole life of a server, kept beside it.

use socketio_core::sio::{AckId, AckToken, Event, RequestId, Server, SocketId};
use std::collections::BTreeSet;

/// Who is where, and what is owed.
#[derive(Default)]
pub(super) struct Ledger {
    /// Every socket there ever was, in order.
    pub(super) sockets: Vec<SocketId>,
    asking: BTreeSet<SocketId>,
    connected: BTreeSet<SocketId>,
    /// Every acknowledgement ever asked for.
    pub(super) acks: Vec<AckId>,
    owed: BTreeSet<AckId>,
}

impl Ledger {
    pub(super) fn enter(&mut self, event: Event, tokens: &mut Vec<AckToken>, requests: &mut Vec<RequestId>) {
        match event {
            Event::Connect { socket, .. } => {
                assert!(!self.sockets.contains(&socket), "a handle is never given twice");
                self.sockets.push(socket);
                self.asking.insert(socket);
            }
            Event::Event { socket, ack, .. } => {
                assert!(
                    self.connected.contains(&socket),
                    "heard of a socket that is not there"
                );
                tokens.extend(ack);
            }
            Event::Acked { ack, .. } => assert!(self.owed.remove(&ack), "ended twice or never owed"),
            Event::Disconnected { socket, .. } => {
                assert!(self.connected.remove(&socket), "ended twice or never there");
            }
            Event::Handshake { request } | Event::Request { request, .. } => requests.push(request),
            _ => {}
        }
    }

    pub(super) fn accepted(&mut self, socket: SocketId) {
        assert!(self.asking.remove(&socket), "accepted without asking");
        assert!(self.connected.insert(socket));
    }

    pub(super) fn owe(&mut self, ack: AckId) {
        assert!(self.owed.insert(ack), "an id was given twice");
        self.acks.push(ack);
    }

    pub(super) fn forget(&mut self, ack: AckId) {
        self.owed.remove(&ack);
    }

    pub(super) fn is_connected(&self, socket: SocketId) -> bool {
        self.connected.contains(&socket)
    }

    pub(super) fn check(&self, server: &Server) {
        for socket in &self.sockets {
            assert_eq!(server.is_connected(*socket), self.is_connected(*socket));
        }
        let counts = server.counts();
        assert_eq!(counts.acks, self.owed.len());
        assert!(counts.sockets >= self.connected.len());
    }

    pub(super) fn assert_over(&self) {
        assert!(self.connected.is_empty(), "never told of its end");
        assert!(self.owed.is_empty(), "never ended");
    }
}
