//! The traps of protocol section 8 that concern a server, named after their numbers.

mod engine;
mod http;
mod message;
mod socket;

pub(crate) use engine::*;
pub(crate) use http::*;
pub(crate) use message::*;
pub(crate) use socket::*;
