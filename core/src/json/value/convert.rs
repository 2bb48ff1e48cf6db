//! Values from the types that have one obvious place among them.

use super::{Array, JsonString, Number, Object, Value};
use bytes::Bytes;

macro_rules! from_variants {
    ($($type:ty => $variant:ident,)*) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

from_variants! {
    bool => Bool,
    i8 => Number,
    i16 => Number,
    i32 => Number,
    i64 => Number,
    i128 => Number,
    isize => Number,
    u8 => Number,
    u16 => Number,
    u32 => Number,
    u64 => Number,
    u128 => Number,
    usize => Number,
    Number => Number,
    &str => String,
    String => String,
    JsonString => String,
    Array => Array,
    Object => Object,
    Bytes => Binary,
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Null
    }
}

/// Numbers that are not finite become `null`, as in JavaScript.
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Number::from_f64(number).map_or(Self::Null, Self::Number)
    }
}

/// As for `f64`, with the digits of an `f32`.
impl From<f32> for Value {
    fn from(number: f32) -> Self {
        if !number.is_finite() {
            return Self::Null;
        }
        Self::Number(Number::verbatim(Bytes::from(
            serde_json::to_string(&number).unwrap_or_default(),
        )))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<Self>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Array(Array::from(items.into_iter().map(Into::into).collect::<Vec<_>>()))
    }
}

impl PartialEq<str> for Value {
    /// Whether this is a string that means `other`.
    fn eq(&self, other: &str) -> bool {
        matches!(self, Self::String(string) if string == other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}
