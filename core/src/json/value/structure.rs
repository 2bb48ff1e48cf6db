//! Values in formats of serde that are not ours.

use super::{Array, JsonString, Number, Object, Value};
use crate::json::scan::DEPTH;
use bytes::Bytes;
use core::fmt;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl Value {
    /// Serialises what the value means: escapes undone, lone surrogates replaced, numbers as numbers.
    pub(in crate::json) fn serialize_structure<S: Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Meaning {
            value: self,
            depth: 0,
        }
        .serialize(serializer)
    }
}

/// A value for serializers that recurse, which is refused before they exhaust the stack.
struct Meaning<'a> {
    value: &'a Value,
    depth: usize,
}

impl Meaning<'_> {
    const fn of<'a>(&self, value: &'a Value) -> Meaning<'a> {
        Meaning {
            value,
            depth: self.depth + 1,
        }
    }

    fn items<S: Serializer>(&self, array: &Array, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(array.len()))?;
        for item in array {
            sequence.serialize_element(&self.of(item))?;
        }
        sequence.end()
    }

    fn members<S: Serializer>(&self, object: &Object, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(object.len()))?;
        for (key, value) in object {
            map.serialize_entry(&*key.to_str(), &self.of(value))?;
        }
        map.end()
    }
}

impl Serialize for Meaning<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.depth > DEPTH {
            return Err(S::Error::custom(
                "nested more than 1024 levels deep: send a flatter value",
            ));
        }
        match self.value {
            Value::Array(array) => self.items(array, serializer),
            Value::Object(object) => self.members(object, serializer),
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::String(string) => serializer.serialize_str(&string.to_str()),
            Value::Binary(bytes) => serializer.serialize_bytes(bytes),
            Value::Number(number) => serialize_number(number, serializer),
        }
    }
}

fn serialize_number<S: Serializer>(number: &Number, serializer: S) -> Result<S::Ok, S::Error> {
    if let Some(number) = number.as_u64() {
        serializer.serialize_u64(number)
    } else if let Some(number) = number.as_i64() {
        serializer.serialize_i64(number)
    } else {
        serializer.serialize_f64(number.as_f64().unwrap_or_default())
    }
}

/// A value from a deserializer that is not ours, which says what it has.
pub(in crate::json) struct Structure(pub(in crate::json) Value);

impl<'de> Deserialize<'de> for Structure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StructureVisitor).map(Self)
    }
}

struct StructureVisitor;

macro_rules! visits {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method<E>(self, value: $type) -> Result<Value, E> {
            Ok(value.into())
        })*
    };
}

impl<'de> Visitor<'de> for StructureVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    visits! {
        visit_bool: bool,
        visit_i64: i64,
        visit_i128: i128,
        visit_u64: u64,
        visit_u128: u128,
        visit_f32: f32,
        visit_f64: f64,
        visit_str: &str,
        visit_string: String,
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Binary(Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Binary(bytes.into()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Structure(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members: Vec<(JsonString, Value)> = Vec::new();
        while let Some((key, Structure(value))) = access.next_entry::<String, _>()? {
            members.push((key.into(), value));
        }
        Ok(Value::Object(members.into()))
    }
}
