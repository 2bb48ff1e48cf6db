//! What is sent to one socket.

use super::acks::Owed;
use super::socket::Stage;
use super::{AckId, AckToken, Reason, Server, SocketId};
use crate::eio::{Delivery, SendError, SessionId};
use crate::sio::Encoded;
use crate::sio::frames::put;
use core::fmt;
use std::time::Instant;

/// Why a packet was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmitError {
    /// The socket is gone.
    Disconnected,
    /// The client does not read: [`Limits::queued_bytes`](crate::Limits::queued_bytes) were queued for it, and its
    /// session is closed now.
    QueueFull,
    /// It was volatile and could not leave at once.
    Dropped,
    /// The socket owes as many acknowledgements as
    /// [`Limits::pending_acks`](crate::Limits::pending_acks) allows.
    TooManyAcks,
    /// The packet carries the number of an acknowledgement already, where one was to be given.
    AlreadyNumbered,
}

impl From<SendError> for EmitError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => Self::Disconnected,
            SendError::QueueFull => Self::QueueFull,
            SendError::Dropped => Self::Dropped,
        }
    }
}

impl fmt::Display for EmitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disconnected => "socket has been disconnected",
            Self::QueueFull => "the client does not read what is sent to it and its session was closed: send less, or raise Limits::queued_bytes",
            Self::Dropped => "a volatile event could not leave at once and was dropped",
            Self::TooManyAcks => {
                "the client owes too many acknowledgements: wait for some, or raise Limits::pending_acks"
            }
            Self::AlreadyNumbered => {
                "the packet has an acknowledgement number already: encode it with Encoder::event"
            }
        })
    }
}

impl std::error::Error for EmitError {}

impl Server {
    /// Lets a socket into its namespace: it joins the room of its own id and is told so. `false` when it is
    /// gone, or was accepted before.
    pub fn accept(&mut self, now: Instant, socket: SocketId) -> bool {
        self.advance(now);
        let Some(state) = self
            .sockets
            .get_mut(socket.0)
            .filter(|state| state.stage == Stage::Connecting)
        else {
            return false;
        };
        let (session, sid) = (state.session, state.sid);
        let Some(namespace) = self.namespaces.get_mut(state.namespace.index()) else {
            return false;
        };
        namespace.enter(socket, state);
        let name = namespace.name.clone();
        if let Some(timer) = self
            .client(session)
            .and_then(|client| client.connect_timer.take())
        {
            self.timers.disarm(timer);
        }
        if let Ok(packet) = self.encoder.connect(name.as_str(), sid.as_str()) {
            // If the client does not read, the engine has closed the session and says so in an event.
            let _ = self.send(session, &packet, None, Delivery::Reliable);
        }
        self.drain();
        true
    }

    /// Refuses a socket that asks for a namespace. `packet` is made with
    /// [`Encoder::connect_error`](crate::sio::Encoder::connect_error); the client's session stays.
    pub fn refuse(&mut self, now: Instant, socket: SocketId, packet: &Encoded) {
        self.advance(now);
        let Some(state) = self
            .sockets
            .get(socket.0)
            .filter(|state| state.stage == Stage::Connecting)
        else {
            return;
        };
        let session = state.session;
        self.detach(socket, Reason::ServerNamespaceDisconnect);
        let _ = self.send(session, packet, None, Delivery::Reliable);
        self.drain();
    }

    /// Sends an event to one socket.
    pub fn emit(
        &mut self,
        now: Instant,
        socket: SocketId,
        packet: &Encoded,
        delivery: Delivery,
    ) -> Result<(), EmitError> {
        self.advance(now);
        let session = self.session(socket).ok_or(EmitError::Disconnected)?;
        let outcome = self.send(session, packet, None, delivery);
        self.drain();
        Ok(outcome?)
    }

    /// Sends an event to one socket and asks for an acknowledgement until `deadline`. `packet` is made with
    /// [`Encoder::event`](crate::sio::Encoder::event); it is given its number here, so one that
    /// [has a number](Encoded::has_ack_id) is refused.
    pub fn emit_with_ack(
        &mut self,
        now: Instant,
        socket: SocketId,
        packet: &Encoded,
        deadline: Instant,
    ) -> Result<AckId, EmitError> {
        self.advance(now);
        if packet.has_ack_id() {
            return Err(EmitError::AlreadyNumbered);
        }
        let limit = self.engine.config().limits.pending_acks;
        let state = self.sockets.get_mut(socket.0).ok_or(EmitError::Disconnected)?;
        if state.acks.len() >= limit {
            return Err(EmitError::TooManyAcks);
        }
        let session = state.session;
        let namespace = self
            .namespaces
            .get_mut(state.namespace.index())
            .ok_or(EmitError::Disconnected)?;
        let number = namespace.next_ack;
        namespace.next_ack = namespace.next_ack.wrapping_add(1);
        let ack = self.acks.insert(Owed { socket, number }, Some(deadline));
        state.acks.insert(number, ack);
        let outcome = self.send(session, packet, Some(number), Delivery::Reliable);
        if outcome.is_err() {
            self.forget_ack(ack);
        }
        self.drain();
        outcome.map(|()| ack).map_err(EmitError::from)
    }

    /// Gives a client the acknowledgement it waits for. `packet` is encoded with the token's number.
    pub fn ack(&mut self, now: Instant, token: AckToken, packet: &Encoded) -> Result<(), EmitError> {
        self.emit(now, token.socket, packet, Delivery::Reliable)
    }

    /// Takes a socket out of its namespace and tells the client; its session stays.
    pub fn disconnect(&mut self, now: Instant, socket: SocketId) {
        self.advance(now);
        if let Some(session) = self.session(socket) {
            self.send_disconnect(socket, session);
            self.drain();
        }
    }

    /// Takes a client out of all its namespaces, tells it, and closes its session.
    pub fn disconnect_client(&mut self, now: Instant, socket: SocketId) {
        self.advance(now);
        let Some(session) = self.session(socket) else {
            return;
        };
        let sockets = self
            .client(session)
            .map(|client| client.sockets.clone())
            .unwrap_or_default();
        for (_, socket) in sockets {
            self.send_disconnect(socket, session);
        }
        self.engine.close(self.now, session);
        self.drain();
    }

    fn send_disconnect(&mut self, socket: SocketId, session: SessionId) {
        let name = self
            .namespace_of(socket)
            .and_then(|namespace| self.namespace_name(namespace))
            .cloned();
        if let Some(Ok(packet)) = name.map(|name| self.encoder.disconnect(name.as_str())) {
            let _ = self.send(session, &packet, None, Delivery::Reliable);
        }
        let namespace = self.namespace_of(socket);
        self.detach(socket, Reason::ServerNamespaceDisconnect);
        if let Some((client, namespace)) = self.client(session).zip(namespace) {
            client.dismissed.push(namespace);
        }
    }

    /// Queues a packet and its attachments in one piece.
    pub(super) fn send(
        &mut self,
        session: SessionId,
        packet: &Encoded,
        ack: Option<u64>,
        delivery: Delivery,
    ) -> Result<(), SendError> {
        self.engine
            .enqueue(session, packet.encoded_len(), delivery, |queue| {
                put(queue, packet, ack)
            })
    }
}
