use super::packet::{self, Packet, PacketError, PacketLimits};
use crate::eio;
use crate::wire::Codec;
use bytes::Bytes;

/// Decodes and validates Socket.IO packets in the [`Wire`](crate::wire::Wire), outside any lock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SocketIo {
    limits: PacketLimits,
}

impl SocketIo {
    /// A codec with the limits of the server it feeds.
    pub const fn new(limits: PacketLimits) -> Self {
        Self { limits }
    }
}

/// One Engine.IO message as Socket.IO sees it.
#[derive(Debug)]
pub enum Inbound {
    /// A text message: a packet, or why it is none.
    Packet(Result<Packet, PacketError>),
    /// A binary message: an attachment of the packet before it.
    Attachment(Bytes),
}

impl Codec for SocketIo {
    type Message = Inbound;

    fn decode(&self, message: eio::Message) -> Inbound {
        match message {
            eio::Message::Text(text) => Inbound::Packet(packet::decode(text, &self.limits)),
            eio::Message::Binary(data) => Inbound::Attachment(data),
        }
    }

    fn is_violation(message: &Inbound) -> bool {
        matches!(message, Inbound::Packet(Err(_)))
    }
}
