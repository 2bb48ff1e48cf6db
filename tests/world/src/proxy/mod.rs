//! HTTP proxies between clients and a server: they forward requests and responses, and may buffer, delay, lose or
//! refuse them and close connections, as real proxies do.
//!
//! ```text
//!   client ──► client connection: one request after the other ──► exchange ──► pool ──► server
//!                     │                                              │
//!                     └─────────────── tunnel ◄── 101 ───────────────┘
//! ```
//!
//! A [`ProxyConfig`] says what a proxy does; it is set by a test or [random](ProxyConfig::random).

mod client_connection;
mod config;
mod connection;
mod exchange;
mod message;
mod pool;
mod tunnel;
mod wait;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use socketio_driver::engine::Listener;

use crate::random::Random;
use crate::{Host, SimListener, World};
use connection::Connection;
use pool::Pool;
use wait::{First, first};

pub use config::{
    BodyFraming, Buffering, CloseKind, ForwardingHeaders, HeaderCase, KeepAlive, KeepAliveHeader,
    LosableRequests, MessageFormat, Persistence, ProxyConfig, ServerConnections, Upgrades,
};

/// How long a peer may be silent before its first request, within a message, or in a tunnel: the default of nginx.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A running proxy. Clones are handles to the same proxy.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

/// What a proxy has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProxyStatistics {
    /// Requests whose head has arrived.
    pub requests: u64,
    /// Connections to the server that were dialled.
    pub dials: u64,
    /// Requests on a connection to the server that was used for another connection of a client before.
    pub shared: u64,
    /// Connections of clients that were closed after the idle timeout.
    pub idle_timeouts: u64,
    /// Requests that were lost with their connection.
    pub lost_requests: u64,
    /// Requests that were sent again on another connection because the server had closed the first.
    pub retries: u64,
    /// Responses of the proxy itself: refusals of upgrades, 502, 504.
    pub own_responses: u64,
    /// Upgrades to WebSocket.
    pub tunnels: u64,
}

struct Inner {
    config: ProxyConfig,
    world: World,
    host: Host,
    server: SocketAddr,
    pool: Arc<Pool>,
    state: Mutex<State>,
}

struct State {
    random: Random,
    statistics: ProxyStatistics,
    is_closed: bool,
    acceptor: Option<Waker>,
}

impl ProxyConfig {
    /// Starts a proxy on `host`: it listens at `port` and forwards requests to `server`.
    ///
    /// # Errors
    /// When the port is in use.
    pub fn start(self, world: &World, host: &Host, port: u16, server: SocketAddr) -> io::Result<Proxy> {
        let listener = host.listen(port)?;
        let pool = Pool::new(
            self.server_connections,
            self.server_keep_alive.idle_timeout,
            world.random("pool"),
        );
        let inner = Arc::new(Inner {
            config: self,
            world: world.clone(),
            host: host.clone(),
            server,
            pool: Arc::new(pool),
            state: Mutex::new(State {
                random: world.random("intermediary"),
                statistics: ProxyStatistics::default(),
                is_closed: false,
                acceptor: None,
            }),
        });
        host.run(Arc::clone(&inner.pool).maintain(world.clone()));
        host.run(accept(Arc::clone(&inner), listener));
        Ok(Proxy(inner))
    }
}

impl Proxy {
    /// What it has done so far.
    #[must_use]
    pub fn statistics(&self) -> ProxyStatistics {
        self.0.lock().statistics
    }

    /// Stops listening and closes idle connections to the server; open exchanges and tunnels go on.
    pub fn close(&self) {
        self.0.pool.close();
        let acceptor = {
            let mut state = self.0.lock();
            state.is_closed = true;
            state.acceptor.take()
        };
        if let Some(acceptor) = acceptor {
            acceptor.wake();
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, count: impl FnOnce(&mut ProxyStatistics)) {
        count(&mut self.lock().statistics);
    }

    /// Ends when the proxy is closed.
    async fn closed(&self) {
        poll_fn(|task| {
            let mut state = self.lock();
            if state.is_closed {
                return Poll::Ready(());
            }
            state.acceptor = Some(task.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

async fn accept(proxy: Arc<Inner>, mut listener: SimListener) {
    let mut last = 0;
    loop {
        let accepted = Listener::<Host>::accept(&mut listener);
        let First::Left(Ok((stream, peer))) = first(accepted, proxy.closed()).await else {
            return;
        };
        last += 1;
        let connection = Connection::new(stream);
        proxy.host.run(client_connection::serve(
            Arc::clone(&proxy),
            connection,
            last,
            peer.to_string(),
        ));
    }
}
