//! Acknowledgements that clients owe us. Each ends in exactly one outcome, or is forgotten.

use super::{AckError, AckId, Event, Server, SocketId};
use crate::json::Arguments;
use crate::slab::Slab;
use std::collections::BTreeSet;
use std::time::Instant;

pub(super) struct Acks {
    pending: Slab<Pending>,
    /// Deadlines vary from call to call, so they are kept sorted in a tree.
    deadlines: BTreeSet<(Instant, AckId)>,
}

struct Pending {
    socket: SocketId,
    number: u64,
    deadline: Instant,
}

impl Acks {
    pub(super) const fn new() -> Self {
        Self {
            pending: Slab::new(),
            deadlines: BTreeSet::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn insert(&mut self, socket: SocketId, number: u64, deadline: Instant) -> AckId {
        let ack = AckId(self.pending.insert(Pending {
            socket,
            number,
            deadline,
        }));
        self.deadlines.insert((deadline, ack));
        ack
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The first that is due; it stays tabled until it is failed or forgotten.
    pub(super) fn first_due(&self, now: Instant) -> Option<AckId> {
        let (deadline, ack) = *self.deadlines.first()?;
        (deadline <= now).then_some(ack)
    }

    fn remove(&mut self, ack: AckId) -> Option<Pending> {
        let pending = self.pending.remove(ack.0)?;
        self.deadlines.remove(&(pending.deadline, ack));
        Some(pending)
    }
}

impl Server {
    /// Stops waiting for an acknowledgement; no event will come for it.
    pub fn forget_ack(&mut self, ack: AckId) {
        if let Some(pending) = self.acks.remove(ack)
            && let Some(socket) = self.sockets.get_mut(pending.socket.0)
        {
            socket.acks.remove(&pending.number);
        }
    }

    /// A client sent an acknowledgement; one that nobody waits for is ignored.
    pub(super) fn receive_ack(&mut self, socket: SocketId, number: u64, arguments: Arguments) {
        let ack = self
            .sockets
            .get(socket.0)
            .and_then(|socket| socket.acks.get(&number).copied());
        if let Some(ack) = ack {
            self.forget_ack(ack);
            self.events.push_back(Event::Acked {
                ack,
                outcome: Ok(arguments),
            });
        }
    }

    pub(super) fn fail_ack(&mut self, ack: AckId, error: AckError) {
        self.forget_ack(ack);
        self.events.push_back(Event::Acked {
            ack,
            outcome: Err(error),
        });
    }
}
