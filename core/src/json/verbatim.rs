//! How text that is already JSON passes through serde unchanged.
//!
//! *Out*: the value announces itself with `serialize_newtype_struct(TOKEN, ..)`, which every other
//! serializer passes through. Behind the token it asks `is_human_readable` twice: ours answers no and
//! then yes, every other one answers the same twice. Ours then takes a struct named [`TOKEN`] whose
//! fields are bytes; any other serializer gets ordinary maps, lists, strings and numbers.
//!
//! *In*: `deserialize_newtype_struct(TOKEN, ..)`. Ours answers with a sequence: the text, then every
//! attachment. Any other deserializer calls `visit_newtype_struct` and is read like for any type.

use super::{DecodeError, Value};
use bytes::{Bytes, BytesMut};
use core::fmt;
use core::marker::PhantomData;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The newtype and struct name by which ours know each other.
pub(super) const TOKEN: &str = "$socketio::json::verbatim";

const TEXT: &str = "text";
/// A field with brackets, left out where the list is an argument list.
pub(super) const BRACKETS: &str = "brackets";
/// A field with an attachment whose placeholders follow.
pub(super) const UNPLACED: &str = "unplaced";
/// A field with the number of an attachment, counted from the first of this value.
pub(super) const NUMBER: &str = "number";

/// Takes text and attachments in order.
pub(super) trait Sink {
    type Error;
    fn text(&mut self, text: &[u8]) -> Result<(), Self::Error>;
    fn brackets(&mut self, text: &[u8]) -> Result<(), Self::Error>;
    fn attach(&mut self, bytes: &Bytes) -> Result<(), Self::Error>;
    /// Writes the placeholder of the attachment that was the `number`th for this sink, from 0.
    fn place(&mut self, number: usize) -> Result<(), Self::Error>;
}

/// What can be written to a [`Sink`].
pub(super) trait Verbatim {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error>;
    /// For serializers that are not ours.
    fn structure(&self) -> Result<Value, DecodeError>;
}

/// Whether an argument list has its brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Brackets {
    Written,
    Omitted,
}

/// A sink without serde in between: attachments are shared, not copied.
struct Direct<'a> {
    out: &'a mut BytesMut,
    attachments: &'a mut Vec<Bytes>,
    base: usize,
    brackets: Brackets,
}

/// Writes `value` without copying its attachments.
pub(super) fn write_directly<T: Verbatim>(
    value: &T,
    out: &mut BytesMut,
    attachments: &mut Vec<Bytes>,
    brackets: Brackets,
) {
    let base = attachments.len();
    let Ok(()) = value.write(&mut Direct {
        out,
        attachments,
        base,
        brackets,
    });
}

impl Sink for Direct<'_> {
    type Error = core::convert::Infallible;

    fn text(&mut self, text: &[u8]) -> Result<(), Self::Error> {
        self.out.extend_from_slice(text);
        Ok(())
    }

    fn brackets(&mut self, text: &[u8]) -> Result<(), Self::Error> {
        if self.brackets == Brackets::Written {
            self.out.extend_from_slice(text);
        }
        Ok(())
    }

    fn attach(&mut self, bytes: &Bytes) -> Result<(), Self::Error> {
        self.attachments.push(bytes.clone());
        Ok(())
    }

    fn place(&mut self, number: usize) -> Result<(), Self::Error> {
        self.out.extend_from_slice(super::placeholder::OPENING);
        self.out
            .extend_from_slice((self.base + number).to_string().as_bytes());
        self.out.extend_from_slice(b"}");
        Ok(())
    }
}

/// The fields behind the token.
struct TokenFields<S>(S);

impl<S: SerializeStruct> Sink for TokenFields<S> {
    type Error = S::Error;

    fn text(&mut self, text: &[u8]) -> Result<(), S::Error> {
        self.0.serialize_field(TEXT, &Blob(text))
    }

    fn brackets(&mut self, text: &[u8]) -> Result<(), S::Error> {
        self.0.serialize_field(BRACKETS, &Blob(text))
    }

    fn attach(&mut self, bytes: &Bytes) -> Result<(), S::Error> {
        self.0.serialize_field(UNPLACED, &Blob(bytes))
    }

    fn place(&mut self, number: usize) -> Result<(), S::Error> {
        self.0.serialize_field(NUMBER, &Blob(&number.to_le_bytes()))
    }
}

/// The number in a [`NUMBER`] field.
pub(super) fn number_from(bytes: &[u8]) -> usize {
    bytes.try_into().map(usize::from_le_bytes).unwrap_or_default()
}

struct Blob<'a>(&'a [u8]);

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct BehindToken<'a, T>(&'a T);

impl<T: Verbatim> Serialize for BehindToken<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() && serializer.is_human_readable() {
            let mut fields = TokenFields(serializer.serialize_struct(TOKEN, 0)?);
            self.0.write(&mut fields)?;
            return fields.0.end();
        }
        let structure = self.0.structure().map_err(serde::ser::Error::custom)?;
        structure.serialize_structure(serializer)
    }
}

/// `Serialize::serialize` of what can be written verbatim.
pub(super) fn serialize<T: Verbatim, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(TOKEN, &BehindToken(value))
}

/// What our deserializer captured: the text and all attachments its placeholders count in.
pub(super) struct Captured<'de> {
    pub(super) text: String,
    attachments: Vec<&'de [u8]>,
}

impl Captured<'_> {
    /// Copies out the attachments that the text names; the others become empty, so that numbers stay.
    pub(super) fn attachments(&self) -> Result<Vec<Bytes>, DecodeError> {
        let placeholders = super::placeholder::Placeholders::find(&self.text, self.attachments.len())?;
        if placeholders.is_empty() {
            return Ok(Vec::new());
        }
        let mut copies = vec![Bytes::new(); self.attachments.len()];
        for placeholder in placeholders.iter() {
            let number = placeholder.number;
            if let (Some(copy), Some(bytes)) = (copies.get_mut(number), self.attachments.get(number))
                && copy.is_empty()
            {
                *copy = Bytes::copy_from_slice(bytes);
            }
        }
        Ok(copies)
    }
}

/// What can be read from captured text.
pub(super) trait Capture: Sized {
    fn from_captured(captured: Captured<'_>) -> Result<Self, DecodeError>;
    /// For deserializers that are not ours.
    fn from_value(value: Value) -> Result<Self, DecodeError>;
}

/// `Deserialize::deserialize` of what can be captured.
pub(super) fn deserialize<'de, T: Capture, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(TOKEN, CaptureVisitor(PhantomData))
}

struct CaptureVisitor<T>(PhantomData<T>);

impl<'de, T: Capture> Visitor<'de> for CaptureVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<T, A::Error> {
        let text = access
            .next_element()?
            .ok_or_else(|| A::Error::custom("captured text is missing"))?;
        let mut attachments = Vec::new();
        while let Some(attachment) = access.next_element()? {
            attachments.push(attachment);
        }
        T::from_captured(Captured { text, attachments }).map_err(A::Error::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let value = super::value::Structure::deserialize(deserializer)?.0;
        T::from_value(value).map_err(D::Error::custom)
    }
}
