//! What is looked at in objects while they are validated.

use super::JsonError;
use super::bits::BitStack;
use super::words::leading_digits;

/// Watches the members of every object; open and close come in pairs.
pub(super) trait Members {
    fn open(&mut self);
    /// `key` is the text between its quotes; `value` is everything from the first byte of the value on,
    /// not yet checked.
    fn member(&mut self, key: &[u8], value: &[u8]);
    fn close(&mut self) -> Result<(), JsonError>;
}

/// Lets every object pass, at no cost.
pub(super) struct AnyMembers;

impl Members for AnyMembers {
    fn open(&mut self) {}
    fn member(&mut self, _key: &[u8], _value: &[u8]) {}
    fn close(&mut self) -> Result<(), JsonError> {
        Ok(())
    }
}

/// Refuses placeholders that name no attachment. Of members with the same key the last one counts, as in
/// every JavaScript peer.
pub(super) struct PlaceholderMembers {
    count: u32,
    /// Per open object: `_placeholder` is `true`.
    marked: BitStack,
    /// Per open object: `num` names an attachment.
    numbered: BitStack,
}

impl PlaceholderMembers {
    pub(super) const fn new(count: u32) -> Self {
        Self {
            count,
            marked: BitStack::new(),
            numbered: BitStack::new(),
        }
    }
}

impl Members for PlaceholderMembers {
    fn open(&mut self) {
        self.marked.push(false);
        self.numbered.push(false);
    }

    fn member(&mut self, key: &[u8], value: &[u8]) {
        if spells(key, b"_placeholder") {
            self.marked.set_top(value.starts_with(b"true"));
        } else if spells(key, b"num") {
            self.numbered
                .set_top(whole_number(value).is_some_and(|number| number < self.count));
        }
    }

    fn close(&mut self) -> Result<(), JsonError> {
        let numbered = self.numbered.pop();
        if self.marked.pop() && !numbered {
            Err(JsonError::IllegalPlaceholder)
        } else {
            Ok(())
        }
    }
}

/// Whether the text between a key's quotes means `name`, which must consist of ASCII letters and `_`: then
/// `\uXXXX` is the only escape that can stand for one of its characters.
fn spells(mut key: &[u8], name: &[u8]) -> bool {
    for &expected in name {
        key = match key {
            [b'\\', b'u', escape @ ..] => match escape.split_first_chunk::<4>() {
                Some((hex, rest)) if code_unit(hex) == Some(u16::from(expected)) => rest,
                _ => return false,
            },
            [byte, rest @ ..] if *byte == expected => rest,
            _ => return false,
        };
    }
    key.is_empty()
}

fn code_unit(hex: &[u8; 4]) -> Option<u16> {
    u16::from_str_radix(core::str::from_utf8(hex).ok()?, 16).ok()
}

/// The number at the start of `value` if it is written in digits alone.
fn whole_number(value: &[u8]) -> Option<u32> {
    let digits = leading_digits(value);
    if matches!(value.get(digits), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    core::str::from_utf8(value.get(..digits)?).ok()?.parse().ok()
}
