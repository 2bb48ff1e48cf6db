//! The threads: one for all connections, and workers for all that may block.

mod answer;
mod handle;
mod io;
mod net;
mod shared;
mod slab;
mod source;
mod task;
#[cfg(test)]
mod tests;
mod timers;
mod wait;
mod workers;

use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::Poll;

pub(crate) use answer::Answer;
pub use handle::ThreadsHandle;
use io::Io;
pub use net::{SocketListener, SocketSource};
use shared::{Shared, lock};
pub use source::{Socket, SocketStream};
use task::EndAfter;
pub use timers::Sleep;
pub(crate) use wait::{Timeout, WouldDeadlock, wait_anyhow, wait_for, wait_ready};
use workers::{WorkerSettings, Workers};

/// Most workers, unless told otherwise: so many handlers can wait at once, for one another or for a database, and the
/// stacks of all of them are half a GiB of addresses, which every system has, and some MiB of memory.
pub const DEFAULT_WORKERS: usize = 256;
/// How long the end of threads waits for handlers that run, unless told otherwise: 5 seconds.
pub const DEFAULT_END_TIMEOUT: Duration = Duration::from_secs(5);

/// The threads that servers and clients run on: one for all their connections and timers, and workers, on which
/// handlers and callbacks of the application are called.
///
/// [`serve`](crate::serve) and [`connect`](crate::connect) make some by themselves. Clones are the same threads. When
/// the last clone is dropped, and every [`Serving`](crate::Serving) and every client on them, they end: handlers that
/// run may go on for [`end_timeout`](ThreadsBuilder::end_timeout), then all threads are joined. A handler that is not
/// done by then is left to itself. Dropped on one of these threads they end as well, but nobody waits for it.
#[derive(Clone)]
pub struct Threads(Arc<Owner>);

struct Owner {
    shared: Arc<Shared>,
    io: Option<JoinHandle<()>>,
    end_timeout: Duration,
}

/// The threads of all clients that were given none.
static OF_CLIENTS: Mutex<Weak<Owner>> = Mutex::new(Weak::new());

impl Threads {
    /// Begins to describe some.
    pub fn builder() -> ThreadsBuilder {
        ThreadsBuilder {
            workers: DEFAULT_WORKERS,
            name: "socketio".to_owned(),
            stack_size: None,
            end_timeout: DEFAULT_END_TIMEOUT,
        }
    }

    /// Those that all clients share that were given none, made when the first needs them.
    pub(crate) fn of_clients() -> std::io::Result<Self> {
        let mut place = lock(&OF_CLIENTS);
        if let Some(owner) = place.upgrade() {
            return Ok(Self(owner));
        }
        let threads = Self::builder().name("socketio-clients").build()?;
        *place = Arc::downgrade(&threads.0);
        Ok(threads)
    }

    /// The driver's view of them. It does not keep them.
    pub fn handle(&self) -> ThreadsHandle {
        ThreadsHandle::new(Arc::clone(&self.0.shared))
    }

    /// Whether the caller may wait for what only they do: not when it is one of them, or the I/O thread of others.
    pub(crate) fn may_be_waited_for(&self) -> bool {
        self.0.may_be_waited_for()
    }
}

impl Owner {
    fn may_be_waited_for(&self) -> bool {
        let is_worker = Workers::here().is_some_and(|(shared, _)| Arc::ptr_eq(&shared, &self.shared));
        !is_worker && !Io::is_any_here()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let may_wait = self.may_be_waited_for();
        let end_after = if may_wait {
            EndAfter::Handlers
        } else {
            EndAfter::AllTasks
        };
        self.shared.end(end_after, Instant::now() + self.end_timeout);
        let Some(io) = self.io.take().filter(|_| may_wait) else {
            return;
        };
        // It has joined the workers.
        let _ = io.join();
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Threads").finish_non_exhaustive()
    }
}

/// [`Threads`] being described.
#[derive(Clone, Debug)]
#[must_use = "there are no threads before build() is called"]
pub struct ThreadsBuilder {
    workers: usize,
    name: String,
    stack_size: Option<usize>,
    end_timeout: Duration,
}

impl ThreadsBuilder {
    /// Most workers, at least one; default [`DEFAULT_WORKERS`]. So many handlers are called at once. As one of them has
    /// to be left for what the others wait for, one fewer can [`wait`](crate::Wait::wait).
    pub const fn workers(mut self, most: usize) -> Self {
        self.workers = if most == 0 { 1 } else { most };
        self
    }

    /// What the names of the threads begin with. Default `socketio`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The stack of each worker, in bytes. Default that of the standard library, 2 MiB.
    pub const fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// How long the end of the threads waits for handlers that run. Default [`DEFAULT_END_TIMEOUT`].
    pub fn end_timeout(mut self, timeout: Duration) -> Self {
        // A clock can express this much.
        self.end_timeout = timeout.min(Duration::from_secs(365 * 24 * 60 * 60));
        self
    }

    /// Makes the I/O thread and the first worker. Others are made when they are needed.
    ///
    /// # Errors
    /// When the system does not give a thread or what watches sockets.
    pub fn build(self) -> std::io::Result<Threads> {
        let poll = Poll::new()?;
        let settings = WorkerSettings {
            most: self.workers,
            processors: thread::available_parallelism().map_or(1, usize::from),
            name: format!("{}-worker", self.name),
            stack_size: self.stack_size,
        };
        let shared = Shared::new(&poll, settings)?;
        let mut owner = Owner {
            shared: Arc::clone(&shared),
            io: None,
            end_timeout: self.end_timeout,
        };
        let owned = Arc::clone(&shared);
        let thread = thread::Builder::new().name(format!("{}-io", self.name));
        owner.io = Some(thread.spawn(move || io::run(&owned, poll))?);
        // If there is none, the owner ends the I/O thread.
        shared.workers().start_first(&shared)?;
        Ok(Threads(Arc::new(owner)))
    }
}
