//! Futures that are run, on the I/O thread or on workers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::shared::{Shared, lock};
use super::slab::Slab;

/// A future that is run.
pub(super) struct Task {
    /// `None` once it is over.
    future: Mutex<Option<BoxFuture>>,
    stage: AtomicU8,
    executor: Executor,
    key: AtomicUsize,
    shared: Arc<Shared>,
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Who runs a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Executor {
    /// The thread of all connections; the task must not block.
    Io,
    /// Any worker; the task may block.
    Workers,
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It waits, or is over.
    Rests,
    /// It was woken meanwhile, and is to be queued by who ran it.
    Again,
}

/// After which tasks threads end that nobody keeps any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndAfter {
    /// After the last task of any kind.
    AllTasks,
    /// After the last task for workers: the owner has waited for connections as long as it wanted to.
    Handlers,
}

/// Stages of a task: nobody needs to run it; it is queued; it is being run; and it was woken since; it is over.
const IDLE: u8 = 0;
const QUEUED: u8 = 1;
const RUNNING: u8 = 2;
const WOKEN: u8 = 3;
const OVER: u8 = 4;

impl Task {
    /// Begins to run `future`, unless the threads have ended: then it is dropped.
    pub(super) fn spawn(
        shared: &Arc<Shared>,
        executor: Executor,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = Arc::new(Self {
            future: Mutex::new(Some(Box::pin(future))),
            stage: AtomicU8::new(QUEUED),
            executor,
            key: AtomicUsize::new(0),
            shared: Arc::clone(shared),
        });
        if shared.tasks().enter(&task) {
            task.queue();
        }
    }

    /// Polls the future once; what it throws ends it.
    pub(super) fn run(self: &Arc<Self>) -> Turn {
        let is_mine = self
            .stage
            .compare_exchange(QUEUED, RUNNING, Ordering::AcqRel, Ordering::Acquire);
        if is_mine.is_err() {
            return Turn::Rests;
        }
        let waker = Waker::from(Arc::clone(self));
        if self.poll(&mut Context::from_waker(&waker)).is_ready() {
            self.end();
            return Turn::Rests;
        }
        let left = |from, to| {
            self.stage
                .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
        };
        if left(RUNNING, IDLE) {
            return Turn::Rests;
        }
        if left(WOKEN, QUEUED) {
            return Turn::Again;
        }
        // It was cancelled.
        self.drop_future();
        Turn::Rests
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut future = lock(&self.future);
        let Some(future) = future.as_mut() else {
            return Poll::Ready(());
        };
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        // The panic hook has told of it.
        polled.unwrap_or(Poll::Ready(()))
    }

    /// It is not run any more: its future is dropped, by whoever runs it at the moment if anybody does.
    pub(super) fn cancel(&self) {
        if !matches!(self.stage.swap(OVER, Ordering::AcqRel), RUNNING | WOKEN) {
            self.drop_future();
        }
    }

    fn end(&self) {
        self.stage.store(OVER, Ordering::Release);
        self.drop_future();
        self.shared.leave(self.key.load(Ordering::Acquire));
    }

    fn drop_future(&self) {
        let future = lock(&self.future).take();
        // A destructor of the application may panic; that ends nothing but itself.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }

    fn queue(self: Arc<Self>) {
        let shared = Arc::clone(&self.shared);
        match self.executor {
            Executor::Io => shared.io().push(self),
            Executor::Workers => shared.workers().push(&shared, self),
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let woken = self
            .stage
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |stage| match stage {
                IDLE => Some(QUEUED),
                RUNNING => Some(WOKEN),
                _ => None,
            });
        if woken == Ok(IDLE) {
            self.queue();
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Arc::clone(self).wake();
    }
}

/// All tasks that are not over: their wakers are held everywhere, so who ends the threads has to know them.
pub(super) struct Tasks(Mutex<Registry>);

struct Registry {
    living: Slab<Arc<Task>>,
    /// How many of them are for workers.
    handlers: usize,
    admission: Admission,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    Open,
    Closed,
}

impl Tasks {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Registry {
            living: Slab::new(),
            handlers: 0,
            admission: Admission::Open,
        }))
    }

    /// Whether `task` may be run.
    fn enter(&self, task: &Arc<Task>) -> bool {
        let mut registry = lock(&self.0);
        if registry.admission == Admission::Closed {
            return false;
        }
        let key = registry.living.insert(Arc::clone(task));
        task.key.store(key, Ordering::Release);
        registry.handlers += usize::from(task.executor == Executor::Workers);
        true
    }

    /// A task is over.
    pub(super) fn leave(&self, key: usize) {
        let mut registry = lock(&self.0);
        let gone = registry.living.remove(key);
        if gone
            .as_ref()
            .is_some_and(|task| task.executor == Executor::Workers)
        {
            registry.handlers -= 1;
        }
        drop(registry);
        drop(gone);
    }

    /// Whether all are over that `end_after` asks for.
    pub(super) fn are_over(&self, end_after: EndAfter) -> bool {
        let registry = lock(&self.0);
        let left = match end_after {
            EndAfter::AllTasks => registry.living.len(),
            EndAfter::Handlers => registry.handlers,
        };
        left == 0
    }

    /// Lets no other begin, and drops the futures of all.
    pub(super) fn cancel(&self) {
        let mut registry = lock(&self.0);
        registry.admission = Admission::Closed;
        let living = std::mem::replace(&mut registry.living, Slab::new());
        registry.handlers = 0;
        drop(registry);
        for task in living.values() {
            task.cancel();
        }
    }
}
