//! The client: one connection to a server, with the same handlers and extractors as a server has.
//!
//! | | |
//! | --- | --- |
//! | [`Client`] | events are handed to handlers, as a server's are |
//! | [`SimpleClient`] | events are taken, one after the other |
//! | [`ClientBuilder`] | settings of both |
//! | [`ClientSocket`] | one namespace; what handlers get |
//! | [`ConnectionEvents`] | what happens to the connection, as a stream |
//! | [`migration`] | the same things in python-socketio, socket.io-client and rust_socketio |
//!
//! ```no_run
//! use std::convert::Infallible;
//! use std::time::Duration;
//! use serde::Serialize;
//! use socketio_driver::client::{Client, ClientReason, ClientSocket, ConnectError};
//! use socketio_driver::{Arg, Reply};
//! # use socketio_driver::{Async, client::ClientBuilder};
//! # async fn connect(_: ClientBuilder<Async>) -> Result<Client, ConnectError> { unimplemented!() }
//!
//! #[derive(Serialize)]
//! struct Token { token: String }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let builder = Client::builder("http://127.0.0.1:3000")
//!     .auth_with(async || Ok::<_, Infallible>(Token { token: "fresh each time".to_owned() }))
//!     .on_connect(async |socket: ClientSocket| socket.emit("hello", &()))
//!     .on("said", |Arg(text): Arg<String>| println!("{text}"))
//!     .on("ask", |Arg(number): Arg<i64>| Reply(number + 1))
//!     .on_disconnect(|reason: ClientReason| println!("left: {reason}"));
//! let client = connect(builder).await?; // The binding's: socketio_tokio::connect, say.
//! client.emit("say", "hi")?;
//! let name: String = client.call("whoami", &()).timeout(Duration::from_secs(5)).await?;
//! client.disconnect();
//! println!("{name} is gone: {}", client.closed().await);
//! # Ok(()) }
//! ```
//!
//! # Order
//!
//! The handlers of one namespace begin in the order of its events, over all reconnections: `on_connect` ends before
//! the first event of that connection begins, and `on_disconnect` begins after the last. A call inside a handler does
//! not hold them up, unless the namespace is [`serial`](ClientBuilder::serial).

mod builder;
mod callback;
mod deliver;
mod error;
mod event;
mod events;
mod handle;
pub(crate) mod hub;
pub(crate) mod inner;
mod router;
mod run;
mod settings;
mod simple;
mod socket;
pub(crate) mod start;
mod waiters;

#[doc = include_str!("migration.md")]
pub mod migration {}

pub use builder::{ClientBuilder, Push};
pub(crate) use callback::AuthSource;
pub use callback::{Callback, IntoEndpoint};
pub use deliver::Deliver;
pub use error::ConnectError;
pub use event::{ClientReason, ConnectionEvent};
pub use events::ConnectionEvents;
pub use handle::Client;
pub use simple::{Incoming, Pull, RecvError, SimpleCall, SimpleClient, SimpleClientBuilder, SimpleSocket};
pub use socket::{ClientSocket, VolatileClientSocket};

pub use socketio_core::eio::client::{CloseReason, TransportOrder};
pub use socketio_core::sio::client::{Attempts, Config, Initial, Offline, Reason, Reconnection};

#[cfg(test)]
mod tests;
