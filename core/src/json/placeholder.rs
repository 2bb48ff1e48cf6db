//! Finding the objects that stand for attachments (protocol section 3.3).

use super::DecodeError;
use super::scan::{Cursor, Quoted};
use bytes::Bytes;
use core::ops::Range;

/// Writes into the text where attachment `number` belongs.
pub(super) const OPENING: &[u8] = br#"{"_placeholder":true,"num":"#;

/// One object that stands for an attachment.
#[derive(Clone, Copy)]
pub(super) struct Placeholder {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) number: usize,
}

/// All placeholders of a text, in order; empty when there are no attachments, because then such
/// objects mean themselves.
///
/// They are found in one pass beforehand: `_placeholder` may be the last of many keys, so looking
/// when an object is met would read deeply nested text once per level.
#[derive(Default)]
pub(super) struct Placeholders(Vec<Placeholder>);

impl Placeholders {
    /// Looks through a value or an argument list that comes with `count` attachments.
    pub(super) fn find(text: &str, count: usize) -> Result<Self, DecodeError> {
        if count == 0 {
            return Ok(Self::default());
        }
        let mut search = Search {
            cursor: Cursor::new(text),
            open: Vec::new(),
            found: Vec::new(),
            count,
        };
        let mut first = true;
        while search.cursor.next_argument(&mut first)? {
            search.value()?;
        }
        Ok(Self(search.found))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Placeholder> {
        self.0.iter()
    }

    /// How many bytes the attachments have that are named inside `range`, each counted once.
    pub(super) fn bytes_named(&self, range: Range<usize>, attachments: &[Bytes]) -> usize {
        let first = self
            .0
            .partition_point(|placeholder| placeholder.start < range.start);
        let inside = self
            .0
            .iter()
            .skip(first)
            .take_while(|placeholder| placeholder.end <= range.end);
        let mut counted = vec![false; if self.0.is_empty() { 0 } else { attachments.len() }];
        let mut sum = 0_usize;
        for placeholder in inside {
            if let (Some(counted @ false), Some(bytes)) = (
                counted.get_mut(placeholder.number),
                attachments.get(placeholder.number),
            ) {
                *counted = true;
                sum = sum.saturating_add(bytes.len());
            }
        }
        sum
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The placeholder that begins at `start`.
    pub(super) fn starting_at(&self, start: usize) -> Option<Placeholder> {
        let index = self
            .0
            .binary_search_by_key(&start, |placeholder| placeholder.start)
            .ok()?;
        self.0.get(index).copied()
    }
}

/// An array or object whose end has not been seen.
struct Open {
    start: usize,
    close: u8,
    first: bool,
    marked: bool,
    number: Option<usize>,
}

struct Search<'a> {
    cursor: Cursor<'a>,
    open: Vec<Open>,
    found: Vec<Placeholder>,
    count: usize,
}

impl Search<'_> {
    /// Passes one value at the top with everything in it.
    fn value(&mut self) -> Result<(), DecodeError> {
        loop {
            match self.cursor.peek() {
                Some(byte @ (b'{' | b'[')) => {
                    let close = if byte == b'{' { b'}' } else { b']' };
                    let start = self.cursor.at();
                    self.open.push(Open {
                        start,
                        close,
                        first: true,
                        marked: false,
                        number: None,
                    });
                    self.cursor.enter()?;
                }
                _ => {
                    self.cursor.skip_value()?;
                }
            }
            if !self.advance()? {
                return Ok(());
            }
        }
    }

    /// Goes to the next value inside the open arrays and objects; false when all are closed.
    fn advance(&mut self) -> Result<bool, DecodeError> {
        while let Some(open) = self.open.last_mut() {
            if self.cursor.next_item(&mut open.first, open.close)? {
                if open.close == b'}' {
                    let key = self.cursor.key()?;
                    open.note(&key, self.cursor);
                }
                return Ok(true);
            }
            if open.marked {
                let (start, number) = (open.start, open.number);
                let number = number
                    .filter(|number| *number < self.count)
                    .ok_or(DecodeError::Placeholder { at: start })?;
                // What is replaced as a whole holds no placeholders of its own.
                while self.found.last().is_some_and(|inner| inner.start > start) {
                    self.found.pop();
                }
                self.found.push(Placeholder {
                    start,
                    end: self.cursor.at(),
                    number,
                });
            }
            self.open.pop();
        }
        Ok(false)
    }
}

impl Open {
    /// Remembers the members that make a placeholder; of equal keys the last one counts.
    fn note(&mut self, key: &Quoted<'_>, mut value: Cursor<'_>) {
        if key.means("_placeholder") {
            self.marked = value.scalar() == Ok("true");
        } else if key.means("num") {
            self.number = value.scalar().ok().and_then(whole_number);
        }
    }
}

/// A JSON number that is a whole number, however it is written.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and small"
)]
fn whole_number(text: &str) -> Option<usize> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && (0.0..1e9).contains(&number)).then_some(number as usize)
}
