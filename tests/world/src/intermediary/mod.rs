//! HTTP proxies that stand between a client and its server: they read requests and answers, pass them on, and do what
//! proxies do.
//!
//! ```text
//!   client ──► SimListener ──► front: one request after the other ──► exchange ──► pool of connections ──► server
//!                                 │                                      │
//!                                 └───────────── tunnel ◄── 101 ─────────┘
//! ```
//!
//! What one does is the struct [`Intermediary`], set by a test or [drawn](Intermediary::drawn); what that may cost
//! those who use it is its [`Toll`].

mod exchange;
mod front;
mod line;
mod message;
mod pool;
mod quirks;
mod tunnel;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use socketio_driver::engine::Listener;

use crate::chance::Chance;
use crate::{Host, SimListener, World};
use line::{First, Line, first};
use pool::Pool;

pub use quirks::{
    Buffering, Case, Coding, Cuts, Dialect, Intermediary, Lines, Manner, Notice, Persistence, Struck, Toll,
    Traces, Upgrades,
};

/// How long anybody may be silent before a first request, in the middle of a message, or in a tunnel: nginx's default.
const PATIENCE: Duration = Duration::from_secs(60);

/// An intermediary that runs. Clones are handles to the same.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

/// What an intermediary has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that came in whole.
    pub requests: u64,
    /// Connections to the server that were made.
    pub dials: u64,
    /// Requests that went out on a connection which had carried a request of another client's connection before.
    pub shared: u64,
    /// Connections of clients that rested too long and were closed.
    pub cuts: u64,
    /// Requests that were lost with their connection.
    pub strikes: u64,
    /// Requests that were sent again on another connection, because the server had ended the first.
    pub repeats: u64,
    /// Requests that were answered here: 400, 502, 504.
    pub own_answers: u64,
    /// Requests for a WebSocket that were passed on and granted.
    pub tunnels: u64,
}

struct Inner {
    quirks: Intermediary,
    world: World,
    host: Host,
    server: SocketAddr,
    pool: Arc<Pool>,
    state: Mutex<State>,
}

struct State {
    chance: Chance,
    tally: Tally,
    is_closed: bool,
    acceptor: Option<Waker>,
}

impl Intermediary {
    /// Starts it on `host`: it listens at `port` and passes requests on to `server`.
    ///
    /// # Errors
    /// When somebody listens there already.
    pub fn open(self, world: &World, host: &Host, port: u16, server: SocketAddr) -> io::Result<Proxy> {
        let listener = host.listen(port)?;
        let pool = Pool::new(self.lines, self.servers.after, world.chance("pool"));
        let inner = Arc::new(Inner {
            quirks: self,
            world: world.clone(),
            host: host.clone(),
            server,
            pool: Arc::new(pool),
            state: Mutex::new(State {
                chance: world.chance("intermediary"),
                tally: Tally::default(),
                is_closed: false,
                acceptor: None,
            }),
        });
        host.run(Arc::clone(&inner.pool).keep(world.clone()));
        host.run(accept(Arc::clone(&inner), listener));
        Ok(Proxy(inner))
    }
}

impl Proxy {
    /// What it has done so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.0.lock().tally
    }

    /// It listens no more and lets go of connections to the server that rest; what is under way goes on.
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

    fn count(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.lock().tally);
    }

    /// Ends when the intermediary is closed.
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
        let line = Line::new(stream);
        proxy
            .host
            .run(front::serve(Arc::clone(&proxy), line, last, peer.to_string()));
    }
}
