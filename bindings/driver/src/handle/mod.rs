//! The application's handles: cheap to clone, usable from any thread, harmless when stale.
//!
//! Values are serialised on the caller's thread before any lock is taken.

mod broadcast;
mod call;
mod namespace;
mod rooms;
mod server;
mod socket;

pub use broadcast::Broadcast;
pub use call::Call;
pub use namespace::Namespace;
pub use rooms::IntoRooms;
pub use server::Server;
pub use socket::{Socket, VolatileSocket};

#[cfg(test)]
mod tests;
