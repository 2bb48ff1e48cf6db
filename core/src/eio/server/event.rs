use super::{RefusalContext, RequestId, SessionId};
use crate::eio::Message;
use crate::eio::payload::PayloadError;
use crate::http::RequestHead;
use crate::ws::FrameError;
use core::fmt;
use std::net::SocketAddr;

/// What the application of an Engine.IO server is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<M = Message> {
    /// A handshake that follows the protocol; only with [`Gate::Ask`](crate::eio::Gate::Ask). Answer
    /// [`allow`](super::Server::allow) or [`forbid`](super::Server::forbid).
    Handshake {
        /// What to answer.
        request: RequestId,
    },
    /// A session began.
    Opened {
        /// The new session.
        session: SessionId,
    },
    /// A message arrived.
    Message {
        /// Who sent it.
        session: SessionId,
        /// What was sent, as the connection's codec made it.
        message: M,
    },
    /// A session moved from polling to WebSocket.
    Upgraded {
        /// The session.
        session: SessionId,
    },
    /// A client is ready for more that was not when [`watch_ready`](super::Server::watch_ready) asked; once for all who
    /// asked.
    Ready {
        /// The session.
        session: SessionId,
    },
    /// A session ended. Nothing more is heard of it.
    Closed {
        /// The session; the handle is stale now.
        session: SessionId,
        /// Why.
        reason: CloseReason,
    },
    /// An HTTP request that is not for this protocol. Answer with [`respond`](super::Server::respond), after
    /// asking for its body with [`read_body`](super::Server::read_body) if there is one.
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
        body: Result<bytes::Bytes, crate::wire::BodyFailure>,
    },
    /// A connection or a request was refused (`connection_error` in JS).
    Refused {
        /// Who asked.
        peer: Peer,
        /// The protocol's error in the answer; [`BadRequest`](super::RequestError::BadRequest) where HTTP alone
        /// answers.
        error: super::RequestError,
        /// What exactly was wrong.
        context: RefusalContext,
    },
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Peer {
    /// Nothing is known: a Unix socket without a name, a test, a host that does not say.
    #[default]
    Unknown,
    /// An address.
    Address(SocketAddr),
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("unknown peer"),
            Self::Address(address) => fmt::Display::fmt(address, formatter),
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client closed it, or its WebSocket was closed or lost.
    TransportClose,
    /// A second poll while one was waiting.
    OverlappingPoll,
    /// A second POST while one was being read.
    OverlappingPost,
    /// A polling body of type `application/octet-stream`.
    InvalidContent,
    /// The client gave up a poll that was waiting.
    PollLost,
    /// The connection was lost in the middle of a POST, or its body was broken.
    PostLost,
    /// The body of a POST took longer than [`Limits::body_timeout`](crate::Limits::body_timeout).
    PostTimedOut,
    /// A client sent a ping; in this version only servers do.
    InvalidHeartbeat,
    /// A frame broke this rule of WebSocket.
    BadFrame(FrameError),
    /// A WebSocket message was larger than [`Config::max_payload`](crate::eio::Config::max_payload).
    MessageTooLarge,
    /// More was queued for the client than [`Limits::queued_bytes`](crate::Limits::queued_bytes): it does not
    /// read fast enough.
    SlowConsumer,
    /// A ping went unanswered.
    PingTimeout,
    /// A packet could not be read, or a polling body held more than
    /// [`Limits::packets_per_payload`](crate::Limits::packets_per_payload).
    ParseError(PayloadError),
    /// The application closed it.
    ForcedClose,
    /// The server shut down.
    ServerShuttingDown,
}

impl CloseReason {
    /// The word of the JS server for it (protocol section 1.13).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportClose => "transport close",
            Self::PingTimeout => "ping timeout",
            Self::ParseError(_) => "parse error",
            Self::ForcedClose => "forced close",
            Self::ServerShuttingDown => "server shutting down",
            Self::OverlappingPoll
            | Self::OverlappingPost
            | Self::InvalidContent
            | Self::PollLost
            | Self::PostLost
            | Self::PostTimedOut
            | Self::InvalidHeartbeat
            | Self::BadFrame(_)
            | Self::MessageTooLarge
            | Self::SlowConsumer => "transport error",
        }
    }

    /// The detail behind a `transport error` or `parse error`, in the words of the JS server where it has any.
    pub const fn detail(self) -> Option<&'static str> {
        match self {
            Self::OverlappingPoll => Some("overlap from client"),
            Self::OverlappingPost => Some("data request overlap from client"),
            Self::InvalidContent => Some("invalid content"),
            Self::PollLost => Some("poll connection closed prematurely"),
            Self::PostLost => Some("data request connection closed prematurely"),
            Self::PostTimedOut => {
                Some("data request too slow: the client must send faster, or raise Limits::body_timeout")
            }
            Self::InvalidHeartbeat => Some("invalid heartbeat direction"),
            Self::BadFrame(error) => Some(error.text()),
            Self::MessageTooLarge => {
                Some("Max payload size exceeded: the client must send less, or raise max_payload")
            }
            Self::SlowConsumer => Some(
                "the client does not read what is sent to it: wait for ready() before, use volatile(), or raise Limits::queued_bytes",
            ),
            Self::ParseError(error) => Some(error.text()),
            Self::TransportClose | Self::PingTimeout | Self::ForcedClose | Self::ServerShuttingDown => None,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())?;
        match self.detail() {
            Some(detail) => write!(formatter, " ({detail})"),
            None => Ok(()),
        }
    }
}
