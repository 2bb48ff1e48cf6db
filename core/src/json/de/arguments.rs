//! Argument lists: arrays without brackets, forgiving about their length.

use super::access::CapturedParts;
use super::{DecodeError, Decoder};
use crate::json::verbatim::TOKEN;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};

/// Reads the whole list as one value.
pub(super) struct ArgumentsDecoder<'a, 'de>(pub(super) &'a mut Decoder<'de>);

impl<'de> ArgumentsDecoder<'_, 'de> {
    fn list<V: Visitor<'de>>(self, wanted: usize, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(List {
            decoder: self.0,
            first: true,
            index: 0,
            wanted,
        })
    }
}

/// What an argument that is not there reads as.
pub(super) fn missing<'de, S: DeserializeSeed<'de>>(seed: S, index: usize) -> Result<S::Value, DecodeError> {
    seed.deserialize(&mut Decoder::null())
        .map_err(|_| DecodeError::MissingArgument { index })
}

struct List<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    first: bool,
    index: usize,
    /// How many items there must be, with `null` for those that are not.
    wanted: usize,
}

impl<'de> SeqAccess<'de> for List<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        let index = self.index;
        self.index += 1;
        if self.decoder.cursor.next_argument(&mut self.first)? {
            return self
                .decoder
                .seed(seed)
                .map(Some)
                .map_err(|error| error.in_argument(index));
        }
        if index < self.wanted {
            missing(seed, index).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> serde::Deserializer<'de> for ArgumentsDecoder<'_, 'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.list(0, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.list(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.list(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.list(fields.len(), visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.cursor.peek().is_none() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == TOKEN {
            let array = format!("[{}]", self.0.cursor.text());
            return visitor.visit_seq(CapturedParts::new(array.into(), self.0.attachments));
        }
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq map enum identifier
    }
}
