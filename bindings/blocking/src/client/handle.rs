use std::fmt;
use std::io;
use std::ops::Deref;
use std::time::Duration;

use socketio_driver::client::{ConnectError, IntoEndpoint};
use socketio_driver::engine;
use socketio_driver::{ClientBuilder, ClientReason, Error};

use super::ConnectionEvents;
use crate::Blocking;
use crate::threads::{Threads, Timeout, wait_anyhow, wait_for};

/// What closing may take beyond the client's `close_timeout`.
const MARGIN: Duration = Duration::from_millis(500);

/// Connects to a server, and waits until every namespace is joined.
///
/// All clients share the same threads, unless they are connected on [some of their own](Threads::connect).
///
/// ```no_run
/// use socketio_blocking::{Arg, Client};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let builder = Client::builder("http://127.0.0.1:3000").on("said", |Arg(text): Arg<String>| println!("{text}"));
/// let client = socketio_blocking::connect(builder)?;
/// client.emit("say", "hi")?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the description contradicts itself, the connection cannot be made, or the server refuses a namespace. Unless
/// [`retry_initial`](ClientBuilder::retry_initial) says otherwise, the first attempt that fails is an error.
pub fn connect(builder: ClientBuilder<Blocking>) -> Result<Client, ConnectError> {
    of_clients()?.connect(builder)
}

/// Starts a client and does not wait: what is emitted before it is connected follows
/// [`offline`](ClientBuilder::offline).
///
/// # Errors
/// When the description contradicts itself, or the system gives no thread.
pub fn start(builder: ClientBuilder<Blocking>) -> io::Result<Client> {
    Threads::of_clients()?.start(builder)
}

/// Clients on these threads.
impl Threads {
    /// Connects on these threads, as [`connect`] does on those that clients share.
    ///
    /// # Errors
    /// As [`connect`].
    pub fn connect(&self, builder: ClientBuilder<Blocking>) -> Result<Client, ConnectError> {
        let connected = wait_for(engine::connect(self.handle(), builder));
        Ok(self.kept(connected.unwrap_or_else(|_| Err(deadlock()))?))
    }

    /// Starts a client on these threads, as [`start`] does on those that clients share.
    ///
    /// # Errors
    /// As [`start`].
    pub fn start(&self, builder: ClientBuilder<Blocking>) -> io::Result<Client> {
        Ok(self.kept(engine::start(self.handle(), builder)?))
    }

    fn kept(&self, client: socketio_driver::Client) -> Client {
        self.keep(&client);
        Client(client)
    }

    /// Keeps these threads for a client, whose last handle waits until it is closed.
    pub(crate) fn keep(&self, client: &socketio_driver::Client) {
        let threads = self.clone();
        engine::on_last_drop(client, move |ended, close_timeout| {
            if threads.may_be_waited_for() {
                let timeout = Timeout::of(close_timeout.saturating_add(MARGIN));
                // What is not over by then ends with its threads.
                let _ = wait_anyhow(ended, timeout);
            }
        });
    }
}

/// The threads that clients share.
pub(crate) fn of_clients() -> Result<Threads, ConnectError> {
    Threads::of_clients().map_err(|error| ConnectError::Runtime(error.to_string()))
}

pub(crate) fn deadlock() -> ConnectError {
    ConnectError::Runtime(Error::WouldDeadlock.to_string())
}

/// A Socket.IO client: one connection to a server with any number of namespaces. Clones are handles to the same
/// client, from any thread, and its verbs are those of the driver's [`Client`](socketio_driver::Client); calls are
/// waited for with [`Wait::wait`](crate::Wait::wait).
///
/// It connects again by itself when the connection is lost. When the last handle is dropped (a `Client`, or a socket of
/// [`of`](socketio_driver::Client::of)) it disconnects: what is queued is sent first, and the drop waits until the
/// connection is closed, at most `close_timeout` and half a second more. Dropped by one of its own handlers it does not
/// wait. Handlers that hold a `Client` keep it for ever, so let them take
/// [`ClientSocket`](crate::ClientSocket) as an argument instead.
///
/// ```no_run
/// use std::time::Duration;
/// use socketio_blocking::{Client, Wait};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = socketio_blocking::connect(Client::builder("http://127.0.0.1:3000"))?;
/// client.emit("say", "hi")?;
/// let name: String = client.call("whoami", &()).timeout(Duration::from_secs(5)).wait()?;
/// client.disconnect();
/// println!("{name} left: {}", client.closed());
/// # Ok(()) }
/// ```
///
/// Its handlers and callbacks are plain functions; asynchronous ones are refused by the compiler:
///
/// ```compile_fail,E0277
/// # use socketio_blocking::{Arg, Client};
/// Client::builder("http://127.0.0.1:3000").on("no", async |Arg(_): Arg<i64>| ());
/// ```
#[derive(Clone)]
pub struct Client(socketio_driver::Client);

impl Client {
    /// Begins a client of the server at `url`.
    ///
    /// `http`, `https`, `ws` and `wss` differ in TLS only; `unix:/path/to.sock` is a Unix socket. The path of the URL
    /// must be empty, because two things are meant by it: a [namespace](ClientBuilder::namespace), or
    /// [where the server is mounted](ClientBuilder::path). What is wrong with a URL is said when the client starts.
    pub fn builder(url: impl IntoEndpoint) -> ClientBuilder<Blocking> {
        ClientBuilder::new(url)
    }

    /// Waits until there is no connection and none will be made, and says why.
    pub fn closed(&self) -> ClientReason {
        let mut closed = std::pin::pin!(self.0.closed());
        loop {
            // What ends a client needs no worker, so that the last one may wait for it, too.
            if let Some(reason) = wait_anyhow(closed.as_mut(), Timeout::Never) {
                return reason;
            }
        }
    }

    /// Waits at most `timeout` until there is no connection and none will be made, and says why; `None` when it takes
    /// longer.
    pub fn closed_timeout(&self, timeout: Duration) -> Option<ClientReason> {
        wait_anyhow(self.0.closed(), Timeout::of(timeout))
    }

    /// What happens to the connection from now on. After [`connect`] the first connection is past; with [`start`] its
    /// `Connected` is still to come, though the first `Connecting` may be past as well.
    pub fn events(&self) -> ConnectionEvents {
        ConnectionEvents::new(self.0.events())
    }
}

impl Deref for Client {
    type Target = socketio_driver::Client;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The same client: it is waited for when it was connected by this binding.
impl From<socketio_driver::Client> for Client {
    fn from(client: socketio_driver::Client) -> Self {
        Self(client)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
