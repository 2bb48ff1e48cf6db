//! Items of arrays, members of objects, contents of enum variants.

use super::key::KeyDecoder;
use super::{DecodeError, Decoder};
use bytes::Bytes;
use serde::Deserializer;
use serde::de::value::{BorrowedBytesDeserializer, CowStrDeserializer};
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::borrow::Cow;

/// An array whose bracket has been read.
pub(super) struct Items<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    first: bool,
    ended: bool,
}

impl<'a, 'de> Items<'a, 'de> {
    pub(super) const fn new(decoder: &'a mut Decoder<'de>) -> Self {
        Self {
            decoder,
            first: true,
            ended: false,
        }
    }

    /// Reads the closing bracket if the visitor, knowing how many items it wants, did not.
    pub(super) fn finish(mut self) -> Result<(), DecodeError> {
        let at = self.decoder.cursor.at();
        if self.advance()? {
            Err(DecodeError::Surplus { at })
        } else {
            Ok(())
        }
    }

    fn advance(&mut self) -> Result<bool, DecodeError> {
        if self.ended {
            return Ok(false);
        }
        let more = self.decoder.cursor.next_item(&mut self.first, b']')?;
        self.ended = !more;
        Ok(more)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        if self.advance()? {
            self.decoder.seed(seed).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// An object whose brace has been read.
pub(super) struct Members<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    first: bool,
    ended: bool,
}

impl<'a, 'de> Members<'a, 'de> {
    pub(super) const fn new(decoder: &'a mut Decoder<'de>) -> Self {
        Self {
            decoder,
            first: true,
            ended: false,
        }
    }

    /// Reads the closing brace if the visitor did not.
    pub(super) fn finish(mut self) -> Result<(), DecodeError> {
        let at = self.decoder.cursor.at();
        if self.advance()? {
            Err(DecodeError::Surplus { at })
        } else {
            Ok(())
        }
    }

    fn advance(&mut self) -> Result<bool, DecodeError> {
        if self.ended {
            return Ok(false);
        }
        let more = self.decoder.cursor.next_item(&mut self.first, b'}')?;
        self.ended = !more;
        Ok(more)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        if self.advance()? {
            seed.deserialize(KeyDecoder(self.decoder)).map(Some)
        } else {
            Ok(None)
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        self.decoder.cursor.expect(b':')?;
        self.decoder.seed(seed)
    }
}

/// An object that is an enum variant, its brace read.
pub(super) struct Variant<'a, 'de>(pub(super) &'a mut Decoder<'de>);

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), DecodeError> {
        let name = seed.deserialize(KeyDecoder(self.0))?;
        self.0.cursor.expect(b':')?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        serde::Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, DecodeError> {
        self.0.seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.0.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.0.deserialize_map(visitor)
    }
}

/// Captured text, then attachments.
pub(super) struct CapturedParts<'de> {
    text: Option<Cow<'de, str>>,
    attachments: core::slice::Iter<'de, Bytes>,
}

impl<'de> CapturedParts<'de> {
    pub(super) fn new(text: Cow<'de, str>, attachments: &'de [Bytes]) -> Self {
        Self {
            text: Some(text),
            attachments: attachments.iter(),
        }
    }
}

impl<'de> SeqAccess<'de> for CapturedParts<'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        if let Some(text) = self.text.take() {
            let text: CowStrDeserializer<'_, DecodeError> = text.into_deserializer();
            return seed.deserialize(text).map(Some);
        }
        let Some(bytes) = self.attachments.next() else {
            return Ok(None);
        };
        seed.deserialize(BorrowedBytesDeserializer::new(bytes)).map(Some)
    }
}
