//! What an event or an acknowledgement carries.

use super::verbatim::{self, Brackets, Capture, Captured, Sink, Verbatim};
use super::{
    DecodeError, EncodeError, Raw, Value, first_argument, from_arguments, raw, scan, to_arguments, to_json,
};
use bytes::{Bytes, BytesMut};
use core::fmt;
use core::ops::Deref;
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// The attachments of a packet, shared by everything cut out of it. None costs no allocation.
#[derive(Clone, Default)]
pub struct Attachments(Option<Arc<[Bytes]>>);

impl Attachments {
    /// The same attachments in buffers of their own.
    pub fn detach(&self) -> Self {
        self.iter()
            .map(|bytes| Bytes::copy_from_slice(bytes))
            .collect::<Vec<_>>()
            .into()
    }
}

impl Deref for Attachments {
    type Target = [Bytes];

    fn deref(&self) -> &[Bytes] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl From<Vec<Bytes>> for Attachments {
    fn from(attachments: Vec<Bytes>) -> Self {
        Self((!attachments.is_empty()).then(|| attachments.into()))
    }
}

impl PartialEq for Attachments {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Attachments {}

impl fmt::Debug for Attachments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

/// An argument list exactly as it came: the text of a JSON array without its brackets.
///
/// [`to_arguments`] writes it as the several arguments it is; inside another value it is an array.
///
/// ```
/// use socketio_core::json::Arguments;
/// let arguments = Arguments::encode(&("lobby", 1.0, [2, 3]))?;
/// assert_eq!(arguments.text(), r#""lobby",1.0,[2,3]"#);
/// let (room, rest): (String, f64) = arguments.parse().unwrap();
/// assert_eq!((room.as_str(), rest), ("lobby", 1.0));
/// # Ok::<(), socketio_core::json::EncodeError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    text: Bytes,
    attachments: Attachments,
}

impl Arguments {
    /// A list that the validator has accepted as part of a packet. It is not looked at again: sent on,
    /// a list that is no JSON makes its receiver close the session. [`Arguments::encode`] makes lists
    /// of the program's own.
    pub fn new(text: Bytes, attachments: impl Into<Attachments>) -> Self {
        Self {
            text,
            attachments: attachments.into(),
        }
    }

    /// What [`to_arguments`] makes of `value`.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let (mut text, mut attachments) = (BytesMut::new(), Vec::new());
        to_arguments(value, &mut text, &mut attachments)?;
        Ok(Self::new(text.freeze(), attachments))
    }

    /// One argument for each of `values`, for lists whose length is not known before; a `Vec` or slice on
    /// its own is a single argument.
    pub fn from_values<T: Serialize>(values: &[T]) -> Result<Self, EncodeError> {
        let (mut text, mut attachments) = (BytesMut::new(), Vec::new());
        for value in values {
            if !text.is_empty() {
                text.extend_from_slice(b",");
            }
            to_json(value, &mut text, &mut attachments)?;
        }
        Ok(Self::new(text.freeze(), attachments))
    }

    /// Whether there is no argument at all.
    pub fn is_empty(&self) -> bool {
        self.text
            .iter()
            .all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
    }

    /// The list without brackets.
    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// What the placeholders in the text count in.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The arguments one by one, sharing this list's buffers.
    pub fn iter(&self) -> ArgumentsIter<'_> {
        ArgumentsIter {
            arguments: self,
            cursor: scan::Cursor::new(self.text()),
            first: true,
        }
    }

    /// The whole list as a type: see [`from_arguments`].
    pub fn parse<'de, T: Deserialize<'de>>(&'de self) -> Result<T, DecodeError> {
        from_arguments(&self.text, &self.attachments)
    }

    /// The arguments as trees that share this list's buffers; reading them with [`parse`](Self::parse) copies.
    /// [Detach](Self::detach) the list first if the trees are kept.
    ///
    /// # Errors
    ///
    /// When an argument is nested too deeply or names an attachment that is not there.
    pub fn to_values(&self) -> Result<Vec<Value>, DecodeError> {
        let tree = |argument: Raw| Value::from_trusted(argument.text_bytes(), argument.attachments());
        self.iter().map(tree).collect()
    }

    /// One argument for each tree, whose binary leaves are shared; [`from_values`](Self::from_values) would copy
    /// these.
    pub fn from_trees(values: &[Value]) -> Self {
        let (mut text, mut attachments) = (BytesMut::with_capacity(128), Vec::new());
        for value in values {
            if !text.is_empty() {
                text.extend_from_slice(b",");
            }
            value.write_to(&mut text, &mut attachments);
        }
        Self::new(text.freeze(), attachments)
    }

    /// The first argument as a type: see [`first_argument`].
    pub fn first<'de, T: Deserialize<'de>>(&'de self) -> Result<T, DecodeError> {
        first_argument(&self.text, &self.attachments)
    }

    /// Appends the list, without brackets, to `out` and the attachments it names to `attachments`,
    /// which are shared where [`to_arguments`] would copy them.
    pub fn write_to(&self, out: &mut BytesMut, attachments: &mut Vec<Bytes>) {
        verbatim::write_directly(self, out, attachments, Brackets::Omitted);
    }

    /// The same list in buffers of its own, so that it keeps no packet alive.
    pub fn detach(&self) -> Self {
        Self {
            text: Bytes::copy_from_slice(&self.text),
            attachments: self.attachments.detach(),
        }
    }
}

/// The arguments of a list: see [`Arguments::iter`].
#[derive(Clone)]
pub struct ArgumentsIter<'a> {
    arguments: &'a Arguments,
    cursor: scan::Cursor<'a>,
    first: bool,
}

impl Iterator for ArgumentsIter<'_> {
    type Item = Raw;

    fn next(&mut self) -> Option<Raw> {
        if !self.cursor.next_argument(&mut self.first).ok()? {
            return None;
        }
        let length = self.cursor.skip_value().ok()?.len();
        let end = self.cursor.at();
        let text = self.arguments.text.slice(end - length..end);
        Some(Raw::trusted(text, self.arguments.attachments.clone()))
    }
}

impl<'a> IntoIterator for &'a Arguments {
    type Item = Raw;
    type IntoIter = ArgumentsIter<'a>;

    fn into_iter(self) -> ArgumentsIter<'a> {
        self.iter()
    }
}

impl Verbatim for Arguments {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        sink.brackets(b"[")?;
        raw::write_renumbered(&self.text, &self.attachments, sink)?;
        sink.brackets(b"]")
    }

    fn structure(&self) -> Result<Value, DecodeError> {
        Value::from_trusted(Bytes::from(format!("[{}]", self.text())), &self.attachments)
    }
}

impl Capture for Arguments {
    fn from_captured(captured: Captured<'_>) -> Result<Self, DecodeError> {
        let attachments = captured.attachments()?;
        let text = Bytes::from(captured.text);
        if !text.starts_with(b"[") || !text.ends_with(b"]") {
            return Err(DecodeError::Message("expected an array of arguments".into()));
        }
        Ok(Self::new(text.slice(1..text.len() - 1), attachments))
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let raw = value.to_raw();
        let text = raw.as_str().as_bytes();
        match text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")) {
            Some(inner) => Ok(Self::new(
                Bytes::copy_from_slice(inner),
                raw.attachments().to_vec(),
            )),
            None => Err(DecodeError::Message("expected an array of arguments".into())),
        }
    }
}

impl Serialize for Arguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        verbatim::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        verbatim::deserialize(deserializer)
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Arguments({})", self.text())
    }
}

/// Any number of arguments of any types: what [`args!`](crate::args) makes.
///
/// Nothing is serialised, and so nothing can fail, before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgumentList<T>(T);

impl<T: ArgumentItems> ArgumentList<T> {
    #[doc(hidden)]
    pub const fn new(items: T) -> Self {
        Self(items)
    }
}

/// Pairs of pairs, ending in `()`.
#[doc(hidden)]
pub trait ArgumentItems {
    const LENGTH: usize;
    fn write<S: SerializeTuple>(&self, tuple: &mut S) -> Result<(), S::Error>;
}

impl ArgumentItems for () {
    const LENGTH: usize = 0;

    fn write<S: SerializeTuple>(&self, _: &mut S) -> Result<(), S::Error> {
        Ok(())
    }
}

impl<H: Serialize, T: ArgumentItems> ArgumentItems for (H, T) {
    const LENGTH: usize = T::LENGTH + 1;

    fn write<S: SerializeTuple>(&self, tuple: &mut S) -> Result<(), S::Error> {
        tuple.serialize_element(&self.0)?;
        self.1.write(tuple)
    }
}

impl<T: ArgumentItems> Serialize for ArgumentList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(T::LENGTH)?;
        self.0.write(&mut tuple)?;
        tuple.end()
    }
}

/// Several arguments, of any types and number: `emit("said", &args![room, text, 3])`.
///
/// The values are taken as they are, so borrow what is needed afterwards. They are serialised, and refuse
/// to be, when they are sent.
///
/// ```
/// use socketio_core::{args, json::Arguments};
/// let room = String::from("lobby");
/// let list = Arguments::encode(&args![&room, 1, [true, false]])?;
/// assert_eq!(list.text(), r#""lobby",1,[true,false]"#);
/// # Ok::<(), socketio_core::json::EncodeError>(())
/// ```
#[macro_export]
macro_rules! args {
    (@items) => { () };
    (@items $first:expr $(, $rest:expr)*) => { ($first, $crate::args!(@items $($rest),*)) };
    ($($value:expr),* $(,)?) => {
        $crate::json::ArgumentList::new($crate::args!(@items $($value),*))
    };
}
