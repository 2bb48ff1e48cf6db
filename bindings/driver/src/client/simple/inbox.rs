//! Events that wait to be taken.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::client::simple::Incoming;
use crate::client::waiters::{WaiterId, Waiters};

/// A bounded queue of events; when it is full the oldest makes room.
///
/// Its lock is a leaf, and nothing of the application or the runtime runs under it.
pub(crate) struct Inbox {
    state: Mutex<State>,
    capacity: usize,
}

#[derive(Default)]
struct State {
    events: VecDeque<Incoming>,
    lost: u64,
    waiting: Waiters,
}

/// What [`InboxReceiver::take`] found.
pub(crate) enum Taken {
    Event(Box<Incoming>),
    /// So many were lost since the last time.
    Lagged(u64),
    Nothing,
}

impl Inbox {
    /// For at most `capacity` events, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            capacity: capacity.max(1),
        }
    }

    /// Adds an event, and wakes who waits for one.
    pub(crate) fn push(&self, event: Incoming) {
        let mut state = self.lock();
        let dropped = if state.events.len() >= self.capacity {
            state.lost += 1;
            state.events.pop_front()
        } else {
            None
        };
        state.events.push_back(event);
        let waiting = state.waiting.take();
        drop(state);
        drop(dropped);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock, so the state is whole even if a thread died.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who takes events, until it is dropped.
pub(crate) struct InboxReceiver {
    inbox: Arc<Inbox>,
    waiter: WaiterId,
}

impl InboxReceiver {
    pub(crate) fn new(inbox: &Arc<Inbox>) -> Self {
        Self {
            inbox: Arc::clone(inbox),
            waiter: WaiterId::default(),
        }
    }

    /// The next event; when there is none, `waker` is woken when one comes.
    pub(crate) fn take(&mut self, waker: &Waker) -> Taken {
        let offered = waker.clone();
        let mut state = self.inbox.lock();
        if state.lost > 0 {
            return Taken::Lagged(std::mem::take(&mut state.lost));
        }
        if let Some(event) = state.events.pop_front() {
            return Taken::Event(Box::new(event));
        }
        let replaced = state.waiting.enter(&mut self.waiter, offered);
        drop(state);
        drop(replaced);
        Taken::Nothing
    }
}

impl Drop for InboxReceiver {
    fn drop(&mut self) {
        let left = self.inbox.lock().waiting.leave(&self.waiter);
        drop(left);
    }
}
