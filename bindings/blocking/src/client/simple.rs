use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use socketio_driver::client::{
    ConnectError, Incoming, IntoEndpoint, RecvError, SimpleCall, SimpleClientBuilder,
};
use socketio_driver::engine;
use socketio_driver::{Arguments, ClientBuilder, Error, Text, Transport, WriteArguments};

use super::handle::{deadlock, of_clients};
use super::{Client, ConnectionEvents};
use crate::Blocking;
use crate::threads::{Threads, Timeout, wait_anyhow, wait_for, wait_ready};

/// Connects a client whose events are taken instead of handed to handlers, and waits until every namespace is joined.
/// It is described by a URL alone, or with [`SimpleClient::builder`].
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = socketio_blocking::connect_simple("http://127.0.0.1:3000")?;
/// client.emit("say", "hi")?;
/// let event = client.recv()?;
/// println!("{}: {:?}", event.name(), event.arg::<String>());
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`connect`](crate::connect).
pub fn connect_simple(
    builder: impl Into<SimpleClientBuilder<Blocking>>,
) -> Result<SimpleClient, ConnectError> {
    of_clients()?.connect_simple(builder)
}

/// Clients without handlers on these threads.
impl Threads {
    /// Connects on these threads, as [`connect_simple`] does on those that clients share.
    ///
    /// # Errors
    /// As [`connect_simple`].
    pub fn connect_simple(
        &self,
        builder: impl Into<SimpleClientBuilder<Blocking>>,
    ) -> Result<SimpleClient, ConnectError> {
        let connected = wait_for(engine::connect_simple(self.handle(), builder.into()));
        let client = connected.unwrap_or_else(|_| Err(deadlock()))?;
        self.keep(client.client());
        Ok(SimpleClient(client))
    }
}

/// A Socket.IO client without handlers: events are taken one after the other.
///
/// It connects again by itself. [`emit`](Self::emit) and [`call`](Self::call) wait while it is not connected. When it
/// is dropped it disconnects as a [`Client`] does. The verbs mean the main namespace; for others there is
/// [`in_ns`](Self::in_ns). It can be shared between threads in an [`Arc`](std::sync::Arc); each event goes to one of
/// those that wait.
///
/// ```no_run
/// use socketio_blocking::{Wait, connect_simple};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = connect_simple("http://127.0.0.1:3000")?;
/// let sum: i64 = client.call("sum", &[1, 2, 3]).wait()?;
/// for event in &client {
///     let event = event?;
///     println!("{}: {}", event.name(), event.arg::<String>()?);
/// }
/// # Ok(()) }
/// ```
pub struct SimpleClient(socketio_driver::SimpleClient);

impl SimpleClient {
    /// Begins a client of the server at `url`; see [`Client::builder`].
    pub fn builder(url: impl IntoEndpoint) -> SimpleClientBuilder<Blocking> {
        ClientBuilder::new(url)
    }

    /// Sends `event` as soon as the main namespace is joined. A tuple makes several arguments, `&()` none, everything
    /// else one.
    ///
    /// # Errors
    /// [`Error::Disconnected`] when the namespace is not joined and will not be by itself, [`Error::WouldDeadlock`]
    /// when it would have to wait and must not; otherwise as [`ClientSocket::emit`](crate::ClientSocket::emit).
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        sent(self.0.emit(event, arguments))
    }

    /// A call that is sent as soon as the main namespace is joined, and waits for the first argument of the server's
    /// acknowledgement: [`wait`](crate::Wait::wait) sends it.
    pub fn call<T: DeserializeOwned>(
        &self,
        event: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) -> SimpleCall<T> {
        self.0.call(event, arguments)
    }

    /// A call that waits for all arguments of the server's acknowledgement: [`wait`](crate::Wait::wait) sends it.
    pub fn emit_with_ack<A: WriteArguments + ?Sized>(
        &self,
        event: &str,
        arguments: &A,
    ) -> SimpleCall<Arguments> {
        self.0.emit_with_ack(event, arguments)
    }

    /// The verbs in the namespace called `name`. When the builder was not told of it, they answer
    /// [`Error::UnknownNamespace`].
    pub fn in_ns(&self, name: &str) -> SimpleSocket {
        SimpleSocket(self.0.in_ns(name))
    }

    /// Waits for the next event of any namespace.
    ///
    /// # Errors
    /// [`RecvError::Lagged`] once after events were dropped, [`RecvError::Disconnected`] when no more will come,
    /// [`RecvError::WouldDeadlock`] when it would have to wait and must not.
    pub fn recv(&self) -> Result<Incoming, RecvError> {
        self.receive(Timeout::Never)
    }

    /// Waits at most `timeout` for the next event of any namespace.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::TimedOut`].
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Incoming, RecvError> {
        self.receive(Timeout::of(timeout))
    }

    fn receive(&self, timeout: Timeout) -> Result<Incoming, RecvError> {
        match wait_ready(self.0.recv(), timeout) {
            Ok(Some(received)) => received,
            Ok(None) => Err(RecvError::TimedOut),
            Err(_) => Err(RecvError::WouldDeadlock),
        }
    }

    /// The events of all namespaces: an iterator that waits for the next one, and ends where [`recv`](Self::recv) says
    /// [`RecvError::Disconnected`].
    pub const fn iter(&self) -> IncomingEvents<'_> {
        IncomingEvents(self)
    }

    /// What happens to the connection from now on.
    pub fn events(&self) -> ConnectionEvents {
        ConnectionEvents::new(self.0.events())
    }

    /// Whether the main namespace is joined.
    pub fn connected(&self) -> bool {
        self.0.connected()
    }

    /// The id of the socket in the main namespace; `None` while it is not joined.
    pub fn id(&self) -> Option<Text> {
        self.0.id()
    }

    /// What carries the connection; `None` while there is none.
    pub fn transport(&self) -> Option<Transport> {
        self.0.transport()
    }

    /// The same client with the verbs that do not wait.
    pub fn client(&self) -> Client {
        Client::from(self.0.client().clone())
    }

    /// Leaves all namespaces, and waits until what is queued is sent and the connection closed.
    pub fn disconnect(&self) {
        let _ = wait_anyhow(self.0.disconnect(), Timeout::Never);
    }
}

fn sent(sending: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    match wait_ready(sending, Timeout::Never) {
        Ok(Some(sent)) => sent,
        Ok(None) | Err(_) => Err(Error::WouldDeadlock),
    }
}

impl fmt::Debug for SimpleClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The verbs of a [`SimpleClient`] in one namespace: they wait while it is not joined.
///
/// ```no_run
/// # use socketio_blocking::{SimpleClient, Wait};
/// # fn run(client: SimpleClient) -> Result<(), Box<dyn std::error::Error>> {
/// let news = client.in_ns("/news");
/// news.emit("subscribe", "rust")?;
/// let readers: u32 = news.call("readers", &()).wait()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SimpleSocket(socketio_driver::client::SimpleSocket);

impl SimpleSocket {
    /// Sends `event` as soon as the namespace is joined; see [`SimpleClient::emit`].
    ///
    /// # Errors
    /// As [`SimpleClient::emit`].
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        sent(self.0.emit(event, arguments))
    }

    /// A call in this namespace; see [`SimpleClient::call`].
    pub fn call<T: DeserializeOwned>(
        &self,
        event: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) -> SimpleCall<T> {
        self.0.call(event, arguments)
    }

    /// A call in this namespace; see [`SimpleClient::emit_with_ack`].
    pub fn emit_with_ack<A: WriteArguments + ?Sized>(
        &self,
        event: &str,
        arguments: &A,
    ) -> SimpleCall<Arguments> {
        self.0.emit_with_ack(event, arguments)
    }

    /// The id of the socket in this namespace; `None` while it is not joined.
    pub fn id(&self) -> Option<Text> {
        self.0.id()
    }

    /// Whether the namespace is joined.
    pub fn connected(&self) -> bool {
        self.0.connected()
    }
}

/// The events of a [`SimpleClient`]; see [`SimpleClient::iter`].
#[derive(Clone, Copy, Debug)]
#[must_use = "events are only taken by who asks for the next"]
pub struct IncomingEvents<'a>(&'a SimpleClient);

impl Iterator for IncomingEvents<'_> {
    type Item = Result<Incoming, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.recv() {
            Err(RecvError::Disconnected) => None,
            received => Some(received),
        }
    }
}

impl<'a> IntoIterator for &'a SimpleClient {
    type Item = Result<Incoming, RecvError>;
    type IntoIter = IncomingEvents<'a>;

    fn into_iter(self) -> IncomingEvents<'a> {
        self.iter()
    }
}
