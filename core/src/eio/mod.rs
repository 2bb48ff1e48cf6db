//! Engine.IO: packets, payloads and sessions.

pub mod client;
mod config;
mod connection_id;
mod packet;
pub mod payload;
mod ready;
mod server;

pub use client::Client;
pub use config::{ClientBundle, Config, Gate, Transport, Transports, Upgrades};
pub use connection_id::ConnId;
pub use packet::{Message, Packet, PacketError};
pub use ready::Readiness;
pub(crate) use ready::Watch;
pub use server::{
    CLIENT_BUNDLES, CloseReason, Delivery, Event, Peer, RefusalContext, RequestError, RequestId, SendError,
    Server, SessionId,
};
