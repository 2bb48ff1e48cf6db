//! The table of acknowledgements that a peer owes, for servers and clients.

use super::AckId;
use crate::slab::Slab;
use core::fmt;
use std::collections::BTreeSet;
use std::time::Instant;

/// Why an acknowledgement will never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AckError {
    /// The time given for it has passed.
    TimedOut,
    /// The socket is gone.
    Disconnected,
    /// The event had waited for a connection and could not be sent then; see
    /// `Undeliverable`. Only clients tell it.
    NotSent,
}

impl fmt::Display for AckError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TimedOut => "operation has timed out",
            Self::Disconnected => "socket has been disconnected",
            Self::NotSent => "the event could not be sent when there was a connection: send less at once",
        })
    }
}

impl std::error::Error for AckError {}

/// Acknowledgements that are owed, with what their owner wants to know of each.
pub(super) struct Acks<T> {
    pending: Slab<Pending<T>>,
    /// Deadlines vary from call to call, so they are kept sorted in a tree.
    deadlines: BTreeSet<(Instant, AckId)>,
}

struct Pending<T> {
    owner: T,
    deadline: Option<Instant>,
}

impl<T> Acks<T> {
    pub(super) const fn new() -> Self {
        Self {
            pending: Slab::new(),
            deadlines: BTreeSet::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.pending.len()
    }

    /// Tables one; without a deadline it never times out.
    pub(super) fn insert(&mut self, owner: T, deadline: Option<Instant>) -> AckId {
        let ack = AckId(self.pending.insert(Pending { owner, deadline }));
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, ack));
        }
        ack
    }

    pub(super) fn get(&self, ack: AckId) -> Option<&T> {
        Some(&self.pending.get(ack.0)?.owner)
    }

    pub(super) fn get_mut(&mut self, ack: AckId) -> Option<&mut T> {
        Some(&mut self.pending.get_mut(ack.0)?.owner)
    }

    pub(super) fn set_deadline(&mut self, ack: AckId, deadline: Option<Instant>) {
        let Some(pending) = self.pending.get_mut(ack.0) else {
            return;
        };
        if let Some(old) = core::mem::replace(&mut pending.deadline, deadline) {
            self.deadlines.remove(&(old, ack));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, ack));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The first that is due; it stays tabled until it is failed, forgotten or given more time.
    pub(super) fn first_due(&self, now: Instant) -> Option<AckId> {
        let (deadline, ack) = *self.deadlines.first()?;
        (deadline <= now).then_some(ack)
    }

    pub(super) fn remove(&mut self, ack: AckId) -> Option<T> {
        let pending = self.pending.remove(ack.0)?;
        if let Some(deadline) = pending.deadline {
            self.deadlines.remove(&(deadline, ack));
        }
        Some(pending.owner)
    }

    /// How many there is room for: what answered ones may not make grow.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.pending.capacity()
    }
}
