//! What clients do to a server, and how it is counted.

pub(crate) mod abuse;
pub(crate) mod connect;
pub(crate) mod echo;
pub(crate) mod fanout;
pub(crate) mod memory;
pub(crate) mod payload;
pub(crate) mod polling;

use std::time::Duration;

use crate::Outcome;
use crate::hub::{Hub, Traffic};

/// How long a server is loaded.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    /// Load before the measured window, for caches, allocators and batches to settle.
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

/// Connected clients: loads the server for a time and returns the operations completed in it.
pub(crate) type Run = Box<dyn FnMut(Duration) -> Outcome<u64>>;

/// Traffic whose operations are counted.
pub(crate) trait Load: Traffic {
    fn completed(&self) -> u64;
}

/// The clients of a hub that have been started.
pub(crate) fn run_of(mut hub: Hub, mut load: impl Load + 'static) -> Run {
    Box::new(move |time| {
        let before = load.completed();
        hub.run(&mut load, time)?;
        Ok(load.completed() - before)
    })
}
