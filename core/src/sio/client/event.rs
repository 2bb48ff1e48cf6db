//! What a client tells its application.

use super::EmitError;
use crate::Text;
use crate::eio::Transport;
use crate::eio::client::CloseReason;
use crate::json::{Arguments, Raw};
use crate::sio::{AckError, AckId, EventName, NamespaceId, Violation};
use core::fmt;
use core::time::Duration;

/// What the application of a Socket.IO client is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// An attempt begins: answer with [`proceed`](super::Client::proceed) or [`abandon`](super::Client::abandon).
    Attempt {
        /// Which: 0 for the first, from 1 when it is repeated.
        attempt: u32,
    },
    /// There is an Engine.IO session; namespaces are asked for next.
    Opened {
        /// On this transport.
        transport: Transport,
    },
    /// It moved to WebSocket.
    Upgraded,
    /// It could not; it stays on polling.
    UpgradeFailed(CloseReason),
    /// A namespace is about to be asked for: answer with [`join`](super::Client::join) or [`forgo`](super::Client::forgo).
    Joining {
        /// Which.
        namespace: NamespaceId,
    },
    /// A namespace was joined; what waited for it is sent.
    Joined {
        /// Which.
        namespace: NamespaceId,
        /// The id of the socket there (`socket.id` in JS), new each time.
        sid: Text,
    },
    /// A namespace was not joined, and is not asked for again by itself.
    Refused {
        /// Which.
        namespace: NamespaceId,
        /// Why.
        error: JoinError,
    },
    /// The server sent an event.
    Event {
        /// Where.
        namespace: NamespaceId,
        /// Its name.
        name: EventName,
        /// Its arguments, exactly as they were sent.
        arguments: Arguments,
        /// Present when the server waits for an acknowledgement.
        ack: Option<AckToken>,
    },
    /// An acknowledgement asked for with [`emit_with_ack`](super::Client::emit_with_ack) or
    /// [`deliver`](super::Client::deliver) came, or never will. Each ends in exactly one of these, unless it is
    /// [forgotten](super::Client::forget_ack).
    Acked {
        /// Which.
        ack: AckId,
        /// The server's arguments, or why there are none.
        outcome: Result<Arguments, AckError>,
    },
    /// An event that had waited could not be sent after all. If it asked for an acknowledgement, that ends with
    /// [`AckError::NotSent`] next.
    Undeliverable {
        /// Where.
        namespace: NamespaceId,
        /// Why.
        error: EmitError,
    },
    /// A namespace is ready for more and was not when [`watch_ready`](super::Client::watch_ready) asked; once for all
    /// who asked.
    Ready {
        /// Which.
        namespace: NamespaceId,
    },
    /// A namespace that was joined is left; exactly once for each [`Joined`](Self::Joined).
    Left {
        /// Which.
        namespace: NamespaceId,
        /// Why.
        reason: Reason,
        /// Whether it will be joined again by itself.
        rejoins: Rejoins,
    },
    /// The connection was lost, or an attempt to make it failed. [`Reconnecting`](Self::Reconnecting) or
    /// [`Closed`](Self::Closed) follows. A connection that is closed from here, because no namespace wants it any more
    /// or the application does not, has not failed: it ends with [`Closed`](Self::Closed) alone.
    Failed {
        /// Why.
        reason: Reason,
        /// What the server said about it.
        detail: Option<Text>,
        /// Which attempt failed; `None` for a connection on which a namespace was joined.
        attempt: Option<u32>,
    },
    /// The next attempt comes after this delay.
    Reconnecting {
        /// Which, from 1.
        attempt: u32,
        /// After this time.
        delay: Duration,
    },
    /// There is no connection any more, and none will be made unless [`connect`](super::Client::connect) is called,
    /// or was called since. All that was owed or waited before that has ended.
    Closed {
        /// Why.
        reason: Reason,
    },
}

/// Whether a namespace that was left is joined again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejoins {
    /// Once there is a connection.
    Later,
    /// It is not.
    Never,
}

/// Why a namespace was left or the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The server took the client out of the namespace.
    ServerDisconnect,
    /// The application left it.
    ClientDisconnect,
    /// The server refused every namespace.
    Refused,
    /// The server broke this rule of Socket.IO, or exceeded a limit of this side.
    ParseError(Violation),
    /// The server let the client join nothing within `Config::join_timeout`.
    JoinTimedOut,
    /// The application had nothing to connect to or to join with: `abandon`,
    /// `forgo`.
    Abandoned,
    /// It ended below Socket.IO.
    Engine(CloseReason),
}

impl Reason {
    /// The word of the JS client for it, or the nearest it has (protocol section 3.7).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServerDisconnect => "io server disconnect",
            Self::ClientDisconnect => "io client disconnect",
            Self::Refused => "forced close",
            Self::ParseError(_) => "parse error",
            Self::JoinTimedOut => "timeout",
            Self::Abandoned => "transport error",
            Self::Engine(reason) => reason.as_str(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ServerDisconnect => "the server disconnected the client (io server disconnect)",
            Self::ClientDisconnect => "the client disconnected (io client disconnect)",
            Self::Refused => "the server refused every namespace: see why in each refusal",
            Self::ParseError(violation) => {
                return write!(formatter, "the server sent what is no Socket.IO (parse error): {violation}");
            }
            Self::JoinTimedOut => {
                "the server did not answer the request to join (timeout): is it a Socket.IO server with this path?"
            }
            Self::Abandoned => "the application could not say where to connect to or how to join: see why",
            Self::Engine(reason) => return fmt::Display::fmt(reason, formatter),
        })
    }
}

/// Why a namespace was not joined.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// The server said no.
    Refused {
        /// Its words.
        message: String,
        /// What it added.
        data: Option<Raw>,
    },
    /// It answered as servers of Socket.IO 2 do.
    OldServer,
    /// It did not answer within [`Config::join_timeout`](super::Config::join_timeout), though another namespace is
    /// joined. If none is, the whole connection fails with [`Reason::JoinTimedOut`].
    TimedOut,
    /// The application had nothing to ask with ([`forgo`](super::Client::forgo)), though another namespace is joined.
    /// If none is, the whole connection fails with [`Reason::Abandoned`].
    Abandoned,
    /// What [`join`](super::Client::join) was given could not be sent.
    NotSent(EmitError),
}

impl fmt::Display for JoinError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { message, .. } => formatter.write_str(message),
            Self::OldServer => formatter.write_str(
                "the server speaks Socket.IO 2, this client 3 and later: use a newer server or an older client",
            ),
            Self::TimedOut => formatter
                .write_str("the server did not answer the request to join in time: ask again with `enter`"),
            Self::Abandoned => formatter.write_str("the request to join could not be made: see why, and ask again with `enter`"),
            Self::NotSent(error) => write!(formatter, "the request to join could not be sent: {error}"),
        }
    }
}

impl std::error::Error for JoinError {}

/// An acknowledgement that we owe the server. It is used up by giving it, so none is given twice; dropping it
/// leaves the server without one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct AckToken {
    pub(super) namespace: NamespaceId,
    /// The join it belongs to: another socket of the server knows nothing of it.
    pub(super) epoch: u64,
    pub(super) id: u64,
}

impl AckToken {
    /// In which namespace.
    pub const fn namespace(&self) -> NamespaceId {
        self.namespace
    }

    /// The number it has on the wire, which its packet carries.
    pub const fn id(&self) -> u64 {
        self.id
    }
}
