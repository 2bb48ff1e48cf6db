//! Keys of objects, which are text, read as what a map's key type asks for.

use super::{DecodeError, Decoder, Meaning};
use serde::de::{DeserializeSeed, EnumAccess, VariantAccess, Visitor};

/// The key the decoder stands before.
pub(super) struct KeyDecoder<'a, 'de>(pub(super) &'a mut Decoder<'de>);

/// Numbers and bools stand in quotes.
macro_rules! quoted {
    ($($method:ident $visit:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.0.cursor.peek();
            let quoted = self.0.cursor.quoted()?;
            match self.0.meaning(quoted)? {
                Meaning::Borrowed(text) | Meaning::Unescaped(text) => match text.parse() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => visitor.visit_str(text),
                },
            }
        })*
    };
}

impl<'de> serde::Deserializer<'de> for KeyDecoder<'_, 'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.0.cursor.peek();
        self.0.string(visitor)
    }

    quoted! {
        deserialize_bool visit_bool,
        deserialize_i8 visit_i8,
        deserialize_i16 visit_i16,
        deserialize_i32 visit_i32,
        deserialize_i64 visit_i64,
        deserialize_i128 visit_i128,
        deserialize_u8 visit_u8,
        deserialize_u16 visit_u16,
        deserialize_u32 visit_u32,
        deserialize_u64 visit_u64,
        deserialize_u128 visit_u128,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.0.cursor.peek();
        visitor.visit_enum(UnitVariant(self.0))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.0.cursor.peek();
        self.0.cursor.quoted()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

/// A string that is the name of a variant.
pub(super) struct UnitVariant<'a, 'de>(pub(super) &'a mut Decoder<'de>);

impl<'de> EnumAccess<'de> for UnitVariant<'_, 'de> {
    type Error = DecodeError;
    type Variant = NoContent;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, NoContent), DecodeError> {
        Ok((seed.deserialize(KeyDecoder(self.0))?, NoContent))
    }
}

/// A variant that is nothing but its name.
pub(super) struct NoContent;

impl NoContent {
    fn refuse<T>(expected: &'static str) -> Result<T, DecodeError> {
        Err(serde::de::Error::invalid_type(
            serde::de::Unexpected::UnitVariant,
            &expected,
        ))
    }
}

impl<'de> VariantAccess<'de> for NoContent {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, DecodeError> {
        Self::refuse("newtype variant")
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DecodeError> {
        Self::refuse("tuple variant")
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, DecodeError> {
        Self::refuse("struct variant")
    }
}
