//! The content of messages.

use bytes::Bytes;
use socketio_driver::{Broadcast, ClientSocket, Error, Socket, WriteArguments};
use socketio_model::{Delivery, Message};

use super::events;

/// The content of a message; its bytes follow from the message's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Text or binary.
    pub kind: ContentKind,
    /// Its length in bytes.
    pub size: usize,
}

/// What a message carries besides its number and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    /// One string.
    Text,
    /// Two attachments.
    Binary,
}

impl Content {
    /// Emits a message with this content.
    pub(super) fn emit_to(
        self,
        to: &impl Emitter,
        Message(number): Message,
        delivery: Delivery,
    ) -> Result<(), Error> {
        let size = self.size;
        match self.kind {
            ContentKind::Text => to.emit(events::TEXT, &(number, size, text(number, size)), delivery),
            ContentKind::Binary => {
                let [first, second] = attachments(number, size);
                let arguments = (number, size, first, second);
                to.emit(events::BINARY, &arguments, delivery)
            }
        }
    }
}

/// A handle that emits events.
pub(super) trait Emitter {
    fn emit(&self, event: &str, arguments: &impl WriteArguments, delivery: Delivery) -> Result<(), Error>;
}

macro_rules! emit_to_one {
    ($($socket:ty),*) => {$(
        impl Emitter for $socket {
            fn emit(
                &self,
                event: &str,
                arguments: &impl WriteArguments,
                delivery: Delivery,
            ) -> Result<(), Error> {
                match delivery {
                    Delivery::Reliable => self.emit(event, arguments),
                    Delivery::Volatile => self.volatile().emit(event, arguments),
                }
            }
        }
    )*};
}

emit_to_one!(Socket, ClientSocket);

impl Emitter for Broadcast {
    fn emit(&self, event: &str, arguments: &impl WriteArguments, delivery: Delivery) -> Result<(), Error> {
        match delivery {
            Delivery::Reliable => self.emit(event, arguments),
            Delivery::Volatile => self.clone().volatile().emit(event, arguments),
        }
    }
}

/// The text of a message.
fn text(number: u64, size: usize) -> String {
    (0..size)
        .map(|position| char::from(byte_at(number, position)))
        .collect()
}

/// The attachments of a message.
fn attachments(number: u64, size: usize) -> [Bytes; 2] {
    [(number, size), (number.wrapping_add(1), size / 2)].map(|(number, size)| {
        let bytes = (0..size).map(|position| byte_at(number, position) ^ 0xa5);
        bytes.collect()
    })
}

pub(super) fn is_text(number: u64, size: usize, text: &str) -> bool {
    let mut bytes = text.bytes().enumerate();
    text.len() == size && bytes.all(|(position, byte)| byte == byte_at(number, position))
}

pub(super) fn are_attachments(number: u64, size: usize, received: [&[u8]; 2]) -> bool {
    // Lengths first: a corrupted size may be huge.
    received.map(<[u8]>::len) == [size, size / 2] && attachments(number, size) == received
}

/// Differs between messages and positions, and is quick to compute.
const fn byte_at(number: u64, position: usize) -> u8 {
    b'0' + ((number as u8 % 7) + (position % 61) as u8)
}
