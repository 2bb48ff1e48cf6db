//! What is sent to the server: at once, or when the namespace is joined.

use super::acks::{Owed, Place};
use super::buffer::Buffered;
use super::namespace::{Room, State};
use super::{AckToken, Client, Event, Offline};
use crate::eio::Delivery;
use crate::eio::client::SendError;
use crate::sio::frames::{put, text_size};
use crate::sio::{AckError, AckId, Encoded, NamespaceId};
use bytes::Bytes;
use core::fmt;
use std::time::Instant;

/// Why a packet was not sent and will not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmitError {
    /// The namespace is not joined ([`Offline::Refuse`]), or is not going to be; or the acknowledgement is for a
    /// join that is over.
    NotConnected,
    /// As much waits for the namespace as may.
    BufferFull,
    /// As much waits to leave as may ([`Limits::queued_bytes`](crate::Limits::queued_bytes)).
    QueueFull,
    /// It was volatile and could not leave at once, or [`Offline::Drop`].
    Dropped,
    /// Larger than the server takes.
    TooLarge {
        /// What it takes, in bytes.
        limit: u64,
    },
    /// The server owes as many acknowledgements of this namespace as
    /// [`Limits::pending_acks`](crate::Limits::pending_acks) allows.
    TooManyAcks,
    /// The packet carries the number of an acknowledgement already, where one was to be given.
    AlreadyNumbered,
}

impl From<SendError> for EmitError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => Self::NotConnected,
            SendError::QueueFull => Self::QueueFull,
            SendError::Dropped => Self::Dropped,
            SendError::TooLarge { limit } => Self::TooLarge { limit },
        }
    }
}

impl fmt::Display for EmitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotConnected => {
                "the namespace is not connected: connect first, or let events wait with Offline::Buffer"
            }
            Self::BufferFull => {
                "too much waits for the namespace to be connected: raise the bounds of Offline::Buffer, or emit less"
            }
            Self::QueueFull => "the server takes less than is emitted: wait until it has, or emit less",
            Self::Dropped => "the event could not leave at once and was dropped",
            Self::TooLarge { limit } => {
                return write!(
                    formatter,
                    "the server takes messages of at most {limit} bytes: send less, or raise its maximum"
                );
            }
            Self::TooManyAcks => {
                "the server owes too many acknowledgements: wait for some, or raise Limits::pending_acks"
            }
            Self::AlreadyNumbered => {
                "the packet has an acknowledgement number already: encode it with Encoder::event"
            }
        })
    }
}

impl std::error::Error for EmitError {}

/// What becomes of an event that is emitted now.
enum Way {
    Send,
    Wait,
}

impl Client {
    /// Sends an event, or lets it wait as [`Config::offline`](super::Config::offline) says.
    pub fn emit(
        &mut self,
        now: Instant,
        namespace: NamespaceId,
        packet: &Encoded,
        delivery: Delivery,
    ) -> Result<(), EmitError> {
        self.advance(now);
        match self.way(namespace, packet, delivery)? {
            Way::Send => self.send(packet, None, delivery)?,
            Way::Wait => self.wait(namespace, packet, None),
        }
        self.drain();
        Ok(())
    }

    /// Sends an event, or lets it wait, and asks for an acknowledgement until `deadline`; one that still waits then
    /// is not sent any more. `packet` is made with [`Encoder::event`](crate::sio::Encoder::event); it is given its
    /// number here, so one that [has a number](Encoded::has_ack_id) is refused.
    pub fn emit_with_ack(
        &mut self,
        now: Instant,
        namespace: NamespaceId,
        packet: &Encoded,
        deadline: Instant,
    ) -> Result<AckId, EmitError> {
        self.advance(now);
        if packet.has_ack_id() {
            return Err(EmitError::AlreadyNumbered);
        }
        let way = self.way(namespace, packet, Delivery::Reliable)?;
        self.check_owed(namespace)?;
        let ack = match way {
            Way::Send => {
                let number = self.send_numbered(namespace, packet)?;
                let ack = self.owe(namespace, Place::Sent(number), Some(deadline));
                self.remember_sent(namespace, number, ack);
                ack
            }
            Way::Wait => {
                let place = self.namespaces.get(namespace.index());
                let place = place.map_or(0, |state| state.buffer.next_place());
                let ack = self.owe(namespace, Place::Buffered(place), Some(deadline));
                self.wait(namespace, packet, Some(ack));
                ack
            }
        };
        self.drain();
        Ok(ack)
    }

    /// Gives the server the acknowledgement it waits for. `packet` is encoded with the token's number.
    pub fn ack(&mut self, now: Instant, token: AckToken, packet: &Encoded) -> Result<(), EmitError> {
        self.advance(now);
        let state = self.namespaces.get(token.namespace.index());
        if !state.is_some_and(|state| state.is_joined() && state.epoch == token.epoch) {
            return Err(EmitError::NotConnected);
        }
        let outcome = self.send(packet, None, Delivery::Reliable);
        self.drain();
        Ok(outcome?)
    }

    fn way(&self, namespace: NamespaceId, packet: &Encoded, delivery: Delivery) -> Result<Way, EmitError> {
        let state = self.namespaces.get(namespace.index());
        let state = state.ok_or(EmitError::NotConnected)?;
        match state.state {
            State::Idle(_) | State::Leaving(_) => return Err(EmitError::NotConnected),
            State::Joined { .. } if state.buffer.is_empty() => return Ok(Way::Send),
            _ if delivery == Delivery::Volatile => return Err(EmitError::Dropped),
            _ => {}
        }
        match self.config.offline {
            Offline::Refuse => Err(EmitError::NotConnected),
            Offline::Drop => Err(EmitError::Dropped),
            Offline::Buffer { packets, bytes } => {
                let size = packet.encoded_len().saturating_add(state.buffer.bytes());
                if state.buffer.len() >= packets || size > bytes {
                    return Err(EmitError::BufferFull);
                }
                Ok(Way::Wait)
            }
        }
    }

    fn wait(&mut self, namespace: NamespaceId, packet: &Encoded, ack: Option<AckId>) {
        if let Some(state) = self.namespaces.get_mut(namespace.index()) {
            state.buffer.push(packet, ack);
        }
    }

    /// Queues a packet and its attachments in one piece.
    pub(super) fn send(
        &mut self,
        packet: &Encoded,
        number: Option<u64>,
        delivery: Delivery,
    ) -> Result<(), SendError> {
        let largest = self.largest_message(packet, number);
        self.engine
            .enqueue(packet.encoded_len(), largest, delivery, |queue| {
                put(queue, packet, number)
            })
    }

    /// Queues a packet that asks for a namespace or leaves it, however much is queued: nobody would do it again
    /// later. Each namespace has at most one of either on its way.
    pub(super) fn send_regardless(&mut self, packet: &Encoded) -> Result<(), SendError> {
        let largest = self.largest_message(packet, None);
        self.engine
            .enqueue_regardless(largest, |queue| put(queue, packet, None))
    }

    /// The size of the largest message that a packet becomes.
    fn largest_message(&self, packet: &Encoded, number: Option<u64>) -> usize {
        let attachments = packet.attachments().iter().map(Bytes::len).max();
        let attachments = attachments.map_or(0, |length| self.engine.binary_size(length));
        text_size(packet, number).max(attachments)
    }

    /// Queues a packet with the next number of its namespace.
    pub(super) fn send_numbered(
        &mut self,
        namespace: NamespaceId,
        packet: &Encoded,
    ) -> Result<u64, SendError> {
        let state = self.namespaces.get(namespace.index());
        let number = state.map_or(0, |state| state.next_number);
        self.send(packet, Some(number), Delivery::Reliable)?;
        if let Some(state) = self.namespaces.get_mut(namespace.index()) {
            state.next_number = number.wrapping_add(1);
        }
        Ok(number)
    }

    pub(super) fn remember_sent(&mut self, namespace: NamespaceId, number: u64, ack: AckId) {
        if let Some(state) = self.namespaces.get_mut(namespace.index()) {
            state.sent.insert(number, ack);
        }
    }

    pub(super) fn check_owed(&self, namespace: NamespaceId) -> Result<(), EmitError> {
        let state = self.namespaces.get(namespace.index());
        let owed = state.ok_or(EmitError::NotConnected)?.owed;
        if owed >= self.config.engine.limits.pending_acks {
            return Err(EmitError::TooManyAcks);
        }
        Ok(())
    }

    /// Tables an acknowledgement that the server owes.
    pub(super) fn owe(&mut self, namespace: NamespaceId, place: Place, deadline: Option<Instant>) -> AckId {
        if let Some(state) = self.namespaces.get_mut(namespace.index()) {
            state.owed = state.owed.saturating_add(1);
        }
        self.acks.insert(Owed { namespace, place }, deadline)
    }

    /// Sends what waits for a namespace, as far as there is room.
    pub(super) fn flush(&mut self, namespace: NamespaceId) {
        loop {
            let state = self.namespaces.get(namespace.index());
            let Some(state) = state.filter(|state| state.is_joined()) else {
                return;
            };
            let Some((place, buffered)) = state.buffer.first() else {
                break;
            };
            let buffered = buffered.clone();
            match self.send_buffered(namespace, &buffered) {
                Ok(()) => {}
                // The end of the session is about to be told, and leaves it where it is.
                Err(SendError::Closed) => return,
                Err(SendError::QueueFull) if self.engine.queued_bytes() > 0 => {
                    return self.stall(namespace);
                }
                Err(error) => self.undeliverable(namespace, buffered.ack, error),
            }
            if let Some(state) = self.namespaces.get_mut(namespace.index()) {
                state.buffer.remove(place);
            }
        }
        self.deliver_next(namespace);
    }

    fn send_buffered(&mut self, namespace: NamespaceId, buffered: &Buffered) -> Result<(), SendError> {
        let Some(ack) = buffered.ack else {
            return self.send(&buffered.packet, None, Delivery::Reliable);
        };
        let number = self.send_numbered(namespace, &buffered.packet)?;
        self.remember_sent(namespace, number, ack);
        if let Some(owed) = self.acks.get_mut(ack) {
            owed.place = Place::Sent(number);
        }
        Ok(())
    }

    /// Continues with the namespace when there is room in the queue.
    pub(super) fn stall(&mut self, namespace: NamespaceId) {
        if let Some(state) = self.namespaces.get_mut(namespace.index())
            && state.room == Room::Enough
        {
            state.room = Room::Awaited;
            self.stalled.push_back(namespace);
        }
    }

    /// Continues with one namespace after the other, the one that has waited longest first, until there is no room
    /// again.
    pub(super) fn flush_stalled(&mut self) {
        while let Some(namespace) = self.stalled.pop_front() {
            self.set_room(namespace, Room::Enough);
            self.flush(namespace);
            let state = self.namespaces.get(namespace.index());
            if state.is_some_and(|state| state.room == Room::Awaited) {
                // It has just been put last, and keeps its place.
                self.stalled.rotate_right(1);
                return;
            }
        }
    }

    /// Nobody waits for room any more.
    pub(super) fn forget_stalled(&mut self) {
        while let Some(namespace) = self.stalled.pop_front() {
            self.set_room(namespace, Room::Enough);
        }
    }

    fn set_room(&mut self, namespace: NamespaceId, room: Room) {
        if let Some(state) = self.namespaces.get_mut(namespace.index()) {
            state.room = room;
        }
    }

    /// Tells that something which had waited could not be sent.
    pub(super) fn undeliverable(&mut self, namespace: NamespaceId, ack: Option<AckId>, error: SendError) {
        let error = error.into();
        self.events.push_back(Event::Undeliverable { namespace, error });
        if let Some(ack) = ack {
            self.end_quietly(ack, Err(AckError::NotSent));
        }
    }
}
