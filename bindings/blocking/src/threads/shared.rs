//! What all tasks and handles of some threads share.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use mio::Poll;

use super::io::Io;
use super::task::{EndAfter, Tasks};
use super::timers::Timers;
use super::workers::{WorkerSettings, Workers};

pub(super) struct Shared {
    io: Io,
    tasks: Tasks,
    timers: Timers,
    workers: Workers,
    /// Which tasks may go on, and until when, once their owner is gone.
    end: OnceLock<(EndAfter, Instant)>,
}

impl Shared {
    pub(super) fn new(poll: &Poll, settings: WorkerSettings) -> io::Result<Arc<Self>> {
        let io = Io::new(poll)?;
        Ok(Arc::new(Self {
            io,
            tasks: Tasks::new(),
            timers: Timers::new(),
            workers: Workers::new(settings),
            end: OnceLock::new(),
        }))
    }

    pub(super) const fn io(&self) -> &Io {
        &self.io
    }

    pub(super) const fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub(super) const fn timers(&self) -> &Timers {
        &self.timers
    }

    pub(super) const fn workers(&self) -> &Workers {
        &self.workers
    }

    /// A task is over.
    pub(super) fn leave(&self, key: usize) {
        self.tasks.leave(key);
        if self.end.get().is_some() {
            self.io.wake();
        }
    }

    /// The owner is gone: the threads end as `end_after` says, or at `deadline`.
    pub(super) fn end(&self, end_after: EndAfter, deadline: Instant) {
        let _ = self.end.set((end_after, deadline));
        self.io.wake();
    }

    /// Whether the I/O thread has nothing to do any more.
    pub(super) fn is_at_end(&self, now: Instant) -> bool {
        let end = self.end.get();
        end.is_some_and(|(end_after, deadline)| now >= *deadline || self.tasks.are_over(*end_after))
    }

    /// When the threads end whatever they do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.end.get().map(|(_, deadline)| *deadline)
    }
}

/// Nothing that can panic runs under the locks of these threads, so what they guard is whole even if a thread died.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
