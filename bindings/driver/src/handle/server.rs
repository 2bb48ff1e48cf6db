use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::core::{Counts, WriteArguments};
use crate::error::Error;
use crate::handle::{Broadcast, IntoRooms, Namespace, Socket};
use crate::inner::Inner;
use crate::router::{Async, Router, ServerBuilder};

/// A Socket.IO server: everybody who is connected. Clones are handles to the same server.
///
/// The verbs without a namespace mean the main one, `/`.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

impl Server {
    /// Begins a server for the asynchronous bindings; [`ServerBuilder::new`] makes the others.
    pub fn builder() -> ServerBuilder<Async> {
        ServerBuilder::new()
    }

    pub(crate) fn new(router: Router) -> Self {
        Self(Inner::new(router))
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    /// What was built: handlers, settings and hooks.
    pub fn router(&self) -> &Router {
        self.0.router()
    }

    /// The namespace called `name`. One that was not registered with the builder answers every verb with
    /// [`Error::UnknownNamespace`].
    pub fn of(&self, name: &str) -> Namespace {
        Namespace::new(Arc::clone(&self.0), self.0.router().find(name))
    }

    /// Sends `event` to everybody; see [`Broadcast::emit`].
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        self.main().emit(event, arguments)
    }

    /// Everybody in these rooms.
    pub fn to(&self, rooms: impl IntoRooms) -> Broadcast {
        self.main().to(rooms)
    }

    /// Everybody but those in these rooms.
    pub fn except(&self, rooms: impl IntoRooms) -> Broadcast {
        self.main().except(rooms)
    }

    /// Everybody, as far as they are ready to take it at once.
    pub fn volatile(&self) -> Broadcast {
        self.main().volatile()
    }

    /// The sockets that are connected now.
    pub fn sockets(&self) -> Result<Vec<Socket>, Error> {
        self.main().sockets()
    }

    /// How many of everything there are. Costs a look at each session, while nobody else is served.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn counts(&self) -> Result<Counts, Error> {
        self.0.with_core(|core, _| core.counts())
    }

    /// Takes everybody out of these rooms.
    pub fn close_room(&self, rooms: impl IntoRooms) -> Result<(), Error> {
        self.main().close_room(rooms)
    }

    /// Ends the server: nobody new is let in, everybody is disconnected, and what is queued is sent for at
    /// most `grace`, or a year. Returns at once; the binding's `serve` returns when all is done.
    ///
    /// It does not wait for handlers that are still running, and what they send or return afterwards is not sent: a
    /// handler that shuts its server down loses its own acknowledgement. A second shutdown is `Ok`.
    ///
    /// Clients see a lost connection and come back, to this server's successor or another. Those that shall not,
    /// [`disconnect`](Socket::disconnect) before.
    pub fn shutdown(&self, grace: Duration) -> Result<(), Error> {
        self.0.shutdown(grace)
    }

    fn main(&self) -> Namespace {
        self.of("/")
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").finish_non_exhaustive()
    }
}
