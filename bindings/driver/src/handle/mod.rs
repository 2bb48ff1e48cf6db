//! The application's handles: cheap to clone, usable from any thread, harmless when stale.
//!
//! Values are serialised on the caller's thread before any lock is taken.

mod any;
mod broadcast;
mod call;
mod namespace;
mod ready;
mod rooms;
mod server;
mod socket;
mod subject;

pub(crate) use any::{AnySocket, PendingCall};
pub use broadcast::Broadcast;
pub use call::Call;
pub(crate) use call::{DEFAULT_TIMEOUT, MAX_TIMEOUT, any_answer, first_answer};
pub use namespace::Namespace;
pub use ready::Ready;
pub(crate) use ready::{SessionReadyWaiters, SocketReadyWaiters};
pub use rooms::IntoRooms;
pub use server::Server;
pub use socket::{Socket, VolatileSocket};
pub use subject::Subject;
pub(crate) use subject::{PendingAck, Side};

#[cfg(test)]
mod tests;
