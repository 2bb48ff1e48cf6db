//! WebSocket frames (RFC 6455): what travels on a connection once its upgrade is accepted.
//!
//! - [`Decoder`] takes messages out of the bytes a peer sent, unmasking them where they lie.
//! - [`write_header`] makes the head of a frame to send, and [`mask`] masks a client's payload. There is
//!   no encoder with a buffer of its own: a server's frame is the head and then the payload as it is, so
//!   one encoded packet serves any number of recipients.
//! - [`accept_key`] and [`is_valid_key`] are the arithmetic of the handshake; its HTTP lives elsewhere.
//!
//! No extension is negotiated yet. The reserved bits are refused in one place, the header's parser.

mod close;
mod decode;
mod error;
mod handshake;
mod header;
mod mask;
#[cfg(test)]
mod tests;

pub use close::CloseCode;
pub use decode::{Decoder, Message};
pub use error::FrameError;
pub(crate) use handshake::encode_key;
pub use handshake::{accept_key, is_valid_key};
pub use header::{
    Fin, HeaderBytes, MAX_HEADER, OpCode, Role, SERVER_HEADER_MAX, parse_server_header, write_header,
};
pub use mask::mask;
