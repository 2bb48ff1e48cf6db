use crate::http::{HeadError, StatusCode};
use crate::sio::Violation;
use crate::wire::BodyFailure;
use core::fmt;

/// What exactly was wrong with who was refused (protocol section 9.2), or which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalContext {
    /// The `transport` parameter is missing, unknown or not enabled.
    Transport,
    /// The `Origin` header holds a character no header may hold.
    InvalidOrigin,
    /// No session has this `sid`; without sticky sessions another process may have it.
    UnknownSession,
    /// The session is on another transport.
    TransportMismatch,
    /// The session speaks another version.
    ProtocolMismatch,
    /// A handshake must be a GET.
    Method,
    /// `transport=websocket` without a WebSocket upgrade, or an upgrade that is malformed.
    TransportHandshake,
    /// The application said no.
    Forbidden,
    /// `EIO` is not 4.
    Version,
    /// The server is shutting down; 503.
    Unavailable,
    /// As many connections as [`Limits::connections`](crate::Limits::connections); 503, or none far beyond it.
    TooManyConnections,
    /// As many connections from this address as
    /// [`Limits::connections_per_address`](crate::Limits::connections_per_address); 429, or none far beyond it.
    TooManyFromAddress,
    /// As many connections without a request as [`Limits::half_open`](crate::Limits::half_open), of which this was
    /// the oldest; 408 if its request had begun.
    TooManyHalfOpen,
    /// As many sessions as [`Limits::sessions`](crate::Limits::sessions); 503.
    TooManySessions,
    /// The bytes were no HTTP request, or its head exceeded [`Limits::head`](crate::Limits::head); the status is
    /// [`HeadError::status`]: 431, 414, 400 and others.
    Head(HeadError),
    /// A request head took longer than [`Limits::head_timeout`](crate::Limits::head_timeout), or
    /// [`Limits::keep_alive_timeout`](crate::Limits::keep_alive_timeout) on a connection that had served another;
    /// 408. Connections that end without a byte of a request are not told of.
    HeadTimedOut,
    /// A request's body was larger than [`Config::max_payload`](crate::eio::Config::max_payload), or broken; the
    /// status is [`BodyFailure::status`]: 413 or 400.
    Body(BodyFailure),
    /// A request's body took longer than [`Limits::body_timeout`](crate::Limits::body_timeout); 408.
    BodyTimedOut,
    /// A client asked for one namespace more than
    /// [`Limits::namespaces_per_client`](crate::Limits::namespaces_per_client); CONNECT_ERROR, and its session stays.
    /// This and what follows is told by Socket.IO servers only.
    TooManyNamespaces,
    /// As many sockets as [`Limits::sockets`](crate::Limits::sockets); CONNECT_ERROR, and the session stays.
    TooManySockets,
    /// A client's credentials were larger than [`Limits::auth_bytes`](crate::Limits::auth_bytes); CONNECT_ERROR, and
    /// its session stays.
    AuthTooLarge,
    /// A session had joined no namespace within
    /// [`Config::connect_timeout`](crate::sio::Config::connect_timeout) and was closed.
    NothingJoined,
    /// A client that was in no namespace broke this rule, and its session was closed. Of others that is the reason of
    /// their sockets' end.
    Violation(Violation),
}

impl RefusalContext {
    /// The status of the answer where it depends on nothing else; `None` for errors of the protocol (400, or 403), and
    /// for what is not answered with HTTP.
    pub fn status(self) -> Option<StatusCode> {
        Some(match self {
            Self::Unavailable | Self::TooManyConnections | Self::TooManySessions => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::TooManyFromAddress => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyHalfOpen | Self::HeadTimedOut | Self::BodyTimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Head(error) => error.status(),
            Self::Body(failure) => failure.status(),
            Self::Transport
            | Self::InvalidOrigin
            | Self::UnknownSession
            | Self::TransportMismatch
            | Self::ProtocolMismatch
            | Self::Method
            | Self::TransportHandshake
            | Self::Forbidden
            | Self::Version
            | Self::TooManyNamespaces
            | Self::TooManySockets
            | Self::AuthTooLarge
            | Self::NothingJoined
            | Self::Violation(_) => return None,
        })
    }
}

impl fmt::Display for RefusalContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Transport => "transport missing, unknown or not enabled: the client must use one that is",
            Self::InvalidOrigin => "invalid character in Origin: the client must send a header",
            Self::UnknownSession => {
                "no such session: it has ended, or another process has it and sessions must be sticky"
            }
            Self::TransportMismatch => "the session is on another transport",
            Self::ProtocolMismatch => "the session speaks another version: the client must send EIO=4",
            Self::Method => "a handshake must be a GET",
            Self::TransportHandshake => "no valid WebSocket upgrade: look for a proxy that does not pass it on",
            Self::Forbidden => "the application refused the handshake",
            Self::Version => "unsupported protocol version: the client must speak Engine.IO 4 (Socket.IO 3 or later)",
            Self::Unavailable => "the server is shutting down",
            Self::TooManyConnections => "too many connections: add a server, or raise Limits::connections",
            Self::TooManyFromAddress => {
                "too many connections from this address: the client must make fewer, or the server allow more by Limits::connections_per_address"
            }
            Self::TooManyHalfOpen => {
                "too many connections without a request: a flood, or raise Limits::half_open"
            }
            Self::TooManySessions => "too many sessions: add a server, or raise Limits::sessions",
            Self::Head(error) => return fmt::Display::fmt(error, formatter),
            Self::HeadTimedOut => {
                "request head too slow: the client must send it faster, or raise Limits::head_timeout"
            }
            Self::Body(failure) => return fmt::Display::fmt(failure, formatter),
            Self::BodyTimedOut => {
                "request body too slow: the client must send it faster, or raise Limits::body_timeout"
            }
            Self::TooManyNamespaces => {
                "too many namespaces: the client must leave one, or raise Limits::namespaces_per_client"
            }
            Self::TooManySockets => "too many sockets: add a server, or raise Limits::sockets",
            Self::AuthTooLarge => {
                "auth payload too large: the client must send it in an event, or raise Limits::auth_bytes"
            }
            Self::NothingJoined => {
                "no namespace was joined in time: the client must send CONNECT, or raise connect_timeout"
            }
            Self::Violation(violation) => return fmt::Display::fmt(violation, formatter),
        })
    }
}
