//! Sleeping until a future is ready.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use socketio_driver::engine::step_aside;

use super::io::Io;
use super::shared::Shared;
use super::workers::Workers;

/// Nobody would be left to bring about what is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WouldDeadlock;

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    Never,
    Until(Instant),
}

/// Sleeps until `future` is ready. It is not polled at all when that can not be waited for.
pub(crate) fn wait_for<F: Future>(future: F) -> Result<F::Output, WouldDeadlock> {
    let permit = Permit::take()?;
    match sleep(future, Timeout::Never, || Ok(permit))? {
        Some(output) => Ok(output),
        None => Err(WouldDeadlock),
    }
}

/// Sleeps until `future` is ready or `timeout` is over: then it is `None`. A future that is ready at once
/// is not waited for, and so never refused.
pub(crate) fn wait_ready<F: Future>(future: F, timeout: Timeout) -> Result<Option<F::Output>, WouldDeadlock> {
    sleep(future, timeout, Permit::take)
}

/// As [`wait_ready`], for what needs no worker to come to its end.
pub(crate) fn wait_anyhow<F: Future>(future: F, timeout: Timeout) -> Option<F::Output> {
    let slept = sleep(future, timeout, || Ok(Permit::take().ok()));
    slept.unwrap_or_else(|WouldDeadlock| None)
}

/// Sleeps until `future` is ready or `timeout` is over; `permit` is asked for before.
fn sleep<F: Future, P>(
    future: F,
    timeout: Timeout,
    permit: impl FnOnce() -> Result<P, WouldDeadlock>,
) -> Result<Option<F::Output>, WouldDeadlock> {
    let parker = Arc::new(Parker::new());
    let waker = Waker::from(Arc::clone(&parker));
    let mut future = pin!(future);
    let mut context = Context::from_waker(&waker);
    if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
        return Ok(Some(output));
    }
    let _permit = permit()?;
    step_aside();
    while !timeout.is_over() {
        parker.park(timeout);
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Ok(Some(output));
        }
    }
    Ok(None)
}

impl Timeout {
    /// For a duration from now on.
    pub(crate) fn of(duration: Duration) -> Self {
        match Instant::now().checked_add(duration) {
            Some(deadline) => Self::Until(deadline),
            None => Self::Never,
        }
    }

    fn is_over(self) -> bool {
        matches!(self, Self::Until(deadline) if Instant::now() >= deadline)
    }
}

/// That this thread sleeps.
struct Permit(Option<(Arc<Shared>, usize)>);

impl Permit {
    fn take() -> Result<Self, WouldDeadlock> {
        if Io::is_any_here() {
            return Err(WouldDeadlock);
        }
        let worker = Workers::here();
        match &worker {
            Some((shared, key)) if !shared.workers().begin_waiting(shared, *key) => Err(WouldDeadlock),
            _ => Ok(Self(worker)),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some((shared, key)) = &self.0 {
            shared.workers().end_waiting(*key);
        }
    }
}

/// Puts this thread to sleep until it is woken.
struct Parker {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Parker {
    fn new() -> Self {
        Self {
            thread: thread::current(),
            is_woken: AtomicBool::new(false),
        }
    }

    fn park(&self, timeout: Timeout) {
        while !self.is_woken.swap(false, Ordering::AcqRel) {
            match timeout {
                Timeout::Never => thread::park(),
                Timeout::Until(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    thread::park_timeout(left);
                }
            }
        }
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
