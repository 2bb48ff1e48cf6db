//! Packets for the server.

use super::Client;
use super::session::{Carrier, Phase, Stage};
use crate::OutBuf;
use crate::eio::{Delivery, Message, Transport};
use crate::ws::{Fin, OpCode, write_header};
use core::fmt;
use std::time::Instant;

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendError {
    /// There is no open session.
    Closed,
    /// More than [`Limits::queued_bytes`](crate::Limits::queued_bytes) would be queued. The session goes on.
    QueueFull,
    /// It was volatile and could not leave at once.
    Dropped,
    /// Larger than the server takes (`maxPayload`).
    TooLarge {
        /// What it takes, in bytes.
        limit: u64,
    },
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => formatter.write_str("there is no open session: connect, or wait for it"),
            Self::QueueFull => formatter.write_str(
                "the server does not take what is queued for it: wait, send less, or raise Limits::queued_bytes",
            ),
            Self::Dropped => formatter.write_str("a volatile message could not leave at once and was dropped"),
            Self::TooLarge { limit } => write!(
                formatter,
                "the message is larger than the {limit} bytes the server takes: send less at once, or raise its maxHttpBufferSize"
            ),
        }
    }
}

impl std::error::Error for SendError {}

impl<M> Client<M> {
    /// Sends one message.
    ///
    /// # Errors
    ///
    /// It was not queued; see [`SendError`].
    pub fn send(&mut self, now: Instant, message: &Message, delivery: Delivery) -> Result<(), SendError> {
        self.advance(now);
        match message {
            Message::Text(text) => {
                let length = text.len().saturating_add(1);
                self.enqueue(length, length, delivery, |queue| {
                    queue.put(write_header(OpCode::Text, Fin::Final, length, None).as_ref());
                    queue.put(b"4");
                    queue.put(text.as_bytes());
                })
            }
            Message::Binary(data) => {
                let size = self.binary_size(data.len());
                self.enqueue(data.len(), size, delivery, |queue| {
                    queue.put(write_header(OpCode::Binary, Fin::Final, data.len(), None).as_ref());
                    queue.put_shared(data);
                })
            }
        }
    }

    /// Queues about `bytes` bytes of complete, unmasked WebSocket frames, which `put` writes: all of them or
    /// none. `largest` is the size of the largest message among them, which the server has to take: that of a
    /// text with its type, that of binary as [`binary_size`](Self::binary_size) says.
    ///
    /// The clock does not move here: call [`handle_timeout`](Self::handle_timeout) before.
    pub(crate) fn enqueue(
        &mut self,
        bytes: usize,
        largest: usize,
        delivery: Delivery,
        put: impl FnOnce(&mut OutBuf),
    ) -> Result<(), SendError> {
        self.check(largest)?;
        if delivery == Delivery::Volatile && !self.is_writable() {
            return Err(SendError::Dropped);
        }
        let limits = &self.config.limits;
        if !limits.has_room(self.queue.len(), bytes, self.bytes_under_way()) {
            return Err(SendError::QueueFull);
        }
        self.put(put);
        Ok(())
    }

    /// As [`enqueue`](Self::enqueue), however much is queued: for what a layer above can not leave out and bounds
    /// itself.
    pub(crate) fn enqueue_regardless(
        &mut self,
        largest: usize,
        put: impl FnOnce(&mut OutBuf),
    ) -> Result<(), SendError> {
        self.check(largest)?;
        self.put(put);
        Ok(())
    }

    /// Whether there is an open session whose server takes messages of `largest` bytes.
    fn check(&self, largest: usize) -> Result<(), SendError> {
        let Phase::Open(session) = &self.phase else {
            return Err(SendError::Closed);
        };
        if session.stage == Stage::Closing {
            return Err(SendError::Closed);
        }
        match session.max_payload {
            Some(limit) if largest as u64 > limit => Err(SendError::TooLarge { limit }),
            _ => Ok(()),
        }
    }

    fn put(&mut self, put: impl FnOnce(&mut OutBuf)) {
        self.queue.take_from(&mut self.spares);
        put(&mut self.queue);
        self.flush();
    }

    /// How many bytes `length` bytes of binary are for the server on the present transport: on polling they are
    /// base64.
    pub(crate) fn binary_size(&self, length: usize) -> usize {
        match self.transport() {
            Some(Transport::Polling) => length.div_ceil(3).saturating_mul(4).saturating_add(1),
            Some(Transport::WebSocket) | None => length,
        }
    }

    /// Bytes queued for the server and not yet handed to a connection.
    pub const fn queued_bytes(&self) -> usize {
        self.queue.len()
    }

    /// Whether a message would leave at once: what volatile ones need.
    pub fn is_writable(&self) -> bool {
        let Phase::Open(session) = &self.phase else {
            return false;
        };
        session.stage == Stage::Open
            && self.queue.is_empty()
            && match &session.carrier {
                Carrier::Polling(polling) => polling.post.is_none() && !polling.is_pausing(),
                Carrier::WebSocket { unwritten, .. } => *unwritten == 0,
            }
    }

    /// Queues a packet of the protocol itself.
    pub(super) fn put_text(&mut self, packet: &'static [u8]) {
        self.put(|queue| {
            queue.put(write_header(OpCode::Text, Fin::Final, packet.len(), None).as_ref());
            queue.put(packet);
        });
    }

    /// Sees to it that what is queued leaves.
    pub(super) fn flush(&mut self) {
        let Phase::Open(session) = &self.phase else { return };
        match session.carrier {
            Carrier::Polling(_) => self.drive_polling(),
            Carrier::WebSocket { connection, .. } => self.mark_ready(connection),
        }
    }
}
