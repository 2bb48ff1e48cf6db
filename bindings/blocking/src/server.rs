use std::fmt;
use std::ops::Deref;

use socketio_driver::{Extract, ExtractError, ServerBuilder, extract::Requirements};

use crate::Blocking;

/// A Socket.IO server: everybody who is connected. Clones are handles to the same server, and its verbs are those of
/// the driver's [`Server`](socketio_driver::Server), none of which waits. Handlers can take it as an argument.
///
/// ```
/// use socketio_blocking::{Arg, Server, Socket};
///
/// let server = Server::builder()
///     .on("shout", |server: Server, Arg(text): Arg<String>| server.emit("shouted", &text))
///     .on("say", |socket: Socket, Arg(text): Arg<String>| socket.broadcast().emit("said", &text))
///     .build();
/// # let _ = server;
/// ```
///
/// Its handlers are plain functions; asynchronous ones are refused by the compiler:
///
/// ```compile_fail,E0277
/// # use socketio_blocking::{Arg, Server};
/// Server::builder().on("no", async |Arg(_): Arg<i64>| ());
/// ```
#[derive(Clone)]
pub struct Server(socketio_driver::Server);

impl Server {
    /// Begins a server.
    pub fn builder() -> ServerBuilder<Blocking> {
        ServerBuilder::new()
    }
}

impl Deref for Server {
    type Target = socketio_driver::Server;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<socketio_driver::Server> for Server {
    fn from(server: socketio_driver::Server) -> Self {
        Self(server)
    }
}

impl From<Server> for socketio_driver::Server {
    fn from(server: Server) -> Self {
        server.0
    }
}

impl<C> Extract<C> for Server
where
    socketio_driver::Server: Extract<C>,
{
    fn extract(context: &mut C) -> Result<Self, ExtractError> {
        socketio_driver::Server::extract(context).map(Self)
    }

    fn require(requirements: &mut Requirements) {
        socketio_driver::Server::require(requirements);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
