//! The client whose events are taken, instead of being handed to handlers.

mod builder;
mod call;
mod inbox;
mod incoming;
mod socket;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use serde::de::DeserializeOwned;

pub use builder::{Pull, SimpleClientBuilder};
pub use call::SimpleCall;
pub(crate) use inbox::{Inbox, InboxReceiver, Taken};
pub use incoming::Incoming;
pub use socket::SimpleSocket;

use crate::client::hub::{ConnectionStatus, Watch};
use crate::client::{Client, ClientBuilder, ConnectionEvents, IntoEndpoint};
use crate::core::{Arguments, Text, Transport, WriteArguments};
use crate::error::Error;

/// Most events that wait in an inbox, unless told otherwise.
pub(crate) const DEFAULT_INBOX: usize = 1_024;

/// A Socket.IO client without handlers: events are taken one after the other.
///
/// It connects again by itself. [`emit`](Self::emit) and [`call`](Self::call) wait while it is not connected. When it
/// is dropped it disconnects, and what is queued is sent first. The verbs mean the main namespace; for others there is
/// [`in_ns`](Self::in_ns). It can be shared between tasks in an [`Arc`]; each event goes to one of those that wait.
///
/// As a [`Stream`] (`StreamExt` of futures-util or tokio-stream has `next`) it gives what [`recv`](Self::recv) gives, and ends where that says
/// [`RecvError::Disconnected`].
///
/// ```no_run
/// use socketio_driver::client::{ConnectError, SimpleClient, SimpleClientBuilder};
/// # async fn connect_simple(_: SimpleClientBuilder) -> Result<SimpleClient, ConnectError> { unimplemented!() }
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// // socketio_tokio::connect_simple, say
/// let client = connect_simple(SimpleClient::builder("http://127.0.0.1:3000")).await?;
/// client.emit("subscribe", "news").await?;
/// loop {
///     let event = client.recv().await?;
///     println!("{}: {}", event.name(), event.arg::<String>()?);
/// }
/// # }
/// ```
pub struct SimpleClient {
    client: Client,
    inbox: Arc<Inbox>,
    /// Who takes events from the client as a stream.
    stream: Receiver,
}

/// Why there is no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RecvError {
    /// So many events were dropped because they were not taken in time. Those after them can be taken.
    Lagged(u64),
    /// None came in time.
    TimedOut,
    /// The client is closed and does not come back by itself; all events were taken.
    Disconnected,
    /// There is none yet, and if this worker waited for one nobody would be left to receive it (blocking binding only).
    WouldDeadlock,
}

impl fmt::Display for RecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lagged(events) => write!(
                formatter,
                "{events} events were dropped; take them sooner or raise .inbox(..)"
            ),
            Self::TimedOut => formatter.write_str("no event came in time"),
            Self::Disconnected => formatter.write_str("the client is disconnected for good; connect another"),
            Self::WouldDeadlock => Error::WouldDeadlock.fmt(formatter),
        }
    }
}

impl std::error::Error for RecvError {}

impl SimpleClient {
    /// Begins a client of the server at `url`, for the asynchronous bindings; see
    /// [`Client::builder`](crate::client::Client::builder).
    pub fn builder(url: impl IntoEndpoint) -> SimpleClientBuilder {
        ClientBuilder::new(url)
    }

    pub(crate) fn new(client: Client, inbox: Arc<Inbox>) -> Self {
        let stream = Receiver::new(&client, &inbox);
        Self {
            client,
            inbox,
            stream,
        }
    }

    /// Sends `event` as soon as the main namespace is joined; see [`SimpleSocket::emit`].
    ///
    /// # Errors
    /// As [`SimpleSocket::emit`].
    pub async fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        self.main().emit(event, arguments).await
    }

    /// Sends `event` as soon as the main namespace is joined, and waits for the first argument of the server's
    /// acknowledgement; see [`SimpleCall`].
    pub fn call<T: DeserializeOwned>(
        &self,
        event: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) -> SimpleCall<T> {
        self.main().call(event, arguments)
    }

    /// Sends `event` as soon as the main namespace is joined, and waits for all arguments of the server's
    /// acknowledgement; see [`SimpleCall`].
    pub fn emit_with_ack<A: WriteArguments + ?Sized>(
        &self,
        event: &str,
        arguments: &A,
    ) -> SimpleCall<Arguments> {
        self.main().emit_with_ack(event, arguments)
    }

    /// The verbs in the namespace called `name`. When the builder was not told of it, they answer
    /// [`Error::UnknownNamespace`].
    pub fn in_ns(&self, name: &str) -> SimpleSocket {
        SimpleSocket::new(self.client.of(name))
    }

    /// Waits for the next event of any namespace, through outages and a server's restart for as long as the client
    /// tries to come back ([`reconnection_attempts`](crate::ClientBuilder::reconnection_attempts)). Dropping the future
    /// loses nothing.
    ///
    /// # Errors
    /// [`RecvError::Lagged`] once after events were dropped, [`RecvError::Disconnected`] when no more will come.
    pub async fn recv(&self) -> Result<Incoming, RecvError> {
        let mut receiver = self.receiver();
        poll_fn(|task| receiver.poll(task)).await
    }

    /// Waits at most `timeout` for the next event of any namespace.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::TimedOut`].
    pub async fn recv_timeout(&self, timeout: Duration) -> Result<Incoming, RecvError> {
        let mut sleep = pin!(self.client.inner().sleep(timeout));
        let mut receiver = self.receiver();
        poll_fn(|task| match receiver.poll(task) {
            Poll::Pending => sleep.as_mut().poll(task).map(|()| Err(RecvError::TimedOut)),
            received => received,
        })
        .await
    }

    /// What happens to the connection from now on.
    pub fn events(&self) -> ConnectionEvents {
        self.client.events()
    }

    /// Whether the main namespace is joined.
    pub fn connected(&self) -> bool {
        self.client.connected()
    }

    /// The id of the socket in the main namespace; `None` while it is not joined.
    pub fn id(&self) -> Option<Text> {
        self.client.id()
    }

    /// What carries the connection; `None` while there is none.
    pub fn transport(&self) -> Option<Transport> {
        self.client.transport()
    }

    /// The same client with the verbs that do not wait.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Leaves all namespaces, and waits until what is queued is sent and the connection closed.
    pub async fn disconnect(&self) {
        self.client.disconnect();
        self.client.closed().await;
    }

    fn main(&self) -> SimpleSocket {
        SimpleSocket::new(Ok(self.client.main().clone()))
    }

    fn receiver(&self) -> Receiver {
        Receiver::new(&self.client, &self.inbox)
    }
}

/// Somebody who waits for an event, until it is dropped.
struct Receiver {
    end: Watch,
    events: InboxReceiver,
}

impl Receiver {
    fn new(client: &Client, inbox: &Arc<Inbox>) -> Self {
        Self {
            end: client.inner().hub().watch(),
            events: InboxReceiver::new(inbox),
        }
    }

    fn poll(&mut self, task: &Context<'_>) -> Poll<Result<Incoming, RecvError>> {
        // Asked first: what arrived before the end is in the inbox by the time the end is told.
        let end = self.end.poll(task.waker(), |status| match status.connection {
            ConnectionStatus::Active => None,
            ConnectionStatus::Closed(_) | ConnectionStatus::Over(_) => Some(()),
        });
        match self.events.take(task.waker()) {
            Taken::Event(event) => Poll::Ready(Ok(*event)),
            Taken::Lagged(events) => Poll::Ready(Err(RecvError::Lagged(events))),
            Taken::Nothing => end.map(|()| Err(RecvError::Disconnected)),
        }
    }
}

impl Stream for SimpleClient {
    type Item = Result<Incoming, RecvError>;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().stream.poll(task).map(|received| match received {
            Err(RecvError::Disconnected) => None,
            received => Some(received),
        })
    }
}

impl fmt::Debug for SimpleClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SimpleClient")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
