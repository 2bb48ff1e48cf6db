//! The I/O thread: it waits for the operating system, and runs the tasks of all connections.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use super::shared::{Shared, lock};
use super::slab::Slab;
use super::source::Readiness;
use super::task::{Task, Turn};

/// Events taken from the operating system at once.
const EVENTS: usize = 1_024;
/// The event by which other threads wake this one.
const WAKE: Token = Token(usize::MAX);
/// How long to pause when the operating system refuses to tell events.
const REFUSED: Duration = Duration::from_millis(10);

/// What the I/O thread and those who give it work share.
pub(super) struct Io {
    registry: Registry,
    waker: Waker,
    /// Whether the thread looks at what it was given before it sleeps, so that it need not be woken.
    is_awake: AtomicBool,
    /// `None` once the thread has ended: what is queued then would keep everything, and everything it.
    queue: Mutex<Option<VecDeque<Arc<Task>>>>,
    sources: Mutex<Slab<Arc<Readiness>>>,
}

thread_local! {
    /// Of the threads of which this is the I/O thread.
    static HERE: Cell<*const Io> = const { Cell::new(ptr::null()) };
}

impl Io {
    pub(super) fn new(poll: &Poll) -> io::Result<Self> {
        Ok(Self {
            registry: poll.registry().try_clone()?,
            waker: Waker::new(poll.registry(), WAKE)?,
            is_awake: AtomicBool::new(false),
            queue: Mutex::new(Some(VecDeque::new())),
            sources: Mutex::new(Slab::new()),
        })
    }

    /// Whether this is the I/O thread of any threads.
    pub(super) fn is_any_here() -> bool {
        !HERE.get().is_null()
    }

    /// Whether this is the I/O thread.
    pub(super) fn is_here(&self) -> bool {
        ptr::eq(HERE.get(), self)
    }

    /// Makes the I/O thread look at what changed, unless it will by itself.
    pub(super) fn wake(&self) {
        if !self.is_here() && !self.is_awake.swap(true, Ordering::SeqCst) {
            // It fails when the system is out of memory; then the thread looks at the next event.
            let _ = self.waker.wake();
        }
    }

    /// Gives a task its turn.
    pub(super) fn push(&self, task: Arc<Task>) {
        if self.enqueue(task) {
            self.wake();
        }
    }

    /// Whether there is somebody to run it; otherwise it is dropped, without the lock.
    fn enqueue(&self, task: Arc<Task>) -> bool {
        match lock(&self.queue).as_mut() {
            Some(queue) => queue.push_back(task),
            None => return false,
        }
        true
    }

    fn is_idle(&self) -> bool {
        lock(&self.queue).as_ref().is_none_or(VecDeque::is_empty)
    }

    /// Begins to hear of a source.
    pub(super) fn register(
        &self,
        source: &mut impl mio::event::Source,
        readiness: Arc<Readiness>,
        interest: Interest,
    ) -> io::Result<usize> {
        let key = lock(&self.sources).insert(readiness);
        let registered = self.registry.register(source, Token(key), interest);
        if registered.is_err() {
            lock(&self.sources).remove(key);
        }
        registered.map(|()| key)
    }

    /// Hears no more of a source.
    pub(super) fn deregister(&self, source: &mut impl mio::event::Source, key: usize) {
        // A source that is not known any more needs nothing.
        let _ = self.registry.deregister(source);
        let gone = lock(&self.sources).remove(key);
        drop(gone);
    }

    fn dispatch(&self, event: &Event) {
        let readiness = lock(&self.sources).get(event.token().0).map(Arc::clone);
        // An event may come after its source has left.
        if let Some(readiness) = readiness {
            readiness.note(event);
        }
    }
}

/// Runs the I/O thread to the end of its threads.
pub(super) fn run(shared: &Arc<Shared>, mut poll: Poll) {
    let io = shared.io();
    HERE.set(io);
    let mut events = Events::with_capacity(EVENTS);
    let mut batch = VecDeque::new();
    let mut look = None;
    loop {
        if let Some(queue) = lock(&io.queue).as_mut() {
            mem::swap(&mut batch, queue);
        }
        for task in batch.drain(..) {
            if task.run() == Turn::Again {
                io.enqueue(task);
            }
        }
        // Before looking: who changes something from here on either is seen below or wakes the thread.
        io.is_awake.store(false, Ordering::SeqCst);
        let now = Instant::now();
        if shared.is_at_end(now) {
            break;
        }
        look = shared.workers().look_after(shared, now, look);
        let moments = [shared.timers().next(), shared.deadline(), look];
        let next = moments.into_iter().flatten().min();
        let timeout = match io.is_idle() {
            true => next.map(|moment| moment.saturating_duration_since(now)),
            false => Some(Duration::ZERO),
        };
        if poll.poll(&mut events, timeout).is_err_and(is_refusal) {
            std::thread::sleep(REFUSED);
        }
        io.is_awake.store(true, Ordering::SeqCst);
        for event in &events {
            if event.token() != WAKE {
                io.dispatch(event);
            }
        }
        events.clear();
        shared.timers().fire(Instant::now());
    }
    shared.tasks().cancel();
    let left = lock(&io.queue).take();
    drop(left);
    let deadline = shared.deadline().unwrap_or_else(Instant::now);
    shared.workers().end(deadline);
    HERE.set(ptr::null());
}

/// Whether more than a signal kept the system from telling events.
fn is_refusal(error: io::Error) -> bool {
    error.kind() != io::ErrorKind::Interrupted
}
