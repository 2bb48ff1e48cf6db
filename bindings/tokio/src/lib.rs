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
//! With TLS:
//!
#![cfg_attr(feature = "tls", doc = "```no_run")]
#![cfg_attr(not(feature = "tls"), doc = "```ignore")]
//! use socketio_tokio::net::tls::TlsServer;
//! use tokio::net::TcpListener;
//!
//! # async fn run(server: socketio_tokio::Server) -> Result<(), Box<dyn std::error::Error>> {
//! let tls = TlsServer::builder(std::fs::read("chain.pem")?, std::fs::read("key.pem")?).build()?;
//! let listener = TcpListener::bind("0.0.0.0:443").await?;
//! socketio_tokio::serve(tls.wrap(listener), server).await?;
//! # Ok(()) }
//! ```
//!
//! Under a host that parses HTTP itself, such as a hyper service, [`host`] takes the place of [`serve`]. For each request
//! of hyper, say (`tests/tests/hyper_mount/host.rs` in the repository has the whole of it):
//!
//! ```ignore
//! let head = RequestHead::from_parts(method, path_and_query, headers)?;
//! let upgraded = hyper::upgrade::on(&mut request);
//! match server.handle(head, peer.into(), |limit| read(request.into_body(), limit)).await? {
//!     HostedReply::Response(response) => translate(response),
//!     HostedReply::Upgrade { response, upgrade } => {
//!         tokio::spawn(async move {
//!             let Ok(stream) = upgraded.await else { return };
//!             upgrade.run(Tokio::current(), TokioStream::new(TokioIo::new(stream))).await;
//!         });
//!         translate(response)
//!     }
//! }
//! ```
//!
//! Everything but the functions here, [`Tokio`] and [`TokioStream`] is that of the crate `socketio-driver` and the same in
//! every binding: where an example says `socketio_driver::`, write `socketio_tokio::`. TLS is the feature `tls`, on by
//! default. It works on the current-thread and the multi-thread scheduler; all functions here panic outside of one.

#![forbid(unsafe_code)]

mod stream;

pub use socketio_driver::*;
pub use stream::{Tokio, TokioStream};

use tokio::net::{TcpListener, TcpStream, lookup_host};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

socketio_driver::binding! {
    runtime: Tokio = Tokio::current(),
    name: "socketio_tokio",
    resolve: async |host: String, port| Ok(lookup_host((host, port)).await?.collect()),
    tcp: TcpListener, TcpStream => TokioStream = TokioStream::tcp,
    unix: UnixListener, UnixStream => TokioStream<UnixStream> = TokioStream::new,
}

/// Compiles the server in the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
