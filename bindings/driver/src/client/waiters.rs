//! Whom to wake.

use std::collections::BTreeMap;
use std::task::Waker;

/// The wakers of those who wait for one thing. Each has a place of its own until it is woken or gives the place up:
/// tasks come and go while nothing happens, and must not add up.
///
/// Wakers come back from every method, because neither waking nor dropping one may happen under a lock.
#[derive(Default)]
pub(super) struct Waiters {
    places: u64,
    waiting: BTreeMap<u64, Waker>,
}

/// The place of one who waits, or may.
#[derive(Default)]
pub(super) struct Place(Option<u64>);

impl Waiters {
    /// Wakes `waker` next time, in place of the one that comes back.
    #[must_use = "a waker is dropped outside of the lock"]
    pub(super) fn enter(&mut self, place: &mut Place, waker: Waker) -> Option<Waker> {
        let number = *place.0.get_or_insert_with(|| {
            self.places += 1;
            self.places
        });
        self.waiting.insert(number, waker)
    }

    /// Wakes nobody for this place any more.
    #[must_use = "a waker is dropped outside of the lock"]
    pub(super) fn leave(&mut self, place: &Place) -> Option<Waker> {
        self.waiting.remove(&place.0?)
    }

    /// Everybody, to be woken now.
    #[must_use = "whoever waits must be woken"]
    pub(super) fn take(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}
