//! Whom to wake.

use std::collections::BTreeMap;
use std::task::Waker;

/// The wakers of those who wait for one thing. Each has an entry of its own until it is woken or gives up waiting:
/// tasks come and go while nothing happens, and must not add up.
///
/// Wakers come back from every method, because neither waking nor dropping one may happen under a lock.
#[derive(Default)]
pub(super) struct Waiters {
    last: u64,
    waiting: BTreeMap<u64, Waker>,
}

/// Names one who waits, or may; given when it waits first.
#[derive(Default)]
pub(super) struct WaiterId(Option<u64>);

impl Waiters {
    /// Wakes `waker` next time, in place of the one that comes back.
    #[must_use = "a waker is dropped outside of the lock"]
    pub(super) fn enter(&mut self, waiter: &mut WaiterId, waker: Waker) -> Option<Waker> {
        let number = *waiter.0.get_or_insert_with(|| {
            self.last += 1;
            self.last
        });
        self.waiting.insert(number, waker)
    }

    /// Wakes this one no more.
    #[must_use = "a waker is dropped outside of the lock"]
    pub(super) fn leave(&mut self, waiter: &WaiterId) -> Option<Waker> {
        self.waiting.remove(&waiter.0?)
    }

    /// Everybody, to be woken now.
    #[must_use = "whoever waits must be woken"]
    pub(super) fn take(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}
