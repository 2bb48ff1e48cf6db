//! The applications of the testbed, as any user of the library would write them, for every kind of binding.

pub mod bench;
pub mod calls;
pub mod engine;
pub mod epoll;
pub mod interop;
pub mod lab;
pub mod suite;
