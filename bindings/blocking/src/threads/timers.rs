use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::shared::{Shared, lock};

/// Who waits for which moment.
pub(super) struct Timers(Mutex<Waiting>);

struct Waiting {
    wakers: BTreeMap<Key, Waker>,
    last: u64,
}

/// Two may wait for the same moment.
type Key = (Instant, u64);

impl Timers {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Waiting {
            wakers: BTreeMap::new(),
            last: 0,
        }))
    }

    /// The next moment that anybody waits for.
    pub(super) fn next(&self) -> Option<Instant> {
        let waiting = lock(&self.0);
        waiting
            .wakers
            .first_key_value()
            .map(|((deadline, _), _)| *deadline)
    }

    /// Wakes everybody whose moment has come.
    pub(super) fn fire(&self, now: Instant) {
        let mut waiting = lock(&self.0);
        if waiting
            .wakers
            .first_key_value()
            .is_none_or(|((deadline, _), _)| *deadline > now)
        {
            return;
        }
        let later = waiting.wakers.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut waiting.wakers, later);
        drop(waiting);
        due.into_values().for_each(Waker::wake);
    }

    /// Begins to wait; whether nobody waits for an earlier moment.
    fn enter(&self, deadline: Instant, waker: Waker) -> (Key, bool) {
        let mut waiting = lock(&self.0);
        waiting.last += 1;
        let key = (deadline, waiting.last);
        waiting.wakers.insert(key, waker);
        let is_first = waiting
            .wakers
            .first_key_value()
            .is_some_and(|(first, _)| *first == key);
        (key, is_first)
    }

    /// Goes on waiting for the same moment; whether it has come and the one who waited before was woken.
    fn renew(&self, key: Key, waker: &Waker) -> bool {
        let offered = waker.clone();
        let mut waiting = lock(&self.0);
        let replaced = waiting.wakers.insert(key, offered);
        drop(waiting);
        replaced.is_none()
    }

    fn leave(&self, key: Key) {
        let mut waiting = lock(&self.0);
        let left = waiting.wakers.remove(&key);
        drop(waiting);
        drop(left);
    }
}

/// Ends at its moment.
#[must_use = "nobody sleeps unless this is polled"]
pub struct Sleep {
    shared: Arc<Shared>,
    deadline: Instant,
    /// The place among those who wait.
    key: Option<Key>,
}

impl Sleep {
    pub(super) const fn new(shared: Arc<Shared>, deadline: Instant) -> Self {
        Self {
            shared,
            deadline,
            key: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if Instant::now() >= this.deadline {
            return Poll::Ready(());
        }
        let is_unknown = match this.key {
            Some(key) => this.shared.timers().renew(key, task.waker()),
            None => {
                let (key, is_first) = this.shared.timers().enter(this.deadline, task.waker().clone());
                this.key = Some(key);
                is_first
            }
        };
        if is_unknown {
            // The I/O thread sleeps for longer than this.
            this.shared.io().wake();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared.timers().leave(key);
        }
    }
}

impl std::fmt::Debug for Sleep {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
