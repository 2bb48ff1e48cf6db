use crate::Sid;
use crate::eio::{Peer, SessionId, Watch};
use crate::http::RequestHead;
use crate::json::Raw;
use crate::sio::assembly::Assembly;
use crate::sio::{AckId, NamespaceId};
use crate::slab::Key;
use crate::timer::TimerId;
use bytes::Bytes;
use std::collections::BTreeMap;

/// One client in one namespace. A stale one does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub(super) Key);

impl SocketId {
    /// A small number that no other living socket has, for tables beside the server. It is used again after
    /// the socket is gone.
    pub const fn index(self) -> usize {
        self.0.index as usize
    }
}

/// An acknowledgement that we owe a client. It is used up by giving it, so none is given twice; dropping it
/// leaves the client without one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct AckToken {
    pub(super) socket: SocketId,
    pub(super) id: u64,
}

impl AckToken {
    /// Who waits for it.
    pub const fn socket(&self) -> SocketId {
        self.socket
    }

    /// The number it has on the wire, which its packet carries.
    pub const fn id(&self) -> u64 {
        self.id
    }
}

/// What is known of a client from its first request and its CONNECT packet. Cloning shares it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Handshake {
    /// The head of the session's first HTTP request: headers and query.
    pub head: RequestHead,
    /// Who made the connection.
    pub peer: Peer,
    /// The JSON object the client sent with its CONNECT packet.
    pub auth: Option<Raw>,
}

pub(super) struct Socket {
    pub(super) session: SessionId,
    pub(super) namespace: NamespaceId,
    pub(super) sid: Sid,
    pub(super) auth: Option<Bytes>,
    pub(super) stage: Stage,
    pub(super) watch: Watch,
    pub(super) rooms: Vec<Membership>,
    /// The last broadcast that was delivered or must not be.
    pub(super) mark: u64,
    /// Acknowledgements owed, by their number on the wire.
    pub(super) acks: BTreeMap<u64, AckId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The application has not decided yet.
    Connecting,
    /// Accepted; where it stands in the namespace's list.
    Connected { place: u32 },
}

/// A room a socket is in, and where it stands in the room's list.
#[derive(Clone, Copy)]
pub(super) struct Membership {
    pub(super) room: u32,
    pub(super) place: u32,
}

/// What Socket.IO keeps beside each Engine.IO session.
pub(super) struct Client {
    pub(super) session: SessionId,
    /// The namespaces it is in or asks for; mostly one.
    pub(super) sockets: Vec<(NamespaceId, SocketId)>,
    /// The namespaces it was taken out of from here: it may not know yet, and what it sends there has crossed that.
    pub(super) dismissed: Vec<NamespaceId>,
    pub(super) connect_timer: Option<TimerId>,
    /// The packet that waits for its attachments.
    pub(super) assembly: Assembly,
}

impl Client {
    pub(super) fn socket(&self, namespace: NamespaceId) -> Option<SocketId> {
        self.sockets
            .iter()
            .find(|(own, _)| *own == namespace)
            .map(|(_, socket)| *socket)
    }
}
