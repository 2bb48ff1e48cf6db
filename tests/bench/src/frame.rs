//! The client's side of RFC 6455 section 5, as far as a load generator needs it.
//!
//! Every frame carries the same masking key. The server unmasks as it would any other, and a frame can be made
//! once and sent a million times.

use crate::Outcome;

const MASKING_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn from_byte(byte: u8) -> Outcome<Self> {
        match byte {
            0x81 => Ok(Self::Text),
            0x82 => Ok(Self::Binary),
            0x88 => Ok(Self::Close),
            0x89 => Ok(Self::Ping),
            0x8a => Ok(Self::Pong),
            _ => Err(format!(
                "first byte {byte:#04x} of a frame: fragments and extensions were not asked for"
            )
            .into()),
        }
    }
}

/// One frame of the server.
pub(crate) struct Frame<'a> {
    pub(crate) opcode: Opcode,
    pub(crate) payload: &'a [u8],
}

/// Appends one masked frame.
pub(crate) fn append(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.push(FIN | opcode as u8);
    match payload.len() {
        length @ 0..=125 => out.push(MASKED | length as u8),
        length @ 126..=0xffff => {
            out.push(MASKED | 126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(MASKED | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(MASKING_KEY);
    out.extend(
        payload
            .iter()
            .zip(MASKING_KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
}

/// One masked frame.
pub(crate) fn masked(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    append(&mut out, opcode, payload);
    out
}

/// The frame at the start of `bytes` and its length there, or `None` while it is incomplete.
pub(crate) fn first(bytes: &[u8]) -> Outcome<Option<(Frame<'_>, usize)>> {
    let Some(&[first, second]) = bytes.first_chunk() else {
        return Ok(None);
    };
    let opcode = Opcode::from_byte(first)?;
    let (header, length) = match second {
        length @ 0..=125 => (2, usize::from(length)),
        126 => {
            let Some(&[_, _, high, low]) = bytes.first_chunk() else {
                return Ok(None);
            };
            (4, usize::from(u16::from_be_bytes([high, low])))
        }
        127 => {
            let Some(&[_, _, a, b, c, d, e, f, g, h]) = bytes.first_chunk() else {
                return Ok(None);
            };
            (10, usize::try_from(u64::from_be_bytes([a, b, c, d, e, f, g, h]))?)
        }
        _ => return Err("the server masked a frame".into()),
    };
    let end = header + length;
    Ok(bytes
        .get(header..end)
        .map(|payload| (Frame { opcode, payload }, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_frames_have_the_header_for_their_length() {
        for (length, header) in [(0, 6), (125, 6), (126, 8), (0xffff, 8), (0x1_0000, 14)] {
            assert_eq!(masked(Opcode::Text, &vec![b'x'; length]).len(), header + length);
        }
    }

    #[test]
    fn frames_are_found_at_every_length_and_not_before_they_are_complete() {
        for (header, length) in [
            (vec![0x82, 5], 5),
            (vec![0x82, 126, 1, 0], 256),
            (vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
        ] {
            let mut bytes = header.clone();
            bytes.resize(header.len() + length, b'x');
            let (frame, end) = first(&bytes).unwrap().unwrap();
            assert_eq!(
                (frame.opcode, frame.payload.len(), end),
                (Opcode::Binary, length, bytes.len())
            );
            for incomplete in 0..header.len() + 2 {
                assert!(first(&bytes[..incomplete]).unwrap().is_none());
            }
        }
    }
}
