//! Our own server in the test's process, on a tokio runtime of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use socketio_tokio::{Async, Server, ServerBuilder};
use tokio::runtime::{Builder, Runtime};

use super::TIMEOUT;

/// A server that is served until it is dropped.
#[derive(Debug)]
pub struct LocalServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// The handle of the server.
    pub handle: Server,
    runtime: Option<Runtime>,
}

impl LocalServer {
    /// Serves on a port of its own.
    #[must_use]
    pub fn open(builder: ServerBuilder<Async>) -> Self {
        Self::open_at(builder, 0)
    }

    /// Serves on this port, which another process may be about to release.
    ///
    /// # Panics
    ///
    /// If the port is not released in time.
    #[must_use]
    pub fn open_at(builder: ServerBuilder<Async>, port: u16) -> Self {
        let started = Instant::now();
        let listener = loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Ok(listener) => break listener,
                Err(error) => assert!(started.elapsed() < TIMEOUT, "port {port}: {error}"),
            }
            thread::sleep(Duration::from_millis(10));
        };
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("it is a socket");
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let handle = builder.build();
        let server = handle.clone();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it does not block");
            // It ends with the runtime.
            let _ = socketio_tokio::serve(listener, server).await;
        });
        Self {
            address,
            handle,
            runtime: Some(runtime),
        }
    }

    /// As `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes all connections without a close packet, and the port.
    pub fn close(self) {}
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Tests drop this within a runtime, where none may wait for another.
            runtime.shutdown_background();
        }
    }
}
