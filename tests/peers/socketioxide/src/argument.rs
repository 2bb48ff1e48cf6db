//! What an event carries: JSON, or bytes in an attachment.

use std::fmt;

use bytes::Bytes;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The first argument of an event.
///
/// `serde_json::Value` cannot hold an attachment and `rmpv::Value`, which can, makes every text dearer. Telling
/// the two apart at the outermost level costs neither of them anything.
pub enum Argument {
    Json(Value),
    Binary(Bytes),
}

impl Serialize for Argument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(value) => value.serialize(serializer),
            Self::Binary(bytes) => bytes.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgumentVisitor)
    }
}

struct ArgumentVisitor;

impl<'de> Visitor<'de> for ArgumentVisitor {
    type Value = Argument;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON or an attachment")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Argument, E> {
        Ok(Argument::Json(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Argument, E> {
        Ok(Argument::Json(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Argument, E> {
        Ok(Argument::Json(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Argument, E> {
        Ok(Argument::Json(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Argument, E> {
        Ok(Argument::Json(value.into()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Argument, E> {
        Ok(Argument::Json(value.into()))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Argument, E> {
        Ok(Argument::Binary(Bytes::copy_from_slice(value)))
    }

    fn visit_byte_buf<E: Error>(self, value: Vec<u8>) -> Result<Argument, E> {
        Ok(Argument::Binary(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Argument, E> {
        Ok(Argument::Json(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Argument, E> {
        Ok(Argument::Json(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Argument, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(seq)).map(Argument::Json)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Argument, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(Argument::Json)
    }
}
