//! One connection of a client: requests and frames out, [`ClientItem`]s in.
//!
//! ```text
//!      request              head of 101, verified
//! Idle ───────► Head ──────────────────────────────► WebSocket
//!  ▲             │ any other head                         │
//!  │             ▼                                        │ close frame, bad frame,
//!  │           Body ──► Packets                           │ end of stream, close()
//!  │ End,        │         │                              ▼
//!  └─────────────┴─────────┴──────────────────────────► Ending
//!    keep-alive               close, anything malformed
//! ```
//!
//! | state | reads | leaves when |
//! | --- | --- | --- |
//! | Idle | nothing: a byte is `Unasked` | a request is sent |
//! | Head | the head of the answer, 1xx skipped | it is complete (`Response`), or malformed |
//! | Body | the body, up to `max_payload`: kept for a poll, its beginning for a refusal, else dropped | it is complete, too large, or cut off |
//! | Packets | packets of the body of a poll | all were handed over (`End`) |
//! | WebSocket | frames | a close frame, a bad frame, or the client closes |
//! | Ending | nothing, discards | never: the connection closes after the last byte was written |
//!
//! A body without a length ends with the stream, and the connection with it. The end of the stream in Idle, in
//! WebSocket, or before the first byte of an answer makes no item: the connection is lost, nothing was cut off.

mod handshake;
mod input;
mod item;
mod output;
#[cfg(test)]
mod tests;

pub use item::{ClientItem, ClientWireError};

use super::{Codec, Plain, WireConfig};
use crate::OutBuf;
use crate::eio::payload;
use crate::http::{BodyDecoder, ResponseDecoder};
use crate::id::Random;
use crate::ws;
use bytes::BytesMut;
use handshake::Offer;

/// Most bytes of the body of a refusal that are kept to be shown: enough for any error text, and for the
/// beginning of a page.
pub const ERROR_BODY_BYTES: usize = 1024;

/// The state machine of one connection of a client. See the [module](self) for its states.
///
/// * [`handle_input`](ClientWire::handle_input) and [`handle_end`](ClientWire::handle_end) take what came from
///   the server.
/// * [`poll_item`](ClientWire::poll_item) takes out one thing that happened; call it until `None`, in batches as
///   large as fairness allows: what is left stays inside.
/// * [`poll_output`](ClientWire::poll_output) moves out the bytes to write.
///
/// What is sent comes from the client above, in its `poll_transmit`. An idle wire holds no buffer.
pub struct ClientWire<C = Plain> {
    codec: C,
    config: WireConfig,
    mode: Mode,
    input: BytesMut,
    stream: Stream,
    output: OutBuf,
    /// Bytes that were handed out and not yet written when output was last polled.
    unsent: usize,
    random: Random,
}

enum Mode {
    Idle,
    Head(Box<Asked>),
    Body(Box<Reading>),
    Packets(Box<payload::Decoder>, Afterwards),
    WebSocket(ws::Decoder),
    /// This is to be told, then nothing more happens.
    Failing(ClientWireError),
    Ending,
}

/// Whether more can come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Open,
    /// The server has ended its side.
    Ended,
}

/// A request whose answer has not come.
struct Asked {
    decoder: ResponseDecoder,
    expected: Expected,
}

/// What the answer means.
enum Expected {
    /// A polling payload.
    Payload,
    /// A status.
    Nothing,
    /// 101 that accepts this.
    WebSocket(Offer),
}

/// A body on its way in.
struct Reading {
    decoder: BodyDecoder,
    purpose: Purpose,
    /// What is kept of it.
    collected: BytesMut,
    /// How much came.
    received: usize,
    afterwards: Afterwards,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// All is kept and decoded.
    Payload,
    /// The beginning is kept and shown.
    Refusal,
    /// Nothing is kept.
    Nothing,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    KeepAlive,
    Close,
}

/// Above this many unwritten bytes a server's WebSocket pings are no longer answered: it does not read.
const BACKLOG: usize = 64 * 1024;

impl<C: Codec> ClientWire<C> {
    /// A wire for a connection that was just made. `seed` is what the keys of handshakes and masks are drawn
    /// from; two wires never share one, and nobody else may know it.
    pub fn new(config: WireConfig, codec: C, seed: [u8; 32]) -> Self {
        Self {
            codec,
            config,
            mode: Mode::Idle,
            input: BytesMut::new(),
            stream: Stream::Open,
            output: OutBuf::new(),
            unsent: 0,
            random: Random::new(seed),
        }
    }

    /// Bytes that were read and not yet turned into items.
    pub fn buffered(&self) -> usize {
        self.input.len()
    }

    /// Whether the connection speaks WebSocket now.
    pub fn is_websocket(&self) -> bool {
        matches!(self.mode, Mode::WebSocket(_))
    }

    /// Bytes not written when output was last polled, and those queued since.
    pub(crate) const fn unwritten(&self) -> usize {
        self.unsent.saturating_add(self.output.len())
    }
}
