//! Socket.IO on tokio.
//!
//! ```no_run
//! use socketio_tokio::{Arg, Reply, Server};
//!
//! # async fn run() -> std::io::Result<()> {
//! let server = Server::builder().on("sum", |Arg(numbers): Arg<Vec<i64>>| Reply(numbers.iter().sum::<i64>())).build();
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! socketio_tokio::serve(listener, server).await
//! # }
//! ```
//!
//! A client is described like a server, and connected:
//!
//! ```no_run
//! use socketio_tokio::{Arg, Client};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let builder = Client::builder("http://127.0.0.1:3000").on("said", |Arg(text): Arg<String>| println!("{text}"));
//! let client = socketio_tokio::connect(builder).await?;
//! let sum: i64 = client.call("sum", &[1, 2, 3]).await?;
//! # Ok(()) }
//! ```
//!
//! Binary data is [`Bytes`], alone or anywhere in a value; a `Vec<u8>` is an array of numbers.
//!
//! Under a host that parses HTTP itself, such as a hyper service, [`host`] takes the place of [`serve`].
//!
//! Everything but the functions here, the listeners, [`Tokio`] and [`TokioStream`] is that of the crate
//! `socketio-driver` and the same in every binding: where an example says `socketio_driver::`, write
//! `socketio_tokio::`. TLS is the feature `tls`, on by default. It works on the current-thread and the multi-thread scheduler.

#![forbid(unsafe_code)]

mod listener;
mod stream;

#[cfg(unix)]
pub use listener::TokioUnixListener;
pub use listener::{IntoListener, TokioListener};
pub use socketio_driver::*;
pub use stream::{Tokio, TokioStream};

use client::{ConnectError, SimpleClientBuilder};
use std::io;
use tokio::task::JoinHandle;

/// Serves the connections of `listener` until the server is [shut down](Server::shutdown). The listener is one for TCP
/// or Unix sockets, or one of those with TLS:
///
#[cfg_attr(feature = "tls", doc = "```no_run")]
#[cfg_attr(not(feature = "tls"), doc = "```ignore")]
/// use socketio_tokio::net::tls::TlsServer;
/// use tokio::net::TcpListener;
///
/// # async fn run(server: socketio_tokio::Server) -> Result<(), Box<dyn std::error::Error>> {
/// let tls = TlsServer::builder(std::fs::read("chain.pem")?, std::fs::read("key.pem")?).build()?;
/// let listener = TcpListener::bind("0.0.0.0:443").await?;
/// socketio_tokio::serve(tls.wrap(listener), server).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the server is served already, its client bundle cannot be read, or the listener fails for good.
pub async fn serve(listener: impl IntoListener, server: Server) -> io::Result<()> {
    engine::serve(Tokio::current(), listener.into_listener()?, server).await
}

/// Connects to a server, and waits until every namespace is joined.
///
/// ```no_run
/// use socketio_tokio::{Arg, Client};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let builder = Client::builder("http://127.0.0.1:3000")
///     .on("said", |Arg(text): Arg<String>| println!("{text}"));
/// let client = socketio_tokio::connect(builder).await?;
/// client.emit("say", "hi")?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the description contradicts itself, the connection cannot be made, or the server refuses a namespace. Unless
/// [`retry_initial`](ClientBuilder::retry_initial) says otherwise, the first attempt that fails is an error.
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn connect(builder: ClientBuilder<Async>) -> Result<Client, ConnectError> {
    engine::connect(Tokio::current(), builder).await
}

/// Starts a client and does not wait: what is emitted before it is connected follows
/// [`offline`](ClientBuilder::offline).
///
/// # Errors
/// When the description contradicts itself, or the system has no randomness to give.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn start(builder: ClientBuilder<Async>) -> io::Result<Client> {
    engine::start(Tokio::current(), builder)
}

/// Connects a client whose events are taken instead of handed to handlers, and waits until every namespace is joined.
/// It is described by a URL alone, or with [`SimpleClient::builder`].
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = socketio_tokio::connect_simple("http://127.0.0.1:3000").await?;
/// client.emit("say", "hi").await?;
/// let event = client.recv().await?;
/// println!("{}: {:?}", event.name(), event.arg::<String>());
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`connect`].
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn connect_simple(
    builder: impl Into<SimpleClientBuilder<Async>>,
) -> Result<SimpleClient, ConnectError> {
    engine::connect_simple(Tokio::current(), builder.into()).await
}

/// Begins to serve without a listener: a host that parses HTTP itself gives its requests to [`Server::handle`], and
/// the streams of upgraded ones to [`HostedUpgrade::run`] with [`Tokio`] and a [`TokioStream`].
///
/// For each request of hyper, say (`tests/tests/hyper_mount/host.rs` in the repository has the whole of it):
///
/// ```ignore
/// let head = RequestHead::from_parts(method, path_and_query, headers)?;
/// let upgraded = hyper::upgrade::on(&mut request);
/// match server.handle(head, peer.into(), |limit| read(request.into_body(), limit)).await? {
///     HostedReply::Response(response) => translate(response),
///     HostedReply::Upgrade { response, upgrade } => {
///         tokio::spawn(async move {
///             let Ok(stream) = upgraded.await else { return };
///             upgrade.run(Tokio::current(), TokioStream::new(TokioIo::new(stream))).await;
///         });
///         translate(response)
///     }
/// }
/// ```
///
/// The task ends when the server was [shut down](Server::shutdown) and its last request and WebSocket have ended, or
/// the time for that is over. It goes on when the handle is dropped; aborting it ends the server at once.
///
/// # Errors
/// When the server is served already, or its client bundle cannot be read.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn host(server: &Server) -> io::Result<JoinHandle<()>> {
    engine::host(Tokio::current(), server).map(tokio::spawn)
}

/// Serves the connections of `listener` until the Engine.IO server is
/// [shut down](bare::EngineServer::shutdown).
///
/// # Errors
/// When the server is served already, or the listener fails for good.
pub async fn serve_engine(listener: impl IntoListener, server: bare::EngineServer) -> io::Result<()> {
    engine::serve_engine(Tokio::current(), listener.into_listener()?, server).await
}

/// Compiles the server in the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
