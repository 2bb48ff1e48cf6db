//! What messages carry.

use bytes::Bytes;
use socketio_driver::{Broadcast, ClientSocket, Error, Socket, WriteArguments};
use socketio_model::{Delivery, Message};

/// The content of an event, which follows from its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub size: usize,
}

/// What a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One string.
    Text,
    /// Two attachments.
    Binary,
}

impl Parcel {
    /// Sends it as the content of a message.
    pub(super) fn send(
        self,
        to: &impl Recipient,
        Message(number): Message,
        delivery: Delivery,
    ) -> Result<(), Error> {
        let size = self.size;
        match self.kind {
            Kind::Text => to.emit("note", &(number, size, text(number, size)), delivery),
            Kind::Binary => {
                let arguments = (number, size, blob(number, size), blob(number + 1, size / 2));
                to.emit("blob", &arguments, delivery)
            }
        }
    }
}

/// Whom something can be sent to.
pub(super) trait Recipient {
    fn emit(&self, event: &str, arguments: &impl WriteArguments, delivery: Delivery) -> Result<(), Error>;
}

impl Recipient for Socket {
    fn emit(&self, event: &str, arguments: &impl WriteArguments, delivery: Delivery) -> Result<(), Error> {
        match delivery {
            Delivery::Reliable => self.emit(event, arguments),
            Delivery::Volatile => self.volatile().emit(event, arguments),
        }
    }
}

impl Recipient for ClientSocket {
    fn emit(&self, event: &str, arguments: &impl WriteArguments, delivery: Delivery) -> Result<(), Error> {
        match delivery {
            Delivery::Reliable => self.emit(event, arguments),
            Delivery::Volatile => self.volatile().emit(event, arguments),
        }
    }
}

impl Recipient for Broadcast {
    fn emit(&self, event: &str, arguments: &impl WriteArguments, delivery: Delivery) -> Result<(), Error> {
        match delivery {
            Delivery::Reliable => self.emit(event, arguments),
            Delivery::Volatile => self.clone().volatile().emit(event, arguments),
        }
    }
}

/// The text of a message.
fn text(number: u64, size: usize) -> String {
    (0..size).map(|place| char::from(letter(number, place))).collect()
}

/// The attachment of a message.
fn blob(number: u64, size: usize) -> Bytes {
    (0..size).map(|place| letter(number, place) ^ 0xa5).collect()
}

pub(super) fn is_text(number: u64, size: usize, text: &str) -> bool {
    let letters = text.bytes().enumerate();
    text.len() == size && { letters }.all(|(place, byte)| byte == letter(number, place))
}

pub(super) fn is_blob(number: u64, size: usize, blob: &[u8]) -> bool {
    let letters = blob.iter().enumerate();
    blob.len() == size && { letters }.all(|(place, byte)| *byte == letter(number, place) ^ 0xa5)
}

/// Tells messages and places apart, quickly.
const fn letter(number: u64, place: usize) -> u8 {
    b'0' + ((number as u8 % 7) + (place % 61) as u8)
}
