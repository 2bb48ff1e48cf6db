//! Numbers and strings as the text they came as.

use crate::json::{scan, ser};
use bytes::{Bytes, BytesMut};
use core::fmt;
use std::borrow::Cow;

/// A number as it is written. Equal when written the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Bytes);

impl Number {
    pub(in crate::json) const fn verbatim(text: Bytes) -> Self {
        Self(text)
    }

    /// The number as it is written.
    pub fn as_text(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The number, if it is written as an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_text().parse().ok()
    }

    /// The number, if it is written as an integer that fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_text().parse().ok()
    }

    /// The number, if it is written as an integer that fits.
    pub fn as_i128(&self) -> Option<i128> {
        self.as_text().parse().ok()
    }

    /// The nearest float; infinite for what is too large, as in JavaScript.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_text().parse().ok()
    }

    /// The float in its shortest form; `None` unless it is finite, because JSON has no other.
    pub fn from_f64(number: f64) -> Option<Self> {
        number
            .is_finite()
            .then(|| Self(Bytes::from(serde_json::to_string(&number).unwrap_or_default())))
    }
}

macro_rules! from_integers {
    ($($type:ty)*) => {
        $(impl From<$type> for Number {
            fn from(number: $type) -> Self {
                Self(Bytes::from(number.to_string()))
            }
        })*
    };
}

from_integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

impl fmt::Debug for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_text())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_text())
    }
}

/// A string with the escapes it came with. Equal when written the same.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct JsonString(Bytes);

impl JsonString {
    pub(in crate::json) const fn verbatim(escaped: Bytes) -> Self {
        Self(escaped)
    }

    /// What stands between the quotes.
    pub fn as_escaped(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What the string means; lone surrogates, which no Rust string can hold, read as U+FFFD.
    pub fn to_str(&self) -> Cow<'_, str> {
        scan::unescape_lossy(self.as_escaped())
    }
}

impl PartialEq<str> for JsonString {
    /// Whether the string means `other`, however it is written.
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes() && !other.contains('\\') || self.to_str() == other
    }
}

impl From<&str> for JsonString {
    fn from(text: &str) -> Self {
        let mut escaped = BytesMut::with_capacity(text.len());
        ser::escape(text, &mut escaped);
        Self(escaped.freeze())
    }
}

impl From<String> for JsonString {
    fn from(text: String) -> Self {
        let plain = text
            .bytes()
            .all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
        if plain {
            Self(Bytes::from(text))
        } else {
            Self::from(text.as_str())
        }
    }
}

impl fmt::Debug for JsonString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.as_escaped())
    }
}

impl fmt::Display for JsonString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_str())
    }
}
