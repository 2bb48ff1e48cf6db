//! Writing serde values as JSON text, bytes as attachments.

mod compound;
mod key;

use super::verbatim::{self, TOKEN};
use super::{ArgumentList, Arguments, EncodeError, placeholder};
use bytes::{BufMut, Bytes, BytesMut};
use compound::{Fields, Items, Members};
use core::any::type_name;
use core::cell::Cell;
use core::fmt;
use serde::Serialize;

/// Appends `value` to `out` as compact JSON, and the bytes anywhere in it (`Bytes`, `serde_bytes`,
/// [`Value::Binary`](super::Value::Binary)) to `attachments` (protocol section 3.3).
///
/// The text is what serde_json writes: `1.0` for `1f64`, `null` for numbers that are not finite. Nothing
/// is allocated but attachments and the growth of `out`.
///
/// # Errors
///
/// A map key that JSON does not have, or what the value's `Serialize` says; `out` and `attachments` are
/// then as before.
pub fn to_json<T: Serialize + ?Sized>(
    value: &T,
    out: &mut BytesMut,
    attachments: &mut Vec<Bytes>,
) -> Result<(), EncodeError> {
    write(value, out, attachments, Outermost::Value)
}

/// Appends `value` to `out` as an argument list: a JSON array without its brackets.
///
/// A tuple of any length, [`args!`](crate::args), [`Arguments`] and references to them are several
/// arguments, `()` none. Everything else, arrays, `Vec`, structs and `Option` among it, is one argument.
///
/// # Errors
///
/// As for [`to_json`].
pub fn to_arguments<T: Serialize + ?Sized>(
    value: &T,
    out: &mut BytesMut,
    attachments: &mut Vec<Bytes>,
) -> Result<(), EncodeError> {
    let outermost = if spreads::<T>() {
        Outermost::Arguments
    } else {
        Outermost::Value
    };
    write(value, out, attachments, outermost)
}

fn write<T: Serialize + ?Sized>(
    value: &T,
    out: &mut BytesMut,
    attachments: &mut Vec<Bytes>,
    outermost: Outermost,
) -> Result<(), EncodeError> {
    let (text, bytes) = (out.len(), attachments.len());
    let mut serializer = Serializer {
        out,
        attachments,
        outermost,
        bytes_as: BytesAs::Attachment,
        behind_token: Cell::new(false),
    };
    let result = value.serialize(&mut serializer);
    if result.is_err() {
        out.truncate(text);
        attachments.truncate(bytes);
    }
    result
}

/// Whether `T` is several arguments.
///
/// serde cannot tell: arrays `[T; N]` and tuples both call `serialize_tuple`. The type's name can. It is
/// not promised to stay as it is, so `core/tests/json_arguments.rs` watches it.
fn spreads<T: ?Sized>() -> bool {
    let mut name = type_name::<T>();
    while let Some(referent) = name.strip_prefix('&') {
        name = referent.strip_prefix("mut ").unwrap_or(referent);
    }
    let (list, _) = type_name::<ArgumentList<()>>()
        .split_once('<')
        .unwrap_or_default();
    name.starts_with('(')
        || name == type_name::<Arguments>()
        || name.strip_prefix(list).is_some_and(|rest| rest.starts_with('<'))
}

/// What the outermost tuple is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outermost {
    /// A JSON array.
    Value,
    /// A list without brackets; only until it has begun.
    Arguments,
}

/// What to do with the next bytes.
#[derive(Clone, Copy)]
enum BytesAs {
    /// Attach them and write the placeholder.
    Attachment,
    /// They are JSON text of [`verbatim`].
    Text,
    /// Brackets around an argument list of [`verbatim`].
    Brackets,
    /// Attach them; a placeholder follows as `Number`.
    Unplaced,
    /// They are the number of an attachment, counted from this one.
    Number(usize),
}

pub(super) struct Serializer<'a> {
    out: &'a mut BytesMut,
    attachments: &'a mut Vec<Bytes>,
    outermost: Outermost,
    bytes_as: BytesAs,
    /// Set between our newtype token and the first question of what is behind it.
    behind_token: Cell<bool>,
}

impl Serializer<'_> {
    fn put(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn put_unsigned(&mut self, mut number: u64) {
        let mut digits = [0_u8; 20];
        let mut length = 0;
        for place in digits.iter_mut().rev() {
            *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
            length += 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.put(&digits[digits.len() - length..]);
    }

    fn put_signed(&mut self, number: i64) {
        if number < 0 {
            self.put(b"-");
        }
        self.put_unsigned(number.unsigned_abs());
    }

    fn put_display(&mut self, value: impl fmt::Display) -> Result<(), EncodeError> {
        fmt::write(self.out, format_args!("{value}")).map_err(serde::ser::Error::custom)
    }

    fn put_float(&mut self, value: impl Serialize) -> Result<(), EncodeError> {
        // serde_json has the shortest digits that read back as the same number, and `null` for the rest.
        serde_json::to_writer(self.out.writer(), &value).map_err(serde::ser::Error::custom)
    }

    fn put_string(&mut self, text: &str) {
        self.put(b"\"");
        escape(text, self.out);
        self.put(b"\"");
    }

    fn put_placeholder(&mut self, number: usize) {
        self.put(placeholder::OPENING);
        self.put_unsigned(number as u64);
        self.put(b"}");
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        match self.bytes_as {
            BytesAs::Attachment => {
                self.put_placeholder(self.attachments.len());
                self.attachments.push(Bytes::copy_from_slice(bytes));
            }
            BytesAs::Text => self.put(bytes),
            BytesAs::Brackets if self.outermost == Outermost::Arguments => {}
            BytesAs::Brackets => self.put(bytes),
            BytesAs::Unplaced => self.attachments.push(Bytes::copy_from_slice(bytes)),
            BytesAs::Number(base) => self.put_placeholder(base + verbatim::number_from(bytes)),
        }
    }
}

/// Appends `text` with the escapes JSON demands and no others.
pub(super) fn escape(text: &str, out: &mut BytesMut) {
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if *byte >= b' ' && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[plain..index]);
        plain = index + 1;
        let short = match byte {
            b'"' | b'\\' => *byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let (high, low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.extend_from_slice(&bytes[plain..]);
}

/// Escapes what `Display` writes, so that it needs no string of its own.
struct Escaping<'a>(&'a mut BytesMut);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.0);
        Ok(())
    }
}

/// Methods that write a number and nothing else.
macro_rules! integers {
    ($($method:ident: $type:ty => $put:ident,)*) => {
        $(fn $method(self, value: $type) -> Result<(), EncodeError> {
            self.$put(value.into());
            Ok(())
        })*
    };
}

impl<'a, 'b> serde::Serializer for &'a mut Serializer<'b> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Items<'a, 'b>;
    type SerializeTuple = Items<'a, 'b>;
    type SerializeTupleStruct = Items<'a, 'b>;
    type SerializeTupleVariant = Items<'a, 'b>;
    type SerializeMap = Members<'a, 'b>;
    type SerializeStruct = Fields<'a, 'b>;
    type SerializeStructVariant = Members<'a, 'b>;

    /// True, except for the first asker behind our token: see [`verbatim`].
    fn is_human_readable(&self) -> bool {
        !self.behind_token.replace(false)
    }

    integers! {
        serialize_i8: i8 => put_signed,
        serialize_i16: i16 => put_signed,
        serialize_i32: i32 => put_signed,
        serialize_i64: i64 => put_signed,
        serialize_u8: u8 => put_unsigned,
        serialize_u16: u16 => put_unsigned,
        serialize_u32: u32 => put_unsigned,
        serialize_u64: u64 => put_unsigned,
    }

    fn serialize_i128(self, value: i128) -> Result<(), EncodeError> {
        self.put_display(value)
    }

    fn serialize_u128(self, value: u128) -> Result<(), EncodeError> {
        self.put_display(value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        self.put_float(value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        self.put_float(value)
    }

    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        self.put(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.put_string(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        self.put_string(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EncodeError> {
        self.put_bytes(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.put(b"null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        // Only `()` gets here as an argument list: unit structs are values.
        if self.outermost == Outermost::Value {
            self.put(b"null");
        }
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        self.put(b"null");
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.put_string(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        if name != TOKEN {
            return value.serialize(self);
        }
        self.behind_token.set(true);
        let result = value.serialize(&mut *self);
        self.behind_token.set(false);
        result
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.begin_variant(variant, b"");
        value.serialize(&mut *self)?;
        self.put(b"}");
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, EncodeError> {
        self.put(b"[");
        Ok(Items::new(self, b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, EncodeError> {
        if core::mem::replace(&mut self.outermost, Outermost::Value) == Outermost::Arguments {
            return Ok(Items::new(self, b""));
        }
        self.put(b"[");
        Ok(Items::new(self, b"]"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, EncodeError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, EncodeError> {
        self.begin_variant(variant, b"[");
        Ok(Items::new(self, b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, EncodeError> {
        self.put(b"{");
        Ok(Members::new(self, b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, EncodeError> {
        if name == TOKEN {
            return Ok(Fields::verbatim(self));
        }
        self.put(b"{");
        Ok(Fields::Members(Members::new(self, b"}")))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, EncodeError> {
        self.begin_variant(variant, b"{");
        Ok(Members::new(self, b"}}"))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        self.put(b"\"");
        fmt::write(&mut Escaping(self.out), format_args!("{value}")).map_err(serde::ser::Error::custom)?;
        self.put(b"\"");
        Ok(())
    }
}

impl Serializer<'_> {
    fn begin_variant(&mut self, variant: &str, bracket: &[u8]) {
        self.put(b"{");
        self.put_string(variant);
        self.put(b":");
        self.put(bracket);
    }
}
