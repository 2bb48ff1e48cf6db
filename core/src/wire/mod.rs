//! One connection's bytes: HTTP/1.1, WebSocket frames and polling payloads on one side, [`Item`]s on the other.
//!
//! A [`Wire`] belongs to whoever owns the connection and shares nothing, so all of its work, including the
//! decoding of messages by its [`Codec`], happens outside any lock. This is a server's; a client's is
//! [`client::ClientWire`].
//!
//! ```text
//!            respond, keep-alive                     accept_websocket
//!        ┌──────────────────────────┐         ┌───────────────────────────► WebSocket
//!        ▼                          │         │                                 │
//!      Head ──── Item::Request ──► Waiting ───┤                                 │ close frame,
//!        │                          ▲         │ read_payload, read_body         │ bad frame, close()
//!        │ bad head                 │         ▼                                 ▼
//!        │            Item::BodyEnd │      Reading ──► Payload               Ending
//!        │            Item::Body    └─────────┴───────────┘                     ▲
//!        └──────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! | state | reads | leaves when |
//! | --- | --- | --- |
//! | Head | one request head | it is complete, or malformed (answered, then Ending) |
//! | Waiting | nothing | the server responds, wants the body, or accepts the WebSocket |
//! | Reading | the body, up to a limit | it is complete or too large |
//! | Payload | packets of a polling body | all were handed over |
//! | WebSocket | frames | a close frame, a bad frame, or the server closes |
//! | Ending | nothing, discards | never: the connection closes after the last byte was written |

pub mod client;
mod config;
mod frames;
mod input;
mod item;
mod output;

pub use client::{ClientItem, ClientWire, ClientWireError, ERROR_BODY_BYTES};
pub use config::WireConfig;
pub(crate) use output::{Expiry, Persistence};

pub use item::{BodyFailure, Codec, Flow, Item, Plain, Reply, WireError};

use crate::OutBuf;
use crate::eio::payload;
use crate::http::{
    BodyDecoder, BodyLength, HeadDecoder, Method, RequestHead, Response, Version, WebSocketRequest,
};
use crate::ws;
use bytes::BytesMut;

/// The state machine of one connection. See the [module](self) for its states.
///
/// * `handle_*` takes what came from the peer (or from the host that parsed it).
/// * [`poll_item`](Wire::poll_item) takes out one thing that happened; call it until `None`, in batches as
///   large as fairness allows: what is left stays inside.
/// * `respond`, `read_payload`, `accept_websocket`, `send`… are what the server answers; it calls them from
///   `poll_transmit`.
/// * [`poll_output`](Wire::poll_output) moves out the bytes to write.
///
/// An idle wire holds no buffer.
pub struct Wire<C = Plain> {
    codec: C,
    config: WireConfig,
    front: Front,
    mode: Mode,
    input: BytesMut,
    output: OutBuf,
    encoding: Encoding,
    /// Bytes that were handed out and not yet written when output was last polled.
    unsent: usize,
}

/// Who parses HTTP.
enum Front {
    Own,
    Host { reply: Option<Box<Reply>> },
}

enum Mode {
    Head(HeadDecoder),
    /// A host's request, before it is handed over.
    Given(Box<RequestHead>),
    Waiting(Exchange),
    Reading(Box<Reading>),
    Payload(Exchange, Box<payload::Decoder>),
    WebSocket(ws::Decoder),
    Ending,
}

/// What must be remembered of a request until it is answered.
#[derive(Clone, Copy)]
struct Exchange {
    version: Version,
    to_head: bool,
    keep_alive: bool,
    wants_continue: bool,
    body: BodyLength,
    accept: Option<[u8; 28]>,
    encoding: Encoding,
}

/// How binary messages travel on a WebSocket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Binary,
    /// The client passed `b64`.
    Base64,
}

/// Above this many unwritten bytes a peer gets no more answers to what it asks for at will: a WebSocket ping, a
/// probe, a request. It does not read them.
const BACKLOG: usize = 64 * 1024;

/// A body on its way in.
struct Reading {
    exchange: Exchange,
    decoder: BodyDecoder,
    collected: BytesMut,
    limit: usize,
    purpose: Purpose,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Payload,
    Whole,
}

impl<C: Codec> Wire<C> {
    /// A wire for a connection of our own, which begins with HTTP.
    pub fn new(config: WireConfig, codec: C) -> Self {
        let mode = Mode::Head(HeadDecoder::new(&config.head));
        Self {
            codec,
            config,
            front: Front::Own,
            mode,
            input: BytesMut::new(),
            output: OutBuf::new(),
            encoding: Encoding::Binary,
            unsent: 0,
        }
    }

    /// A wire for one request that a host (a hyper service, say) parsed itself.
    ///
    /// Give it the body with [`handle_body`](Wire::handle_body) when [`wants_body`](Wire::wants_body) says so,
    /// and send what [`poll_reply`](Wire::poll_reply) returns. After [`Reply::Upgrade`] the same wire takes and
    /// gives raw bytes.
    pub fn hosted(config: WireConfig, codec: C, head: RequestHead) -> Self {
        Self {
            codec,
            config,
            front: Front::Host { reply: None },
            mode: Mode::Given(Box::new(head)),
            input: BytesMut::new(),
            output: OutBuf::new(),
            encoding: Encoding::Binary,
            unsent: 0,
        }
    }

    /// Bytes that were read and not yet turned into items, which a paused connection may not let grow.
    pub fn buffered(&self) -> usize {
        self.input.len()
    }

    /// Bytes that were not written yet when output was last polled, and those queued since.
    pub(crate) const fn unwritten(&self) -> usize {
        self.unsent.saturating_add(self.output.len())
    }

    /// Whether the connection speaks WebSocket now.
    pub fn is_websocket(&self) -> bool {
        matches!(self.mode, Mode::WebSocket(_))
    }
}

impl Exchange {
    fn new(head: &RequestHead) -> Self {
        let accept = match head.websocket() {
            WebSocketRequest::Upgrade { key } => Some(ws::accept_key(key.as_bytes())),
            WebSocketRequest::NotUpgrade | WebSocketRequest::Malformed(_) => None,
        };
        let encoding = match head.query().get("b64") {
            Some(value) if !value.is_empty() => Encoding::Base64,
            _ => Encoding::Binary,
        };
        Self {
            version: head.version(),
            to_head: head.method() == Method::Head,
            keep_alive: head.keep_alive(),
            wants_continue: head.wants_continue(),
            body: head.body_length(),
            accept,
            encoding,
        }
    }

    /// The method, as far as it matters for the answer.
    const fn method(&self) -> Method {
        if self.to_head { Method::Head } else { Method::Get }
    }

    /// Whether the stream stands at the next request once this one is answered.
    fn is_body_taken(&self) -> bool {
        matches!(self.body, BodyLength::None | BodyLength::Length(0))
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}
