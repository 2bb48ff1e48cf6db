//! What must be true of the whole life of a client, kept beside it.

use socketio_core::sio::client::{AckToken, Client, Event};
use socketio_core::sio::{AckId, NamespaceId};
use std::collections::BTreeSet;

/// What is joined and what is owed.
#[derive(Default)]
pub(super) struct Ledger {
    joined: BTreeSet<NamespaceId>,
    owed: BTreeSet<AckId>,
    /// Every acknowledgement ever asked for.
    pub(super) acks: Vec<AckId>,
}

impl Ledger {
    pub(super) fn enter(&mut self, event: Event, tokens: &mut Vec<AckToken>) {
        match event {
            Event::Acked { ack, .. } => assert!(self.owed.remove(&ack), "ended twice or never owed"),
            Event::Joined { namespace, .. } => assert!(self.joined.insert(namespace), "joined twice"),
            Event::Left { namespace, .. } => assert!(self.joined.remove(&namespace), "left twice"),
            Event::Event { namespace, ack, .. } => {
                assert!(self.joined.contains(&namespace), "heard of what is not joined");
                tokens.extend(ack);
            }
            Event::Reconnecting { delay, .. } => assert!(!delay.is_zero()),
            Event::Closed { .. } => assert!(self.joined.is_empty()),
            _ => {}
        }
    }

    /// The last that was heard is that the connection is closed, and no other follows.
    pub(super) fn assert_nothing_owed(&self) {
        assert!(self.owed.is_empty(), "all that was owed has ended");
    }

    pub(super) fn owe(&mut self, ack: AckId) {
        assert!(self.owed.insert(ack), "an id was given twice");
        self.acks.push(ack);
    }

    pub(super) fn forget(&mut self, ack: AckId) {
        self.owed.remove(&ack);
    }

    pub(super) fn check(&self, client: &Client, namespaces: &[NamespaceId]) {
        assert_eq!(client.pending_acks(), self.owed.len());
        for namespace in namespaces {
            assert_eq!(client.is_joined(*namespace), self.joined.contains(namespace));
            assert!(client.buffered_packets(*namespace) <= 4);
        }
    }

    pub(super) fn assert_over(&self) {
        assert!(self.joined.is_empty(), "never left");
        assert!(self.owed.is_empty(), "never ended");
    }
}
