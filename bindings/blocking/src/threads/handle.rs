use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mio::net::TcpStream;
use socketio_driver::engine::{BoxStream, Dial, Handlers, Runtime};

use super::answer::Answer;
use super::net;
use super::shared::Shared;
use super::source::SocketStream;
use super::task::{Executor, Task};
use super::timers::Sleep;

/// The driver's view of [`Threads`](super::Threads), for its functions in [`engine`](crate::engine). It does not keep
/// the threads: once they have ended, what is given to them is dropped.
#[derive(Clone)]
pub struct ThreadsHandle(Arc<Shared>);

impl ThreadsHandle {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Runtime for ThreadsHandle {
    type Stream = SocketStream<TcpStream>;
    type Sleep = Sleep;

    const HANDLERS: Handlers = Handlers::Apart;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::new(Arc::clone(&self.0), deadline)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        Task::spawn(&self.0, Executor::Io, task);
    }

    fn spawn_handlers(&self, task: impl Future<Output = ()> + Send + 'static) {
        Task::spawn(&self.0, Executor::Workers, task);
    }
}

impl Dial for ThreadsHandle {
    /// On a worker, by the system's resolver.
    fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static + use<> {
        let (runtime, host) = (self.clone(), host.to_owned());
        async move {
            let (answer, promise) = Answer::promised(|| Err(io::Error::other("the threads have ended")));
            runtime.spawn_handlers(async move {
                promise.keep((host.as_str(), port).to_socket_addrs().map(Iterator::collect));
            });
            answer.get().await
        }
    }

    fn dial(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send + 'static + use<> {
        net::dial(Arc::clone(&self.0), address)
    }

    #[cfg(unix)]
    fn dial_unix(&self, path: &Path) -> impl Future<Output = io::Result<BoxStream>> + Send + 'static + use<> {
        let (shared, path) = (Arc::clone(&self.0), path.to_owned());
        async move {
            let stream = net::dial_unix(shared, &path).await?;
            Ok(Box::new(stream) as BoxStream)
        }
    }
}

impl fmt::Debug for ThreadsHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ThreadsHandle").finish_non_exhaustive()
    }
}
