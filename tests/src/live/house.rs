//! Our own server in the test's process, on a runtime of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use socketio_tokio::{Async, Server, ServerBuilder};
use tokio::runtime::{Builder, Runtime};

use super::PATIENCE;

/// A server that is served until it is dropped.
#[derive(Debug)]
pub struct House {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its handle.
    pub server: Server,
    runtime: Option<Runtime>,
}

impl House {
    /// Serves on a port of its own.
    #[must_use]
    pub fn open(builder: ServerBuilder<Async>) -> Self {
        Self::open_at(builder, 0)
    }

    /// Serves on this port, which somebody may be about to give up.
    ///
    /// # Panics
    ///
    /// If the port is not given up in time.
    #[must_use]
    pub fn open_at(builder: ServerBuilder<Async>, port: u16) -> Self {
        let started = Instant::now();
        let listener = loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Ok(listener) => break listener,
                Err(error) => assert!(started.elapsed() < PATIENCE, "port {port}: {error}"),
            }
            thread::sleep(Duration::from_millis(10));
        };
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("it is a socket");
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let server = builder.build();
        let served = server.clone();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it does not block");
            // The runtime's end is its end.
            let _ = socketio_tokio::serve(listener, served).await;
        });
        Self {
            address,
            server,
            runtime: Some(runtime),
        }
    }

    /// As `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes all connections without a farewell, and the port.
    pub fn close(self) {}
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Tests drop this within a runtime, where none may wait for another.
            runtime.shutdown_background();
        }
    }
}
