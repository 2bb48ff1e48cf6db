//! The applications of the testbed, as any user of the library would write them, for every kind of binding.

pub mod bench;
pub mod calls;
pub mod engine;
pub mod epoll;
pub mod interop;
pub mod lab;
pub mod suite;

use std::time::Duration;

/// How often a server pings, and how long it waits for the pong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// From pong to ping.
    pub interval: Duration,
    /// From ping to pong.
    pub timeout: Duration,
}

impl Heartbeat {
    /// Slow enough for every client.
    pub const DEFAULT: Self = Self {
        interval: Duration::from_secs(25),
        timeout: Duration::from_secs(20),
    };
    /// What the official suites want.
    pub const HURRIED: Self = Self {
        interval: Duration::from_millis(300),
        timeout: Duration::from_millis(200),
    };
}
