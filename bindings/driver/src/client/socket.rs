use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Instant;

use serde::de::DeserializeOwned;

use crate::client::Deliver;
use crate::client::inner::{ClientInner, ClientOwner};
use crate::core::{
    Arguments, ClientCore, ClientEmitError, Delivery, Encoded, NamespaceId, Text, Transport, WriteArguments,
};
use crate::encoding;
use crate::error::Error;
use crate::handle::{AnySocket, Call, Ready, any_answer, first_answer};

/// A client in one of its namespaces. Clones are handles to the same; it stays the same through reconnections, though
/// its [`id`](Self::id) changes with each.
///
/// Handlers take it as an argument. Such a socket does not keep the client connected: when the last [`Client`](crate::client::Client) and the
/// last socket of [`Client::of`](crate::client::Client::of) are dropped, its verbs answer [`Error::Disconnected`].
///
/// ```
/// use socketio_driver::client::{Client, ClientSocket};
/// use socketio_driver::Arg;
///
/// let builder = Client::builder("http://127.0.0.1:3000")
///     .on("question", |socket: ClientSocket, Arg(text): Arg<String>| socket.emit("heard", &text));
/// # let _ = builder;
/// ```
#[derive(Clone)]
pub struct ClientSocket {
    shared: Arc<Shared>,
    /// Present in the sockets that the application asked for itself.
    _owner: Option<Arc<ClientOwner>>,
}

/// What all handles of one namespace share.
struct Shared {
    inner: Weak<ClientInner>,
    /// Among the router's namespaces.
    position: usize,
    name: Text,
}

impl ClientSocket {
    /// A socket as handlers get it.
    pub(crate) fn new(inner: Weak<ClientInner>, position: usize, name: &str) -> Self {
        Self {
            shared: Arc::new(Shared {
                inner,
                position,
                name: Text::from(name),
            }),
            _owner: None,
        }
    }

    /// The same socket, which keeps the client.
    pub(crate) fn kept(&self, owner: &Arc<ClientOwner>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            _owner: Some(Arc::clone(owner)),
        }
    }

    pub(crate) fn position(&self) -> usize {
        self.shared.position
    }

    pub(crate) fn inner(&self) -> Result<Arc<ClientInner>, Error> {
        self.shared.inner.upgrade().ok_or(Error::Disconnected)
    }

    /// Runs core verbs for this namespace under the lock.
    pub(crate) fn with_core<R>(
        &self,
        verbs: impl FnOnce(&mut ClientCore, NamespaceId, Instant) -> R,
    ) -> Result<R, Error> {
        let inner = self.inner()?;
        let namespace = inner.namespace_id(self.shared.position)?;
        inner.with_core(|core, now| verbs(core, namespace, now))
    }

    /// The name of the namespace, `/` for the main one.
    pub fn namespace_name(&self) -> &str {
        self.shared.name.as_str()
    }

    /// The id the server gave this socket, `socket.id` in JavaScript; `None` while the namespace is not joined.
    ///
    /// It is a new one after each reconnection.
    pub fn id(&self) -> Option<Text> {
        let id = self.with_core(|core, namespace, _| core.sid(namespace).map(Text::detach));
        id.ok().flatten()
    }

    /// Whether the namespace is joined.
    pub fn connected(&self) -> bool {
        self.with_core(|core, namespace, _| core.is_joined(namespace))
            .unwrap_or(false)
    }

    /// What carries the connection; `None` while there is none.
    pub fn transport(&self) -> Option<Transport> {
        self.with_core(|core, _, _| core.transport()).ok().flatten()
    }

    /// Sends `event` to the server. A tuple makes several arguments, `&()` none, everything else one.
    ///
    /// [`Bytes`](crate::Bytes) and `serde_bytes` anywhere in the arguments are sent as attachments; a `Vec<u8>` is
    /// an array of numbers. While the namespace is not joined, [`Offline`](crate::client::Offline) says what happens.
    ///
    /// # Errors
    /// When `arguments` cannot be serialised, the event is reserved, the namespace is not joined, too much waits to be
    /// sent already ([`ready`](Self::ready) waits until it does not), or it is larger than the server takes.
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        self.send(event, arguments, Delivery::Reliable)
    }

    /// Waits until the namespace is joined and the server is ready for more, so that it is never sent more than it
    /// reads; see [`Ready`]. While the connection is lost it waits for the next, whatever
    /// [`Offline`](crate::client::Offline) says: who can wait needs no buffer.
    ///
    /// It is [`Error::Disconnected`] when the namespace is not joined and will not be by itself. It does not keep the
    /// client.
    ///
    /// ```no_run
    /// # use socketio_driver::{ClientSocket, Error};
    /// # async fn count(socket: ClientSocket) -> Result<(), Error> {
    /// for number in 0..1_000_000 {
    ///     socket.ready().await?;
    ///     socket.emit("number", &number)?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn ready(&self) -> Ready {
        Ready::of_client(Self {
            shared: Arc::clone(&self.shared),
            _owner: None,
        })
    }

    /// Sends only what can leave at once, and drops the rest.
    pub fn volatile(&self) -> VolatileClientSocket<'_> {
        VolatileClientSocket(self)
    }

    /// Sends `event` and waits for all arguments of the server's acknowledgement; see [`Call`].
    pub fn emit_with_ack<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Call<Arguments> {
        Call::new(self.any(), self.encode(event, arguments), any_answer)
    }

    /// Sends `event` and waits for the first argument of the server's acknowledgement; see [`Call`].
    ///
    /// `call::<()>` and `call::<Option<T>>` accept an acknowledgement without arguments.
    pub fn call<T: DeserializeOwned>(
        &self,
        event: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) -> Call<T> {
        Call::new(self.any(), self.encode(event, arguments), first_answer)
    }

    /// Sends `event` until the server has acknowledged it; see [`Deliver`].
    pub fn deliver<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Deliver {
        Deliver::new(self.any(), self.encode(event, arguments))
    }

    /// Leaves this namespace for good. When it was the last, the connection is closed.
    pub fn disconnect(&self) {
        // A client that is gone has left.
        let _ = self.with_core(|core, namespace, now| core.leave(now, namespace));
        // No event tells of a namespace that was wanted but not joined.
        if let Ok(inner) = self.inner() {
            inner.hub().take_waiting().into_iter().for_each(Waker::wake);
        }
    }

    /// Joins this namespace again after it was left or refused; connects if there is no connection. Called in
    /// `on_disconnect` without a look at the reason it undoes
    /// [`Client::disconnect`](crate::client::Client::disconnect), too.
    pub fn connect(&self) {
        // A client that is gone comes back no more.
        let _ = self.with_core(|core, namespace, now| core.enter(now, namespace));
    }

    /// Leaves all namespaces and closes the connection, as [`Client::disconnect`](crate::client::Client::disconnect) does.
    pub fn disconnect_client(&self) {
        if let Ok(inner) = self.inner() {
            inner.close();
        }
    }

    pub(crate) fn any(&self) -> AnySocket {
        AnySocket::OfClient(self.clone())
    }

    pub(crate) fn encode<A: WriteArguments + ?Sized>(
        &self,
        event: &str,
        arguments: &A,
    ) -> Result<Encoded, Error> {
        Ok(encoding::event(self.namespace_name(), event, arguments)?)
    }

    fn send<A: WriteArguments + ?Sized>(
        &self,
        event: &str,
        arguments: &A,
        delivery: Delivery,
    ) -> Result<(), Error> {
        let packet = self.encode(event, arguments)?;
        self.send_packet(&packet, delivery)
    }

    pub(crate) fn send_packet(&self, packet: &Encoded, delivery: Delivery) -> Result<(), Error> {
        match self.with_core(|core, namespace, now| core.emit(now, namespace, packet, delivery))? {
            // What volatile and `Offline::Drop` are for.
            Ok(()) | Err(ClientEmitError::Dropped) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl PartialEq for ClientSocket {
    /// Whether both are the same namespace of the same client.
    fn eq(&self, other: &Self) -> bool {
        self.shared.position == other.shared.position && Weak::ptr_eq(&self.shared.inner, &other.shared.inner)
    }
}

impl Eq for ClientSocket {}

impl fmt::Debug for ClientSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ClientSocket")
            .field(&self.namespace_name())
            .finish()
    }
}

/// A socket whose packets are dropped when they cannot leave at once; see [`ClientSocket::volatile`].
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is sent before emit() is called"]
pub struct VolatileClientSocket<'a>(&'a ClientSocket);

impl VolatileClientSocket<'_> {
    /// Sends `event` as [`ClientSocket::emit`] does, if it can leave at once.
    ///
    /// # Errors
    /// As [`ClientSocket::emit`]; that the packet was dropped is none.
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        self.0.send(event, arguments, Delivery::Volatile)
    }
}
