use std::fmt;
use std::sync::Arc;

use crate::core::{NamespaceId, WriteArguments};
use crate::error::Error;
use crate::handle::{Broadcast, IntoRooms, Socket, rooms};
use crate::inner::Inner;

/// One namespace of a server. Made with [`Server::of`](crate::Server::of) or
/// [`Socket::namespace`](crate::Socket::namespace).
#[derive(Clone)]
pub struct Namespace {
    inner: Arc<Inner>,
    /// `None` for a name that was not registered; every verb then says so.
    position: Option<usize>,
}

impl Namespace {
    pub(crate) fn new(inner: Arc<Inner>, position: Option<usize>) -> Self {
        Self { inner, position }
    }

    /// The name, beginning with `/`; empty for a namespace that was not registered.
    pub fn name(&self) -> &str {
        self.position
            .map_or("", |position| self.inner.router().name(position))
    }

    /// Sends `event` to everybody here; see [`Broadcast::emit`].
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        self.everybody().emit(event, arguments)
    }

    /// Everybody in these rooms.
    pub fn to(&self, rooms: impl IntoRooms) -> Broadcast {
        self.everybody().to(rooms)
    }

    /// Everybody but those in these rooms.
    pub fn except(&self, rooms: impl IntoRooms) -> Broadcast {
        self.everybody().except(rooms)
    }

    /// Everybody, as far as they are ready to take it at once.
    pub fn volatile(&self) -> Broadcast {
        self.everybody().volatile()
    }

    /// The sockets that are connected now.
    pub fn sockets(&self) -> Result<Vec<Socket>, Error> {
        let id = self.id()?;
        let ids = self.inner.with_core(|core, _| core.sockets(id).to_vec())?;
        Ok(self.inner.sockets(&ids))
    }

    /// The sockets that are in `room` now.
    pub fn sockets_in(&self, room: &str) -> Result<Vec<Socket>, Error> {
        let id = self.id()?;
        let ids = self.inner.with_core(|core, _| core.members(id, room))?;
        Ok(self.inner.sockets(&ids))
    }

    /// The socket with this public id, if it is connected.
    pub fn socket(&self, sid: &str) -> Result<Option<Socket>, Error> {
        let id = self.id()?;
        let socket = self.inner.with_core(|core, _| core.socket_by_sid(id, sid))?;
        Ok(socket.and_then(|socket| self.inner.socket(socket)))
    }

    /// Takes everybody out of these rooms.
    pub fn close_room(&self, rooms: impl IntoRooms) -> Result<(), Error> {
        let (id, rooms) = (self.id()?, rooms::list(rooms));
        self.inner
            .with_core(|core, _| rooms.iter().for_each(|room| core.close_room(id, room.as_str())))
    }

    fn id(&self) -> Result<NamespaceId, Error> {
        self.inner
            .namespace_id(self.position.ok_or(Error::UnknownNamespace)?)
    }

    fn everybody(&self) -> Broadcast {
        Broadcast::new(Arc::clone(&self.inner), self.id(), None)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Namespace").field(&self.name()).finish()
    }
}
