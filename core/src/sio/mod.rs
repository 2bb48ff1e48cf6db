//! Socket.IO: packets, namespaces, sockets, acknowledgements and rooms; a server, and a [client].

mod acks;
mod assembly;
pub mod client;
mod codec;
mod config;
pub mod encode;
mod frames;
mod ids;
mod namespace_name;
pub mod packet;
mod server;
mod violation;

pub use acks::AckError;
pub use client::Client;
pub use codec::{Inbound, SocketIo};
pub use config::Config;
pub use encode::{EncodeError, Encoded, Encoder, RawArguments, WriteArguments};
pub use ids::{AckId, NamespaceId};
pub use namespace_name::NamespaceError;
pub use packet::{EventName, Packet, PacketError, PacketLimits};
pub use server::{
    AckToken, Counts, DisconnectScope, EmitError, Event, Handshake, PeerId, PeerMessage, Reason, RoomError,
    Server, SocketId, Target,
};
pub use violation::Violation;

// What the verbs and events of this layer are made of, so that a driver needs to look nowhere else.
pub use crate::eio::{ConnId, Delivery, Peer, Readiness, RequestId, Transport};
pub use crate::json::{Arguments, Raw, Value};

pub(crate) use encode::write_json_string;
