use std::future::{Future, ready};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::BytesMut;

use crate::core::Peer;

/// What an asynchronous runtime gives a binding: connections, time, tasks and a seed.
///
/// A runtime is a cheap handle; the simulator's carries a pointer to its world. All time in the driver is this
/// trait's, so that a world can own the clock.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// A byte stream between two processes.
    type Stream: Stream;
    /// A future that ends at a moment given to [`sleep_until`](Self::sleep_until), with whatever output. Once it has
    /// ended it is not polled again.
    type Sleep: Future + Send + 'static;

    /// Where the application's handlers run.
    const HANDLERS: Handlers = Handlers::InPlace;

    /// The current moment.
    fn now(&self) -> Instant;

    /// Sleeps until `deadline`; ends at once when it has passed.
    fn sleep_until(&self, deadline: Instant) -> Self::Sleep;

    /// Runs `task` beside the caller, to its end.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Runs `task`, in which handlers of the application are called, beside the caller; asked for with
    /// [`Handlers::Apart`] only. Each of its polls calls one handler, which may block.
    fn spawn_handlers(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn(task);
    }

    /// Randomness for the core, from the operating system unless the runtime replays a world.
    ///
    /// # Errors
    /// When the system has none to give.
    fn seed(&self) -> io::Result<[u8; 32]> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        Ok(seed)
    }
}

/// Where the application's handlers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handlers {
    /// On the task of the connection that brought the event, as far as they do not wait.
    InPlace,
    /// On tasks of their own, given to [`Runtime::spawn_handlers`]: handlers may block, and no connection waits for
    /// one. So do gates, fallbacks and a client's callbacks.
    Apart,
}

/// A runtime that can make connections, as clients want it.
pub trait Dial: Runtime {
    /// The addresses of a host, in the order in which they are to be tried. `host` is a name or an address without
    /// brackets.
    fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static + use<Self>;

    /// Connects to an address by TCP, without delay of small packets. Dropping the future gives the attempt up.
    fn dial(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send + 'static + use<Self>;

    /// Connects to a Unix socket. Where there are none it is [`io::ErrorKind::Unsupported`], as it is by default.
    fn dial_unix(
        &self,
        path: &Path,
    ) -> impl Future<Output = io::Result<BoxStream>> + Send + 'static + use<Self> {
        let _ = path;
        let text = "this runtime cannot connect to Unix sockets; use one that can";
        ready(Err(io::Error::new(io::ErrorKind::Unsupported, text)))
    }
}

/// A connection as the driver uses it. Dropping it closes it.
pub trait Stream: Send + Unpin + 'static {
    /// Appends what has arrived to the spare room of `buffer`, which has some; `Ok(0)` is the end of the stream.
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>>;

    /// Writes some of `slices`; says how many bytes.
    fn poll_write(&mut self, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Sends what was written and is kept back by the stream itself, as TLS does. Asked for again until it is
    /// `Ready`; most streams keep nothing back.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = context;
        Poll::Ready(Ok(()))
    }

    /// Ends the sending side, so that the peer sees the end after everything written.
    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Reads what is of no use any more, into `buffer`, of which nothing is used either; says how many bytes that was,
    /// and `Ok(0)` at the end of the stream. Streams that have to work for what they read need not.
    fn poll_discard(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.poll_read(context, buffer)
    }
}

/// A connection of any kind: TCP, Unix, TLS over one of them.
pub type BoxStream = Box<dyn Stream>;

impl<S: Stream + ?Sized> Stream for Box<S> {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        (**self).poll_read(context, buffer)
    }

    fn poll_write(&mut self, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        (**self).poll_write(context, slices)
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_flush(context)
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_shutdown(context)
    }

    fn poll_discard(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        (**self).poll_discard(context, buffer)
    }
}

/// Where connections of the runtime `R` come from. A binding implements it for the listeners of its runtime.
pub trait Listener<R>: Send + 'static {
    /// What it accepts.
    type Stream: Stream;

    /// The next connection and who made it. The future is dropped only to accept no more.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, Peer)>> + Send;
}
