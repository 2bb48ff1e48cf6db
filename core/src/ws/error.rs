use super::CloseCode;
use core::fmt;

/// How a peer's frames broke RFC 6455 or a limit of this side. The connection is to be closed with
/// [`FrameError::close_code`]; nothing after the broken frame is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameError {
    /// A reserved bit is set although no extension was negotiated (section 5.2).
    ReservedBits,
    /// The opcode is none of the six that exist (section 5.2).
    ReservedOpCode,
    /// A client sent a frame without a mask (section 5.1).
    Unmasked,
    /// A server sent a frame with a mask (section 5.1).
    Masked,
    /// A control frame has its FIN bit clear (section 5.5).
    FragmentedControl,
    /// A control frame has more than 125 bytes of payload (section 5.5).
    ControlTooLong,
    /// The payload's length is not written in its shortest form (section 5.2).
    LengthNotMinimal,
    /// The most significant bit of a 64-bit length is set (section 5.2).
    LengthTopBit,
    /// A continuation frame without a message to continue (section 5.4).
    UnexpectedContinuation,
    /// A new message before the last fragment of the one before it (section 5.4).
    ExpectedContinuation,
    /// A close frame whose payload is one byte, so that it has half a code (section 5.5.1).
    TruncatedCloseCode,
    /// A close frame with a code that must not be sent (section 7.4).
    InvalidCloseCode,
    /// A text message or a close reason is not UTF-8 (sections 5.6 and 5.5.1).
    InvalidUtf8,
    /// The message is larger than the limit of this side.
    TooLarge,
}

impl FrameError {
    /// The code to close the connection with: 1002, 1007 or 1009.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 => CloseCode::INVALID_PAYLOAD,
            Self::TooLarge => CloseCode::TOO_LARGE,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

impl FrameError {
    /// What `Display` says.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::ReservedBits => {
                "reserved bit set: the peer must not use an extension that was not negotiated"
            }
            Self::ReservedOpCode => "reserved opcode: the peer must send opcodes 0, 1, 2, 8, 9 or 10",
            Self::Unmasked => "unmasked frame: a client must mask every frame",
            Self::Masked => "masked frame: a server must not mask",
            Self::FragmentedControl => "fragmented control frame: ping, pong and close must set FIN",
            Self::ControlTooLong => "control frame too long: ping, pong and close carry at most 125 bytes",
            Self::LengthNotMinimal => {
                "length not minimal: the peer must use the shortest length field that fits"
            }
            Self::LengthTopBit => "64-bit length with its top bit set: the peer must clear it",
            Self::UnexpectedContinuation => {
                "continuation without a start: the peer must begin with text or binary"
            }
            Self::ExpectedContinuation => {
                "message inside a message: the peer must finish its fragments first"
            }
            Self::TruncatedCloseCode => {
                "close frame of one byte: the peer must send two bytes of code or none"
            }
            Self::InvalidCloseCode => {
                "invalid close code: the peer must use 1000-1003, 1007-1014 or 3000-4999"
            }
            Self::InvalidUtf8 => "text is not UTF-8: the peer must send such bytes as binary",
            Self::TooLarge => {
                "message too large: the peer must send less, or this side must raise max_payload"
            }
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl core::error::Error for FrameError {}
