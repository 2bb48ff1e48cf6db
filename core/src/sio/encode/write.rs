//! Strings, numbers, and what is written backwards.

use bytes::{BufMut, BytesMut};

use crate::json::find_special;

/// Writes `text` as a JSON string, with the escapes that JavaScript's `JSON.stringify` uses.
pub(crate) fn write_json_string(out: &mut BytesMut, text: &str) {
    out.put_u8(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, [special, after @ ..])) =
        find_special(rest, 0).and_then(|at| rest.split_at_checked(at))
    {
        out.put_slice(plain);
        match special {
            b'"' => out.put_slice(b"\\\""),
            b'\\' => out.put_slice(b"\\\\"),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            0x08 => out.put_slice(b"\\b"),
            0x0c => out.put_slice(b"\\f"),
            control => {
                let low = char::from_digit(u32::from(control & 0xf), 16).unwrap_or_default();
                out.put_slice(&[b'\\', b'u', b'0', b'0', b'0' + (control >> 4), low as u8]);
            }
        }
        rest = after;
    }
    out.put_slice(rest);
    out.put_u8(b'"');
}

pub(super) fn write_decimal(out: &mut BytesMut, number: u64) {
    // 2^64 - 1 has twenty digits.
    let mut digits = [0; 20];
    let mut writer = Backwards::from(&mut digits, 20);
    writer.put_decimal(number);
    let start = writer.at;
    out.put_slice(digits.get(start..).unwrap_or_default());
}

/// Writes into a slice from an offset towards its start. What does not fit is left out; every caller has
/// sized its slice for the worst case.
pub(super) struct Backwards<'a> {
    bytes: &'a mut [u8],
    pub(super) at: usize,
}

impl<'a> Backwards<'a> {
    pub(super) fn from(bytes: &'a mut [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn put(&mut self, byte: u8) {
        self.at = self.at.saturating_sub(1);
        if let Some(slot) = self.bytes.get_mut(self.at) {
            *slot = byte;
        }
    }

    pub(super) fn put_all(&mut self, bytes: &[u8]) {
        bytes.iter().rev().for_each(|byte| self.put(*byte));
    }

    pub(super) fn put_decimal(&mut self, mut number: u64) {
        loop {
            self.put(b'0' + (number % 10) as u8);
            number /= 10;
            if number == 0 {
                return;
            }
        }
    }
}
