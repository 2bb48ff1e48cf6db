//! The workers: threads that run what may block.
//!
//! | a worker is | it counts against |
//! | --- | --- |
//! | idle | nothing; it ends after [`IDLE`] |
//! | running | as many as there are processors |
//! | stuck: running the same task for [`STUCK`] | nothing; for each, two others may run |
//! | waiting: asleep in `wait()` | nothing; one other is always there |
//!
//! So handlers that compute do not get more threads than there are processors, while handlers that block without
//! telling get twice as many every few milliseconds until there are as many as may be.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::shared::{Shared, lock};
use super::slab::Slab;
use super::task::{Task, Turn};

/// How long a worker without work stays.
const IDLE: Duration = Duration::from_secs(10);
/// A worker that runs one task for so long is taken to be blocked by it.
const STUCK: Duration = Duration::from_millis(1);
/// How long nobody tries to make another worker after the system has refused one.
const REFUSED: Duration = Duration::from_millis(100);

/// How long workers without a task are waited for at the end, whatever the deadline.
const JOIN_TIMEOUT: Duration = Duration::from_millis(100);

/// Tasks that wait for a worker, and the workers.
pub(super) struct Workers {
    state: Mutex<State>,
    /// There is a task, or the end.
    work: Condvar,
    /// A worker has ended.
    ended: Condvar,
    /// Whether the I/O thread is to look whether workers are stuck.
    is_watched: AtomicBool,
    settings: WorkerSettings,
}

/// How workers are made.
#[derive(Clone, Debug)]
pub(super) struct WorkerSettings {
    pub(super) most: usize,
    /// How many may run at once unless they are stuck.
    pub(super) processors: usize,
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
}

struct State {
    queue: VecDeque<Arc<Task>>,
    /// What each worker does.
    workers: Slab<Activity>,
    /// Workers that sleep and that nobody has woken.
    idle: usize,
    /// Of those that were idle, how many are to take a task.
    woken: usize,
    waiting: usize,
    /// Workers that were stuck at the last look.
    stuck: usize,
    handles: Vec<JoinHandle<()>>,
    refused_until: Option<Instant>,
    is_over: bool,
}

/// Which worker is to be woken for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WorkerToWake {
    /// Somebody who comes by anyway, or nobody.
    None,
    /// One of those who sleep.
    Idle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Nothing,
    /// Running a task, since then.
    Running(Instant),
    /// Sleeping in a task, which says so.
    Waiting,
}

thread_local! {
    /// Whose worker this thread is.
    static HERE: RefCell<Option<(Arc<Shared>, usize)>> = const { RefCell::new(None) };
}

impl Workers {
    pub(super) const fn new(settings: WorkerSettings) -> Self {
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                workers: Slab::new(),
                idle: 0,
                woken: 0,
                waiting: 0,
                stuck: 0,
                handles: Vec::new(),
                refused_until: None,
                is_over: false,
            }),
            work: Condvar::new(),
            ended: Condvar::new(),
            is_watched: AtomicBool::new(false),
            settings,
        }
    }

    /// The worker that this thread is, and of whom.
    pub(super) fn here() -> Option<(Arc<Shared>, usize)> {
        // A client may be dropped by a thread-local of the application, when this one is gone.
        HERE.try_with(|here| here.borrow().clone()).ok().flatten()
    }

    /// Makes the first worker, which stays, so that there always is one.
    pub(super) fn start_first(&self, shared: &Arc<Shared>) -> io::Result<()> {
        self.start(shared, &mut lock(&self.state))
    }

    /// Gives a task to the next worker that has time.
    pub(super) fn push(&self, shared: &Arc<Shared>, task: Arc<Task>) {
        let mut state = lock(&self.state);
        if state.is_over {
            // It would keep everything, and everything it. It goes after the lock.
            drop(state);
            return;
        }
        state.queue.push_back(task);
        let to_wake = self.wake_worker(shared, &mut state);
        drop(state);
        self.notify(to_wake);
    }

    /// When workers are to be looked after, if they are; `before` is what this said the last time. Called by the I/O
    /// thread before it sleeps.
    pub(super) fn look_after(
        &self,
        shared: &Arc<Shared>,
        now: Instant,
        before: Option<Instant>,
    ) -> Option<Instant> {
        if !self.is_watched.load(Ordering::SeqCst) {
            return None;
        }
        let moment = before.unwrap_or(now + STUCK);
        if now < moment {
            return Some(moment);
        }
        let mut state = lock(&self.state);
        self.is_watched.store(false, Ordering::SeqCst);
        let activities = state.workers.values();
        state.stuck = activities.filter(|activity| activity.is_stuck(now)).count();
        for _ in 0..state.queue.len().min(2 * state.stuck + 1) {
            let to_wake = self.wake_worker(shared, &mut state);
            self.notify(to_wake);
        }
        self.is_watched.load(Ordering::SeqCst).then_some(now + STUCK)
    }

    /// Gets somebody to take a task, if one is queued and another may run: who is to be notified, without the lock if
    /// that can be, which it would run into.
    fn wake_worker(&self, shared: &Arc<Shared>, state: &mut State) -> WorkerToWake {
        if state.queue.is_empty() || state.is_over {
            return WorkerToWake::None;
        }
        let running = state.workers.len() - state.idle - state.waiting;
        if running >= self.settings.processors + 2 * state.stuck {
            self.watch(shared);
        } else if state.idle > 0 {
            state.idle -= 1;
            state.woken += 1;
            return WorkerToWake::Idle;
        } else if state.workers.len() < self.settings.most && self.start(shared, state).is_err() {
            // Those who are there go on; the first of them stays.
            self.watch(shared);
        }
        WorkerToWake::None
    }

    fn notify(&self, to_wake: WorkerToWake) {
        if to_wake == WorkerToWake::Idle {
            self.work.notify_one();
        }
    }

    fn watch(&self, shared: &Shared) {
        if !self.is_watched.swap(true, Ordering::SeqCst) {
            shared.io().wake();
        }
    }

    fn start(&self, shared: &Arc<Shared>, state: &mut State) -> io::Result<()> {
        let now = Instant::now();
        if state.refused_until.is_some_and(|moment| now < moment) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let key = state.workers.insert(Activity::Nothing);
        let mut builder =
            thread::Builder::new().name(format!("{}-{}", self.settings.name, state.workers.len()));
        if let Some(size) = self.settings.stack_size {
            builder = builder.stack_size(size);
        }
        let owned = Arc::clone(shared);
        match builder.spawn(move || work(owned, key)) {
            Ok(handle) => {
                state.refused_until = None;
                state.handles.retain(|handle| !handle.is_finished());
                state.handles.push(handle);
                Ok(())
            }
            Err(error) => {
                state.workers.remove(key);
                state.refused_until = Some(now + REFUSED);
                Err(error)
            }
        }
    }

    /// The next task for the worker `key`; `None` when it is to end.
    fn next(&self, shared: &Arc<Shared>, key: usize, again: Option<Arc<Task>>) -> Option<Arc<Task>> {
        let mut state = lock(&self.state);
        state.queue.extend(again);
        loop {
            if let Some(task) = state.queue.pop_front() {
                state.set(key, Activity::Running(Instant::now()));
                let to_wake = self.wake_worker(shared, &mut state);
                drop(state);
                self.notify(to_wake);
                return Some(task);
            }
            state.set(key, Activity::Nothing);
            state.idle += 1;
            loop {
                if state.is_over {
                    self.leave(&mut state, key);
                    return None;
                }
                if state.woken > 0 {
                    state.woken -= 1;
                    break;
                }
                let has_timed_out;
                (state, has_timed_out) = sleep(&self.work, state, IDLE);
                // One always has time for what others wait for.
                if has_timed_out && state.woken == 0 && state.workers.len() > state.waiting + 1 {
                    state.idle -= 1;
                    // Under the same lock: who comes now must not count on it.
                    self.leave(&mut state, key);
                    return None;
                }
            }
        }
    }

    fn leave(&self, state: &mut State, key: usize) {
        state.workers.remove(key);
        self.ended.notify_all();
    }

    /// The worker `key` is about to sleep in its task; whether it may: somebody must be left for what it waits for.
    pub(super) fn begin_waiting(&self, shared: &Arc<Shared>, key: usize) -> bool {
        let mut state = lock(&self.state);
        let is_last = state.waiting + 1 >= state.workers.len();
        let may_wait =
            !is_last || (state.workers.len() < self.settings.most && self.start(shared, &mut state).is_ok());
        if may_wait {
            state.waiting += 1;
            state.set(key, Activity::Waiting);
            let to_wake = self.wake_worker(shared, &mut state);
            self.notify(to_wake);
        }
        may_wait
    }

    pub(super) fn end_waiting(&self, key: usize) {
        let mut state = lock(&self.state);
        state.waiting -= 1;
        state.set(key, Activity::Running(Instant::now()));
    }

    /// Ends all workers and waits for them until `deadline`; those that run a task then are left to themselves.
    pub(super) fn end(&self, deadline: Instant) {
        let deadline = deadline.max(Instant::now() + JOIN_TIMEOUT);
        let mut state = lock(&self.state);
        state.is_over = true;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        drop(queue);
        self.work.notify_all();
        let mut state = lock(&self.state);
        while state.workers.len() > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (state, _) = sleep(&self.ended, state, left);
        }
        let has_ended = state.workers.len() == 0;
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        for handle in handles {
            if has_ended || handle.is_finished() {
                // What a task throws is caught.
                let _ = handle.join();
            }
        }
    }
}

impl State {
    fn set(&mut self, key: usize, activity: Activity) {
        let Some(place) = self.workers.get_mut(key) else {
            return;
        };
        if std::mem::replace(place, activity).is_stuck(Instant::now()) {
            self.stuck = self.stuck.saturating_sub(1);
        }
    }
}

impl Activity {
    fn is_stuck(self, now: Instant) -> bool {
        matches!(self, Self::Running(since) if now.duration_since(since) >= STUCK)
    }
}

fn work(shared: Arc<Shared>, key: usize) {
    HERE.set(Some((Arc::clone(&shared), key)));
    let mut again = None;
    while let Some(task) = shared.workers().next(&shared, key, again.take()) {
        again = (task.run() == Turn::Again).then_some(task);
    }
    HERE.set(None);
}

fn sleep<'a, T>(event: &Condvar, guard: MutexGuard<'a, T>, timeout: Duration) -> (MutexGuard<'a, T>, bool) {
    let (guard, outcome) = event
        .wait_timeout(guard, timeout)
        .unwrap_or_else(PoisonError::into_inner);
    (guard, outcome.timed_out())
}
