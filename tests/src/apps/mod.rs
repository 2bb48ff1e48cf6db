//! The applications of the testbed, as any user of the library would write them, for every kind of binding.

pub mod bench;
pub mod calls;
pub mod engine;
pub mod epoll;
pub mod interop;
pub mod lab;
pub mod suite;

/// How much time clients are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As much as by default.
    Patient,
    /// As little as the official suites want: a ping every 300 ms, 200 ms for the pong, a second to join a namespace.
    Hurried,
}
