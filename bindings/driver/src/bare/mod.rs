//! Bare Engine.IO: sessions that send and receive messages, without namespaces, events or rooms.

mod builder;
mod session;

pub use builder::{EngineServer, EngineServerBuilder};
pub use session::Session;

pub(crate) use builder::EngineInner;
