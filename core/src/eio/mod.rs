//! Engine.IO: packets, payloads and sessions.

mod config;
mod packet;
pub mod payload;
mod server;

pub use config::{ClientBundle, Config, Gate, Transport, Transports, Upgrades};
pub use packet::{Message, Packet, PacketError};
pub use server::{
    CLIENT_BUNDLES, CloseReason, ConnId, Delivery, Event, Peer, RefusalContext, RequestError, RequestId,
    SendError, Server, SessionId,
};
