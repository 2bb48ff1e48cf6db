//! Socket.IO: packets, namespaces, sockets, acknowledgements and rooms.

mod codec;
mod config;
pub mod encode;
pub mod packet;
mod server;

pub use codec::{Inbound, SocketIo};
pub use config::Config;
pub use encode::{EncodeError, Encoded, Encoder, RawArguments, WriteArguments};
pub use packet::{EventName, Packet, PacketError, PacketLimits};
pub use server::{
    AckError, AckId, AckToken, Counts, DisconnectScope, EmitError, Event, Handshake, NamespaceError,
    NamespaceId, PeerId, PeerMessage, Reason, RoomError, Server, SocketId, Target,
};

// What the verbs and events of this layer are made of, so that a driver needs to look nowhere else.
pub use crate::eio::{ConnId, Delivery, Peer, RequestId, Transport};
pub use crate::json::{Arguments, Raw, Value};

pub(crate) use encode::write_json_string;
