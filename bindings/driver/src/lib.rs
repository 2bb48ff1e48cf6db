//! What every Socket.IO binding shares: the router with its handlers and extractors, the handles of the
//! application, and the loop that moves bytes between a runtime and the core. No runtime is named here.
//!
//! ```no_run
//! use serde::Deserialize;
//! use socketio_driver::{Arg, Args, Auth, Data, Event, Handshake, Reason, Refusal, Reply, Server, Socket, State};
//!
//! #[derive(Deserialize)]
//! struct Token(String);
//! struct User { name: String }
//! struct Users;
//! impl Users {
//!     async fn user(&self, token: Token) -> Result<User, Refusal> {
//!         if token.0.is_empty() { Err(Refusal::new("not allowed")) } else { Ok(User { name: token.0 }) }
//!     }
//! }
//!
//! let server = Server::builder()
//!     .state(Users)
//!     .namespace("/chat", |ns| ns
//!         .guard(async |_: Handshake, Auth(token): Auth<Token>, State(users): State<Users>| {
//!             users.user(token).await
//!         })
//!         .on_connect(async |socket: Socket, Data(_user): Data<User>| socket.join("lobby"))
//!         .on("say", async |socket: Socket, Args((room, text)): Args<(String, String)>| {
//!             socket.to(&room).emit("said", &text)
//!         })
//!         .on("sum", |Arg(numbers): Arg<Vec<i64>>| Reply(numbers.iter().sum::<i64>()))
//!         .on_any(|event: Event| println!("nobody handles {}", event.name()))
//!         .on_disconnect(|socket: Socket, Data(user): Data<User>, reason: Reason| {
//!             println!("{} ({}) left: {reason}", user.name, socket.id());
//!         }))
//!     .build();
//! // The binding takes it from here: socketio_tokio::serve(listener, server).await
//! # let _ = server;
//! ```
//!
//! # Clients
//!
//! The module [`client`] has the other side, with the same handlers and extractors:
//!
//! ```
//! use socketio_driver::{Arg, Client, ClientSocket, Reply};
//!
//! let builder = Client::builder("http://127.0.0.1:3000")
//!     .on_connect(async |socket: ClientSocket| socket.emit("hello", &()))
//!     .on("ask", |Arg(number): Arg<i64>| Reply(number + 1));
//! // The binding takes it from here: socketio_tokio::connect(builder).await
//! # let _ = builder;
//! ```
//!
//! # Binary data
//!
//! [`Bytes`] (of the crate [`bytes`], both are exported here) or `serde_bytes` anywhere in a value that is sent is an
//! attachment, a `Buffer` or `ArrayBuffer` to JavaScript; a `Vec<u8>` is an array of numbers. The same holds for
//! what arrives:
//!
//! ```
//! use socketio_driver::{Arg, Bytes, Reply, Server};
//!
//! let builder = Server::builder().on("upload", |Arg(file): Arg<Bytes>| Reply(file.len()));
//! # builder.build();
//! ```
//!
//! "Protocol section N" in this documentation cites the project's protocol notes, which are kept outside of this
//! repository; what they say follows Engine.IO 4 and Socket.IO 5 as published.

#![forbid(unsafe_code)]

pub mod bare;
mod binding;
pub mod client;
mod core;
mod encoding;
pub mod engine;
mod error;
mod hash;
mod inner;
mod refusal;
#[cfg(test)]
mod testing;

pub mod extract;
pub mod handle;
pub mod handler;
pub mod net;
pub mod router;

pub use ::bytes;
pub use ::bytes::Bytes;

pub use client::{Client, ClientBuilder, ClientReason, ClientSocket, SimpleClient};
pub use engine::{HostedError, HostedReply, HostedUpgrade};
pub use error::{BuildError, CallError, Error, ErrorReport, ExtractError, HandlerError, Stage};
pub use extract::{Ack, Arg, Args, Attachments, Auth, Data, Event, Extract, State};
pub use handle::{Broadcast, Call, IntoRooms, Namespace, Server, Socket, VolatileSocket};
pub use handler::{Handler, IntoOutcome, Reply};
pub use refusal::Refusal;
pub use router::{Async, Blocking, NamespaceBuilder, Router, RunsOn, ServerBuilder};
pub use socketio_core::eio::{Peer, Transport, Transports, Upgrades};
pub use socketio_core::http::{Cookie, Cors, RequestHead, Response};
pub use socketio_core::json::{Arguments, Raw, Value};
pub use socketio_core::sio::{
    AckError, Config, Counts, EncodeError, Handshake, Reason, RoomError, WriteArguments,
};
pub use socketio_core::wire::BodyFailure;
pub use socketio_core::{Limits, Sid, Text, args, http, json};
