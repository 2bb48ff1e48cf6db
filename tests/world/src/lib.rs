//! A simulated world. The server, the clients and the driver in it are the real ones; the clock, the network and the
//! scheduler are ours, and one seed decides everything that they do:
//!
//! ```text
//!   World ── chance: one seed, a stream of its own for each link, listener and scheduler
//!     │
//!     ├─ Executor   tasks of all hosts; who runs next is drawn
//!     ├─ Schedule   what is due when; the clock moves only when no task can run
//!     └─ Network    listeners, and TCP links with latency, segments, windows, stalls, resets
//!           ▲
//!         Host      implements the driver's Runtime, Dial, Listener and Stream
//! ```
//!
//! The same seed gives the same [trace](World::trace), twice in one process, if each world has a thread of its own
//! ([`World::run`] sees to that): the driver keeps buffers for each thread.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`chance`] | the random streams |
//! | [`weather`] | what a link does to those who use it |
//! | [`host`] | the driver's view of the world |
//! | [`intermediary`] | HTTP proxies that stand between |
//! | [`scenario`] | a server and its clients for some minutes, compared with the model |

#![forbid(unsafe_code)]

pub mod chance;
mod executor;
pub mod host;
pub mod intermediary;
mod link;
mod network;
mod pipe;
pub mod scenario;
pub mod weather;
mod world;

pub use host::{Host, SimListener, SimStream};
pub use weather::{Tally, Weather};
pub use world::{Sleep, World};
