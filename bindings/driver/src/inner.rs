//! What all handles of one server share.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::core::{self, AckError, AckId, Arguments, NamespaceId, SocketId};
use crate::engine::{Bundles, Shard, SocketMachine};
use crate::error::Error;
use crate::handle::{Socket, SocketReadyWaiters};
use crate::hash::FixedMap;
use crate::router::Router;

pub(crate) struct Inner {
    router: Router,
    shard: Shard<SocketMachine>,
    /// The core's ids of the router's namespaces, in the same order; set when serving begins.
    namespaces: OnceLock<Box<[NamespaceId]>>,
    /// The client's files; set when serving begins, if there are any.
    bundles: OnceLock<Bundles>,
    calls: Calls,
    ready_waiters: SocketReadyWaiters,
}

impl Inner {
    pub(crate) fn new(router: Router) -> Arc<Self> {
        Arc::new(Self {
            router,
            shard: Shard::new(),
            namespaces: OnceLock::new(),
            bundles: OnceLock::new(),
            calls: Calls::default(),
            ready_waiters: SocketReadyWaiters::default(),
        })
    }

    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    pub(crate) fn shard(&self) -> &Shard<SocketMachine> {
        &self.shard
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    pub(crate) const fn ready_waiters(&self) -> &SocketReadyWaiters {
        &self.ready_waiters
    }

    pub(crate) fn bundles(&self) -> Option<&Bundles> {
        self.bundles.get()
    }

    /// Keeps what was found out when serving began; only the first call counts.
    pub(crate) fn begin(&self, namespaces: Vec<NamespaceId>, bundles: Option<Bundles>) {
        let _ = self.namespaces.set(namespaces.into());
        if let Some(bundles) = bundles {
            let _ = self.bundles.set(bundles);
        }
    }

    /// Runs core verbs under the shard's lock; what they leave to send or wake is done after unlock.
    ///
    /// `verbs` must not run application code: no `Serialize`, `Drop` or waker of the application.
    pub(crate) fn with_core<R>(
        self: &Arc<Self>,
        verbs: impl FnOnce(&mut core::Server, Instant) -> R,
    ) -> Result<R, Error> {
        self.shard
            .with(self, |state, now| verbs(&mut state.machine.core, now))
    }

    /// The core's id of the router's namespace at `position`.
    pub(crate) fn namespace_id(&self, position: usize) -> Result<NamespaceId, Error> {
        self.namespaces
            .get()
            .and_then(|ids| ids.get(position))
            .copied()
            .ok_or(Error::NotServing)
    }

    /// Begins to end: no new clients, what is queued is sent within `grace`.
    pub(crate) fn shutdown(self: &Arc<Self>, grace: Duration) -> Result<(), Error> {
        self.shard.with(self, |state, now| state.shut_down(now, grace))
    }

    /// The handles of `ids`, without those that left meanwhile.
    pub(crate) fn sockets(self: &Arc<Self>, ids: &[SocketId]) -> Vec<Socket> {
        let found = self.shard.with(self, |state, _| {
            let handle = |id: &SocketId| {
                let strand = state.machine.strand_of(*id)?;
                Some(state.strands.get_mut(strand)?.subject.clone())
            };
            ids.iter().filter_map(handle).collect()
        });
        found.unwrap_or_default()
    }

    /// The handle of a socket that has joined and not left.
    pub(crate) fn socket(self: &Arc<Self>, id: SocketId) -> Option<Socket> {
        self.sockets(&[id]).pop()
    }
}

/// Calls for which there is always room.
const CALLS_KEPT: usize = 64;

/// The answers that [`Call`](crate::Call)s wait for.
///
/// Its lock is a leaf: taken under the shard's lock or alone, and nothing of the application runs under it.
#[derive(Default)]
pub(crate) struct Calls(Mutex<FixedMap<AckId, CallSlot>>);

/// One outstanding call.
enum CallSlot {
    /// No answer yet; whom to wake once the call has been polled.
    Waiting(Option<Waker>),
    /// The answer, until the call is polled or dropped.
    Answered(Result<Arguments, AckError>),
}

impl Calls {
    /// Makes room for an answer. Called under the shard's lock, so that the answer cannot come first.
    pub(crate) fn register(&self, ack: AckId) {
        unpoison(self.0.lock()).insert(ack, CallSlot::Waiting(None));
    }

    /// The answer if it is there; otherwise `waker` is woken when it comes. A call that is not registered,
    /// because the server ended, counts as disconnected.
    pub(crate) fn poll(&self, ack: AckId, waker: &Waker) -> Poll<Result<Arguments, AckError>> {
        // Clones and destructors of wakers are code of the runtime's: neither runs under the lock.
        let mut next = Some(waker.clone());
        let mut slots = unpoison(self.0.lock());
        let replaced = match slots.remove(&ack) {
            Some(CallSlot::Answered(outcome)) => {
                shrink(&mut slots);
                return Poll::Ready(outcome);
            }
            None => return Poll::Ready(Err(AckError::Disconnected)),
            Some(CallSlot::Waiting(old)) => {
                slots.insert(ack, CallSlot::Waiting(next.take()));
                old
            }
        };
        drop(slots);
        drop(replaced);
        Poll::Pending
    }

    /// Keeps the answer that the core reported; the waker is to be woken after unlock.
    #[must_use = "whoever waits must be woken, outside every lock"]
    pub(crate) fn complete(&self, ack: AckId, outcome: Result<Arguments, AckError>) -> Option<Waker> {
        match unpoison(self.0.lock()).get_mut(&ack) {
            Some(slot @ CallSlot::Waiting(_)) => match std::mem::replace(slot, CallSlot::Answered(outcome)) {
                CallSlot::Waiting(waker) => waker,
                CallSlot::Answered(_) => None,
            },
            Some(CallSlot::Answered(_)) | None => None,
        }
    }

    /// Nobody waits any more; whether the answer was still to come, so that the core must forget it too.
    pub(crate) fn forget(&self, ack: AckId) -> bool {
        let mut slots = unpoison(self.0.lock());
        let slot = slots.remove(&ack);
        shrink(&mut slots);
        drop(slots);
        matches!(slot, Some(CallSlot::Waiting(_)))
    }
}

/// Gives room back that many calls at once have needed, with as many left before it is needed again.
fn shrink<K: Eq + Hash, V>(slots: &mut FixedMap<K, V>) {
    if slots.capacity() > CALLS_KEPT && slots.len() < slots.capacity() / 4 {
        slots.shrink_to((slots.len() * 2).max(CALLS_KEPT));
    }
}

type Locked<'a, T> = Result<MutexGuard<'a, T>, PoisonError<MutexGuard<'a, T>>>;

/// Nothing that can panic runs under these locks, so their data is whole even if a thread died.
fn unpoison<T>(lock: Locked<'_, T>) -> MutexGuard<'_, T> {
    lock.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_many_needed_is_given_back() {
        let mut slots = FixedMap::default();
        slots.extend((0..10_000).map(|number| (number, number)));
        for number in 0..10_000 {
            slots.remove(&number);
            shrink(&mut slots);
        }
        assert!(slots.capacity() <= 2 * CALLS_KEPT);
    }
}
