//! One pass over JSON text (RFC 8259) that checks everything and builds nothing.
//!
//! Text from a peer is sent on to other peers and parsed only when a handler asks, so it is checked once,
//! on arrival, for all later readers. The pass is iterative: nesting costs bits, never stack frames.

mod bits;
mod members;
mod words;

pub(crate) use words::find_special;

use core::fmt;

use bits::BitStack;
use members::{AnyMembers, Members, PlaceholderMembers};
use words::leading_digits;

/// Checks that `text` is one JSON value with whitespace around it and at most `depth` arrays and objects
/// inside each other.
///
/// `text` must already be known to be UTF-8. Escaped lone surrogates (`"\ud800"`) are legal, as in
/// JavaScript.
///
/// # Errors
///
/// The first breach of the grammar, or [`JsonError::TooDeep`].
pub fn validate(text: &[u8], depth: u32) -> Result<(), JsonError> {
    let mut scanner = Scanner::new(text, depth, AnyMembers);
    let end = scanner.values(0, 0)?;
    scanner.finish(end)
}

/// Checks a Socket.IO argument list (`["name",1,{}]`, protocol 3.1) as [`validate`] does and says where its
/// parts lie, in the same pass.
///
/// # Errors
///
/// As [`validate`]; [`JsonError::NotAnArray`]; [`JsonError::IllegalPlaceholder`] as `placeholders` asks.
pub fn validate_arguments(
    text: &[u8],
    depth: u32,
    placeholders: Placeholders,
) -> Result<ArgumentsSpan, JsonError> {
    match placeholders {
        Placeholders::Ignored => Scanner::new(text, depth, AnyMembers).arguments(),
        Placeholders::Below(count) => Scanner::new(text, depth, PlaceholderMembers::new(count)).arguments(),
    }
}

/// What an object with a member `"_placeholder": true` means in an argument list (protocol 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholders {
    /// Nothing: the packet has no attachments and the object is plain data.
    Ignored,
    /// An attachment: its `num` must be a whole number, written in digits alone, below this count.
    Below(u32),
}

/// Where the parts of a valid argument list lie; all offsets count bytes from the start of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgumentsSpan {
    /// The first element, in an event its name; `None` when the list is empty.
    pub first: Option<ArgumentSpan>,
    /// Where the second element begins; equal to `end` when there is none.
    pub rest: usize,
    /// Where the closing bracket is.
    pub end: usize,
}

/// Where one element lies and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgumentSpan {
    /// Offset of its first byte; of a string, of its opening quote.
    pub start: usize,
    /// Offset past its last byte.
    pub end: usize,
    /// What it is.
    pub kind: ArgumentKind,
}

/// What an element is, as far as an event name needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// A string that stands between its quotes as it is.
    PlainString,
    /// A string with at least one escape.
    EscapedString,
    /// A number.
    Number,
    /// Anything else.
    Other,
}

/// Why a text is not the JSON that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// The text ends inside a value.
    UnexpectedEnd,
    /// A byte that cannot begin or continue what stands there.
    UnexpectedByte,
    /// A number outside the grammar, such as `-`, `1.` or `1e`.
    InvalidNumber,
    /// An escape that JSON does not have.
    InvalidEscape,
    /// An unescaped control character in a string.
    ControlCharacter,
    /// More arrays and objects inside each other than the limit allows.
    TooDeep,
    /// Something follows the value.
    TrailingCharacters,
    /// Valid or not, the text is no array where an argument list must stand.
    NotAnArray,
    /// A placeholder whose `num` names no attachment of its packet.
    IllegalPlaceholder,
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnexpectedEnd => "JSON ends too early: send the whole value in one packet",
            Self::UnexpectedByte => "unexpected character in JSON: send what a JSON serializer writes",
            Self::InvalidNumber => "invalid number in JSON: digits must surround `.` and follow `-` and `e`",
            Self::InvalidEscape => {
                "invalid escape in JSON: only \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX exist"
            }
            Self::ControlCharacter => "control character in a JSON string: escape it as \\u00XX",
            Self::TooDeep => "JSON nested too deeply: flatten the value, or raise Limits::json_depth",
            Self::TrailingCharacters => "characters after the JSON value: send exactly one value",
            Self::NotAnArray => "JSON is not an array: wrap the arguments in brackets",
            Self::IllegalPlaceholder => "placeholder without attachment: `num` must be below their count",
        })
    }
}

impl core::error::Error for JsonError {}

/// What reading a piece of a value led to, and the offset after it.
enum Progress {
    /// A value is complete.
    Complete(usize),
    /// The next value must follow.
    Inside(usize),
}

/// The offset travels through every function as a value: in a field it would go through memory for every
/// token, which is most of the time a pass takes.
struct Scanner<'a, M> {
    text: &'a [u8],
    depth: u32,
    /// Per open array or object: it is an object.
    objects: BitStack,
    members: M,
}

impl<'a, M: Members> Scanner<'a, M> {
    fn new(text: &'a [u8], depth: u32, members: M) -> Self {
        Self {
            text,
            depth,
            objects: BitStack::new(),
            members,
        }
    }

    fn arguments(&mut self) -> Result<ArgumentsSpan, JsonError> {
        let (byte, at) = token(self.text, 0);
        if byte != b'[' {
            return Err(if at == self.text.len() {
                JsonError::UnexpectedEnd
            } else {
                JsonError::NotAnArray
            });
        }
        let start = match self.array(at + 1)? {
            Progress::Inside(at) => at,
            Progress::Complete(at) => {
                self.finish(at)?;
                return Ok(ArgumentsSpan {
                    first: None,
                    rest: at - 1,
                    end: at - 1,
                });
            }
        };
        let first = self.first_argument(start)?;
        let (rest, end) = match self.complete(first.end, 0)? {
            Progress::Complete(at) => (at - 1, at),
            Progress::Inside(at) => {
                let (_, rest) = token(self.text, at);
                (rest, self.values(rest, 0)?)
            }
        };
        self.finish(end)?;
        Ok(ArgumentsSpan {
            first: Some(first),
            rest,
            end: end - 1,
        })
    }

    fn first_argument(&mut self, start: usize) -> Result<ArgumentSpan, JsonError> {
        let first = byte_at(self.text, start);
        if first != b'"' {
            let end = self.values(start, 1)?;
            let number = matches!(first, b'-' | b'0'..=b'9');
            let kind = if number {
                ArgumentKind::Number
            } else {
                ArgumentKind::Other
            };
            return Ok(ArgumentSpan { start, end, kind });
        }
        let end = string(self.text, start + 1)?;
        let name = self.text.get(start..end).unwrap_or_default();
        let escaped = memchr::memchr(b'\\', name).is_some();
        let kind = if escaped {
            ArgumentKind::EscapedString
        } else {
            ArgumentKind::PlainString
        };
        Ok(ArgumentSpan { start, end, kind })
    }

    /// Reads values until no more than `floor` arrays and objects are open.
    fn values(&mut self, mut at: usize, floor: u32) -> Result<usize, JsonError> {
        loop {
            let value = match self.value(at)? {
                Progress::Complete(end) => self.complete(end, floor)?,
                inside => inside,
            };
            match value {
                Progress::Complete(end) => return Ok(end),
                Progress::Inside(next) => at = next,
            }
        }
    }

    /// Reads a scalar, an empty container, or the beginning of a container up to its first value.
    #[inline(always)]
    fn value(&mut self, at: usize) -> Result<Progress, JsonError> {
        let (byte, at) = token(self.text, at);
        let end = match byte {
            b'"' => string(self.text, at + 1)?,
            b'-' | b'0'..=b'9' => number(self.text, byte, at)?,
            b'{' => return self.object(at + 1),
            b'[' => return self.array(at + 1),
            b't' => literal(self.text, at, b"true")?,
            b'f' => literal(self.text, at, b"false")?,
            b'n' => literal(self.text, at, b"null")?,
            _ => return Err(unexpected(self.text, at)),
        };
        Ok(Progress::Complete(end))
    }

    /// After a complete value: closes what closes here and reads up to the next value.
    #[inline(always)]
    fn complete(&mut self, mut at: usize, floor: u32) -> Result<Progress, JsonError> {
        while self.objects.length > floor {
            let (byte, found) = token(self.text, at);
            at = found + 1;
            match (byte, self.objects.top()) {
                (b',', true) => return Ok(Progress::Inside(self.key(at)?)),
                (b',', false) => return Ok(Progress::Inside(at)),
                (b'}', true) => self.members.close()?,
                (b']', false) => {}
                _ => return Err(unexpected(self.text, found)),
            }
            self.objects.pop();
        }
        Ok(Progress::Complete(at))
    }

    #[inline]
    fn object(&mut self, at: usize) -> Result<Progress, JsonError> {
        self.enter(true)?;
        let (byte, at) = token(self.text, at);
        if byte == b'}' {
            self.objects.pop();
            return Ok(Progress::Complete(at + 1));
        }
        self.members.open();
        Ok(Progress::Inside(self.key(at)?))
    }

    #[inline]
    fn array(&mut self, at: usize) -> Result<Progress, JsonError> {
        self.enter(false)?;
        let (byte, at) = token(self.text, at);
        if byte == b']' {
            self.objects.pop();
            return Ok(Progress::Complete(at + 1));
        }
        Ok(Progress::Inside(at))
    }

    #[inline]
    fn enter(&mut self, object: bool) -> Result<(), JsonError> {
        if self.objects.length >= self.depth {
            return Err(JsonError::TooDeep);
        }
        self.objects.push(object);
        Ok(())
    }

    /// Reads a key and its colon, up to the value.
    #[inline]
    fn key(&mut self, at: usize) -> Result<usize, JsonError> {
        let (quote, at) = token(self.text, at);
        if quote != b'"' {
            return Err(unexpected(self.text, at));
        }
        let end = string(self.text, at + 1)?;
        let (colon, colon_at) = token(self.text, end);
        if colon != b':' {
            return Err(unexpected(self.text, colon_at));
        }
        let (_, value) = token(self.text, colon_at + 1);
        let key = self.text.get(at + 1..end - 1).unwrap_or_default();
        self.members
            .member(key, self.text.get(value..).unwrap_or_default());
        Ok(value)
    }

    fn finish(&self, at: usize) -> Result<(), JsonError> {
        let (_, at) = token(self.text, at);
        if at == self.text.len() {
            Ok(())
        } else {
            Err(JsonError::TrailingCharacters)
        }
    }
}

/// The byte at `at`; past the end 0, which no token begins with.
#[inline(always)]
fn byte_at(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or_default()
}

/// The next byte that is not whitespace, and its offset.
#[inline(always)]
fn token(text: &[u8], at: usize) -> (u8, usize) {
    match byte_at(text, at) {
        0..=b' ' => token_after_space(text, at),
        byte => (byte, at),
    }
}

#[cold]
#[inline(never)]
fn token_after_space(text: &[u8], mut at: usize) -> (u8, usize) {
    while matches!(byte_at(text, at), b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    (byte_at(text, at), at)
}

#[cold]
fn unexpected(text: &[u8], at: usize) -> JsonError {
    if at < text.len() {
        JsonError::UnexpectedByte
    } else {
        JsonError::UnexpectedEnd
    }
}

/// Reads from after the opening quote past the closing one.
#[inline(always)]
fn string(text: &[u8], mut at: usize) -> Result<usize, JsonError> {
    loop {
        at = find_special(text, at).ok_or(JsonError::UnexpectedEnd)?;
        match byte_at(text, at) {
            b'"' => return Ok(at + 1),
            b'\\' => at = escape(text, at + 1)?,
            _ => return Err(JsonError::ControlCharacter),
        }
    }
}

/// Reads from after the backslash.
fn escape(text: &[u8], at: usize) -> Result<usize, JsonError> {
    match text.get(at) {
        None => Err(JsonError::UnexpectedEnd),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match text.get(at + 1..at + 5) {
            None => Err(JsonError::UnexpectedEnd),
            Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => Ok(at + 5),
            Some(_) => Err(JsonError::InvalidEscape),
        },
        Some(_) => Err(JsonError::InvalidEscape),
    }
}

#[inline(always)]
fn number(text: &[u8], first: u8, at: usize) -> Result<usize, JsonError> {
    let (first, at) = if first == b'-' {
        (byte_at(text, at + 1), at + 1)
    } else {
        (first, at)
    };
    let at = if first == b'0' { at + 1 } else { digits(text, at)? };
    match byte_at(text, at) {
        b'.' | b'e' | b'E' => fraction(text, at),
        _ => Ok(at),
    }
}

/// Reads what follows the whole digits of a number.
fn fraction(text: &[u8], mut at: usize) -> Result<usize, JsonError> {
    if byte_at(text, at) == b'.' {
        at = digits(text, at + 1)?;
    }
    if matches!(byte_at(text, at), b'e' | b'E') {
        at += 1;
        at += usize::from(matches!(byte_at(text, at), b'+' | b'-'));
        at = digits(text, at)?;
    }
    Ok(at)
}

/// Reads at least one digit.
#[inline(always)]
fn digits(text: &[u8], from: usize) -> Result<usize, JsonError> {
    let at = from + leading_digits(text.get(from..).unwrap_or_default());
    if at == from {
        Err(JsonError::InvalidNumber)
    } else {
        Ok(at)
    }
}

fn literal(text: &[u8], at: usize, word: &[u8]) -> Result<usize, JsonError> {
    let found = text.get(at..).unwrap_or_default().starts_with(word);
    if found {
        Ok(at + word.len())
    } else {
        Err(JsonError::UnexpectedByte)
    }
}
