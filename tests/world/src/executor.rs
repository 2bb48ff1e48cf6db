//! Tasks, of which one is drawn after the other.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use crate::chance::Chance;

/// A future without an output.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tasks that are to be run; shared with all wakers.
#[derive(Debug, Default)]
pub(crate) struct Runnable(Mutex<Vec<Arc<Ticket>>>);

impl Runnable {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Ticket>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right of a task to run.
#[derive(Debug)]
pub(crate) struct Ticket {
    place: usize,
    is_queued: AtomicBool,
    runnable: Arc<Runnable>,
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::SeqCst) {
            self.runnable.lock().push(Arc::clone(&self));
        }
    }
}

/// The tasks of all hosts.
pub(crate) struct Executor {
    tasks: Vec<Option<Place>>,
    running: usize,
    runnable: Arc<Runnable>,
    chance: Chance,
    /// Once in so many turns somebody runs without having been woken, as any runtime may let it; never for 0.
    whims: u64,
    whim: Chance,
}

struct Place {
    host: IpAddr,
    task: Task,
    ticket: Arc<Ticket>,
}

impl Executor {
    pub(crate) fn new(seed: u64) -> Self {
        let mut whim = Chance::of(seed, "whims", 0);
        // Not everywhere: who is woken by chance does not show that a waker was lost.
        let whims = if whim.once_in(4) { 30 } else { 0 };
        Self {
            tasks: Vec::new(),
            running: 0,
            runnable: Arc::default(),
            chance: Chance::of(seed, "executor", 0),
            whims,
            whim,
        }
    }

    /// A task whose first turn is due.
    pub(crate) fn spawn(&mut self, host: IpAddr, task: Task) {
        let place = self.tasks.len();
        self.running += 1;
        let ticket = Arc::new(Ticket {
            place,
            is_queued: AtomicBool::new(false),
            runnable: Arc::clone(&self.runnable),
        });
        self.tasks.push(Some(Place {
            host,
            task,
            ticket: Arc::clone(&ticket),
        }));
        ticket.wake();
    }

    /// Runs one of the tasks that can, once; whether there was one.
    pub(crate) fn run_one(&mut self) -> bool {
        let ticket = {
            let mut runnable = self.runnable.lock();
            if runnable.is_empty() {
                return false;
            }
            let drawn = self.chance.length(0..runnable.len());
            runnable.swap_remove(drawn)
        };
        ticket.is_queued.store(false, Ordering::SeqCst);
        self.run(ticket.place);
        if self.whim.once_in(self.whims) {
            let place = self.whim.length(0..self.tasks.len());
            self.run(place);
        }
        true
    }

    /// Gives a task its turn, unless it has ended.
    fn run(&mut self, number: usize) {
        let Some(place) = self.tasks.get_mut(number) else {
            return;
        };
        if let Some(Place { task, ticket, .. }) = place {
            let waker = Waker::from(Arc::clone(ticket));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *place = None;
                self.running -= 1;
            }
        }
    }

    /// Drops all tasks of a host, as its end does.
    pub(crate) fn kill(&mut self, host: IpAddr) {
        for place in &mut self.tasks {
            if place.as_ref().is_some_and(|place| place.host == host) {
                *place = None;
                self.running -= 1;
            }
        }
    }

    /// Tasks that have not ended.
    pub(crate) const fn tasks(&self) -> usize {
        self.running
    }
}
