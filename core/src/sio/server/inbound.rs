//! What clients send.

use super::socket::{AckToken, Client, Socket, Stage};
use super::{Event, Reason, Server, SocketId};
use crate::Text;
use crate::eio::{CloseReason, RefusalContext, RequestError, SessionId, Watch};
use crate::json::Arguments;
use crate::sio::assembly::{Assembly, Complete};
use crate::sio::{AckError, Inbound, NamespaceId, Packet, PacketError, RawArguments, Violation};
use bytes::Bytes;
use std::collections::BTreeMap;

impl Server {
    /// A session began: its client has to join a namespace in time.
    pub(super) fn admit(&mut self, session: SessionId) {
        let index = session.index();
        if index >= self.clients.len() {
            self.clients.resize_with(index + 1, || None);
        }
        // A time too far away to be expressed is never.
        let connect_timer = self
            .now
            .checked_add(self.connect_timeout)
            .map(|deadline| self.timers.arm(0, deadline, session));
        if let Some(slot) = self.clients.get_mut(index) {
            *slot = Some(Client {
                session,
                sockets: Vec::new(),
                dismissed: Vec::new(),
                connect_timer,
                assembly: Assembly::default(),
            });
        }
    }

    /// A session is gone, and all its sockets with it.
    pub(super) fn dismiss(&mut self, session: SessionId, reason: CloseReason) {
        self.detach_all(session, Reason::Session(reason));
        if let Some(slot) = self.clients.get_mut(session.index()) {
            let client = slot.take_if(|client| client.session == session);
            if let Some(timer) = client.and_then(|client| client.connect_timer) {
                self.timers.disarm(timer);
            }
        }
    }

    pub(super) fn receive(&mut self, session: SessionId, inbound: Inbound) {
        let outcome = match inbound {
            Inbound::Packet(Ok(packet)) => self.receive_packet(session, packet),
            Inbound::Packet(Err(PacketError::IncompleteAck)) => self.receive_incomplete_ack(session),
            Inbound::Packet(Err(error)) => Err(Violation::Packet(error)),
            Inbound::Attachment(data) => self.receive_attachment(session, data),
        };
        if let Err(violation) = outcome {
            self.punish(session, violation);
        }
    }

    fn punish(&mut self, session: SessionId, violation: Violation) {
        let reason = if self.engine.can_tell_of_close(session) {
            Reason::ForcedClose(violation)
        } else {
            Reason::ForcedServerClose(violation)
        };
        if !self.is_heard_of(session) {
            self.report(
                session,
                RequestError::BadRequest,
                RefusalContext::Violation(violation),
            );
        }
        self.detach_all(session, reason);
        self.engine.close(self.now, session);
    }

    /// Whether the application has let a socket of the session in, so that it will be told of its end.
    fn is_heard_of(&self, session: SessionId) -> bool {
        let client = self.clients.get(session.index()).and_then(Option::as_ref);
        client.is_some_and(|client| {
            client
                .sockets
                .iter()
                .any(|(_, socket)| self.is_connected(*socket))
        })
    }

    /// Tells the application what a client was refused.
    pub(super) fn report(&mut self, session: SessionId, error: RequestError, context: RefusalContext) {
        let peer = self.engine.peer(session).unwrap_or_default();
        self.events.push_back(Event::Refused { peer, error, context });
    }

    /// JS ignores an acknowledgement that lacks its number or its arguments, wherever another one might stand.
    fn receive_incomplete_ack(&self, session: SessionId) -> Result<(), Violation> {
        let client = self.clients.get(session.index()).and_then(Option::as_ref);
        if client.is_some_and(|client| client.assembly.is_waiting()) {
            return Err(Violation::AttachmentOutOfTurn);
        }
        if self.is_heard_of(session) {
            Ok(())
        } else {
            Err(Violation::NotJoined)
        }
    }

    fn receive_packet(&mut self, session: SessionId, packet: Packet) -> Result<(), Violation> {
        let client = self.client(session).ok_or(Violation::NotJoined)?;
        match client.assembly.packet(packet)? {
            Some(complete) => self.dispatch(session, complete),
            None => Ok(()),
        }
    }

    fn receive_attachment(&mut self, session: SessionId, data: Bytes) -> Result<(), Violation> {
        let client = self.client(session).ok_or(Violation::NotJoined)?;
        match client.assembly.attachment(data)? {
            Some(complete) => self.dispatch(session, complete),
            None => Ok(()),
        }
    }

    fn dispatch(&mut self, session: SessionId, complete: Complete) -> Result<(), Violation> {
        let attachments = complete.attachments;
        match complete.packet {
            Packet::Connect { namespace, auth } => self.receive_connect(session, &namespace, auth),
            Packet::Disconnect { namespace } => {
                let Some(socket) = self.joined_or_dismissed(session, &namespace)? else {
                    return Ok(());
                };
                self.detach(socket, Reason::ClientNamespaceDisconnect);
                Ok(())
            }
            Packet::Event {
                namespace,
                id,
                name,
                arguments,
                ..
            } => {
                let Some(socket) = self.joined_or_dismissed(session, &namespace)? else {
                    return Ok(());
                };
                let namespace = self.namespace_of(socket).ok_or(Violation::NotJoined)?;
                let arguments = Arguments::new(arguments, attachments);
                let ack = id.map(|id| AckToken { socket, id });
                self.events.push_back(Event::Event {
                    socket,
                    namespace,
                    name,
                    arguments,
                    ack,
                });
                Ok(())
            }
            Packet::Ack {
                namespace,
                id,
                arguments,
                ..
            } => {
                let Some(socket) = self.joined_or_dismissed(session, &namespace)? else {
                    return Ok(());
                };
                self.receive_ack(socket, id, Arguments::new(arguments, attachments));
                Ok(())
            }
            Packet::ConnectError { .. } => Err(Violation::ServerPacket),
        }
    }

    /// The accepted socket of a client in a namespace; `None` if it was taken out of it from here, which the packet
    /// has crossed.
    fn joined_or_dismissed(
        &self,
        session: SessionId,
        namespace: &Text,
    ) -> Result<Option<SocketId>, Violation> {
        if let Some(socket) = self.joined(session, namespace) {
            return Ok(Some(socket));
        }
        let id = self
            .by_name
            .get(namespace.as_bytes())
            .ok_or(Violation::NotJoined)?;
        let client = self.clients.get(session.index()).and_then(Option::as_ref);
        let is_dismissed = client.is_some_and(|client| client.dismissed.contains(id));
        if is_dismissed {
            Ok(None)
        } else {
            Err(Violation::NotJoined)
        }
    }

    /// The accepted socket of a client in a namespace.
    fn joined(&self, session: SessionId, namespace: &Text) -> Option<SocketId> {
        let namespace = *self.by_name.get(namespace.as_bytes())?;
        let client = self.clients.get(session.index())?.as_ref()?;
        client
            .socket(namespace)
            .filter(|socket| self.is_connected(*socket))
    }

    fn receive_connect(
        &mut self,
        session: SessionId,
        name: &Text,
        auth: Option<Bytes>,
    ) -> Result<(), Violation> {
        let Some(namespace) = self.by_name.get(name.as_bytes()).copied() else {
            self.refuse_connect(session, name, "Invalid namespace");
            return Ok(());
        };
        let client = self.client(session).ok_or(Violation::NotJoined)?;
        if client.socket(namespace).is_some() {
            return Err(Violation::AlreadyJoined);
        }
        let count = client.sockets.len();
        match self.excess(count, auth.as_ref().map_or(0, Bytes::len)) {
            Some((context, message)) => {
                // First, because the refusal may be more than the client's queue takes, which ends the session.
                self.report(session, RequestError::Forbidden(message.to_owned()), context);
                self.refuse_connect(session, name, message);
            }
            None => self.create_socket(session, namespace, auth),
        }
        Ok(())
    }

    /// The limit that one more socket of a client in `count` namespaces would exceed, and what the client is told.
    fn excess(&self, count: usize, auth: usize) -> Option<(RefusalContext, &'static str)> {
        let limits = &self.engine.config().limits;
        if count >= limits.namespaces_per_client {
            Some((RefusalContext::TooManyNamespaces, "Too many namespaces"))
        } else if self.sockets.len() >= limits.sockets {
            Some((RefusalContext::TooManySockets, "Too many sockets"))
        } else if auth > limits.auth_bytes {
            Some((RefusalContext::AuthTooLarge, "Auth payload too large"))
        } else {
            None
        }
    }

    /// Tells a client that it can not join; its session stays.
    fn refuse_connect(&mut self, session: SessionId, namespace: &Text, message: &str) {
        let nothing: Option<&RawArguments<'_>> = None;
        // A namespace that was decoded can be written again.
        if let Ok(refusal) = self.encoder.connect_error(namespace.as_str(), message, nothing) {
            // A client that does not read is closed by the engine; there is nobody else to tell.
            let _ = self.send(session, &refusal, None, crate::eio::Delivery::Reliable);
        }
    }

    fn create_socket(&mut self, session: SessionId, namespace: NamespaceId, auth: Option<Bytes>) {
        let sid = self.random.sid(self.engine.config().shard);
        let socket = Socket {
            session,
            namespace,
            sid,
            auth: auth.map(|auth| Bytes::copy_from_slice(&auth)),
            stage: Stage::Connecting,
            watch: Watch::Idle,
            rooms: Vec::new(),
            mark: 0,
            acks: BTreeMap::new(),
        };
        let socket = SocketId(self.sockets.insert(socket));
        self.by_sid.insert(sid, socket);
        if let Some(client) = self.client(session) {
            client.dismissed.retain(|own| *own != namespace);
            client.sockets.reserve_exact(1);
            client.sockets.push((namespace, socket));
        }
        self.events.push_back(Event::Connect { socket, namespace });
    }

    /// Takes a socket out of all tables; the application hears of it if it was accepted.
    pub(super) fn detach(&mut self, id: SocketId, reason: Reason) {
        let Some(mut socket) = self.sockets.remove(id.0) else {
            return;
        };
        self.by_sid.remove(&socket.sid);
        if let Some(client) = self.client(socket.session) {
            client.sockets.retain(|(_, own)| *own != id);
        }
        let was_connected = socket.stage != Stage::Connecting;
        let namespace = socket.namespace;
        if let Some(state) = self.namespaces.get_mut(namespace.index()) {
            state.depart(&mut socket, &mut self.sockets);
        }
        for ack in core::mem::take(&mut socket.acks).into_values() {
            self.fail_ack(ack, AckError::Disconnected);
        }
        if was_connected {
            self.events.push_back(Event::Disconnected {
                socket: id,
                namespace,
                reason,
            });
        }
    }

    pub(super) fn detach_all(&mut self, session: SessionId, reason: Reason) {
        let sockets = self
            .client(session)
            .map(|client| core::mem::take(&mut client.sockets));
        for (_, socket) in sockets.unwrap_or_default() {
            self.detach(socket, reason);
        }
    }
}
