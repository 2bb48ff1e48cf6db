use super::{AckToken, SocketId};
use crate::eio::{CloseReason, Peer, RefusalContext, RequestError, RequestId};
use crate::http::RequestHead;
use crate::json::Arguments;
use crate::sio::{AckError, AckId, EventName, NamespaceId, Violation};
use crate::wire::BodyFailure;
use bytes::Bytes;
use core::fmt;

/// What the application of a Socket.IO server is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A client asks to join a namespace. Answer with [`accept`](super::Server::accept) or
    /// [`refuse`](super::Server::refuse).
    Connect {
        /// The socket it would be.
        socket: SocketId,
        /// The namespace it asks for.
        namespace: NamespaceId,
    },
    /// A client sent an event.
    Event {
        /// Who sent it.
        socket: SocketId,
        /// The namespace of the socket.
        namespace: NamespaceId,
        /// Its name.
        name: EventName,
        /// Its arguments, exactly as they were sent.
        arguments: Arguments,
        /// Present when the client waits for an acknowledgement.
        ack: Option<AckToken>,
    },
    /// An acknowledgement asked for with [`emit_with_ack`](super::Server::emit_with_ack) came, or never will.
    /// Each ends in exactly one of these, unless it is [forgotten](super::Server::forget_ack).
    Acked {
        /// Which.
        ack: AckId,
        /// The client's arguments, or why there are none.
        outcome: Result<Arguments, AckError>,
    },
    /// A socket's client is ready for more that was not when [`watch_ready`](super::Server::watch_ready) asked; once for
    /// all who asked.
    Ready {
        /// Which.
        socket: SocketId,
    },
    /// An accepted socket is gone; exactly once for each.
    Disconnected {
        /// The socket; the handle is stale now.
        socket: SocketId,
        /// The namespace it was in.
        namespace: NamespaceId,
        /// Why.
        reason: Reason,
    },
    /// A handshake that follows the protocol; only with [`Gate::Ask`](crate::eio::Gate::Ask).
    Handshake {
        /// What to [`allow`](super::Server::allow) or [`forbid`](super::Server::forbid).
        request: RequestId,
    },
    /// An HTTP request that is not for this protocol.
    Request {
        /// What to answer.
        request: RequestId,
        /// The request.
        head: RequestHead,
    },
    /// The body that [`read_body`](super::Server::read_body) asked for.
    RequestBody {
        /// What to answer.
        request: RequestId,
        /// The body, or why it could not be had.
        body: Result<Bytes, BodyFailure>,
    },
    /// Somebody was refused (`connection_error` in JS): a connection, a request, or a namespace because of a limit.
    Refused {
        /// Who asked.
        peer: Peer,
        /// The protocol's error in the answer. A namespace is refused with
        /// [`Forbidden`](RequestError::Forbidden) and the message of the CONNECT_ERROR.
        error: RequestError,
        /// What exactly was wrong.
        context: RefusalContext,
    },
}

/// Why a socket is gone (protocol section 3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The client left the namespace.
    ClientNamespaceDisconnect,
    /// The application disconnected it.
    ServerNamespaceDisconnect,
    /// The client broke this rule of Socket.IO and its session could not be closed at once, because it was
    /// polling and no poll was waiting.
    ForcedServerClose(Violation),
    /// The client broke this rule of Socket.IO.
    ForcedClose(Violation),
    /// The session ended below Socket.IO.
    Session(CloseReason),
}

impl Reason {
    /// The word of the JS server for it; `Display` adds what exactly happened.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
            Self::ForcedServerClose(_) => "forced server close",
            Self::ForcedClose(_) => "forced close",
            Self::Session(reason) => reason.as_str(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(reason) => fmt::Display::fmt(reason, formatter),
            Self::ForcedServerClose(violation) | Self::ForcedClose(violation) => {
                write!(formatter, "{} ({violation})", self.as_str())
            }
            Self::ClientNamespaceDisconnect | Self::ServerNamespaceDisconnect => {
                formatter.write_str(self.as_str())
            }
        }
    }
}
