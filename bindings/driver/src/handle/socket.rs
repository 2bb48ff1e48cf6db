use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;

use crate::core::{
    Arguments, Delivery, EmitError, Encoded, Handshake, NamespaceId, Sid, SocketId, Transport, WriteArguments,
};
use crate::encoding;
use crate::error::Error;
use crate::extract::SocketData;
use crate::handle::{
    AnySocket, Broadcast, Call, IntoRooms, Namespace, Ready, Server, any_answer, first_answer, rooms,
};
use crate::inner::Inner;

/// One client in one namespace. Clones are handles to the same socket, and may outlive it: verbs on a socket
/// that has left answer [`Error::Disconnected`] or do nothing.
#[derive(Clone)]
pub struct Socket(Arc<SocketShared>);

/// What all handles of one socket share and what outlives the connection.
struct SocketShared {
    inner: Arc<Inner>,
    id: SocketId,
    namespace: NamespaceId,
    sid: Sid,
    handshake: Handshake,
    /// What the guards returned, once they have admitted the client.
    data: OnceLock<SocketData>,
}

impl Socket {
    pub(crate) fn new(
        inner: Arc<Inner>,
        id: SocketId,
        namespace: NamespaceId,
        sid: Sid,
        handshake: Handshake,
    ) -> Self {
        Self(Arc::new(SocketShared {
            inner,
            id,
            namespace,
            sid,
            handshake,
            data: OnceLock::new(),
        }))
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0.inner
    }

    pub(crate) fn socket_id(&self) -> SocketId {
        self.0.id
    }

    pub(crate) fn namespace_id(&self) -> NamespaceId {
        self.0.namespace
    }

    pub(crate) fn namespace_name(&self) -> &str {
        self.0.inner.router().name(self.0.namespace.index())
    }

    pub(crate) fn data(&self) -> Option<&SocketData> {
        self.0.data.get()
    }

    /// Keeps what the guards returned; only the first call counts.
    pub(crate) fn set_data(&self, data: SocketData) {
        let _ = self.0.data.set(data);
    }

    /// The public id, `socket.id` in JavaScript; also the name of the room the socket is alone in.
    pub fn id(&self) -> Sid {
        self.0.sid
    }

    /// What the client sent when it connected: headers, query, address, auth.
    pub fn handshake(&self) -> &Handshake {
        &self.0.handshake
    }

    /// The namespace the socket is in.
    pub fn namespace(&self) -> Namespace {
        Namespace::new(Arc::clone(&self.0.inner), Some(self.0.namespace.index()))
    }

    /// The server the socket is connected to.
    pub fn server(&self) -> Server {
        Server::from_inner(Arc::clone(&self.0.inner))
    }

    /// What carries the client's packets now; `None` when it has left.
    pub fn transport(&self) -> Option<Transport> {
        self.0
            .inner
            .with_core(|core, _| core.transport(self.0.id))
            .ok()
            .flatten()
    }

    /// Whether the client is still there.
    pub fn connected(&self) -> bool {
        self.0
            .inner
            .with_core(|core, _| core.is_connected(self.0.id))
            .unwrap_or(false)
    }

    /// Sends `event` to this client. A tuple makes several arguments, `&()` none, everything else one.
    ///
    /// [`Bytes`](crate::Bytes) and `serde_bytes` anywhere in the arguments are sent as attachments; a `Vec<u8>` is
    /// an array of numbers.
    ///
    /// It never waits. A client that reads more slowly than is sent to it has the rest queued here, up to
    /// [`Limits::queued_bytes`](crate::Limits::queued_bytes); beyond, its session is closed. So whatever sends much to
    /// one client waits for [`ready`](Self::ready) before, or is [`volatile`](Self::volatile).
    ///
    /// # Errors
    /// When `arguments` cannot be serialised, the event is reserved, the client has left, or its queue is full: then
    /// its session is closed, and the [`Reason`](crate::Reason) in `on_disconnect` says so.
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        self.send(event, arguments, Delivery::Reliable)
    }

    /// Waits until the client is ready for more, so that it is never sent more than it reads; see [`Ready`].
    ///
    /// What counts is everything that is on its way to the client, in all its namespaces and from broadcasts, too.
    ///
    /// ```no_run
    /// # use socketio_driver::{Error, Socket};
    /// # async fn count(socket: Socket) -> Result<(), Error> {
    /// for number in 0..1_000_000 {
    ///     socket.ready().await?;
    ///     socket.emit("number", &number)?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn ready(&self) -> Ready {
        Ready::of_socket(self.clone())
    }

    /// Sends only what the client is ready to take at once, and drops the rest.
    pub fn volatile(&self) -> VolatileSocket<'_> {
        VolatileSocket(self)
    }

    /// Sends `event` and waits for all arguments of the client's acknowledgement; see [`Call`].
    pub fn emit_with_ack<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Call<Arguments> {
        Call::new(
            AnySocket::OfServer(self.clone()),
            self.encode(event, arguments),
            any_answer,
        )
    }

    /// Sends `event` and waits for the first argument of the client's acknowledgement; see [`Call`].
    ///
    /// `call::<()>` and `call::<Option<T>>` accept an acknowledgement without arguments. Of a `Reply((a, b))`, which has
    /// two, this is the first: [`emit_with_ack`](Self::emit_with_ack) gives both.
    pub fn call<T: DeserializeOwned>(
        &self,
        event: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) -> Call<T> {
        Call::new(
            AnySocket::OfServer(self.clone()),
            self.encode(event, arguments),
            first_answer,
        )
    }

    /// Everybody in the namespace but this socket.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::new(Arc::clone(&self.0.inner), Ok(self.0.namespace), Some(self.0.id))
    }

    /// Everybody in these rooms but this socket.
    pub fn to(&self, rooms: impl IntoRooms) -> Broadcast {
        self.broadcast().to(rooms)
    }

    /// Everybody but this socket and those in these rooms.
    pub fn except(&self, rooms: impl IntoRooms) -> Broadcast {
        self.broadcast().except(rooms)
    }

    /// Enters rooms; those before the first that is refused are entered.
    ///
    /// # Errors
    /// When the client has left, or is in as many rooms as it may be.
    pub fn join(&self, rooms: impl IntoRooms) -> Result<(), Error> {
        let rooms = rooms::list(rooms);
        self.0.inner.with_core(|core, _| {
            rooms
                .iter()
                .try_for_each(|room| core.join(self.0.id, room.as_str()))
                .map_err(Error::from)
        })?
    }

    /// Leaves rooms; those it is not in are ignored.
    pub fn leave(&self, rooms: impl IntoRooms) -> Result<(), Error> {
        let rooms = rooms::list(rooms);
        self.0
            .inner
            .with_core(|core, _| rooms.iter().for_each(|room| core.leave(self.0.id, room.as_str())))
    }

    /// The rooms the socket is in, its own included; empty when it has left.
    pub fn rooms(&self) -> Vec<String> {
        self.0
            .inner
            .with_core(|core, _| core.rooms(self.0.id))
            .unwrap_or_default()
    }

    /// Takes the client out of this namespace.
    pub fn disconnect(&self) -> Result<(), Error> {
        self.0
            .inner
            .with_core(|core, now| core.disconnect(now, self.0.id))
    }

    /// Closes the client's whole session, with all its namespaces.
    pub fn disconnect_client(&self) -> Result<(), Error> {
        self.0
            .inner
            .with_core(|core, now| core.disconnect_client(now, self.0.id))
    }

    fn encode<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<Encoded, Error> {
        Ok(encoding::event(self.namespace_name(), event, arguments)?)
    }

    fn send<A: WriteArguments + ?Sized>(
        &self,
        event: &str,
        arguments: &A,
        delivery: Delivery,
    ) -> Result<(), Error> {
        let packet = self.encode(event, arguments)?;
        match self
            .0
            .inner
            .with_core(|core, now| core.emit(now, self.0.id, &packet, delivery))?
        {
            // What volatile is for.
            Ok(()) | Err(EmitError::Dropped) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl PartialEq for Socket {
    /// Whether both are handles to one socket.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Socket {}

impl fmt::Debug for Socket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Socket")
            .field(&self.0.sid.as_str())
            .finish()
    }
}

/// A socket whose packets are dropped while the client is not ready for them; see [`Socket::volatile`].
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is sent before emit() is called"]
pub struct VolatileSocket<'a>(&'a Socket);

impl VolatileSocket<'_> {
    /// Sends `event` as [`Socket::emit`] does, if the client can take it at once.
    ///
    /// # Errors
    /// As [`Socket::emit`]; that the packet was dropped is none.
    pub fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        self.0.send(event, arguments, Delivery::Volatile)
    }

    /// Everybody else in the namespace, as far as they are ready.
    pub fn broadcast(&self) -> Broadcast {
        self.0.broadcast().volatile()
    }

    /// Everybody else in these rooms, as far as they are ready.
    pub fn to(&self, rooms: impl IntoRooms) -> Broadcast {
        self.0.to(rooms).volatile()
    }
}
