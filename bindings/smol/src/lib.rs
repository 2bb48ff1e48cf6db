//! Socket.IO on smol.
//!
//! ```no_run
//! use socketio_smol::{Arg, Reply, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let server = Server::builder().on("sum", |Arg(numbers): Arg<Vec<i64>>| Reply(numbers.iter().sum::<i64>())).build();
//!     smol::block_on(async {
//!         let listener = smol::net::TcpListener::bind("127.0.0.1:3000").await?;
//!         socketio_smol::serve(listener, server).await
//!     })
//! }
//! ```
//!
//! A client is described like a server, and connected:
//!
//! ```no_run
//! use socketio_smol::{Arg, Client};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let builder = Client::builder("http://127.0.0.1:3000").on("said", |Arg(text): Arg<String>| println!("{text}"));
//! let client = socketio_smol::connect(builder).await?;
//! let sum: i64 = client.call("sum", &[1, 2, 3]).await?;
//! # Ok(()) }
//! ```
//!
//! The functions here spawn on smol's global executor, whose threads `SMOL_THREADS` counts. An executor of your own is
//! given to the functions of the same names in [`engine`]:
//!
//! ```
//! use std::sync::Arc;
//! use socketio_smol::{Server, Smol, engine};
//!
//! # async fn run(listener: smol::net::TcpListener, server: Server) -> std::io::Result<()> {
//! let executor = Arc::new(smol::Executor::new());
//! executor.run(engine::serve(Smol::on(Arc::clone(&executor)), listener, server)).await
//! # }
//! ```
//!
//! Everything but the functions here and [`Smol`] is that of the crate `socketio-driver` and the same in every binding:
//! where an example says `socketio_driver::`, write `socketio_smol::`. TLS is the feature `tls`, on by default.

#![forbid(unsafe_code)]

#[cfg(unix)]
use smol::net::unix::{UnixListener, UnixStream};
use smol::net::{TcpListener, TcpStream};
use smol::{Executor, Timer};
use socketio_driver::engine::{IoStream, Runtime};
use std::sync::{Arc, Weak};
use std::time::Instant;

pub use socketio_driver::*;

socketio_driver::binding! {
    runtime: Smol = Smol::global(),
    name: "socketio_smol",
    resolve: async |host: String, port| smol::net::resolve((host, port)).await,
    tcp: TcpListener, TcpStream => IoStream<TcpStream> = tcp,
    unix: UnixListener, UnixStream => IoStream<UnixStream> = IoStream::new,
}

/// An executor of smol's. It does not keep one that is not the global one: connections end with their executor.
#[derive(Clone, Debug)]
pub struct Smol(Option<Weak<Executor<'static>>>);

impl Smol {
    /// The global executor, that of [`smol::spawn`].
    pub const fn global() -> Self {
        Self(None)
    }

    /// An executor that somebody keeps and runs.
    pub fn on(executor: Arc<Executor<'static>>) -> Self {
        Self(Some(Arc::downgrade(&executor)))
    }
}

impl Runtime for Smol {
    type Stream = IoStream<TcpStream>;
    type Sleep = Timer;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Timer {
        Timer::at(deadline)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self.0.as_ref().map(Weak::upgrade) {
            Some(Some(executor)) => executor.spawn(task).detach(),
            // Its executor is gone, and with it everybody who could want the task.
            Some(None) => drop(task),
            None => smol::spawn(task).detach(),
        }
    }
}

/// Small packets must not wait for each other; a socket that can not be told so is gone already.
fn tcp(stream: TcpStream) -> IoStream<TcpStream> {
    let _ = stream.set_nodelay(true);
    IoStream::new(stream)
}
