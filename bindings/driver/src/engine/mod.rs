//! The engine room: what turns the core's answers into reads, writes, timers and handler calls.
//!
//! ```text
//!   accept ──► Connection, one task each            handles (any thread)
//!   a host ──► Server::handle, its tasks                │
//!                │  wire: bytes ⇄ items                 │
//!                ▼                                      ▼
//!             Shard::with ── one lock, core calls only ──
//!                │ after unlock: wake connections, run or spawn strands, drop values
//!                ▼
//!             Strand, one per socket: its handlers in order
//! ```
//!
//! Under the lock nothing but the core runs: no handler, no system call, no waker, no `Serialize` or `Drop` of the
//! application. What has to happen because of it is collected and seen to after unlock.

mod bundle;
mod connection;
mod engineio;
mod foreign;
mod hosted;
mod house;
mod runtime;
mod serve;
mod shard;
mod socketio;
mod state;
mod strand;
mod timer;
mod work;

pub(crate) use bundle::Bundles;
pub(crate) use engineio::EngineMachine;
pub use engineio::serve_engine;
pub use hosted::{HostedError, HostedReply, HostedUpgrade};
pub use runtime::{Listener, Runtime, Stream};
pub(crate) use shard::Shard;
pub(crate) use socketio::SocketMachine;
pub use socketio::{host, serve};
