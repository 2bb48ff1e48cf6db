//! Delivery at least once: one queue for each namespace, of which the first event is under way.

use super::acks::Place;
use super::namespace::State;
use super::{Client, EmitError, Retry};
use crate::eio::client::SendError;
use crate::sio::{AckId, Encoded, NamespaceId};
use core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;

/// A sending waits at least so long, or a client that was asleep would send without end when it wakes.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The queue of one namespace, by turn; any of them can be forgotten.
pub(super) struct Deliveries {
    parcels: BTreeMap<u64, Parcel>,
    next: u64,
}

struct Parcel {
    packet: Encoded,
    retry: Retry,
    ack: AckId,
    sendings: u32,
    /// The number it was sent with last, while that may be acknowledged.
    under_way: Option<u64>,
}

impl Deliveries {
    pub(super) const fn new() -> Self {
        Self {
            parcels: BTreeMap::new(),
            next: 0,
        }
    }

    /// The acknowledgements of all that are not under way.
    pub(super) fn not_under_way(&self) -> Vec<AckId> {
        let waiting = self.parcels.values().filter(|parcel| parcel.under_way.is_none());
        waiting.map(|parcel| parcel.ack).collect()
    }

    /// Takes one out; the number it is under way with, if it is.
    pub(super) fn remove(&mut self, turn: u64) -> Option<u64> {
        self.parcels.remove(&turn)?.under_way
    }

    fn push(&mut self, packet: &Encoded, retry: Retry, ack: AckId) {
        let parcel = Parcel {
            packet: packet.detach(),
            retry,
            ack,
            sendings: 0,
            under_way: None,
        };
        self.parcels.insert(self.next, parcel);
        self.next = self.next.wrapping_add(1);
    }

    /// The first, unless it is under way.
    fn due(&self) -> Option<&Parcel> {
        let (_, parcel) = self.parcels.first_key_value()?;
        parcel.under_way.is_none().then_some(parcel)
    }
}

impl Parcel {
    /// Whether it may be sent once more.
    const fn may_go(&self) -> bool {
        self.sendings <= self.retry.retries
    }
}

impl Client {
    /// Delivers an event at least once: it is queued (first in, first out, one under way for each namespace) and sent
    /// again when its acknowledgement does not come in time or the connection is lost, until [`Retry::retries`] is used
    /// up. The server may see it several times.
    ///
    /// It waits for the namespace whatever [`Config::offline`](super::Config::offline) says, and that counts for
    /// nothing. `packet` is made with [`Encoder::event`](crate::sio::Encoder::event); it is given a new number each
    /// time.
    pub fn deliver(
        &mut self,
        now: Instant,
        namespace: NamespaceId,
        packet: &Encoded,
        retry: Retry,
    ) -> Result<AckId, EmitError> {
        self.advance(now);
        if packet.has_ack_id() {
            return Err(EmitError::AlreadyNumbered);
        }
        match self.state(namespace) {
            None | Some(State::Idle(_) | State::Leaving(_)) => return Err(EmitError::NotConnected),
            Some(_) => {}
        }
        self.check_owed(namespace)?;
        let turn = self.namespaces.get(namespace.index());
        let turn = turn.map_or(0, |state| state.deliveries.next);
        let ack = self.owe(namespace, Place::Delivery(turn), None);
        if let Some(state) = self.namespaces.get_mut(namespace.index()) {
            state.deliveries.push(packet, retry, ack);
        }
        self.deliver_next(namespace);
        self.drain();
        Ok(ack)
    }

    /// Sends the first of the queue if the namespace is joined and nothing else waits.
    pub(super) fn deliver_next(&mut self, namespace: NamespaceId) {
        loop {
            let state = self.namespaces.get(namespace.index());
            let Some(state) = state.filter(|state| state.is_joined() && state.buffer.is_empty()) else {
                return;
            };
            let Some(parcel) = state.deliveries.due() else {
                return;
            };
            let (packet, ack) = (parcel.packet.clone(), parcel.ack);
            match self.send_numbered(namespace, &packet) {
                Ok(number) => return self.sent_first(namespace, number),
                // The end of the session is about to be told, and leaves it where it is.
                Err(SendError::Closed) => return,
                Err(SendError::QueueFull) if self.engine.queued_bytes() > 0 => {
                    return self.stall(namespace);
                }
                Err(error) => self.undeliverable(namespace, Some(ack), error),
            }
        }
    }

    /// The first of the queue is under way.
    fn sent_first(&mut self, namespace: NamespaceId, number: u64) {
        let Some(state) = self.namespaces.get_mut(namespace.index()) else {
            return;
        };
        let Some(mut first) = state.deliveries.parcels.first_entry() else {
            return;
        };
        let parcel = first.get_mut();
        parcel.sendings = parcel.sendings.saturating_add(1);
        parcel.under_way = Some(number);
        let ack = parcel.ack;
        let patience = parcel.retry.ack_timeout.max(SHORTEST_WAIT);
        state.sent.insert(number, ack);
        self.acks.set_deadline(ack, self.now.checked_add(patience));
    }

    /// Its acknowledgement did not come in time; whether it was sent again or will be.
    pub(super) fn deliver_again(&mut self, namespace: NamespaceId, turn: u64) -> bool {
        let Some(state) = self.namespaces.get_mut(namespace.index()) else {
            return false;
        };
        let is_joined = state.is_joined();
        let Some(parcel) = state.deliveries.parcels.get_mut(&turn) else {
            return false;
        };
        if !is_joined || !parcel.may_go() {
            return false;
        }
        if let Some(number) = parcel.under_way.take() {
            state.sent.remove(&number);
        }
        self.acks.set_deadline(parcel.ack, None);
        self.deliver_next(namespace);
        true
    }

    /// The connection it was sent on is lost; whether it waits for another.
    pub(super) fn put_back(&mut self, ack: AckId) -> bool {
        let Some(owed) = self.acks.get(ack) else {
            return false;
        };
        let (Place::Delivery(turn), namespace) = (owed.place, owed.namespace) else {
            return false;
        };
        let state = self.namespaces.get_mut(namespace.index());
        let Some(parcel) = state.and_then(|state| state.deliveries.parcels.get_mut(&turn)) else {
            return false;
        };
        if !parcel.may_go() {
            return false;
        }
        parcel.under_way = None;
        self.acks.set_deadline(ack, None);
        true
    }
}
