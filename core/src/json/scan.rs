//! Walking over JSON text that a validator has seen, without recursion.
//!
//! Text that no validator has seen gives wrong answers or errors, never a panic or an endless loop.

use super::DecodeError;
use memchr::memchr2;
use std::borrow::Cow;

/// How deep arrays and objects may be nested: what `Limits::json_depth` allows by default.
pub(super) const DEPTH: usize = 1_024;

/// A string as it stands between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Quoted<'a> {
    pub(super) text: &'a str,
    /// Whether there is a backslash, so that text and meaning differ.
    pub(super) escaped: bool,
    /// Where the opening quote stands.
    pub(super) at: usize,
}

impl Quoted<'_> {
    /// Whether the string means `name`.
    pub(super) fn means(&self, name: &str) -> bool {
        if self.escaped {
            unescape_lossy(self.text) == name
        } else {
            self.text == name
        }
    }
}

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    pub(super) const fn syntax(&self) -> DecodeError {
        DecodeError::Syntax { at: self.at }
    }

    /// The next byte that is not white space; the cursor stands on it.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), DecodeError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    /// Goes inside the array or object the cursor stands on.
    pub(super) fn enter(&mut self) -> Result<(), DecodeError> {
        if self.depth >= DEPTH {
            return Err(DecodeError::TooDeep { at: self.at });
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Whether another item follows before `close`. The cursor then stands before that item, otherwise
    /// outside the array or object.
    pub(super) fn next_item(&mut self, first: &mut bool, close: u8) -> Result<bool, DecodeError> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                Ok(false)
            }
            Some(b',') if !*first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if *first => {
                *first = false;
                Ok(true)
            }
            _ => Err(self.syntax()),
        }
    }

    /// Whether another item follows in a list without brackets.
    pub(super) fn next_argument(&mut self, first: &mut bool) -> Result<bool, DecodeError> {
        match self.peek() {
            None => Ok(false),
            Some(b',') if !*first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if *first => {
                *first = false;
                Ok(true)
            }
            Some(_) => Err(self.syntax()),
        }
    }

    /// The string whose opening quote the cursor stands on.
    pub(super) fn quoted(&mut self) -> Result<Quoted<'a>, DecodeError> {
        let opening = self.at;
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let Some(length) = memchr2(b'"', b'\\', rest) else {
                return Err(self.syntax());
            };
            self.at += length;
            if rest.get(length) == Some(&b'"') {
                break;
            }
            escaped = true;
            self.at += 2;
        }
        let text = self.text.get(start..self.at).ok_or_else(|| self.syntax())?;
        self.at += 1;
        Ok(Quoted {
            text,
            escaped,
            at: opening,
        })
    }

    /// A key and the colon after it.
    pub(super) fn key(&mut self) -> Result<Quoted<'a>, DecodeError> {
        self.peek();
        let key = self.quoted()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// A number, `true`, `false` or `null`.
    pub(super) fn scalar(&mut self) -> Result<&'a str, DecodeError> {
        self.peek();
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.'))
            .unwrap_or(rest.len());
        let scalar = self.text.get(self.at..self.at + length).unwrap_or_default();
        if scalar.is_empty() {
            return Err(self.syntax());
        }
        self.at += length;
        Ok(scalar)
    }

    /// Passes over one value of any kind and gives its text.
    pub(super) fn skip_value(&mut self) -> Result<&'a str, DecodeError> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => {
                self.quoted()?;
            }
            Some(b'{' | b'[') => self.skip_nested()?,
            _ => return self.scalar(),
        }
        self.text.get(start..self.at).ok_or_else(|| self.syntax())
    }

    fn skip_nested(&mut self) -> Result<(), DecodeError> {
        let outside = self.depth;
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.quoted()?;
                }
                Some(b'{' | b'[') => self.enter()?,
                Some(b'}' | b']') => {
                    self.at += 1;
                    self.depth -= 1;
                    if self.depth == outside {
                        return Ok(());
                    }
                }
                Some(_) => self.at += 1,
                None => return Err(self.syntax()),
            }
        }
    }
}

/// What the text between two quotes means, lone surrogates replaced by U+FFFD.
pub(super) fn unescape_lossy(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut meaning = String::with_capacity(text.len());
    unescape(text, &mut meaning);
    Cow::Owned(meaning)
}

/// Whether [`unescape`] could keep everything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unescaped {
    Exactly,
    /// Lone surrogates became U+FFFD.
    WithoutSurrogates,
    /// There is an escape that JSON does not know.
    Never,
}

/// Appends to `meaning` what the text between two quotes means.
pub(super) fn unescape(text: &str, meaning: &mut String) -> Unescaped {
    let mut result = Unescaped::Exactly;
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        meaning.push_str(plain);
        let mut characters = escape.chars();
        let character = match characters.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('u') => {
                let Some((unit, after)) = code_unit(characters.as_str()) else {
                    return Unescaped::Never;
                };
                let (character, after) = join_surrogates(unit, after);
                meaning.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                if character.is_none() {
                    result = Unescaped::WithoutSurrogates;
                }
                rest = after;
                continue;
            }
            _ => return Unescaped::Never,
        };
        meaning.push(character);
        rest = characters.as_str();
    }
    meaning.push_str(rest);
    result
}

/// The four hexadecimal digits after `\u`, and what follows them.
fn code_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

/// The character that `unit` is or begins, and what follows it; no character for half a pair.
fn join_surrogates(unit: u32, rest: &str) -> (Option<char>, &str) {
    if (0xD800..0xDC00).contains(&unit)
        && let Some((low @ 0xDC00..0xE000, after)) = rest.strip_prefix("\\u").and_then(code_unit)
    {
        let joined = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(joined), after);
    }
    (char::from_u32(unit), rest)
}
