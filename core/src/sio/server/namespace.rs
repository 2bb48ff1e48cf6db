//! Namespaces and the room table: dense member lists with back references, so that leaving is a swap and a
//! disconnecting client costs its own rooms only.

use super::socket::{Membership, Socket, Stage};
use super::{RoomError, SocketId};
use crate::Text;
use crate::id::Keyed;
use crate::slab::Slab;
use hashbrown::HashMap;

pub(super) struct Namespace {
    pub(super) name: Text,
    /// All accepted sockets.
    pub(super) sockets: Vec<SocketId>,
    /// The number of the next acknowledgement asked for, counted per namespace so that a broadcast that asks
    /// for them is encoded once.
    pub(super) next_ack: u64,
    by_name: HashMap<Text, u32, Keyed>,
    rooms: Vec<Option<Room>>,
    free: Vec<u32>,
}

struct Room {
    name: Text,
    members: Vec<Member>,
}

/// A member of a room, and where the room stands in the member's own list.
#[derive(Clone, Copy)]
struct Member {
    socket: SocketId,
    slot: u32,
}

impl Namespace {
    pub(super) fn new(name: Text, keyed: Keyed) -> Self {
        Self {
            name,
            sockets: Vec::new(),
            next_ack: 0,
            by_name: HashMap::with_hasher(keyed),
            rooms: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(super) fn room_count(&self) -> usize {
        self.by_name.len()
    }

    /// The members of a room; none when there is no such room.
    pub(super) fn members(&self, room: &str) -> impl ExactSizeIterator<Item = SocketId> + '_ {
        let members = self
            .find(room)
            .and_then(|room| self.room(room))
            .map_or(&[][..], |room| &room.members);
        members.iter().map(|member| member.socket)
    }

    pub(super) fn room_name(&self, membership: Membership) -> Option<&Text> {
        Some(&self.room(membership.room)?.name)
    }

    /// Puts an accepted socket into the list of all.
    pub(super) fn enter(&mut self, id: SocketId, socket: &mut Socket) {
        socket.stage = Stage::Connected {
            place: self.sockets.len() as u32,
        };
        self.sockets.push(id);
    }

    pub(super) fn join(
        &mut self,
        id: SocketId,
        socket: &mut Socket,
        name: &str,
        limit: usize,
    ) -> Result<(), RoomError> {
        let room = match self.find(name) {
            Some(room) if socket.rooms.iter().any(|membership| membership.room == room) => return Ok(()),
            found if socket.rooms.len() >= limit => {
                debug_assert!(found.is_none_or(|room| self.room(room).is_some()));
                return Err(RoomError::TooManyRooms);
            }
            Some(room) => room,
            None => self.create(name),
        };
        let slot = socket.rooms.len() as u32;
        if let Some(room_state) = self.rooms.get_mut(room as usize).and_then(Option::as_mut) {
            socket.rooms.push(Membership {
                room,
                place: room_state.members.len() as u32,
            });
            room_state.members.push(Member { socket: id, slot });
        }
        Ok(())
    }

    /// Takes `id` out of the list of all and out of its rooms. The sockets whose places moved are mended.
    pub(super) fn depart(&mut self, socket: &mut Socket, sockets: &mut Slab<Socket>) {
        let mut rooms = core::mem::take(&mut socket.rooms);
        while let Some(slot) = rooms.len().checked_sub(1) {
            self.leave_slot(&mut rooms, slot, sockets);
        }
        if let Stage::Connected { place } = core::mem::replace(&mut socket.stage, Stage::Connecting) {
            if (place as usize) < self.sockets.len() {
                self.sockets.swap_remove(place as usize);
            }
            let moved = self
                .sockets
                .get(place as usize)
                .and_then(|moved| sockets.get_mut(moved.0));
            if let Some(moved) = moved {
                moved.stage = Stage::Connected { place };
            }
        }
    }

    /// The place of a room in a socket's own list.
    pub(super) fn slot(&self, socket: &Socket, name: &str) -> Option<usize> {
        let room = self.find(name)?;
        socket.rooms.iter().position(|membership| membership.room == room)
    }

    /// Takes a socket out of one of its rooms, which are `rooms`, taken out of the socket for the moment.
    pub(super) fn leave_slot(
        &mut self,
        rooms: &mut Vec<Membership>,
        slot: usize,
        sockets: &mut Slab<Socket>,
    ) {
        if slot >= rooms.len() {
            return;
        }
        let left = rooms.swap_remove(slot);
        if let Some(moved) = rooms.get(slot).copied() {
            // The last of the socket's rooms took the slot; its member entry must say so.
            let members = self.rooms.get_mut(moved.room as usize).and_then(Option::as_mut);
            if let Some(member) = members.and_then(|room| room.members.get_mut(moved.place as usize)) {
                member.slot = slot as u32;
            }
        }
        let Some(room) = self.rooms.get_mut(left.room as usize).and_then(Option::as_mut) else {
            return;
        };
        if (left.place as usize) < room.members.len() {
            room.members.swap_remove(left.place as usize);
        }
        if let Some(moved) = room.members.get(left.place as usize).copied() {
            let memberships = sockets.get_mut(moved.socket.0).map(|socket| &mut socket.rooms);
            if let Some(membership) = memberships.and_then(|rooms| rooms.get_mut(moved.slot as usize)) {
                membership.place = left.place;
            }
        }
        if room.members.is_empty() {
            self.delete(left.room);
        }
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.by_name.get(name.as_bytes()).copied()
    }

    fn room(&self, room: u32) -> Option<&Room> {
        self.rooms.get(room as usize)?.as_ref()
    }

    fn create(&mut self, name: &str) -> u32 {
        let name = Text::from(name);
        let state = Some(Room {
            name: name.clone(),
            members: Vec::new(),
        });
        let room = match self.free.pop() {
            Some(room) => {
                if let Some(slot) = self.rooms.get_mut(room as usize) {
                    *slot = state;
                }
                room
            }
            None => {
                self.rooms.push(state);
                (self.rooms.len() - 1) as u32
            }
        };
        self.by_name.insert(name, room);
        room
    }

    fn delete(&mut self, room: u32) {
        if let Some(state) = self.rooms.get_mut(room as usize).and_then(Option::take) {
            self.by_name.remove(state.name.as_bytes());
            self.free.push(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eio::{SessionId, Watch};
    use crate::id::Random;
    use crate::sio::NamespaceId;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    struct Table {
        namespace: Namespace,
        sockets: Slab<Socket>,
        random: Random,
    }

    impl Table {
        fn new() -> Self {
            let mut random = Random::new([7; 32]);
            Self {
                namespace: Namespace::new("/".into(), random.keyed()),
                sockets: Slab::new(),
                random,
            }
        }

        fn enter(&mut self) {
            let key = self.sockets.next_key();
            let mut socket = Socket {
                session: SessionId(key),
                namespace: NamespaceId(0),
                sid: self.random.sid(0),
                auth: None,
                stage: Stage::Connecting,
                watch: Watch::Idle,
                rooms: Vec::new(),
                mark: 0,
                acks: BTreeMap::new(),
            };
            self.namespace.enter(SocketId(key), &mut socket);
            self.sockets.insert(socket);
        }

        /// The socket at that place among all, if there are any.
        fn pick(&self, place: usize) -> Option<SocketId> {
            let place = place.checked_rem(self.namespace.sockets.len())?;
            self.namespace.sockets.get(place).copied()
        }

        fn join(&mut self, id: SocketId, room: &str) {
            let socket = self.sockets.get_mut(id.0).unwrap();
            self.namespace.join(id, socket, room, 5).unwrap();
        }

        fn leave(&mut self, id: SocketId, room: &str) {
            let socket = self.sockets.get_mut(id.0).unwrap();
            if let Some(slot) = self.namespace.slot(socket, room) {
                let mut rooms = core::mem::take(&mut socket.rooms);
                self.namespace.leave_slot(&mut rooms, slot, &mut self.sockets);
                self.sockets.get_mut(id.0).unwrap().rooms = rooms;
            }
        }

        fn depart(&mut self, id: SocketId) {
            let mut socket = self.sockets.remove(id.0).unwrap();
            self.namespace.depart(&mut socket, &mut self.sockets);
        }

        /// Every reference has one back to it, and nothing is empty that is kept.
        fn assert_consistent(&self) {
            let mut memberships = 0;
            for (place, id) in self.namespace.sockets.iter().enumerate() {
                let socket = self.sockets.get(id.0).unwrap();
                assert!(socket.stage == Stage::Connected { place: place as u32 });
                for (slot, membership) in socket.rooms.iter().enumerate() {
                    let room = self.namespace.room(membership.room).unwrap();
                    let member = room.members[membership.place as usize];
                    assert_eq!((member.socket, member.slot as usize), (*id, slot));
                }
                memberships += socket.rooms.len();
            }
            assert_eq!(self.namespace.sockets.len(), self.sockets.len());
            let mut rooms = 0;
            for (index, room) in self.namespace.rooms.iter().enumerate() {
                let Some(room) = room else {
                    assert!(self.namespace.free.contains(&(index as u32)));
                    continue;
                };
                assert_eq!(self.namespace.find(room.name.as_str()), Some(index as u32));
                assert!(!room.members.is_empty());
                memberships -= room.members.len();
                rooms += 1;
            }
            assert_eq!(memberships, 0);
            assert_eq!(rooms, self.namespace.room_count());
            assert_eq!(rooms + self.namespace.free.len(), self.namespace.rooms.len());
        }
    }

    proptest! {
        #[test]
        fn every_reference_has_one_back(steps in prop::collection::vec((0..12_u8, 0..8_usize, 0..5_u8), 0..200)) {
            let mut table = Table::new();
            for (verb, place, room) in steps {
                let room = room.to_string();
                match (verb, table.pick(place)) {
                    (0..=1, _) | (_, None) => table.enter(),
                    (2, Some(id)) => table.depart(id),
                    (3..=7, Some(id)) => table.join(id, &room),
                    (_, Some(id)) => table.leave(id, &room),
                }
                table.assert_consistent();
            }
            while let Some(id) = table.pick(0) {
                table.depart(id);
                table.assert_consistent();
            }
            prop_assert_eq!(table.namespace.room_count(), 0);
        }
    }
}
