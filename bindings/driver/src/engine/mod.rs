//! The driver's loop: what turns the core's answers into reads, writes, timers and handler calls.
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
//! application. What has to happen because of it is collected and done after unlock.
//!
//! What a peer can make grow here, beside what [`Limits`](crate::Limits) lists for the core:
//!
//! | for each | what grows | bound |
//! | --- | --- | --- |
//! | connection | what is read and not handed over | 64 KiB and one read, then the peer waits |
//! | | what is not written | 256 KiB, and what the core gives out with that; then nothing more is read |
//! | | a TLS handshake | `rustls`'s own; it counts as [`half_open`](crate::Limits::half_open) and has `head_timeout` |
//! | | requests for the gate, the fallback or a bundle | one; its body `max_payload`. Until it is answered the connection counts |
//! | | the time for its last output | 5 seconds, as long as nothing of that is read |
//! | socket, session | events that wait for handlers | 1,024 and 256 KiB, then its connection waits |
//! | | handlers that wait | [`handlers_in_flight`](crate::Limits::handlers_in_flight), then the same |
//! | server | sockets, also of clients that are gone while a guard or handler runs | [`sockets`](crate::Limits::sockets) |
//! | | refusals that wait for `on_refused` | 1,024; others are counted |
//! | thread | read buffers, emptied write buffers | 4 of 32 KiB, 256 |
//! | client | events of the connection for each subscriber | 256; others are counted |
//! | | events that a simple client does not take | its capacity; the oldest make room and are counted |
//! | | a proxy's answer | one head |

mod bundle;
mod client;
mod connection;
mod engineio;
mod hosted;
mod http_requests;
mod instance;
mod io_stream;
mod link;
mod read_buffers;
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
pub(crate) use instance::Next;
pub use io_stream::{IoStream, read_with};
pub use runtime::{BoxStream, Dial, Handlers, Listener, Runtime, Stream};
pub(crate) use shard::Shard;
pub(crate) use socketio::SocketMachine;
pub use socketio::{host, serve};
pub(crate) use strand::{StrandId, Work};
pub use turn::step_aside;
pub(crate) use work::{run_before, run_beside};
