use crate::Text;
use crate::eio::{self, payload::PayloadError};
use crate::http::{BodyError, HeadError, HeaderError, ResponseHead};
use crate::ws::{CloseCode, FrameError};
use bytes::Bytes;
use core::fmt;

/// One thing that happened on a connection of a client, in the order of the bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientItem<M = eio::Message> {
    /// The head of the answer to the request that was sent. 101 is verified and means that frames follow;
    /// anything else is followed by its body (items) and [`End`](Self::End).
    Response(ResponseHead),
    /// An Engine.IO handshake (`0`) and its JSON.
    Open(Text),
    /// An Engine.IO message.
    Message(M),
    /// An Engine.IO ping (`2`) and its data.
    Ping(Text),
    /// An Engine.IO pong (`3`) and its data, `probe` on a WebSocket that is being tried.
    Pong(Text),
    /// An Engine.IO close (`1`).
    Close,
    /// An Engine.IO noop (`6`).
    Noop,
    /// A packet without meaning in this direction (`5`).
    Ignored,
    /// The beginning of the body of an answer whose status is not the one asked for, at most
    /// [`ERROR_BODY_BYTES`](super::ERROR_BODY_BYTES). Left out when there is none, or when it is compressed.
    ErrorBody(Bytes),
    /// The answer is complete; another request may be sent if its head says
    /// [`keep_alive`](ResponseHead::keep_alive).
    End,
    /// The server has ended the connection before a byte of the answer: it has not answered, for what it had sent
    /// before would have come.
    Unanswered,
    /// A WebSocket ping or pong frame; the wire has answered it already.
    KeepAlive,
    /// The text was no Engine.IO packet, or the body no payload.
    Malformed(PayloadError),
    /// The server sent a WebSocket close frame; the wire has answered it.
    Closed(Option<CloseCode>),
    /// The connection can not go on.
    Failed(ClientWireError),
}

impl<M> ClientItem<M> {
    /// Whether this item ends its session or connection. Handlers of what came before it can still be answered
    /// if they run before it is handled. `is_violation` is the [`Codec`](crate::wire::Codec)'s.
    pub fn is_last(&self, is_violation: impl FnOnce(&M) -> bool) -> bool {
        match self {
            Self::Message(message) => is_violation(message),
            Self::Close | Self::Malformed(_) | Self::Closed(_) | Self::Failed(_) => true,
            Self::Response(_)
            | Self::Open(_)
            | Self::Ping(_)
            | Self::Pong(_)
            | Self::Noop
            | Self::Ignored
            | Self::ErrorBody(_)
            | Self::End
            | Self::Unanswered
            | Self::KeepAlive => false,
        }
    }
}

/// Why a connection to a server can not go on. To blame is the server, except for [`Self::Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientWireError {
    /// The request can not be written; nothing was sent.
    Request(HeaderError),
    /// The bytes were no HTTP response.
    Head(HeadError),
    /// The transfer coding of a body was broken.
    Body(BodyError),
    /// A body was larger than [`WireConfig::max_payload`](crate::wire::WireConfig::max_payload).
    BodyTooLarge,
    /// The connection ended inside an answer.
    Truncated,
    /// Bytes came that nobody asked for.
    Unasked,
    /// 101 without what RFC 6455 section 4.1 asks for, or in answer to something else than a WebSocket
    /// handshake.
    Handshake,
    /// A body in a content coding nobody asked for.
    ContentEncoding,
    /// The bytes were no WebSocket frame, or not one a server may send.
    Frame(FrameError),
}

impl fmt::Display for ClientWireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Request(error) => return write!(formatter, "request can not be sent: {error}"),
            Self::Head(error) => return write!(formatter, "malformed HTTP response: {error}"),
            Self::Body(error) => return write!(formatter, "malformed HTTP body: {error}"),
            Self::Frame(error) => return write!(formatter, "malformed WebSocket stream: {error}"),
            Self::BodyTooLarge => "body too large: the server must send less at once, or raise max_payload",
            Self::Truncated => "connection ended inside an answer: look for a proxy that cuts it off",
            Self::Unasked => "bytes without a request: the server must only answer what it is asked",
            Self::Handshake => {
                "invalid WebSocket handshake: the server must answer the key and select only what was offered"
            }
            Self::ContentEncoding => {
                "compressed body: the server must not compress for who sends no Accept-Encoding"
            }
        })
    }
}

impl std::error::Error for ClientWireError {}
