//! Reading JSON text as serde values, placeholders as bytes.

mod access;
mod arguments;
mod key;

use super::DecodeError;
use super::placeholder::{Placeholder, Placeholders};
use super::scan::{Cursor, Quoted, Unescaped, unescape};
use super::verbatim::TOKEN;
use access::{CapturedParts, Items, Members, Variant};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Visitor};

/// How often attachments may be handed out, on average. One kilobyte of placeholders could otherwise
/// make a megabyte of attachment into dozens.
pub(super) const ATTACHMENT_REPEATS: usize = 16;

/// Reads one value from `text` that the validator has accepted. Objects that are placeholders are the
/// bytes of that attachment; without attachments they are plain objects (protocol section 3.3).
///
/// # Errors
///
/// When the value is not a `T`, or is nested more than 1,024 levels deep. Text that no validator saw
/// gives an error or a wrong value, never a panic.
pub fn from_json<'de, T: Deserialize<'de>>(
    text: &'de [u8],
    attachments: &'de [Bytes],
) -> Result<T, DecodeError> {
    let mut decoder = Decoder::new(text, attachments)?;
    let value = T::deserialize(&mut decoder)?;
    match decoder.cursor.peek() {
        None => Ok(value),
        Some(_) => Err(decoder.cursor.syntax()),
    }
}

/// Reads a whole argument list, `inner` being a JSON array without its brackets.
///
/// `T` is a tuple, a struct (its fields in order) or a `Vec`. Surplus arguments are ignored; a missing
/// one reads as `null`, so that `Option` takes it.
///
/// # Errors
///
/// As for [`from_json`]; the error names the argument.
pub fn from_arguments<'de, T: Deserialize<'de>>(
    inner: &'de [u8],
    attachments: &'de [Bytes],
) -> Result<T, DecodeError> {
    T::deserialize(arguments::ArgumentsDecoder(&mut Decoder::new(
        inner,
        attachments,
    )?))
}

/// Reads the first argument of a list, `null` when there is none.
///
/// # Errors
///
/// As for [`from_arguments`].
pub fn first_argument<'de, T: Deserialize<'de>>(
    inner: &'de [u8],
    attachments: &'de [Bytes],
) -> Result<T, DecodeError> {
    let mut decoder = Decoder::new(inner, attachments)?;
    if decoder.cursor.peek().is_none() {
        return arguments::missing(core::marker::PhantomData, 0);
    }
    T::deserialize(&mut decoder).map_err(|error| error.in_argument(0))
}

/// Reads values one after another from a text.
struct Decoder<'de> {
    cursor: Cursor<'de>,
    attachments: &'de [Bytes],
    placeholders: Placeholders,
    /// Bytes of attachments that may still be handed out.
    allowance: usize,
    /// Strings with escapes are unescaped here.
    scratch: String,
}

/// What a string means.
enum Meaning<'de, 's> {
    Borrowed(&'de str),
    Unescaped(&'s str),
}

impl<'de> Decoder<'de> {
    fn new(text: &'de [u8], attachments: &'de [Bytes]) -> Result<Self, DecodeError> {
        let text = core::str::from_utf8(text).map_err(|error| DecodeError::NotUtf8 {
            at: error.valid_up_to(),
        })?;
        Ok(Self {
            cursor: Cursor::new(text),
            attachments,
            placeholders: Placeholders::find(text, attachments.len())?,
            allowance: allowance(attachments),
            scratch: String::new(),
        })
    }

    /// The text `null`, which stands for what is not there.
    fn null() -> Self {
        Self {
            cursor: Cursor::new("null"),
            attachments: &[],
            placeholders: Placeholders::default(),
            allowance: 0,
            scratch: String::new(),
        }
    }

    fn meaning(&mut self, quoted: Quoted<'de>) -> Result<Meaning<'de, '_>, DecodeError> {
        if !quoted.escaped {
            return Ok(Meaning::Borrowed(quoted.text));
        }
        self.scratch.clear();
        match unescape(quoted.text, &mut self.scratch) {
            Unescaped::Exactly => Ok(Meaning::Unescaped(&self.scratch)),
            Unescaped::WithoutSurrogates => Err(DecodeError::LoneSurrogate { at: quoted.at }),
            Unescaped::Never => Err(DecodeError::Syntax { at: quoted.at }),
        }
    }

    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let quoted = self.cursor.quoted()?;
        match self.meaning(quoted)? {
            Meaning::Borrowed(text) => visitor.visit_borrowed_str(text),
            Meaning::Unescaped(text) => visitor.visit_str(text),
        }
    }

    fn scalar<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let at = self.cursor.at();
        match self.cursor.scalar()? {
            "null" => visitor.visit_unit(),
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            "-0" => visitor.visit_f64(-0.0),
            number => visit_number(number, visitor).unwrap_or(Err(DecodeError::Syntax { at })),
        }
    }

    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        self.cursor.enter()?;
        let mut items = Items::new(self);
        let value = visitor.visit_seq(&mut items)?;
        items.finish()?;
        Ok(value)
    }

    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(placeholder) = self.placeholders.starting_at(self.cursor.at()) {
            return visitor.visit_borrowed_bytes(self.attachment(placeholder)?);
        }
        self.cursor.enter()?;
        let mut members = Members::new(self);
        let value = visitor.visit_map(&mut members)?;
        members.finish()?;
        Ok(value)
    }

    /// Passes over a placeholder and gives its bytes.
    fn attachment(&mut self, placeholder: Placeholder) -> Result<&'de [u8], DecodeError> {
        let missing = DecodeError::Placeholder {
            at: placeholder.start,
        };
        let bytes = self.attachments.get(placeholder.number).ok_or(missing)?;
        self.allowance = self
            .allowance
            .checked_sub(bytes.len())
            .ok_or(DecodeError::AttachmentsRepeated)?;
        self.cursor.skip_value()?;
        Ok(bytes)
    }

    /// Gives the text of one value and all attachments to a visitor of [`super::verbatim`].
    fn capture<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        self.cursor.peek();
        let start = self.cursor.at();
        let text = self.cursor.skip_value()?;
        let named = self
            .placeholders
            .bytes_named(start..self.cursor.at(), self.attachments);
        self.allowance = self
            .allowance
            .checked_sub(named)
            .ok_or(DecodeError::AttachmentsRepeated)?;
        visitor.visit_seq(CapturedParts::new(text.into(), self.attachments))
    }
}

/// How many bytes of attachments may be copied out.
pub(super) fn allowance(attachments: &[Bytes]) -> usize {
    attachments
        .iter()
        .fold(0_usize, |sum, bytes| sum.saturating_add(bytes.len()))
        .saturating_mul(ATTACHMENT_REPEATS)
}

/// Gives a number in its narrowest type, as serde_json does; `None` when it is none.
fn visit_number<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Option<Result<V::Value, DecodeError>> {
    if !is_number(text) {
        return None;
    }
    if !text.starts_with('-') {
        if let Some(number) = unsigned(text) {
            return Some(visitor.visit_u64(number));
        }
    } else if let Ok(number) = text.parse() {
        return Some(visitor.visit_i64(number));
    }
    // JavaScript reads what is too large as infinity, and so does std.
    text.parse().ok().map(|number| visitor.visit_f64(number))
}

/// Tells numbers from `-inf` and the like, which std reads too.
fn is_number(text: &str) -> bool {
    text.strip_prefix('-')
        .unwrap_or(text)
        .starts_with(|first: char| first.is_ascii_digit())
}

fn unsigned(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |sum, digit| {
        if !digit.is_ascii_digit() {
            return None;
        }
        sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// Methods that read a number of one type, if the text is one; any other value is for the type to refuse.
macro_rules! numbers {
    ($($method:ident $visit:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            if matches!(self.cursor.peek(), Some(b'-' | b'0'..=b'9')) {
                let mut ahead = self.cursor;
                let text = ahead.scalar()?;
                if is_number(text) && let Ok(number) = text.parse() {
                    self.cursor = ahead;
                    return visitor.$visit(number);
                }
            }
            self.deserialize_any(visitor)
        })*
    };
}

impl<'de> serde::Deserializer<'de> for &mut Decoder<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.cursor.peek() {
            Some(b'{') => self.object(visitor),
            Some(b'[') => self.array(visitor),
            Some(b'"') => self.string(visitor),
            _ => self.scalar(visitor),
        }
    }

    numbers! {
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
        deserialize_f32 visit_f32,
        deserialize_f64 visit_f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.cursor.peek() == Some(b'n') {
            self.scalar(visitor)
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
            self.capture(visitor)
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.cursor.peek() {
            Some(b'"') => visitor.visit_enum(key::UnitVariant(self)),
            Some(b'{') if self.placeholders.starting_at(self.cursor.at()).is_none() => {
                self.cursor.enter()?;
                let value = visitor.visit_enum(Variant(self))?;
                let mut first = false;
                let at = self.cursor.at();
                if self.cursor.next_item(&mut first, b'}')? {
                    return Err(DecodeError::Surplus { at });
                }
                Ok(value)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.cursor.skip_value()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

impl<'de> Decoder<'de> {
    fn seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        seed.deserialize(self)
    }
}
