//! Acknowledgements that the server owes. Each ends in exactly one outcome, or is forgotten.

use super::{Client, EmitError, Event};
use crate::json::Arguments;
use crate::sio::{AckError, AckId, NamespaceId};

/// Which event an acknowledgement is for.
pub(super) struct Owed {
    pub(super) namespace: NamespaceId,
    pub(super) place: Place,
}

#[derive(Clone, Copy)]
pub(super) enum Place {
    /// It waits in the namespace's buffer.
    Buffered(u64),
    /// It was sent with this number.
    Sent(u64),
    /// It is to be delivered at least once, and stands in that queue.
    Delivery(u64),
}

impl Client {
    /// Stops waiting for an acknowledgement; no event will come for it. An event that still waits is not sent any
    /// more.
    pub fn forget_ack(&mut self, ack: AckId) {
        if let Some(namespace) = self.settle(ack) {
            self.deliver_next(namespace);
        }
    }

    /// The server sent an acknowledgement; one that nobody waits for is ignored.
    pub(super) fn receive_ack(&mut self, namespace: NamespaceId, number: u64, arguments: Arguments) {
        let state = self.namespaces.get(namespace.index());
        if let Some(ack) = state.and_then(|state| state.sent.get(&number).copied()) {
            self.end(ack, Ok(arguments));
        }
    }

    pub(super) fn ack_timed_out(&mut self, ack: AckId) {
        let place = self.acks.get(ack).map(|owed| (owed.namespace, owed.place));
        match place {
            Some((namespace, Place::Delivery(turn))) if self.deliver_again(namespace, turn) => {}
            _ => self.end(ack, Err(AckError::TimedOut)),
        }
    }

    /// What was sent will not be acknowledged; what must be delivered waits for another connection, if it may be sent
    /// again.
    pub(super) fn put_back_or_end_sent(&mut self, namespace: NamespaceId) {
        for ack in self.take_sent(namespace) {
            if !self.put_back(ack) {
                self.end(ack, Err(AckError::Disconnected));
            }
        }
    }

    /// What was sent will not be acknowledged.
    pub(super) fn end_sent(&mut self, namespace: NamespaceId) {
        for ack in self.take_sent(namespace) {
            self.end(ack, Err(AckError::Disconnected));
        }
    }

    fn take_sent(&mut self, namespace: NamespaceId) -> impl Iterator<Item = AckId> + use<> {
        let state = self.namespaces.get_mut(namespace.index());
        let sent = state.map(|state| core::mem::take(&mut state.sent));
        sent.unwrap_or_default().into_values()
    }

    /// What waits will not be sent.
    pub(super) fn end_waiting(&mut self, namespace: NamespaceId) {
        while let Some(state) = self.namespaces.get_mut(namespace.index())
            && let Some((place, _)) = state.buffer.first()
            && let Some(buffered) = state.buffer.remove(place)
        {
            match buffered.ack {
                Some(ack) => self.end(ack, Err(AckError::Disconnected)),
                None => {
                    let error = EmitError::NotConnected;
                    self.events.push_back(Event::Undeliverable { namespace, error });
                }
            }
        }
        let state = self.namespaces.get(namespace.index());
        let waiting = state.map(|state| state.deliveries.not_under_way());
        for ack in waiting.unwrap_or_default() {
            self.end(ack, Err(AckError::Disconnected));
        }
    }

    pub(super) fn end(&mut self, ack: AckId, outcome: Result<Arguments, AckError>) {
        if let Some(namespace) = self.end_quietly(ack, outcome) {
            self.deliver_next(namespace);
        }
    }

    /// Ends an acknowledgement without beginning the delivery that waits behind it.
    pub(super) fn end_quietly(
        &mut self,
        ack: AckId,
        outcome: Result<Arguments, AckError>,
    ) -> Option<NamespaceId> {
        let namespace = self.settle(ack)?;
        self.events.push_back(Event::Acked { ack, outcome });
        Some(namespace)
    }

    /// Takes an acknowledgement out of all tables, and its event if it waits.
    fn settle(&mut self, ack: AckId) -> Option<NamespaceId> {
        let Owed { namespace, place } = self.acks.remove(ack)?;
        let state = self.namespaces.get_mut(namespace.index())?;
        state.owed = state.owed.saturating_sub(1);
        let number = match place {
            Place::Buffered(place) => {
                state.buffer.remove(place);
                None
            }
            Place::Sent(number) => Some(number),
            Place::Delivery(turn) => state.deliveries.remove(turn),
        };
        if let Some(number) = number {
            state.sent.remove(&number);
        }
        Some(namespace)
    }
}
