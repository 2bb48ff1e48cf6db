//! A runtime for which handlers are no part of connections.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use socketio_driver::engine::{Dial, Handlers, Runtime};

use crate::host::{Host, SimStream};
use crate::world::Sleep;

/// A host on which handlers run on tasks of their own, as they do where they may block.
#[derive(Clone)]
pub struct HandlersApart(pub Host);

impl Runtime for HandlersApart {
    type Stream = SimStream;
    type Sleep = Sleep;

    const HANDLERS: Handlers = Handlers::Apart;

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.0.sleep_until(deadline)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.run(task);
    }

    fn seed(&self) -> io::Result<[u8; 32]> {
        self.0.seed()
    }
}

impl Dial for HandlersApart {
    fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static + use<> {
        self.0.resolve(host, port)
    }

    fn dial(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<SimStream>> + Send + 'static + use<> {
        self.0.dial(address)
    }
}
