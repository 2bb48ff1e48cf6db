//! The engine room: what turns the core's answers into reads, writes, timers and handler calls.
//!
//! ```text
//!   accept ──► Connection, one task each            handles (any thread)
//!   dial   ──► Connection, one task each                │
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
mod client;
mod connection;
mod engineio;
mod foreign;
mod hosted;
mod house;
mod io_stream;
mod refusals;
mod runtime;
mod serve;
mod server;
mod shard;
mod socketio;
mod state;
mod strand;
mod strand_table;
mod timer;
mod turn;
mod wires;
mod work;

pub use crate::client::start::{connect, connect_simple, on_last_drop, start};
pub(crate) use bundle::Bundles;
pub(crate) use client::{ClientJob, ClientMachine, retire, start_client};
pub(crate) use engineio::EngineMachine;
pub use engineio::serve_engine;
pub use hosted::{HostedError, HostedReply, HostedUpgrade};
pub(crate) use house::Next;
pub use io_stream::{IoStream, read_with};
pub use runtime::{BoxStream, Dial, Handlers, Listener, Runtime, Stream};
pub(crate) use shard::Shard;
pub(crate) use socketio::SocketMachine;
pub use socketio::{host, serve};
pub(crate) use strand::{StrandId, Work};
pub use turn::step_aside;
pub(crate) use work::{run_before, run_beside};
