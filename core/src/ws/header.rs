use super::FrameError;
use core::fmt;

/// The longest head a frame can have: 64-bit length and mask.
pub const MAX_HEADER: usize = 14;

/// The longest head of a frame without a mask, hence the headroom a server leaves before a payload.
pub const SERVER_HEADER_MAX: usize = 10;

const FIN_BIT: u8 = 0x80;
/// RSV1 will mean "compressed" once permessage-deflate is negotiated (RFC 7692 section 6).
const RESERVED_BITS: u8 = 0x70;
const OPCODE_BITS: u8 = 0x0f;
const MASK_BIT: u8 = 0x80;
const LENGTH_BITS: u8 = 0x7f;
/// In the place of a 7-bit length: a 16-bit one follows.
const LENGTH_16: u8 = 126;
/// In the place of a 7-bit length: a 64-bit one follows.
const LENGTH_64: u8 = 127;
/// The longest payload of a control frame, and the longest that a 7-bit length expresses.
const SHORT_MAX: u8 = 125;

/// Which end of the connection this is. It decides who masks (RFC 6455 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads masked frames and writes unmasked ones.
    Server,
    /// Reads unmasked frames and writes masked ones.
    Client,
}

/// What a frame is (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OpCode {
    /// A further fragment of a message.
    Continuation = 0x0,
    /// A text message or its first fragment.
    Text = 0x1,
    /// A binary message or its first fragment.
    Binary = 0x2,
    /// The last frame of a direction.
    Close = 0x8,
    /// Asks for a pong with the same payload.
    Ping = 0x9,
    /// Answers a ping, or is sent unasked.
    Pong = 0xA,
}

impl OpCode {
    /// Whether this is close, ping or pong: at most 125 bytes, never fragmented, allowed between fragments.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }
}

/// Whether a frame ends its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fin {
    /// The only or the last fragment.
    Final,
    /// Continuation frames follow.
    More,
}

/// The head of one frame, on the stack.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct HeaderBytes {
    bytes: [u8; MAX_HEADER],
    len: usize,
}

impl HeaderBytes {
    /// Length in bytes, at most [`MAX_HEADER`].
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte yet; never so for what [`write_header`] returns.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `bytes`; what exceeds [`MAX_HEADER`] is dropped.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        for (slot, byte) in self.bytes.iter_mut().skip(self.len).zip(bytes) {
            *slot = *byte;
            self.len += 1;
        }
    }
}

impl AsRef<[u8]> for HeaderBytes {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for HeaderBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_ref(), formatter)
    }
}

/// The head of a frame with `payload_len` bytes of payload. A client gives the `mask` that it applies to
/// the payload with [`mask`](super::mask()); a server gives `None`.
///
/// Control frames (see [`OpCode::is_control`]) must be [`Fin::Final`] and carry at most 125 bytes; the
/// caller keeps to it.
pub fn write_header(opcode: OpCode, fin: Fin, payload_len: usize, mask: Option<[u8; 4]>) -> HeaderBytes {
    debug_assert!(!opcode.is_control() || (fin == Fin::Final && payload_len <= usize::from(SHORT_MAX)));
    let first = opcode as u8 | if fin == Fin::Final { FIN_BIT } else { 0 };
    let mask_bit = if mask.is_some() { MASK_BIT } else { 0 };
    let mut header = HeaderBytes::default();
    match (u8::try_from(payload_len), u16::try_from(payload_len)) {
        (Ok(len @ ..=SHORT_MAX), _) => header.extend(&[first, mask_bit | len]),
        (_, Ok(len)) => {
            header.extend(&[first, mask_bit | LENGTH_16]);
            header.extend(&len.to_be_bytes());
        }
        _ => {
            header.extend(&[first, mask_bit | LENGTH_64]);
            header.extend(&(payload_len as u64).to_be_bytes());
        }
    }
    if let Some(key) = mask {
        header.extend(&key);
    }
    header
}

/// Reads back the head of a frame that this side wrote without a mask: opcode, length of the head and
/// length of the payload, in bytes. `None` when the head is incomplete or not a server's.
pub fn parse_server_header(bytes: &[u8]) -> Option<(OpCode, usize, usize)> {
    match FrameHeader::parse(bytes, Role::Client) {
        Ok(Parsed::Complete(header)) => Some((header.opcode, header.header_len, header.payload_len)),
        Ok(Parsed::Needs(_)) | Err(_) => None,
    }
}

/// A frame's head, checked as far as one frame alone can be.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHeader {
    pub(super) opcode: OpCode,
    pub(super) fin: Fin,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) header_len: usize,
    pub(super) payload_len: usize,
}

/// What [`FrameHeader::parse`] made of the bytes so far.
pub(super) enum Parsed {
    Complete(FrameHeader),
    /// The head is incomplete; its first so many bytes are needed to say more. Always more than there are.
    Needs(usize),
}

impl FrameHeader {
    /// Reads the head at the front of `bytes` as the end named by `role` sees it.
    ///
    /// Checks run in the order of the bytes, so however a head is cut the same fault is found first.
    pub(super) fn parse(bytes: &[u8], role: Role) -> Result<Parsed, FrameError> {
        let &[first, second, ..] = bytes else {
            return Ok(Parsed::Needs(2));
        };
        if first & RESERVED_BITS != 0 {
            return Err(FrameError::ReservedBits);
        }
        let opcode = OpCode::from_bits(first & OPCODE_BITS).ok_or(FrameError::ReservedOpCode)?;
        let fin = if first & FIN_BIT == 0 {
            Fin::More
        } else {
            Fin::Final
        };
        if opcode.is_control() && fin == Fin::More {
            return Err(FrameError::FragmentedControl);
        }
        let masked = second & MASK_BIT != 0;
        match role {
            Role::Server if !masked => return Err(FrameError::Unmasked),
            Role::Client if masked => return Err(FrameError::Masked),
            Role::Server | Role::Client => {}
        }
        if opcode.is_control() && second & LENGTH_BITS > SHORT_MAX {
            return Err(FrameError::ControlTooLong);
        }
        let (payload_len, mask_at) = match payload_length(bytes, second & LENGTH_BITS)? {
            Length::Known { payload_len, end } => (payload_len, end),
            Length::Needs(needed) => return Ok(Parsed::Needs(needed)),
        };
        let (mask, header_len) = if masked {
            match array_at(bytes, mask_at) {
                Some(key) => (Some(key), mask_at + key.len()),
                None => return Ok(Parsed::Needs(mask_at + 4)),
            }
        } else {
            (None, mask_at)
        };
        let payload_len = usize::try_from(payload_len).map_err(|_| FrameError::TooLarge)?;
        Ok(Parsed::Complete(Self {
            opcode,
            fin,
            mask,
            header_len,
            payload_len,
        }))
    }
}

enum Length {
    Known { payload_len: u64, end: usize },
    Needs(usize),
}

fn payload_length(bytes: &[u8], short: u8) -> Result<Length, FrameError> {
    let (payload_len, shortest, end) = match short {
        LENGTH_16 => match array_at(bytes, 2) {
            Some(length) => (u64::from(u16::from_be_bytes(length)), u64::from(LENGTH_16), 4),
            None => return Ok(Length::Needs(4)),
        },
        LENGTH_64 => match array_at(bytes, 2) {
            Some(length) => (u64::from_be_bytes(length), u64::from(u16::MAX) + 1, 10),
            None => return Ok(Length::Needs(10)),
        },
        short => (u64::from(short), 0, 2),
    };
    if payload_len < shortest {
        return Err(FrameError::LengthNotMinimal);
    }
    if payload_len >> 63 != 0 {
        return Err(FrameError::LengthTopBit);
    }
    Ok(Length::Known { payload_len, end })
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_their_shortest_form() {
        let head = |len, mask| write_header(OpCode::Binary, Fin::Final, len, mask);
        assert_eq!(head(125, None).as_ref(), [0x82, 125]);
        assert_eq!(head(126, None).as_ref(), [0x82, 126, 0, 126]);
        assert_eq!(head(65_535, None).as_ref(), [0x82, 126, 0xff, 0xff]);
        assert_eq!(head(65_536, None).as_ref(), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(head(usize::MAX >> 1, None).len(), SERVER_HEADER_MAX);
        assert_eq!(head(usize::MAX >> 1, Some([1, 2, 3, 4])).len(), MAX_HEADER);
        assert_eq!(head(1, Some([1, 2, 3, 4])).as_ref(), [0x82, 0x81, 1, 2, 3, 4]);
    }

    #[test]
    fn a_server_reads_back_its_own_heads() {
        for payload_len in [0, 125, 126, 65_535, 65_536, 1 << 30] {
            let head = write_header(OpCode::Text, Fin::Final, payload_len, None);
            let read = parse_server_header(head.as_ref());
            assert_eq!(read, Some((OpCode::Text, head.len(), payload_len)));
            assert_eq!(parse_server_header(&head.as_ref()[..head.len() - 1]), None);
        }
        let masked = write_header(OpCode::Text, Fin::Final, 1, Some([0; 4]));
        assert_eq!(parse_server_header(masked.as_ref()), None);
    }
}
