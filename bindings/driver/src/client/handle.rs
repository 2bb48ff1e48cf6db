use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::client::hub::ConnectionStatus;
use crate::client::inner::{ClientInner, ClientOwner, OnLastDrop};
use crate::client::{
    ClientBuilder, ClientReason, ClientSocket, ConnectionEvents, Deliver, IntoEndpoint, VolatileClientSocket,
};
use crate::core::{Arguments, ClientReasonKind, Rejoins, Text, Transport, WriteArguments};
use crate::error::Error;
use crate::handle::{Call, Ready};
use crate::router::Async;

/// A Socket.IO client: one connection to a server with any number of namespaces. Clones are handles to the same
/// client, from any thread.
///
/// It connects again by itself when the connection is lost. When the last `Client` and the last socket of
/// [`of`](Self::of) are dropped it disconnects as [`disconnect`](Self::disconnect) does; handlers that hold a `Client`
/// keep it for ever, so let them take [`ClientSocket`] as an argument instead.
///
/// The verbs without a namespace mean the main one: `/`, or the first that was named if `/` is not joined; see
/// [`ClientBuilder::namespace`].
///
/// ```no_run
/// use std::time::Duration;
/// use socketio_driver::client::{Client, ConnectError};
/// # use socketio_driver::client::ClientBuilder;
/// # use socketio_driver::Async;
/// # async fn connect(_: ClientBuilder<Async>) -> Result<Client, ConnectError> { unimplemented!() }
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = connect(Client::builder("http://127.0.0.1:3000")).await?; // socketio_tokio::connect, say
/// client.emit("say", "hi")?;
/// let name: String = client.call("whoami", &()).timeout(Duration::from_secs(5)).await?;
/// client.disconnect();
/// println!("{name} left: {}", client.closed().await);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    owner: Arc<ClientOwner>,
    main: ClientSocket,
}

impl Client {
    /// Begins a client of the server at `url`, for the asynchronous bindings.
    ///
    /// `http`, `https`, `ws` and `wss` differ in TLS only; `unix:/path/to.sock` is a Unix socket. The path of the URL
    /// must be empty, because two things are meant by it: a [namespace](ClientBuilder::namespace), or
    /// [where the server is mounted](ClientBuilder::path). What is wrong with a URL is said when the client starts.
    pub fn builder(url: impl IntoEndpoint) -> ClientBuilder<Async> {
        ClientBuilder::new(url)
    }

    /// `None` without a namespace, which no builder makes.
    pub(crate) fn new(inner: Arc<ClientInner>) -> Option<Self> {
        let main = inner.socket(0)?.clone();
        Some(Self {
            owner: ClientOwner::new(inner),
            main,
        })
    }

    pub(crate) fn inner(&self) -> &Arc<ClientInner> {
        self.owner.inner()
    }

    pub(crate) const fn main(&self) -> &ClientSocket {
        &self.main
    }

    pub(crate) fn set_on_last_drop(&self, callback: Box<OnLastDrop>) {
        self.owner.set_on_last_drop(callback);
    }

    /// The socket in the namespace called `name`, which the builder was told of. It keeps the client as a `Client` does.
    ///
    /// # Errors
    /// [`Error::UnknownNamespace`] for any other name.
    pub fn of(&self, name: &str) -> Result<ClientSocket, Error> {
        let inner = self.inner();
        let socket = inner
            .router()
            .find(name)
            .and_then(|position| inner.socket(position));
        Ok(socket.ok_or(Error::UnknownNamespace)?.kept(&self.owner))
    }

    /// Sends `event` to the server; see [`ClientSocket::emit`].
    ///
    /// # Errors
    /// As [`ClientSocket::emit`].
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        self.main.emit(event, arguments)
    }

    /// Waits until the main namespace is joined and the server is ready for more; see [`ClientSocket::ready`].
    pub fn ready(&self) -> Ready {
        self.main.ready()
    }

    /// Sends only what can leave at once, and drops the rest.
    pub fn volatile(&self) -> VolatileClientSocket<'_> {
        self.main.volatile()
    }

    /// Sends `event` and waits for all arguments of the server's acknowledgement; see [`Call`].
    pub fn emit_with_ack<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Call<Arguments> {
        self.main.emit_with_ack(event, arguments)
    }

    /// Sends `event` and waits for the first argument of the server's acknowledgement; see [`Call`].
    pub fn call<T: DeserializeOwned>(
        &self,
        event: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) -> Call<T> {
        self.main.call(event, arguments)
    }

    /// Sends `event` until the server has acknowledged it; see [`Deliver`].
    pub fn deliver<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Deliver {
        self.main.deliver(event, arguments)
    }

    /// What happens to the connection from now on. After `connect` of a binding the first connection is past; with
    /// `start` its `Connected` is still to come, though the first `Connecting` may be past as well.
    pub fn events(&self) -> ConnectionEvents {
        ConnectionEvents::new(self.inner().hub())
    }

    /// Connects again after the client was closed, or at once while the next attempt waits for its time. A client that
    /// is connected stays as it is.
    pub fn connect(&self) {
        // A client whose shard is poisoned says so when something is sent.
        let _ = self.inner().connect();
    }

    /// Leaves all namespaces, sends what is queued, and closes the connection; none is made until
    /// [`connect`](Self::connect) is called. Returns at once; [`closed`](Self::closed) waits.
    pub fn disconnect(&self) {
        self.inner().close();
    }

    /// Waits until there is no connection and none will be made, and says why. It does not keep the client.
    ///
    /// ```no_run
    /// # async fn run(client: socketio_driver::client::Client) {
    /// let reason = client.closed().await;
    /// println!("closed: {reason}");
    /// # }
    /// ```
    pub fn closed(&self) -> impl Future<Output = ClientReason> + Send + 'static + use<> {
        let mut watch = self.inner().hub().watch();
        poll_fn(move |task| {
            watch.poll(task.waker(), |status| match &status.connection {
                ConnectionStatus::Active => None,
                ConnectionStatus::Closed(reason) => Some(reason.clone()),
                ConnectionStatus::Over(reason) => Some(reason.clone().unwrap_or_else(left)),
            })
        })
    }

    /// Whether the main namespace is joined.
    pub fn connected(&self) -> bool {
        self.main.connected()
    }

    /// What carries the connection; `None` while there is none.
    pub fn transport(&self) -> Option<Transport> {
        self.main.transport()
    }

    /// The id of the socket in the main namespace, `socket.id` in JavaScript; `None` while it is not joined.
    pub fn id(&self) -> Option<Text> {
        self.main.id()
    }
}

/// Why a client is closed that ended before it had anything to say about it.
const fn left() -> ClientReason {
    ClientReason::new(ClientReasonKind::ClientDisconnect, None, Rejoins::Never)
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("main", &self.main.namespace_name())
            .finish_non_exhaustive()
    }
}
