//! A simulated world: a real server, real clients and the real driver on a simulated clock, network and scheduler. One
//! seed decides everything that the simulation does:
//!
//! ```text
//!   World ── random: one seed, a random stream of its own for each link and the scheduler
//!     │
//!     ├─ Executor   tasks of all hosts; which one runs next is random
//!     ├─ Schedule   what is due when
//!     ├─ Clock      moves when no task can run, and if it is told so, whenever it is read
//!     └─ Network    listeners, and TCP links with latency, segments, windows, stalls, resets
//!           ▲
//!         Host      implements the driver's Runtime, Dial, Listener and Stream
//! ```
//!
//! The same seed gives the same [trace](World::trace), also twice in one process, if each world has a thread of its own
//! ([`World::run`] sees to that): the driver keeps buffers for each thread.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`random`] | the random streams |
//! | [`clock`] | how the clock moves |
//! | [`conditions`] | latency, bandwidth and faults of the network |
//! | [`host`] | the runtime that the driver uses |
//! | [`proxy`] | HTTP proxies between clients and server |
//! | [`scenario`] | a server and its clients for some minutes, compared with the model |

#![forbid(unsafe_code)]

pub mod clock;
pub mod conditions;
mod executor;
mod handlers_apart;
pub mod host;
mod link;
mod network;
mod pipe;
pub mod proxy;
pub mod random;
pub mod scenario;
mod world;

pub use clock::Clock;
pub use conditions::{NetworkConditions, Statistics};
pub use handlers_apart::HandlersApart;
pub use host::{Host, SimListener, SimStream};
pub use world::{Sleep, World};

/// The number in an environment variable of the tests, such as `SIM_SEEDS`; `None` if it is not set.
///
/// # Panics
/// If it is set to something else.
#[must_use]
pub fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("the variable is a number"))
}
