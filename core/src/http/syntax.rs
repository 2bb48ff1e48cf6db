//! The character classes of RFC 9110 section 5.6 that several parts of this module check.

/// Whether `byte` may stand in a token: a method or a header name.
pub(super) fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'!' | b'#' | b'$' | b'%' | b'&'
            | b'\'' | b'*' | b'+' | b'^' | b'`' | b'|' | b'~')
}

/// Whether `bytes` are a token: at least one character, none of them a delimiter.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

/// Whether `byte` may stand in a header value: HTAB, SP, visible ASCII or obs-text.
pub(super) fn is_field_value_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Whether `bytes` may be sent as a header value without ending the line or the head.
pub(super) fn is_field_value(bytes: &[u8]) -> bool {
    bytes.iter().copied().all(is_field_value_byte)
}

/// `bytes` without the optional whitespace (SP and HTAB) around them.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [b' ' | b'\t', tail @ ..] = rest {
        rest = tail;
    }
    while let [head @ .., b' ' | b'\t'] = rest {
        rest = head;
    }
    rest
}

/// The elements of a comma-separated list; empty ones are skipped (RFC 9110 section 5.6.1).
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(trim)
        .filter(|element| !element.is_empty())
}
