//! Bytes looked at eight at a time.

/// Offset at or after `from` of the first byte that cannot stand in a JSON string as it is: a quote, a
/// backslash or a control character.
#[inline(always)]
pub(crate) fn find_special(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    // Most strings are shorter than a word, and need no loop.
    if let Some(word) = rest.first_chunk::<8>() {
        let hits = special_bytes(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(from + hits.trailing_zeros() as usize / 8);
        }
    }
    find_special_by_words(rest).map(|offset| from + offset)
}

#[inline(never)]
fn find_special_by_words(text: &[u8]) -> Option<usize> {
    let (words, tail) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let hits = special_bytes(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(index * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let offset = tail
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(words.len() * 8 + offset)
}

/// The top bit of every special byte of `word`. Bytes above a special one may be marked falsely, because
/// the subtractions borrow; the lowest mark is always exact.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
    const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
    let quotes = word ^ QUOTES;
    let backslashes = word ^ BACKSLASHES;
    let below_space = word.wrapping_sub(SPACES) & !word;
    let equals_quote = quotes.wrapping_sub(ONES) & !quotes;
    let equals_backslash = backslashes.wrapping_sub(ONES) & !backslashes;
    (below_space | equals_quote | equals_backslash) & TOPS
}

/// How many digits `text` begins with. Up to eight are counted without a branch per digit, because the
/// length of a number is not to be guessed.
#[inline(always)]
pub(super) fn leading_digits(text: &[u8]) -> usize {
    if let Some(word) = text.first_chunk::<8>() {
        let others = other_than_digits(u64::from_le_bytes(*word));
        if others != 0 {
            return others.trailing_zeros() as usize / 8;
        }
    }
    digits_one_by_one(text)
}

#[inline(never)]
fn digits_one_by_one(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Some bit of every byte of `word` that is no digit.
#[inline(always)]
fn other_than_digits(word: u64) -> u64 {
    const HIGH: u64 = u64::from_le_bytes([0xf0; 8]);
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    const SIXES: u64 = u64::from_le_bytes([6; 8]);
    // Digits are 0x30 to 0x39: the high half is 3 and stays so when 6 is added.
    ((word & HIGH) ^ ZEROS) | (((word & !HIGH) + SIXES) & HIGH)
}

#[cfg(test)]
mod tests {
    use super::{find_special, leading_digits};

    /// Every byte, alone among `filler`, at every offset of texts of several words.
    fn texts(filler: u8) -> impl Iterator<Item = (Vec<u8>, usize, u8)> {
        (0..=u8::MAX).flat_map(move |byte| {
            (0..20).flat_map(move |at| {
                (at + 1..at + 12).map(move |length| {
                    let mut text = vec![filler; length];
                    text[at] = byte;
                    (text, at, byte)
                })
            })
        })
    }

    #[test]
    fn special_bytes_are_found_at_every_offset() {
        for filler in [b'a', 0xff, b' ', b'!', b'#', b']', b'['] {
            for (text, at, byte) in texts(filler) {
                let special = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(find_special(&text, 0), special.then_some(at), "{text:?}");
                assert_eq!(find_special(&text, at + 1), None);
            }
        }
        assert_eq!(find_special(b"\"", 2), None);
    }

    #[test]
    fn digits_are_counted_up_to_every_other_byte() {
        for filler in [b'0', b'5', b'9'] {
            for (text, at, byte) in texts(filler) {
                let count = if byte.is_ascii_digit() { text.len() } else { at };
                assert_eq!(leading_digits(&text), count, "{text:?}");
            }
        }
    }
}
