//! Socket.IO on plain threads, without an async runtime.
//!
//! ```no_run
//! use std::net::TcpListener;
//! use socketio_blocking::{Arg, Reply, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let server = Server::builder().on("sum", |Arg(numbers): Arg<Vec<i64>>| Reply(numbers.iter().sum::<i64>())).build();
//!     let listener = TcpListener::bind("127.0.0.1:3000")?;
//!     socketio_blocking::serve(listener, server)
//! }
//! ```
//!
//! [`serve`] returns when the server was shut down; [`start_server`] serves beside the caller. Handlers are plain
//! functions and may block: for a database, say, or for an answer, by [`wait`](Wait::wait), which is the `.await` of
//! this binding:
//!
//! ```no_run
//! use std::time::Duration;
//! use socketio_blocking::{Arg, CallError, Reply, Server, Socket, Wait};
//!
//! let server = Server::builder().on("greet", |socket: Socket, Arg(greeting): Arg<String>| {
//!     let name: String = socket.call("whoami", &()).timeout(Duration::from_secs(5)).wait()?;
//!     Ok::<_, CallError>(Reply(format!("{greeting}, {name}")))
//! });
//! # let _ = server;
//! ```
//!
//! A client is described like a server, and connected:
//!
//! ```no_run
//! use socketio_blocking::{Arg, Client, Wait};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let builder = Client::builder("http://127.0.0.1:3000").on("said", |Arg(text): Arg<String>| println!("{text}"));
//! let client = socketio_blocking::connect(builder)?;
//! let sum: i64 = client.call("sum", &[1, 2, 3]).wait()?;
//! # Ok(()) }
//! ```
//!
//! Or its events are taken, one after the other:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = socketio_blocking::connect_simple("http://127.0.0.1:3000")?;
//! for event in &client {
//!     println!("{}", event?.arg::<String>()?);
//! }
//! # Ok(()) }
//! ```
//!
//! With TLS:
//!
#![cfg_attr(feature = "tls", doc = "```no_run")]
#![cfg_attr(not(feature = "tls"), doc = "```ignore")]
//! use std::net::TcpListener;
//! use socketio_blocking::net::tls::TlsServer;
//!
//! # fn run(server: socketio_blocking::Server) -> Result<(), Box<dyn std::error::Error>> {
//! let tls = TlsServer::builder(std::fs::read("chain.pem")?, std::fs::read("key.pem")?).build()?;
//! let listener = TcpListener::bind("0.0.0.0:443")?;
//! socketio_blocking::serve(tls.wrap(listener), server)?;
//! # Ok(()) }
//! ```
//!
//! # Threads
//!
//! ```text
//!   one I/O thread                                   workers
//!   accepts, reads, writes, decodes, keeps time ──►  handlers, hooks, gates, fallbacks, callbacks of clients, lookups
//!                                               ◄──  what they send
//! ```
//!
//! A server has [`Threads`] of its own, all clients of the process share others; [`Threads::builder`] makes some that
//! several servers and clients use, and says how many workers there are and how large their stacks. Nothing waits for a
//! handler but its own client: the events of one client begin in their order, and the next begins when the one before
//! has ended or sleeps in [`wait`](Wait::wait).
//!
//! Workers are made when they are needed: at first as many as there are processors. A handler that blocks for longer
//! than a millisecond, or that waits, does not count, and makes room for others, up to
//! [`workers`](ThreadsBuilder::workers). A worker without work ends after 10 seconds.
//!
//! There is no thread for each connection because that costs memory and time: with two threads for each of 1,000
//! connections, a connection is 25 KiB, and an echo 2.6 context switches when all echo at once; here it is 2.3 KiB and
//! 1.2 to 1.4.
//!
//! # Limits
//!
//! | what | limit | beyond it |
//! | --- | --- | --- |
//! | connections of a server | [`Limits::connections`], 100,000; the process's descriptors | 503; they wait to be accepted |
//! | handlers at once | [`ThreadsBuilder::workers`], 256 | they wait for a worker |
//! | handlers that [`wait`](Wait::wait) at once | one fewer | [`Error::WouldDeadlock`] at once |
//! | handlers of one client that wait at once | [`Limits::handlers_in_flight`], 64 | its events wait, and 1,024 later all that it sends, answers included |
//!
//! No thread that the system refuses ends a server: the first worker is made when the threads are, and others that can
//! not be made are done without.
//!
//! # Ends
//!
//! Everything that is dropped waits for its end, and in bounded time: a [`Serving`] [`DROP_GRACE`], a client its
//! `close_timeout`, and the last user of threads [`end_timeout`](ThreadsBuilder::end_timeout) more for handlers that
//! run; then all threads are joined. What is dropped by a handler on these threads ends by itself, without waiting.
//!
//! Everything else is that of the crate `socketio-driver` and the same in every binding: where an example says
//! `socketio_driver::`, write `socketio_blocking::`, without `async` and with `wait()` for `.await`. TLS is the feature
//! `tls`, on by default.

#![forbid(unsafe_code)]

pub mod client;
mod listener;
mod server;
mod serving;
mod threads;
mod wait;

pub use socketio_driver::*;

pub use client::{Client, SimpleClient, connect, connect_simple, start};
pub use listener::IntoListener;
pub use server::Server;
pub use serving::{DROP_GRACE, Serving, serve, serve_engine, start_engine, start_server};
pub use threads::{
    DEFAULT_END_TIMEOUT, DEFAULT_WORKERS, Sleep, Socket as StreamSocket, SocketListener, SocketSource,
    SocketStream, Threads, ThreadsBuilder, ThreadsHandle,
};
pub use wait::Wait;

/// The kind of builders that this binding runs: with plain functions as handlers.
pub type Blocking = socketio_driver::Blocking<Server>;
