//! Everything a peer must not send, and that an honest client is served right after it.

mod http;
mod message;
mod websocket;

pub(crate) use http::*;
pub(crate) use message::*;
pub(crate) use websocket::*;
