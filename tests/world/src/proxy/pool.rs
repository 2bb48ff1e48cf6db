//! Idle connections to the server.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::config::ServerConnections;
use super::connection::Connection;
use super::wait::within;
use crate::World;
use crate::random::Random;

/// The number of a client's connection.
pub(super) type ClientConnectionId = u64;

/// A connection that was idle.
pub(super) struct ReusedConnection {
    pub(super) connection: Connection,
    /// The client's connection for which it has carried a request last.
    pub(super) last_client: ClientConnectionId,
}

/// Idle connections to the server, and the task that closes them.
pub(super) struct Pool {
    server_connections: ServerConnections,
    /// How long a connection may be idle.
    idle_timeout: Option<Duration>,
    state: Mutex<State>,
}

struct State {
    idle: Vec<IdleConnection>,
    random: Random,
    maintainer: Option<Waker>,
    /// Whether connections were added since the last look.
    is_changed: bool,
    is_closed: bool,
}

struct IdleConnection {
    connection: Connection,
    client_id: ClientConnectionId,
    until: Option<Duration>,
}

impl Pool {
    pub(super) fn new(
        server_connections: ServerConnections,
        idle_timeout: Option<Duration>,
        random: Random,
    ) -> Self {
        Self {
            server_connections,
            idle_timeout,
            state: Mutex::new(State {
                idle: Vec::new(),
                random,
                maintainer: None,
                is_changed: false,
                is_closed: false,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an idle connection on which a request of this client may be forwarded.
    pub(super) fn take(&self, client_id: ClientConnectionId) -> Option<ReusedConnection> {
        let mut state = self.lock();
        let index = match self.server_connections {
            ServerConnections::PerRequest => None,
            ServerConnections::PerClientConnection => {
                state.idle.iter().position(|idle| idle.client_id == client_id)
            }
            ServerConnections::Pooled(_) if state.idle.is_empty() => None,
            ServerConnections::Pooled(_) => {
                let count = state.idle.len();
                Some(state.random.length(0..count))
            }
        };
        let idle = state.idle.swap_remove(index?);
        Some(ReusedConnection {
            connection: idle.connection,
            last_client: idle.client_id,
        })
    }

    /// Keeps a connection for later requests, or gives it back.
    pub(super) fn put(
        &self,
        world: &World,
        client_id: ClientConnectionId,
        connection: Connection,
    ) -> Option<Connection> {
        let mut state = self.lock();
        let has_space = match self.server_connections {
            ServerConnections::PerRequest => false,
            ServerConnections::PerClientConnection => true,
            ServerConnections::Pooled(most) => state.idle.len() < most,
        };
        if !has_space || state.is_closed {
            return Some(connection);
        }
        let until = self.idle_timeout.map(|timeout| world.elapsed() + timeout);
        state.idle.push(IdleConnection {
            connection,
            client_id,
            until,
        });
        wake(state);
        None
    }

    /// Closes what is kept for a client's connection that has ended.
    pub(super) fn remove_client(&self, client_id: ClientConnectionId) {
        if self.server_connections == ServerConnections::PerClientConnection {
            let mut state = self.lock();
            let removed: Vec<IdleConnection> = state
                .idle
                .extract_if(.., |idle| idle.client_id == client_id)
                .collect();
            drop(state);
            drop(removed);
        }
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        wake(state);
    }

    /// Closes connections that the server has closed, and those that were idle too long, until the pool is closed.
    pub(super) async fn maintain(self: Arc<Self>, world: World) {
        loop {
            let next = self.lock().idle.iter().filter_map(|idle| idle.until).min();
            let timeout = next.map(|next| next.saturating_sub(world.elapsed()));
            let _ = within(&world, timeout, poll_fn(|task| self.poll_change(task))).await;
            let now = world.elapsed();
            let mut state = self.lock();
            let is_closed = state.is_closed;
            let is_expired =
                |idle: &mut IdleConnection| is_closed || idle.until.is_some_and(|until| until <= now);
            let expired: Vec<IdleConnection> = state.idle.extract_if(.., is_expired).collect();
            drop(state);
            drop(expired);
            if is_closed {
                return;
            }
        }
    }

    fn poll_change(&self, task: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        state.maintainer = Some(task.waker().clone());
        // The server closes it, or sends what no request asked for.
        let ended: Vec<IdleConnection> = state
            .idle
            .extract_if(.., |idle| idle.connection.poll_read(task).is_ready())
            .collect();
        let is_changed = std::mem::take(&mut state.is_changed);
        drop(state);
        drop(ended);
        match is_changed {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    state.is_changed = true;
    let maintainer = state.maintainer.take();
    drop(state);
    if let Some(maintainer) = maintainer {
        maintainer.wake();
    }
}
