use super::PacketError;
use super::assembly::OutOfTurn;
use core::fmt;

/// Which rule of Socket.IO a peer broke, so that its session was closed (protocol section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// A packet could not be read, or exceeded a limit.
    Packet(PacketError),
    /// A binary message that belongs to no packet, or text where an attachment was announced.
    AttachmentOutOfTurn,
    /// A CONNECT for a namespace the client is in or asks for already.
    AlreadyJoined,
    /// A packet for a namespace the client is not in.
    NotJoined,
    /// A CONNECT_ERROR from a client; only servers refuse.
    ServerPacket,
    /// A server sent more before it let the client join than is held:
    /// [`HELD_EVENTS`](super::client::HELD_EVENTS), or [`Limits::queued_bytes`](crate::Limits::queued_bytes). Only
    /// clients tell it.
    TooMuchBeforeJoining,
    /// A server gave a socket an id longer than 256 bytes. Only clients tell it.
    SidTooLong,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Packet(error) => return fmt::Display::fmt(error, formatter),
            Self::AttachmentOutOfTurn => {
                "attachment out of turn: the peer must send the binary messages it announced, and no others"
            }
            Self::AlreadyJoined => "joined already: the peer must ask for a namespace once",
            Self::NotJoined => "not joined: the peer must send CONNECT for a namespace, and wait for the answer, before anything else in it",
            Self::ServerPacket => "CONNECT_ERROR from a client: only servers refuse",
            Self::TooMuchBeforeJoining => {
                "too much before the namespace was joined: the server must send less from its middleware, or raise Limits::queued_bytes"
            }
            Self::SidTooLong => "id of a socket longer than 256 bytes: the server must send a shorter one",
        })
    }
}

impl core::error::Error for Violation {}

impl From<PacketError> for Violation {
    fn from(error: PacketError) -> Self {
        Self::Packet(error)
    }
}

impl From<OutOfTurn> for Violation {
    fn from(_: OutOfTurn) -> Self {
        Self::AttachmentOutOfTurn
    }
}
