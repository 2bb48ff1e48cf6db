//! One JSON value exactly as it came.

use super::arguments::Attachments;
use super::placeholder::Placeholders;
use super::scan::{Cursor, DEPTH};
use super::verbatim::{self, Brackets, Capture, Captured, Sink, Verbatim};
use super::{DecodeError, EncodeError, JsonError, Value, from_json, to_json, validate};
use crate::Text;
use bytes::{Bytes, BytesMut};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One JSON value as text that nothing has interpreted, with the attachments its placeholders name.
///
/// Serialised by this crate it is written as it is, its attachments numbered anew where others come
/// first. Read by this crate's deserializer it is the text as it came, copied out of the packet. With
/// other formats of serde it passes as the value it describes.
///
/// ```
/// use socketio_core::json::Raw;
/// let raw = Raw::from_json(r#"{"price":1.0,"price":9007199254740993}"#)?;
/// assert_eq!(raw.as_str(), r#"{"price":1.0,"price":9007199254740993}"#);
/// # Ok::<(), socketio_core::json::DecodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Raw {
    text: Bytes,
    attachments: Attachments,
}

impl Raw {
    /// Text of the program's own, checked to be one JSON value. It has no attachments, so an object
    /// that looks like a placeholder is an object.
    pub fn from_json(text: impl Into<Text>) -> Result<Self, DecodeError> {
        let text = text.into().into_bytes();
        check(&text)?;
        Ok(Self {
            text,
            attachments: Attachments::default(),
        })
    }

    /// What `value` serialises to.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let (mut text, mut attachments) = (BytesMut::new(), Vec::new());
        to_json(value, &mut text, &mut attachments)?;
        Ok(Self::trusted(text.freeze(), attachments.into()))
    }

    /// Text that a validator has accepted.
    pub(crate) const fn trusted(text: Bytes, attachments: Attachments) -> Self {
        Self { text, attachments }
    }

    /// The text's buffer.
    pub(super) fn text_bytes(&self) -> Bytes {
        self.text.clone()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// What the placeholders in the text count in; there may be more than the text names.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The value as a type.
    pub fn parse<'de, T: Deserialize<'de>>(&'de self) -> Result<T, DecodeError> {
        from_json(&self.text, &self.attachments)
    }

    /// Appends the text to `out` and the attachments it names to `attachments`, which are shared where
    /// [`to_json`] would copy them.
    pub fn write_to(&self, out: &mut BytesMut, attachments: &mut Vec<Bytes>) {
        verbatim::write_directly(self, out, attachments, Brackets::Written);
    }

    /// The same value in buffers of its own, so that it keeps no packet alive.
    pub fn detach(&self) -> Self {
        Self {
            text: Bytes::copy_from_slice(&self.text),
            attachments: self.attachments.detach(),
        }
    }
}

/// Refuses what is not JSON, or is nested deeper than any receiver of ours takes.
pub(super) fn check(text: &[u8]) -> Result<(), DecodeError> {
    let text = core::str::from_utf8(text).map_err(|error| DecodeError::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    validate(text.as_bytes(), DEPTH as u32).map_err(|error| locate(text, error))
}

/// Where the validator, which counts no bytes, stopped.
fn locate(text: &str, error: JsonError) -> DecodeError {
    if error == JsonError::TooDeep
        && let Err(error) = Cursor::new(text).skip_value()
    {
        return error;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let _ = values.next();
    DecodeError::Syntax {
        at: values.byte_offset(),
    }
}

/// Writes text that came with `attachments`, numbering those it names from 0.
pub(super) fn write_renumbered<S: Sink>(
    text: &[u8],
    attachments: &[Bytes],
    sink: &mut S,
) -> Result<(), S::Error> {
    let known = core::str::from_utf8(text).ok();
    // Placeholders without attachments pass as the objects they are; the receiver judges them.
    let found = known.and_then(|text| Placeholders::find(text, attachments.len()).ok());
    let mut renumbered: Vec<Option<usize>> = vec![None; attachments.len()];
    let (mut written, mut count) = (0, 0);
    for placeholder in found.unwrap_or_default().iter() {
        let number = placeholder.number;
        let (Some(place), Some(bytes)) = (renumbered.get_mut(number), attachments.get(number)) else {
            continue;
        };
        sink.text(text.get(written..placeholder.start).unwrap_or_default())?;
        if place.is_none() {
            sink.attach(bytes)?;
            *place = Some(count);
            count += 1;
        }
        sink.place(place.unwrap_or_default())?;
        written = placeholder.end;
    }
    sink.text(text.get(written..).unwrap_or_default())
}

impl Verbatim for Raw {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        write_renumbered(&self.text, &self.attachments, sink)
    }

    fn structure(&self) -> Result<Value, DecodeError> {
        Value::from_trusted(self.text.clone(), &self.attachments)
    }
}

impl Capture for Raw {
    fn from_captured(captured: Captured<'_>) -> Result<Self, DecodeError> {
        let attachments = captured.attachments()?.into();
        Ok(Self::trusted(Bytes::from(captured.text), attachments))
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        Ok(value.to_raw())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        verbatim::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        verbatim::deserialize(deserializer)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
