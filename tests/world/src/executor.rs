//! Runs tasks in random order.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use crate::random::Random;

/// A future without an output.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The wakers of tasks that are to be polled; shared with all wakers.
#[derive(Debug, Default)]
pub(crate) struct Runnable(Mutex<Vec<Arc<TaskWaker>>>);

impl Runnable {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<TaskWaker>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks its task as runnable.
#[derive(Debug)]
pub(crate) struct TaskWaker {
    slot: usize,
    is_queued: AtomicBool,
    runnable: Arc<Runnable>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::SeqCst) {
            self.runnable.lock().push(Arc::clone(&self));
        }
    }
}

/// The tasks of all hosts.
pub(crate) struct Executor {
    tasks: Vec<Option<Slot>>,
    running: usize,
    runnable: Arc<Runnable>,
    random: Random,
    /// After one in so many polls a task is polled that was not woken, as any runtime may do; never for 0.
    spurious_wakeups: u64,
    spurious: Random,
}

struct Slot {
    host: IpAddr,
    task: Task,
    waker: Arc<TaskWaker>,
}

impl Executor {
    pub(crate) fn new(seed: u64) -> Self {
        let mut spurious = Random::of(seed, "whims", 0);
        // Not in all worlds: spurious wakeups hide lost wakers.
        let spurious_wakeups = if spurious.once_in(4) { 30 } else { 0 };
        Self {
            tasks: Vec::new(),
            running: 0,
            runnable: Arc::default(),
            random: Random::of(seed, "executor", 0),
            spurious_wakeups,
            spurious,
        }
    }

    /// Adds a task and marks it as runnable.
    pub(crate) fn spawn(&mut self, host: IpAddr, task: Task) {
        let slot = self.tasks.len();
        self.running += 1;
        let waker = Arc::new(TaskWaker {
            slot,
            is_queued: AtomicBool::new(false),
            runnable: Arc::clone(&self.runnable),
        });
        self.tasks.push(Some(Slot {
            host,
            task,
            waker: Arc::clone(&waker),
        }));
        waker.wake();
    }

    /// Polls one of the runnable tasks; false if there is none.
    pub(crate) fn run_one(&mut self) -> bool {
        let waker = {
            let mut runnable = self.runnable.lock();
            if runnable.is_empty() {
                return false;
            }
            let drawn = self.random.length(0..runnable.len());
            runnable.swap_remove(drawn)
        };
        waker.is_queued.store(false, Ordering::SeqCst);
        self.run(waker.slot);
        if self.spurious.once_in(self.spurious_wakeups) {
            let slot = self.spurious.length(0..self.tasks.len());
            self.run(slot);
        }
        true
    }

    /// Polls a task, unless it has ended.
    fn run(&mut self, number: usize) {
        let Some(slot) = self.tasks.get_mut(number) else {
            return;
        };
        if let Some(Slot { task, waker, .. }) = slot {
            let waker = Waker::from(Arc::clone(waker));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *slot = None;
                self.running -= 1;
            }
        }
    }

    /// Drops all tasks of a host.
    pub(crate) fn kill(&mut self, host: IpAddr) {
        for slot in &mut self.tasks {
            if slot.as_ref().is_some_and(|slot| slot.host == host) {
                *slot = None;
                self.running -= 1;
            }
        }
    }

    /// Tasks that have not ended.
    pub(crate) const fn tasks(&self) -> usize {
        self.running
    }
}
