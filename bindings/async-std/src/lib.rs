//! Socket.IO on async-std.
//!
//! async-std is discontinued and recommends smol: programs that are yet to be written use `socketio-smol`, which offers the
//! same.
//!
//! ```no_run
//! use socketio_async_std::{Arg, Reply, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let server = Server::builder().on("sum", |Arg(numbers): Arg<Vec<i64>>| Reply(numbers.iter().sum::<i64>())).build();
//!     async_std::task::block_on(async {
//!         let listener = async_std::net::TcpListener::bind("127.0.0.1:3000").await?;
//!         socketio_async_std::serve(listener, server).await
//!     })
//! }
//! ```
//!
//! A client is described like a server, and connected:
//!
//! ```no_run
//! use socketio_async_std::{Arg, Client};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let builder = Client::builder("http://127.0.0.1:3000").on("said", |Arg(text): Arg<String>| println!("{text}"));
//! let client = socketio_async_std::connect(builder).await?;
//! let sum: i64 = client.call("sum", &[1, 2, 3]).await?;
//! # Ok(()) }
//! ```
//!
//! Everything but the functions here and [`AsyncStd`] is that of the crate `socketio-driver` and the same in every
//! binding: where an example says `socketio_driver::`, write `socketio_async_std::`. TLS is the feature `tls`, on by
//! default.

#![forbid(unsafe_code)]

use async_io::Timer;
use async_std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use async_std::os::unix::net::{UnixListener, UnixStream};
use socketio_driver::engine::{IoStream, Runtime};
use std::net::Shutdown;
use std::time::Instant;

pub use socketio_driver::*;

socketio_driver::binding! {
    runtime: AsyncStd = AsyncStd,
    name: "socketio_async_std",
    resolve: async |host: String, port| Ok((host.as_str(), port).to_socket_addrs().await?.collect()),
    tcp: TcpListener, TcpStream => IoStream<TcpStream> = tcp,
    unix: UnixListener, UnixStream => IoStream<UnixStream> = unix,
}

/// The runtime of async-std, of which a process has one.
#[derive(Clone, Copy, Debug)]
pub struct AsyncStd;

impl Runtime for AsyncStd {
    type Stream = IoStream<TcpStream>;
    type Sleep = Timer;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Timer {
        Timer::at(deadline)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(async_std::task::spawn(task));
    }
}

/// Small packets must not wait for each other; a socket that can not be told so is gone already.
fn tcp(stream: TcpStream) -> IoStream<TcpStream> {
    let _ = stream.set_nodelay(true);
    IoStream::ended_by(stream, |stream| stream.shutdown(Shutdown::Write))
}

#[cfg(unix)]
fn unix(stream: UnixStream) -> IoStream<UnixStream> {
    IoStream::ended_by(stream, |stream| stream.shutdown(Shutdown::Write))
}
