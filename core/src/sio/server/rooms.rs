//! Joining and leaving rooms.

use super::socket::Stage;
use super::{NamespaceId, Server, SocketId, Target};
use crate::{Sid, Text};
use core::fmt;

/// Why a socket did not join a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoomError {
    /// The socket is gone, or not accepted yet.
    Disconnected,
    /// It is the room of the id of another socket in the namespace, which hears what is meant for that socket alone.
    Private,
    /// The room's name is longer than [`Limits::room_name_bytes`](crate::Limits::room_name_bytes).
    NameTooLong,
    /// It is in as many rooms as [`Limits::rooms_per_socket`](crate::Limits::rooms_per_socket) allows.
    TooManyRooms,
}

impl fmt::Display for RoomError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disconnected => "socket has been disconnected",
            Self::Private => "the room of another socket's id can not be joined: choose another name",
            Self::NameTooLong => "name of a room too long: shorten it, or raise Limits::room_name_bytes",
            Self::TooManyRooms => "too many rooms: leave some, or raise Limits::rooms_per_socket",
        })
    }
}

impl std::error::Error for RoomError {}

impl Server {
    /// Puts an accepted socket into a room, which exists from then on. Joining twice changes nothing.
    pub fn join(&mut self, id: SocketId, room: &str) -> Result<(), RoomError> {
        let limits = &self.engine.config().limits;
        let limit = limits.rooms_per_socket;
        let is_too_long = room.len() > limits.room_name_bytes;
        let owner = self.owner(id, room);
        let socket = self.sockets.get_mut(id.0).ok_or(RoomError::Disconnected)?;
        if socket.stage == Stage::Connecting {
            return Err(RoomError::Disconnected);
        }
        match owner {
            Some(owner) if owner == id => return Ok(()),
            Some(_) => return Err(RoomError::Private),
            None => {}
        }
        if is_too_long {
            return Err(RoomError::NameTooLong);
        }
        let namespace = self
            .namespaces
            .get_mut(socket.namespace.index())
            .ok_or(RoomError::Disconnected)?;
        namespace.join(id, socket, room, limit)
    }

    /// The socket of the same namespace as `id` whose own room this is.
    fn owner(&self, id: SocketId, room: &str) -> Option<SocketId> {
        let owner = *self.by_sid.get(&Sid::parse(room)?)?;
        (self.namespace_of(owner) == self.namespace_of(id)).then_some(owner)
    }

    /// Takes a socket out of a room, which is gone with its last member.
    pub fn leave(&mut self, id: SocketId, room: &str) {
        let Some(socket) = self.sockets.get_mut(id.0) else {
            return;
        };
        let Some(namespace) = self.namespaces.get_mut(socket.namespace.index()) else {
            return;
        };
        let Some(slot) = namespace.slot(socket, room) else {
            return;
        };
        let mut rooms = core::mem::take(&mut socket.rooms);
        namespace.leave_slot(&mut rooms, slot, &mut self.sockets);
        if let Some(socket) = self.sockets.get_mut(id.0) {
            socket.rooms = rooms;
        }
    }

    /// Takes everybody out of a room, here and at the [peers](Self::add_peer).
    pub fn close_room(&mut self, namespace: NamespaceId, room: &str) {
        let target = Target {
            rooms: vec![Text::from(room)],
            ..Target::default()
        };
        self.leave_all(namespace, &target, room);
    }

    /// The rooms an accepted socket is in, that of its own id first.
    pub fn rooms(&self, id: SocketId) -> Vec<String> {
        let Some(socket) = self
            .sockets
            .get(id.0)
            .filter(|socket| socket.stage != Stage::Connecting)
        else {
            return Vec::new();
        };
        let own = core::iter::once(socket.sid.to_string());
        let namespace = self.namespaces.get(socket.namespace.index());
        let joined = socket
            .rooms
            .iter()
            .filter_map(|membership| namespace?.room_name(*membership));
        own.chain(joined.map(ToString::to_string)).collect()
    }

    /// The members of a room. The room of a socket's id has that socket in it.
    pub fn members(&self, namespace: NamespaceId, room: &str) -> Vec<SocketId> {
        if let Some(socket) = self.socket_by_sid(namespace, room) {
            return vec![socket];
        }
        self.namespaces
            .get(namespace.index())
            .map(|state| state.members(room).collect())
            .unwrap_or_default()
    }
}
