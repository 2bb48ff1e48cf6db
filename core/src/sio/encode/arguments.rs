//! What the encoder accepts as arguments, and what it refuses.

use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::json;

/// Writes an argument list.
pub trait WriteArguments {
    /// Appends the JSON of the arguments to `out`, with commas between and no brackets around, and every
    /// binary value to `attachments`; in its place in the JSON stands a placeholder with its index there.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Arguments`] when a value refuses to be serialized. What was written so far is discarded.
    fn write_arguments(&self, out: &mut BytesMut, attachments: &mut Vec<Bytes>) -> Result<(), EncodeError>;
}

/// Arguments that are JSON already, as they stand in a decoded packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawArguments<'a> {
    /// Valid JSON values with commas between and no brackets around.
    pub text: &'a [u8],
    /// What the placeholders in `text` stand for.
    pub attachments: &'a [Bytes],
}

impl WriteArguments for RawArguments<'_> {
    fn write_arguments(&self, out: &mut BytesMut, attachments: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        out.put_slice(self.text);
        attachments.extend_from_slice(self.attachments);
        Ok(())
    }
}

/// Every serializable value: a tuple is several arguments, anything else one (see [`json::to_arguments`]).
impl<T: serde::Serialize + ?Sized> WriteArguments for T {
    fn write_arguments(&self, out: &mut BytesMut, attachments: &mut Vec<Bytes>) -> Result<(), EncodeError> {
        json::to_arguments(self, out, attachments).map_err(EncodeError::Arguments)
    }
}

/// Why a packet cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The event name belongs to the library.
    ReservedEvent,
    /// The namespace does not start with `/`, or has a comma or a control character.
    InvalidNamespace,
    /// The data of a connect error is not one JSON value.
    InvalidData,
    /// Binary data where the protocol has no attachments.
    UnexpectedBinary,
    /// More attachments than the count can express.
    TooManyAttachments,
    /// A value can not be serialized.
    Arguments(json::EncodeError),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::ReservedEvent => "reserved event name: choose a name the library does not use itself",
            Self::InvalidNamespace => {
                "invalid namespace: start it with `/` and use neither commas nor control characters"
            }
            Self::InvalidData => "data of a connect error is not one JSON value: pass exactly one",
            Self::UnexpectedBinary => {
                "only events and acknowledgements carry binary data: send it in an event"
            }
            Self::TooManyAttachments => "more than 2^32 - 1 attachments: send several events",
            Self::Arguments(error) => return fmt::Display::fmt(error, formatter),
        };
        formatter.write_str(text)
    }
}

impl core::error::Error for EncodeError {}
