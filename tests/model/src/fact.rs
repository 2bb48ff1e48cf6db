//! What is recorded, and the rules that can be violated.

use std::fmt;
use std::time::Duration;

use crate::{AnswerExpectation, CallOutcome, DisconnectCause};

/// One socket: a client in one namespace, from connecting to disconnecting. Each reconnection has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub usize);

/// One client, from its start to its end; with each connection it has other sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub usize);

/// A namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Namespace(pub u8);

/// A room of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Room(pub u8);

/// One emitted event, to one socket or to many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message(pub u64);

/// One of the two sides of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The server.
    Server,
    /// The client.
    Client,
}

/// How a message is to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Exactly once.
    Reliable,
    /// At most once.
    Volatile,
}

/// A message to many sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// The namespace of all recipients.
    pub namespace: Namespace,
    /// Members of any of these rooms; the whole namespace if there is none.
    pub to: Vec<Room>,
    /// Members of these rooms do not receive it.
    pub except: Vec<Room>,
    /// This socket does not receive it.
    pub except_socket: Option<SocketId>,
    /// What is sent.
    pub message: Message,
    /// How it is delivered.
    pub delivery: Delivery,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The server's `on_connect` begins.
    ServerConnecting {
        /// The new socket.
        socket_id: SocketId,
        /// Its namespace.
        namespace: Namespace,
    },
    /// The server's `on_connect` has ended.
    ServerConnected(SocketId),
    /// The server's `on_disconnect` begins.
    ServerDisconnected(SocketId),
    /// The client's `on_connect` begins.
    ClientConnected(SocketId),
    /// The client's `on_disconnect` begins.
    ClientDisconnected(SocketId),
    /// The server has added the socket to a room.
    RoomJoined(SocketId, Room),
    /// The server has removed the socket from a room.
    RoomLeft(SocketId, Room),
    /// The server has removed all sockets from a room.
    RoomClosed(Namespace, Room),
    /// The server has sent a message to one socket.
    ServerSent(SocketId, Message, Delivery),
    /// The server has sent a message to many sockets.
    Broadcast(Broadcast),
    /// The client's handler of a message begins.
    ClientReceived(SocketId, Message),
    /// The client has sent a message.
    ClientSent(SocketId, Message, Delivery),
    /// The client has accepted a message while the namespace was not connected.
    Buffered(ClientId, Namespace, Message),
    /// The client sends what it has buffered on this socket, before anything else; on one that has disconnected again if
    /// there is none.
    BufferSent(ClientId, Namespace, Option<SocketId>),
    /// The client reports that it does not send the oldest message it has buffered.
    BufferedNotSent(ClientId, Namespace),
    /// The client is gone with what it has buffered.
    BuffersLost(ClientId),
    /// The server's handler of a message begins.
    ServerReceived(SocketId, Message),
    /// The message that was just sent asks for an acknowledgement.
    CallStarted {
        /// The side that sent it.
        caller: Side,
        /// The socket on which it was sent.
        socket_id: SocketId,
        /// The message; the answer to it is its number.
        message: Message,
        /// When it was made: at the latest when this is noted.
        at: Duration,
        /// How long the caller waits.
        timeout: Duration,
        /// Whether an answer can be expected in that time.
        expectation: AnswerExpectation,
    },
    /// The caller learns how its call ended.
    CallEnded {
        /// The side that made the call.
        caller: Side,
        /// The message of the call.
        message: Message,
        /// How it ended.
        outcome: CallOutcome,
    },
    /// From now on the socket disconnects, or may do so, for this cause.
    DisconnectCaused(SocketId, DisconnectCause),
    /// This side of the socket is gone with its handlers and calls, and nothing of it will be recorded any more.
    Killed(Side, SocketId),
}

/// A rule that was violated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A handler began for a socket that was not connected, or `on_connect` for one that was.
    WrongState(Fact),
    /// A side disconnected although nothing had caused it.
    NoCause(Fact),
    /// A message was received that was sent to other sockets, or to none.
    WrongRecipient(Fact),
    /// A message was received a second time.
    Duplicate(Fact),
    /// A message was received before this one, which was sent earlier.
    Gap(Fact, Message),
    /// A call ended that had not started or had ended before, or its outcome is impossible.
    WrongCallOutcome(Fact),
    /// The message that this side sent on the socket was not received.
    Missing(SocketId, Side, Message),
    /// The message that this client had buffered was neither sent nor reported.
    LostSilently(ClientId, Message),
    /// This side's call has not ended.
    CallNotEnded(Side, Message),
    /// This side has not detected in time that its peer is dead, or that it was told to disconnect.
    NotDetected(SocketId, Side),
    /// This side still has the socket, or never had it, unlike the other.
    SidesDisagree(SocketId, Side),
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for Violation {}
