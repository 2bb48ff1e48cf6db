//! What is sent to many sockets.

use super::peers::{DisconnectScope, Verb};
use super::{NamespaceId, Server, SocketId};
use crate::Text;
use crate::eio::Delivery;
use crate::sio::Encoded;
use std::time::Instant;

/// Who hears a broadcast: the members of any of `rooms`, or everybody when there are none, without the members
/// of any of `except` and without `skip`. Each hears it once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Rooms, a socket's id being one; empty for everybody in the namespace.
    pub rooms: Vec<Text>,
    /// Rooms whose members do not hear it.
    pub except: Vec<Text>,
    /// The sender, when it shall not hear itself.
    pub skip: Option<SocketId>,
}

impl Server {
    /// Sends an event to many sockets of a namespace, here and at the [peers](Self::add_peer); `packet` was
    /// encoded once for all. Returns for how many it was queued here.
    pub fn broadcast(
        &mut self,
        now: Instant,
        namespace: NamespaceId,
        target: &Target,
        packet: &Encoded,
        delivery: Delivery,
    ) -> usize {
        self.advance(now);
        let packet = packet.clone();
        self.order(namespace, target, &Verb::Send { packet, delivery })
    }

    /// Puts everybody a target means into a room, here and at the peers. Returns how many are in it here; who
    /// [may not join](Self::join) stays outside.
    pub fn join_all(&mut self, namespace: NamespaceId, target: &Target, room: &str) -> usize {
        let room = Text::from(room);
        self.order(namespace, target, &Verb::Join { room })
    }

    /// Takes everybody a target means out of a room, here and at the peers. Returns how many the target means
    /// here.
    pub fn leave_all(&mut self, namespace: NamespaceId, target: &Target, room: &str) -> usize {
        let room = Text::from(room);
        self.order(namespace, target, &Verb::Leave { room })
    }

    /// Disconnects everybody a target means, here and at the peers. Returns how many that were here.
    pub fn disconnect_all(
        &mut self,
        now: Instant,
        namespace: NamespaceId,
        target: &Target,
        scope: DisconnectScope,
    ) -> usize {
        self.advance(now);
        self.order(namespace, target, &Verb::Disconnect(scope))
    }

    /// The sockets here that a target means, each once.
    ///
    /// It takes `&mut self` because it marks the sockets it has seen.
    pub fn recipients(&mut self, namespace: NamespaceId, target: &Target) -> Vec<SocketId> {
        let recipients = self.select(namespace, target);
        let answer = recipients.clone();
        self.recipients = recipients;
        answer
    }

    /// Does something to everybody here that a target means; returns to how many it was done.
    pub(super) fn apply(&mut self, namespace: NamespaceId, target: &Target, verb: &Verb) -> usize {
        self.each(namespace, target, |server, socket| match verb {
            Verb::Send { packet, delivery } => server.deliver(socket, packet, *delivery),
            Verb::Join { room } => server.join(socket, room.as_str()).is_ok(),
            Verb::Leave { room } => {
                server.leave(socket, room.as_str());
                true
            }
            Verb::Disconnect(scope) => {
                let now = server.now;
                match scope {
                    DisconnectScope::Namespace => server.disconnect(now, socket),
                    DisconnectScope::Client => server.disconnect_client(now, socket),
                }
                true
            }
        })
    }

    fn deliver(&mut self, socket: SocketId, packet: &Encoded, delivery: Delivery) -> bool {
        self.session(socket)
            .is_some_and(|session| self.send(session, packet, None, delivery).is_ok())
    }

    /// Calls `done` for everybody a target means; returns for how many it was true.
    fn each(
        &mut self,
        namespace: NamespaceId,
        target: &Target,
        mut done: impl FnMut(&mut Self, SocketId) -> bool,
    ) -> usize {
        let recipients = self.select(namespace, target);
        let count = recipients.iter().filter(|socket| done(self, **socket)).count();
        self.recipients = recipients;
        self.drain();
        count
    }

    /// The sockets a target means, each once, in a buffer to be put back.
    fn select(&mut self, namespace: NamespaceId, target: &Target) -> Vec<SocketId> {
        let mut recipients = core::mem::take(&mut self.recipients);
        recipients.clear();
        self.epoch = self.epoch.wrapping_add(1);
        if let Some(skip) = target.skip {
            self.mark(skip);
        }
        for room in &target.except {
            self.each_member(namespace, room.as_str(), |_| {});
        }
        if target.rooms.is_empty() {
            let all = self
                .namespaces
                .get(namespace.index())
                .map_or(&[][..], |state| &state.sockets);
            let (sockets, epoch) = (&self.sockets, self.epoch);
            let is_meant = |id: &&SocketId| sockets.get(id.0).is_some_and(|socket| socket.mark != epoch);
            recipients.extend(all.iter().filter(is_meant));
        }
        for room in &target.rooms {
            self.each_member(namespace, room.as_str(), |socket| recipients.push(socket));
        }
        recipients
    }

    /// Hands out the members of a room that no room before had in this epoch.
    fn each_member(&mut self, namespace: NamespaceId, room: &str, mut each: impl FnMut(SocketId)) {
        if let Some(owner) = self.socket_by_sid(namespace, room) {
            if self.mark(owner) {
                each(owner);
            }
            return;
        }
        let Some(state) = self.namespaces.get(namespace.index()) else {
            return;
        };
        for id in state.members(room) {
            if let Some(socket) = self.sockets.get_mut(id.0)
                && socket.mark != self.epoch
            {
                socket.mark = self.epoch;
                each(id);
            }
        }
    }

    /// Marks a socket; whether it was not marked before in this epoch.
    fn mark(&mut self, id: SocketId) -> bool {
        let epoch = self.epoch;
        self.sockets
            .get_mut(id.0)
            .is_some_and(|socket| core::mem::replace(&mut socket.mark, epoch) != epoch)
    }
}
