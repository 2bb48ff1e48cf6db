//! A tree for data of unknown shape that comes out exactly as it went in.

mod convert;
mod leaf;
mod nested;
mod structure;
mod walk;

pub use leaf::{JsonString, Number};
pub use nested::{Array, Object};
pub(super) use structure::Structure;

use super::placeholder::{self, Placeholders};
use super::raw;
use super::scan::Cursor;
use super::verbatim::{self, Brackets, Capture, Captured, Sink, Verbatim};
use super::{DecodeError, EncodeError, Raw, from_json, to_json};
use crate::Text;
use bytes::{Bytes, BytesMut};
use core::fmt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use walk::{Builder, Event, Leaf, Walk};

/// Any JSON value, with bytes as leaves.
///
/// It keeps what a peer may care about and `serde_json::Value` loses: number text (`1.0`,
/// `9007199254740993`, `1e21`), string escapes with lone surrogates among them, the order of keys and
/// keys that occur twice. Leaves share one copy of the text. Reading, writing, cloning, comparing and
/// dropping do not recurse, so no nesting exhausts the stack.
///
/// Two values are equal when their text is: `1` and `1.0` differ.
///
/// ```
/// use socketio_core::json::Value;
/// let value = Value::parse(br#"{"id":9007199254740993,"tags":["\u00e9"]}"#, &[])?;
/// assert_eq!(value["id"].as_u64(), Some(9007199254740993));
/// assert_eq!(value["tags"][0].as_str().as_deref(), Some("é"));
/// assert_eq!(value.to_text(), r#"{"id":9007199254740993,"tags":["\u00e9"]}"#);
/// # Ok::<(), socketio_core::json::DecodeError>(())
/// ```
#[derive(Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as text.
    Number(Number),
    /// A string with its escapes.
    String(JsonString),
    /// A list of values.
    Array(Array),
    /// Keys and values in order.
    Object(Object),
    /// Bytes, which travel as an attachment.
    Binary(Bytes),
}

static NULL: Value = Value::Null;

impl Value {
    /// Reads one JSON value. With attachments, objects that are placeholders become [`Value::Binary`].
    ///
    /// # Errors
    ///
    /// When the text is not one JSON value, is nested more than 1,024 levels deep, names attachments
    /// that are not there or repeats them beyond measure.
    pub fn parse(text: &[u8], attachments: &[Bytes]) -> Result<Self, DecodeError> {
        raw::check(text)?;
        Self::from_trusted(Bytes::copy_from_slice(text), attachments)
    }

    /// Reads text that a validator has accepted, keeping slices of it.
    pub(super) fn from_trusted(text: Bytes, attachments: &[Bytes]) -> Result<Self, DecodeError> {
        let known = core::str::from_utf8(&text).map_err(|error| DecodeError::NotUtf8 {
            at: error.valid_up_to(),
        })?;
        let placeholders = Placeholders::find(known, attachments.len())?;
        let allowance = super::de::allowance(attachments);
        Parser {
            text: &text,
            cursor: Cursor::new(known),
            attachments,
            placeholders,
            allowance,
        }
        .parse()
    }

    /// What `value` serialises to.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let (mut text, mut attachments) = (BytesMut::new(), Vec::new());
        to_json(value, &mut text, &mut attachments)?;
        Self::from_trusted(text.freeze(), &attachments).map_err(serde::ser::Error::custom)
    }

    /// The value as a type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let (mut text, mut attachments) = (BytesMut::new(), Vec::new());
        self.write_to(&mut text, &mut attachments);
        from_json(&text, &attachments)
    }

    /// The value as JSON, a placeholder for each [`Value::Binary`].
    pub fn to_text(&self) -> Text {
        let mut text = BytesMut::new();
        self.write_to(&mut text, &mut Vec::new());
        Text::from_utf8(text.freeze()).unwrap_or_default()
    }

    /// The value as JSON with its attachments.
    pub fn to_raw(&self) -> Raw {
        let (mut text, mut attachments) = (BytesMut::new(), Vec::new());
        self.write_to(&mut text, &mut attachments);
        Raw::trusted(text.freeze(), attachments.into())
    }

    /// Appends the value to `out` as JSON and its bytes to `attachments`, shared where
    /// [`to_json`] would copy them.
    pub fn write_to(&self, out: &mut BytesMut, attachments: &mut Vec<Bytes>) {
        verbatim::write_directly(self, out, attachments, Brackets::Written);
    }

    /// Whether this is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The bool, if this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// The number, if this is one written as an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Number(number) = self {
            number.as_i64()
        } else {
            None
        }
    }

    /// The number, if this is one written as an integer that fits.
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Number(number) = self {
            number.as_u64()
        } else {
            None
        }
    }

    /// The nearest float, if this is a number.
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Number(number) = self {
            number.as_f64()
        } else {
            None
        }
    }

    /// What the string means, if this is one; lone surrogates read as U+FFFD.
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        if let Self::String(string) = self {
            Some(string.to_str())
        } else {
            None
        }
    }

    /// The bytes, if this is binary.
    pub const fn as_bytes(&self) -> Option<&Bytes> {
        if let Self::Binary(bytes) = self {
            Some(bytes)
        } else {
            None
        }
    }

    /// The items, if this is an array.
    pub const fn as_array(&self) -> Option<&Array> {
        if let Self::Array(array) = self {
            Some(array)
        } else {
            None
        }
    }

    /// The members, if this is an object.
    pub const fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self {
            Some(object)
        } else {
            None
        }
    }

    /// The member of that name, if this is an object that has one; of equal keys the last, as in
    /// JavaScript. `value["name"]` gives [`Value::Null`] where this gives `None`.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// The item at `index`, if this is an array that long. `value[0]` gives [`Value::Null`] where this
    /// gives `None`.
    pub fn get_index(&self, index: usize) -> Option<&Self> {
        self.as_array()?.get(index)
    }

    const fn walk(&self) -> Walk<'_> {
        Walk::new(self)
    }
}

impl core::ops::Index<&str> for Value {
    type Output = Self;

    fn index(&self, key: &str) -> &Self {
        self.get(key).unwrap_or(&NULL)
    }
}

impl core::ops::Index<usize> for Value {
    type Output = Self;

    fn index(&self, index: usize) -> &Self {
        self.get_index(index).unwrap_or(&NULL)
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        let mut builder = Builder::default();
        for event in self.walk() {
            match event {
                Event::Leaf(leaf) => builder.value(leaf.to_value()),
                Event::Array => builder.open_array(),
                Event::Object => builder.open_object(),
                Event::Key(key) => builder.key(key.clone()),
                Event::EndArray | Event::EndObject => builder.close(),
            }
        }
        builder.finish()
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.walk().eq(other.walk())
    }
}

impl Eq for Value {}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.to_text().as_str())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        verbatim::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        verbatim::deserialize(deserializer)
    }
}

impl Verbatim for Value {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let (mut comma, mut attached) = (false, 0);
        for event in self.walk() {
            let ends = matches!(event, Event::EndArray | Event::EndObject);
            if comma && !ends {
                sink.text(b",")?;
            }
            comma = ends || matches!(event, Event::Leaf(_));
            match event {
                Event::Leaf(Leaf::Binary(bytes)) => {
                    sink.attach(bytes)?;
                    sink.place(attached)?;
                    attached += 1;
                }
                Event::Leaf(Leaf::String(string)) => write_string(string, sink)?,
                Event::Leaf(Leaf::Number(number)) => sink.text(number.as_text().as_bytes())?,
                Event::Leaf(Leaf::Bool(true)) => sink.text(b"true")?,
                Event::Leaf(Leaf::Bool(false)) => sink.text(b"false")?,
                Event::Leaf(Leaf::Null) => sink.text(b"null")?,
                Event::Key(key) => {
                    write_string(key, sink)?;
                    sink.text(b":")?;
                }
                Event::Array => sink.text(b"[")?,
                Event::EndArray => sink.text(b"]")?,
                Event::Object => sink.text(b"{")?,
                Event::EndObject => sink.text(b"}")?,
            }
        }
        Ok(())
    }

    fn structure(&self) -> Result<Value, DecodeError> {
        Ok(self.clone())
    }
}

fn write_string<S: Sink>(string: &JsonString, sink: &mut S) -> Result<(), S::Error> {
    sink.text(b"\"")?;
    sink.text(string.as_escaped().as_bytes())?;
    sink.text(b"\"")
}

impl Capture for Value {
    fn from_captured(captured: Captured<'_>) -> Result<Self, DecodeError> {
        let attachments = captured.attachments()?;
        Self::from_trusted(Bytes::from(captured.text), &attachments)
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        Ok(value)
    }
}

/// Builds a tree whose leaves are slices of the text.
struct Parser<'a> {
    text: &'a Bytes,
    cursor: Cursor<'a>,
    attachments: &'a [Bytes],
    placeholders: Placeholders,
    allowance: usize,
}

impl Parser<'_> {
    fn parse(mut self) -> Result<Value, DecodeError> {
        let mut builder = Builder::default();
        loop {
            match self.cursor.peek() {
                Some(b'{') => match self.placeholders.starting_at(self.cursor.at()) {
                    Some(placeholder) => builder.value(self.binary(placeholder)?),
                    None => {
                        self.cursor.enter()?;
                        builder.open_object();
                    }
                },
                Some(b'[') => {
                    self.cursor.enter()?;
                    builder.open_array();
                }
                _ => {
                    let leaf = self.leaf()?;
                    builder.value(leaf);
                }
            }
            if !self.advance(&mut builder)? {
                return Ok(builder.finish());
            }
        }
    }

    /// Goes to the next value inside what is open; false when all is closed.
    fn advance(&mut self, builder: &mut Builder) -> Result<bool, DecodeError> {
        while let Some((close, first)) = builder.innermost() {
            if self.cursor.next_item(first, close)? {
                if close == b'}' {
                    let key = self.cursor.key()?.text;
                    builder.key(JsonString::verbatim(self.text.slice_ref(key.as_bytes())));
                }
                return Ok(true);
            }
            builder.close();
        }
        Ok(false)
    }

    fn leaf(&mut self) -> Result<Value, DecodeError> {
        if self.cursor.peek() == Some(b'"') {
            let text = self.cursor.quoted()?.text;
            return Ok(Value::String(JsonString::verbatim(
                self.text.slice_ref(text.as_bytes()),
            )));
        }
        Ok(match self.cursor.scalar()? {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number => Value::Number(Number::verbatim(self.text.slice_ref(number.as_bytes()))),
        })
    }

    fn binary(&mut self, placeholder: placeholder::Placeholder) -> Result<Value, DecodeError> {
        let missing = DecodeError::Placeholder {
            at: placeholder.start,
        };
        let bytes = self.attachments.get(placeholder.number).ok_or(missing)?;
        // Sharing costs nothing here, but sending the value on sends every repetition.
        self.allowance = self
            .allowance
            .checked_sub(bytes.len())
            .ok_or(DecodeError::AttachmentsRepeated)?;
        self.cursor.skip_value()?;
        Ok(Value::Binary(bytes.clone()))
    }
}
