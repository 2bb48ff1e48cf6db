use crate::Text;
use crate::eio::{self, payload::PayloadError};
use crate::http::{BodyError, HeadError, RequestHead, Response, StatusCode};
use crate::ws::{CloseCode, FrameError};
use bytes::Bytes;
use core::fmt;

/// What the messages of a connection are turned into while they are still outside any lock.
///
/// Engine.IO alone passes them on as they are ([`Plain`]); Socket.IO decodes and validates them here.
pub trait Codec {
    /// A message as the state machine above wants it.
    type Message;

    /// Turns one Engine.IO message into what the layer above handles. Bad input is data, not an error.
    fn decode(&self, message: eio::Message) -> Self::Message;

    /// Whether this message will end its session because it breaks a rule.
    fn is_violation(message: &Self::Message) -> bool {
        let _ = message;
        false
    }
}

/// The codec of bare Engine.IO: messages stay what they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Codec for Plain {
    type Message = eio::Message;

    fn decode(&self, message: eio::Message) -> eio::Message {
        message
    }
}

/// One thing that happened on a connection, in the order of the bytes. A host that parsed HTTP itself makes the
/// same items.
#[derive(Debug)]
#[non_exhaustive]
pub enum Item<M = eio::Message> {
    /// A request head. Nothing more is taken from the connection until the server has said what to do with it.
    Request(RequestHead),
    /// An Engine.IO message.
    Message(M),
    /// An Engine.IO ping (`2`) and its data.
    Ping(Text),
    /// An Engine.IO pong (`3`).
    Pong,
    /// An Engine.IO close (`1`).
    Close,
    /// An Engine.IO upgrade (`5`).
    Upgrade,
    /// An Engine.IO packet without meaning in this direction (`0`, `6`).
    Ignored,
    /// A WebSocket ping or pong frame; the wire has answered it already.
    KeepAlive,
    /// The text was no Engine.IO packet, or the body no payload.
    Malformed(PayloadError),
    /// All packets of a polling body were handed over.
    BodyEnd,
    /// The complete body of a request that is not for us.
    Body(Bytes),
    /// The body could not be had; the request still wants its answer.
    BodyFailed(BodyFailure),
    /// The peer sent a WebSocket close frame; the wire has answered it.
    Closed(Option<CloseCode>),
    /// The connection can not go on; the wire has queued its last words.
    Failed(WireError),
}

impl<M> Item<M> {
    /// Whether this item ends its session or connection. Handlers of what came before it can still be answered if
    /// they run before it is handled. `is_violation` is the [`Codec`]'s.
    pub fn is_last(&self, is_violation: impl FnOnce(&M) -> bool) -> bool {
        match self {
            Self::Message(message) => is_violation(message),
            Self::Close | Self::Malformed(_) | Self::Closed(_) | Self::Failed(_) => true,
            Self::Request(_)
            | Self::Ping(_)
            | Self::Pong
            | Self::Upgrade
            | Self::Ignored
            | Self::KeepAlive
            | Self::BodyEnd
            | Self::Body(_)
            | Self::BodyFailed(_) => false,
        }
    }
}

/// Why the body of a request could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyFailure {
    /// Larger than the limit; 413.
    TooLarge,
    /// The transfer coding was broken; 400.
    Broken(BodyError),
    /// It did not come to its end: it took too long, the connection was lost, or the host could not read it; 408.
    Incomplete,
}

impl BodyFailure {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::CONTENT_TOO_LARGE,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
            Self::Incomplete => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

impl fmt::Display for BodyFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => formatter
                .write_str("request body too large: the client must send less at once, or raise max_payload"),
            Self::Broken(error) => write!(formatter, "malformed request body: {error}"),
            Self::Incomplete => {
                formatter.write_str("request body cut off, or slower than Limits::body_timeout")
            }
        }
    }
}

impl std::error::Error for BodyFailure {}

/// Why a connection can not go on. To blame is the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes were no HTTP request.
    Head(HeadError),
    /// The bytes were no WebSocket frame, or not one a client may send.
    Frame(FrameError),
}

impl fmt::Display for WireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(error) => write!(formatter, "malformed HTTP request: {error}"),
            Self::Frame(error) => write!(formatter, "malformed WebSocket stream: {error}"),
        }
    }
}

impl std::error::Error for WireError {}

/// What the owner of the connection does after taking the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// Read on.
    Open,
    /// A request waits for its answer, or the peer does not read its answers: read only up to a small bound, so that a lost connection is noticed.
    Paused,
    /// Write what is left, shut the sending side down, read until the peer closes, within a deadline.
    Closing,
}

/// The answer to a request that a host parsed itself.
#[derive(Debug)]
pub enum Reply {
    /// A complete response.
    Response(Response),
    /// `101 Switching Protocols`: send the response, then pass raw bytes through the same wire.
    Upgrade(Response),
}
