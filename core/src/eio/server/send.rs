//! Packets for a client.

use super::session::Carrier;
use super::{CloseReason, Server, SessionId};
use crate::OutBuf;
use crate::eio::Message;
use crate::ws::{Fin, OpCode, write_header};
use core::fmt;
use std::time::Instant;

/// Whether a message may be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Queued until the client takes it.
    #[default]
    Reliable,
    /// Dropped unless it can leave at this instant (`volatile` in JS): a poll waits, or nothing is queued and
    /// nothing is being written on the WebSocket.
    Volatile,
}

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendError {
    /// The session is gone, or closing.
    Closed,
    /// The client does not read: its queue was full and its session is closed now. Raise
    /// [`Limits::queued_bytes`](crate::Limits::queued_bytes), or send less.
    QueueFull,
    /// It was volatile and could not leave at once.
    Dropped,
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Closed => "the session is closed",
            Self::QueueFull => "the client does not read what is sent to it and its session was closed: send less, or raise Limits::queued_bytes",
            Self::Dropped => "a volatile message could not leave at once and was dropped",
        })
    }
}

impl std::error::Error for SendError {}

impl<M> Server<M> {
    /// Sends one message.
    pub fn send(
        &mut self,
        now: Instant,
        session: SessionId,
        message: &Message,
        delivery: Delivery,
    ) -> Result<(), SendError> {
        self.advance(now);
        match message {
            Message::Text(text) => self.enqueue(session, text.len().saturating_add(1), delivery, |queue| {
                queue
                    .put(write_header(OpCode::Text, Fin::Final, text.len().saturating_add(1), None).as_ref());
                queue.put(b"4");
                queue.put(text.as_bytes());
            }),
            Message::Binary(data) => self.enqueue(session, data.len(), delivery, |queue| {
                queue.put(write_header(OpCode::Binary, Fin::Final, data.len(), None).as_ref());
                queue.put_shared(data);
            }),
        }
    }

    /// Queues about `bytes` bytes of complete, unmasked WebSocket frames, which `put` writes: all of them or
    /// none.
    pub(crate) fn enqueue(
        &mut self,
        id: SessionId,
        bytes: usize,
        delivery: Delivery,
        put: impl FnOnce(&mut OutBuf),
    ) -> Result<(), SendError> {
        let limits = &self.config.limits;
        let session = self
            .sessions
            .get_mut(id.0)
            .filter(|session| session.is_open())
            .ok_or(SendError::Closed)?;
        if delivery == Delivery::Volatile && !session.is_writable() {
            return Err(SendError::Dropped);
        }
        if !limits.has_room(session.queue.len(), bytes, session.under_way()) {
            self.close_session(id, CloseReason::SlowConsumer);
            return Err(SendError::QueueFull);
        }
        put(Self::queue_of(&mut self.spares, session));
        self.mark_carrier(id);
        Ok(())
    }

    /// Queues a packet of the protocol itself.
    pub(super) fn put_text(&mut self, id: SessionId, packet: &[u8]) {
        let Some(session) = self.sessions.get_mut(id.0) else {
            return;
        };
        let queue = Self::queue_of(&mut self.spares, session);
        queue.put(write_header(OpCode::Text, Fin::Final, packet.len(), None).as_ref());
        queue.put(packet);
        self.mark_carrier(id);
    }

    fn mark_carrier(&mut self, id: SessionId) {
        let connection = self
            .sessions
            .get(id.0)
            .and_then(|session| match &session.carrier {
                Carrier::Polling(polling) => polling.poll,
                Carrier::WebSocket { connection, .. } => Some(*connection),
            });
        if let Some(connection) = connection {
            self.mark_ready(connection);
        }
    }
}
