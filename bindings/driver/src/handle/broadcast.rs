use std::sync::Arc;

use crate::core::{Delivery, NamespaceId, SocketId, Target, WriteArguments};
use crate::encoding;
use crate::error::Error;
use crate::handle::IntoRooms;
use crate::inner::Inner;

/// An emission to several sockets, being described; nothing happens before [`emit`](Self::emit).
///
/// A socket in several of the rooms hears it once.
#[derive(Clone)]
#[must_use = "a broadcast does nothing before emit() is called"]
pub struct Broadcast {
    inner: Arc<Inner>,
    /// An error stays here until there is somebody to tell.
    namespace: Result<NamespaceId, Error>,
    target: Target,
    delivery: Delivery,
}

impl Broadcast {
    pub(crate) fn new(
        inner: Arc<Inner>,
        namespace: Result<NamespaceId, Error>,
        skip: Option<SocketId>,
    ) -> Self {
        let target = Target {
            skip,
            ..Target::default()
        };
        Self {
            inner,
            namespace,
            target,
            delivery: Delivery::Reliable,
        }
    }

    /// Adds rooms; with none at all the whole namespace is meant.
    pub fn to(mut self, rooms: impl IntoRooms) -> Self {
        rooms.add_to(&mut self.target.rooms);
        self
    }

    /// Leaves out everybody in these rooms.
    pub fn except(mut self, rooms: impl IntoRooms) -> Self {
        rooms.add_to(&mut self.target.except);
        self
    }

    /// Drops the packet for those who are not ready to take it at once.
    pub fn volatile(mut self) -> Self {
        self.delivery = Delivery::Volatile;
        self
    }

    /// Sends `event`. A tuple makes several arguments, `&()` none, everything else one; binary as with
    /// [`Socket::emit`](crate::Socket::emit).
    ///
    /// # Errors
    /// When `arguments` cannot be serialised, the event is reserved, the namespace is unknown or the server
    /// does not run. Recipients whose queue is full miss it, and their
    /// sessions are closed: [`Limits::queued_bytes`](crate::Limits::queued_bytes).
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        let namespace = self.namespace.clone()?;
        let packet = encoding::event(self.inner.router().name(namespace.index()), event, arguments)?;
        self.inner
            .with_core(|core, now| core.broadcast(now, namespace, &self.target, &packet, self.delivery))?;
        Ok(())
    }
}
