use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socketio_driver::bare::EngineServer;
use socketio_driver::engine::{self, Runtime};

use crate::threads::{Answer, Threads, Timeout, wait_anyhow, wait_ready};
use crate::{IntoListener, Server};

/// How long a [`Serving`] that is dropped gives its server to close connections: 2 seconds.
pub const DROP_GRACE: Duration = Duration::from_secs(2);
/// What ending may take beyond the grace of a shutdown.
const MARGIN: Duration = Duration::from_millis(500);

/// Serves the connections of `listener` until the server is [shut down](socketio_driver::Server::shutdown): by a
/// handler, say, or on another thread that has a clone of it. The listener is one of the standard library for TCP or
/// Unix sockets, or one of those with TLS.
///
/// It makes threads of its own, and returns when they have ended: at most
/// [`DEFAULT_END_TIMEOUT`](crate::DEFAULT_END_TIMEOUT) after the grace of the shutdown, whatever handlers do.
///
/// # Errors
/// When the server is served already, its client bundle cannot be read, the listener fails for good, or the system
/// gives no thread.
pub fn serve(listener: impl IntoListener, server: impl Into<Server>) -> io::Result<()> {
    start_server(listener, server)?.join()
}

/// Serves the connections of `listener` beside the caller, on threads of its own, until the server is shut down or
/// what this returns is dropped.
///
/// ```
/// use std::net::TcpListener;
/// use socketio_blocking::Server;
///
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let serving = socketio_blocking::start_server(listener, Server::builder().build())?;
/// println!("serving {address}");
/// drop(serving); // or serving.join()
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the server is served already, its client bundle cannot be read, or the system gives no thread.
pub fn start_server(listener: impl IntoListener, server: impl Into<Server>) -> io::Result<Serving> {
    Threads::builder().build()?.start_server(listener, server)
}

/// Serves the connections of `listener` until the Engine.IO server is [shut down](EngineServer::shutdown), as
/// [`serve`] does.
///
/// # Errors
/// When the server is served already, the listener fails for good, or the system gives no thread.
pub fn serve_engine(listener: impl IntoListener, server: EngineServer) -> io::Result<()> {
    start_engine(listener, server)?.join()
}

/// Serves an Engine.IO server beside the caller, as [`start_server`] does.
///
/// # Errors
/// When the server is served already, or the system gives no thread.
pub fn start_engine(listener: impl IntoListener, server: EngineServer) -> io::Result<Serving> {
    Threads::builder().build()?.start_engine(listener, server)
}

/// Servers on these threads.
impl Threads {
    /// Serves on these threads, as [`serve`] does on some of its own.
    ///
    /// # Errors
    /// As [`serve`].
    pub fn serve(&self, listener: impl IntoListener, server: impl Into<Server>) -> io::Result<()> {
        self.start_server(listener, server)?.join()
    }

    /// Serves beside the caller on these threads, as [`start_server`] does on some of its own.
    ///
    /// # Errors
    /// As [`start_server`].
    pub fn start_server(
        &self,
        listener: impl IntoListener,
        server: impl Into<Server>,
    ) -> io::Result<Serving> {
        let (handle, server) = (self.handle(), server.into());
        let listener = listener.into_listener(&handle)?;
        let served = engine::serve(handle, listener, server.clone().into());
        self.run(served, move |grace| drop(server.shutdown(grace)))
    }

    /// Serves on these threads, as [`serve_engine`] does on some of its own.
    ///
    /// # Errors
    /// As [`serve_engine`].
    pub fn serve_engine(&self, listener: impl IntoListener, server: EngineServer) -> io::Result<()> {
        self.start_engine(listener, server)?.join()
    }

    /// Serves beside the caller on these threads, as [`start_engine`] does on some of its own.
    ///
    /// # Errors
    /// As [`start_engine`].
    pub fn start_engine(&self, listener: impl IntoListener, server: EngineServer) -> io::Result<Serving> {
        let handle = self.handle();
        let listener = listener.into_listener(&handle)?;
        let served = engine::serve_engine(handle, listener, server.clone());
        self.run(served, move |grace| drop(server.shutdown(grace)))
    }

    fn run(
        &self,
        served: impl Future<Output = io::Result<()>> + Send + 'static,
        shutdown: impl Fn(Duration) + Send + Sync + 'static,
    ) -> io::Result<Serving> {
        let mut served: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(served);
        let (answer, promise) = Answer::promised(|| Err(io::Error::other("the threads have ended")));
        // Here, so that the caller hears what keeps the server from being served.
        match served.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(ended) => promise.keep(Ok(ended?)),
            Poll::Pending => self.handle().spawn(async move { promise.keep(served.await) }),
        }
        Ok(Serving {
            answer: Some(answer),
            shutdown: Box::new(shutdown),
            threads: self.clone(),
        })
    }
}

/// A server that is served beside the caller.
///
/// Dropping it shuts the server down: what is queued is sent for at most [`DROP_GRACE`], and then its threads end, if
/// nobody else uses them; see [`Threads`]. Dropped by a handler of the server itself, it only begins that.
#[must_use = "the server is shut down when this is dropped; join() waits for its end"]
pub struct Serving {
    /// How serving ended; `None` once somebody has taken it.
    answer: Option<Answer<io::Result<()>>>,
    shutdown: Box<dyn Fn(Duration) + Send + Sync>,
    /// Last, so that they end after the server.
    threads: Threads,
}

impl Serving {
    /// Waits until the server was [shut down](socketio_driver::Server::shutdown) and its threads have ended, as
    /// [`serve`] does.
    ///
    /// # Errors
    /// When the listener has failed for good, or a handler of the last worker asks, as that could never end: then the
    /// server is shut down as if this was dropped.
    pub fn join(mut self) -> io::Result<()> {
        let Some(answer) = self.answer.take() else {
            return Ok(());
        };
        match wait_ready(answer.get(), Timeout::Never) {
            Ok(Some(ended)) => ended,
            Ok(None) => Ok(()),
            Err(_) => {
                // Nobody else can end the server now; its drop does.
                self.answer = Some(answer);
                Err(io::Error::other(socketio_driver::Error::WouldDeadlock))
            }
        }
    }

    /// Ends the server within `grace`; see [`Server::shutdown`](socketio_driver::Server::shutdown). Returns at once.
    pub fn shutdown(&self, grace: Duration) {
        (self.shutdown)(grace);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let Some(answer) = self.answer.take() else { return };
        (self.shutdown)(DROP_GRACE);
        if self.threads.may_be_waited_for() {
            let timeout = Timeout::of(DROP_GRACE + MARGIN);
            // What is not over by then ends with its threads.
            let _ = wait_anyhow(answer.get(), timeout);
        }
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Serving").finish_non_exhaustive()
    }
}
