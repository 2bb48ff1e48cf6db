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
//! Binary data is [`Bytes`], alone or anywhere in a value; a `Vec<u8>` is an array of numbers.
//!
//! Under a host that parses HTTP itself, such as a hyper service, [`host`] takes the place of [`serve`].
//!
//! Everything but these two, [`Tokio`] and [`TokioStream`] is that of the crate `socketio-driver` and the same in every
//! binding. It works on the current-thread and the multi-thread scheduler.

#![forbid(unsafe_code)]

mod stream;

pub use socketio_driver::*;
pub use stream::{Tokio, TokioStream};

use std::io;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Serves the connections of `listener` until the server is [shut down](Server::shutdown).
///
/// # Errors
/// When the server is served already, its client bundle cannot be read, or the listener fails for good.
pub async fn serve(listener: TcpListener, server: Server) -> io::Result<()> {
    engine::serve(Tokio::current(), listener.into(), server).await
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
pub async fn serve_engine(listener: TcpListener, server: bare::EngineServer) -> io::Result<()> {
    engine::serve_engine(Tokio::current(), listener.into(), server).await
}

/// Compiles the server in the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
