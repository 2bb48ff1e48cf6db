//! Arrays, objects and verbatim text while they are being written.

use super::super::verbatim;
use super::key::KeySerializer;
use super::{BytesAs, EncodeError, Serializer};
use serde::Serialize;
use serde::ser;

/// An array, or an argument list when there is nothing to close.
pub(in crate::json) struct Items<'a, 'b> {
    serializer: &'a mut Serializer<'b>,
    first: bool,
    close: &'static [u8],
}

impl<'a, 'b> Items<'a, 'b> {
    pub(super) const fn new(serializer: &'a mut Serializer<'b>, close: &'static [u8]) -> Self {
        Self {
            serializer,
            first: true,
            close,
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        if !core::mem::take(&mut self.first) {
            self.serializer.put(b",");
        }
        value.serialize(&mut *self.serializer)
    }
}

/// An object.
pub(in crate::json) struct Members<'a, 'b> {
    serializer: &'a mut Serializer<'b>,
    first: bool,
    close: &'static [u8],
}

impl<'a, 'b> Members<'a, 'b> {
    pub(super) const fn new(serializer: &'a mut Serializer<'b>, close: &'static [u8]) -> Self {
        Self {
            serializer,
            first: true,
            close,
        }
    }

    fn comma(&mut self) {
        if !core::mem::take(&mut self.first) {
            self.serializer.put(b",");
        }
    }

    fn member<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), EncodeError> {
        self.comma();
        self.serializer.put_string(key);
        self.serializer.put(b":");
        value.serialize(&mut *self.serializer)
    }
}

/// A struct, or the parts of verbatim text.
pub(in crate::json) enum Fields<'a, 'b> {
    /// An object.
    Members(Members<'a, 'b>),
    /// What [`verbatim`] sends; its attachments are numbered from `base`.
    Verbatim {
        /// Where to write.
        serializer: &'a mut Serializer<'b>,
        /// How many attachments there were before.
        base: usize,
    },
}

impl<'a, 'b> Fields<'a, 'b> {
    pub(super) const fn verbatim(serializer: &'a mut Serializer<'b>) -> Self {
        let base = serializer.attachments.len();
        Self::Verbatim { serializer, base }
    }
}

impl ser::SerializeSeq for Items<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.serializer.put(self.close);
        Ok(())
    }
}

impl ser::SerializeTuple for Items<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for Items<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleVariant for Items<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.comma();
        key.serialize(KeySerializer(&mut *self.serializer))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.serializer.put(b":");
        value.serialize(&mut *self.serializer)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.serializer.put(self.close);
        Ok(())
    }
}

impl ser::SerializeStructVariant for Members<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.member(key, value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.serializer.put(self.close);
        Ok(())
    }
}

impl ser::SerializeStruct for Fields<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        match self {
            Self::Members(members) => members.member(key, value),
            Self::Verbatim { serializer, base } => {
                serializer.bytes_as = match key {
                    verbatim::BRACKETS => BytesAs::Brackets,
                    verbatim::UNPLACED => BytesAs::Unplaced,
                    verbatim::NUMBER => BytesAs::Number(*base),
                    _ => BytesAs::Text,
                };
                let result = value.serialize(&mut **serializer);
                serializer.bytes_as = BytesAs::Attachment;
                result
            }
        }
    }

    fn end(self) -> Result<(), EncodeError> {
        if let Self::Members(members) = self {
            members.serializer.put(members.close);
        }
        Ok(())
    }
}
