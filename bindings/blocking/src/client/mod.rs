//! The client: one connection to a server, with the same handlers and extractors as a server has. What is told here of
//! asynchronous functions holds without `async` and with [`wait`](crate::Wait::wait) for `.await`.
//!
//! | | |
//! | --- | --- |
//! | [`Client`] | events are handed to handlers, as a server's are |
//! | [`SimpleClient`] | events are taken, one after the other |
//! | [`ClientBuilder`] | settings of both |
//! | [`ClientSocket`] | one namespace; what handlers get |
//! | [`ConnectionEvents`] | what happens to the connection, as an iterator |

mod events;
mod handle;
mod simple;

pub use events::ConnectionEvents;
pub use handle::{Client, connect, start};
pub use simple::{IncomingEvents, SimpleClient, SimpleSocket, connect_simple};

pub use socketio_driver::client::*;
