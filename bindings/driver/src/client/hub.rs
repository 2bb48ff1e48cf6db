//! Subscribers of connection events, and the client's status.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::client::waiters::{WaiterId, Waiters};
use crate::client::{ClientReason, ConnectionEvent};
use crate::core::Text;
use crate::refusal::Refusal;

/// Most events that wait for one subscriber; beyond them the oldest are dropped and counted.
pub(crate) const EVENTS_PER_SUBSCRIBER: usize = 256;

/// Tells subscribers what happens to the connection. Clones are the same hub.
///
/// Its lock is a leaf: taken under the shard's lock or alone, and nothing of the application runs under it.
#[derive(Clone, Default)]
pub(crate) struct Hub(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    status: ClientStatus,
    subscribers: Vec<Subscriber>,
    next_subscriber: u64,
    /// Those who wait for the status to change.
    waiting: Waiters,
}

/// The state of the client, as it follows from the events so far.
#[derive(Default)]
pub(crate) struct ClientStatus {
    pub(crate) connection: ConnectionStatus,
    namespaces: Vec<(Text, Membership)>,
    /// Why the last attempt or connection failed.
    failure: Option<ClientReason>,
}

/// Whether there is or will be a connection.
#[derive(Clone, Default, Debug)]
pub(crate) enum ConnectionStatus {
    /// There is one, or one is being tried for.
    #[default]
    Active,
    /// Not until the application connects again.
    Closed(ClientReason),
    /// Never: the client's last handle was dropped.
    Over(Option<ClientReason>),
}

/// Whether one namespace is joined.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Membership {
    /// Not yet, or not at the moment.
    Awaited,
    Joined,
    Refused(Refusal),
    /// It was left and is not joined again by itself.
    Left,
}

impl ClientStatus {
    /// Whether a namespace is joined.
    pub(crate) fn membership(&self, namespace: &str) -> &Membership {
        let known = self
            .namespaces
            .iter()
            .find(|(name, _)| name.as_str() == namespace);
        known.map_or(&Membership::Awaited, |(_, membership)| membership)
    }

    /// Why the last attempt or connection failed, if one has.
    pub(crate) const fn failure(&self) -> Option<&ClientReason> {
        self.failure.as_ref()
    }

    fn note(&mut self, event: &ConnectionEvent) {
        match event {
            ConnectionEvent::Connecting { .. } => self.resume(),
            ConnectionEvent::Joined { namespace, .. } => self.set(namespace, Membership::Joined),
            ConnectionEvent::Refused {
                namespace,
                message,
                data,
            } => {
                let refusal = Refusal::received(message.clone(), data.clone());
                self.set(namespace, Membership::Refused(refusal));
            }
            ConnectionEvent::Left { namespace, reason } => {
                let membership = if reason.will_reconnect() {
                    Membership::Awaited
                } else {
                    Membership::Left
                };
                self.set(namespace, membership);
            }
            ConnectionEvent::AttemptFailed { error: reason, .. }
            | ConnectionEvent::Disconnected { reason, .. } => self.failure = Some(reason.clone()),
            ConnectionEvent::Closed { reason } => self.connection = ConnectionStatus::Closed(reason.clone()),
            _ => {}
        }
    }

    /// The application connects again: what was refused and left is asked for anew.
    fn resume(&mut self) {
        if let ConnectionStatus::Closed(_) = self.connection {
            self.connection = ConnectionStatus::Active;
            self.namespaces.clear();
            self.failure = None;
        }
    }

    fn set(&mut self, namespace: &Text, membership: Membership) {
        match self.namespaces.iter_mut().find(|(name, _)| name == namespace) {
            Some((_, known)) => *known = membership,
            None => self.namespaces.push((namespace.detach(), membership)),
        }
    }
}

/// Events that one subscriber has not taken yet.
struct Subscriber {
    number: u64,
    events: VecDeque<ConnectionEvent>,
    lost: u64,
    waker: Option<Waker>,
}

impl Subscriber {
    fn push(&mut self, event: ConnectionEvent) {
        if self.events.len() >= EVENTS_PER_SUBSCRIBER {
            self.events.pop_front();
            self.lost += 1;
        }
        self.events.push_back(event);
    }

    fn pop(&mut self) -> Option<ConnectionEvent> {
        match std::mem::take(&mut self.lost) {
            0 => self.events.pop_front(),
            lost => Some(ConnectionEvent::Lagged(lost)),
        }
    }
}

impl Hub {
    /// Tells everybody. Callable under the shard's lock; the wakers are to be woken after unlock.
    #[must_use = "whoever waits must be woken, outside every lock"]
    pub(crate) fn publish(&self, event: &ConnectionEvent) -> Vec<Waker> {
        let mut state = self.lock();
        state.status.note(event);
        for subscriber in &mut state.subscribers {
            subscriber.push(event.clone());
        }
        state.wakers()
    }

    /// The application connects again, or is about to: whoever asks whether the client is closed hears that it is not.
    #[must_use = "whoever waits must be woken, outside every lock"]
    pub(crate) fn resume(&self) -> Vec<Waker> {
        let mut state = self.lock();
        state.status.resume();
        state.wakers()
    }

    /// Something changed of which no event tells: whoever waits looks again.
    #[must_use = "whoever waits must be woken, outside every lock"]
    pub(crate) fn take_waiting(&self) -> Vec<Waker> {
        self.lock().waiting.take()
    }

    /// The client is gone: its subscribers hear the end, after what is queued.
    #[must_use = "whoever waits must be woken, outside every lock"]
    pub(crate) fn end(&self) -> Vec<Waker> {
        let mut state = self.lock();
        let reason = match std::mem::take(&mut state.status.connection) {
            ConnectionStatus::Active => None,
            ConnectionStatus::Closed(reason) => Some(reason),
            ConnectionStatus::Over(reason) => reason,
        };
        state.status.connection = ConnectionStatus::Over(reason);
        state.wakers()
    }

    /// Somebody who may wait for the status to change.
    pub(crate) fn watch(&self) -> Watch {
        Watch {
            hub: self.clone(),
            waiter: WaiterId::default(),
        }
    }

    /// A new subscriber's number; it hears what happens from now on.
    pub(crate) fn subscribe(&self) -> u64 {
        let mut state = self.lock();
        let number = state.next_subscriber;
        state.next_subscriber += 1;
        state.subscribers.push(Subscriber {
            number,
            events: VecDeque::new(),
            lost: 0,
            waker: None,
        });
        number
    }

    pub(crate) fn unsubscribe(&self, number: u64) {
        let mut state = self.lock();
        let position = state.subscribers.iter().position(|known| known.number == number);
        let gone = position.map(|position| state.subscribers.swap_remove(position));
        drop(state);
        drop(gone);
    }

    /// A subscriber's next event; `None` when the client is gone.
    pub(crate) fn poll_event(&self, number: u64, waker: &Waker) -> Poll<Option<ConnectionEvent>> {
        let mut offered = Some(waker.clone());
        let mut state = self.lock();
        let is_over = matches!(state.status.connection, ConnectionStatus::Over(_));
        let Some(subscriber) = state.subscribers.iter_mut().find(|known| known.number == number) else {
            return Poll::Ready(None);
        };
        if let Some(event) = subscriber.pop() {
            return Poll::Ready(Some(event));
        }
        if is_over {
            return Poll::Ready(None);
        }
        let replaced = std::mem::replace(&mut subscriber.waker, offered.take());
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock, so the state is whole even if a thread died.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wakers(&mut self) -> Vec<Waker> {
        let mut wakers = self.waiting.take();
        wakers.extend(
            self.subscribers
                .iter_mut()
                .filter_map(|subscriber| subscriber.waker.take()),
        );
        wakers
    }
}

/// Somebody who waits for the status to change, until it is dropped.
pub(crate) struct Watch {
    hub: Hub,
    waiter: WaiterId,
}

impl Watch {
    /// What `look` finds in the status; when it finds nothing, `waker` is woken after the next event.
    pub(crate) fn poll<R>(
        &mut self,
        waker: &Waker,
        look: impl FnOnce(&ClientStatus) -> Option<R>,
    ) -> Poll<R> {
        // Clones and destructors of wakers are code of the runtime's: neither runs under the lock.
        let offered = waker.clone();
        let mut state = self.hub.lock();
        if let Some(found) = look(&state.status) {
            drop(state);
            return Poll::Ready(found);
        }
        let replaced = state.waiting.enter(&mut self.waiter, offered);
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let left = self.hub.lock().waiting.leave(&self.waiter);
        drop(left);
    }
}
