//! What must be true of a client over the whole scenario.

use crate::simulation::PendingAcks;
use socketio_core::sio::NamespaceId;
use socketio_core::sio::client::{AckToken, Client, Event};
use std::collections::BTreeSet;

/// Which namespaces are joined, and which acknowledgements the client waits for.
#[derive(Default)]
pub(super) struct Ledger {
    joined: BTreeSet<NamespaceId>,
    pub(super) acks: PendingAcks,
}

impl Ledger {
    pub(super) fn record(&mut self, event: Event, tokens: &mut Vec<AckToken>) {
        match event {
            Event::Acked { ack, .. } => self.acks.end(ack),
            Event::Joined { namespace, .. } => assert!(self.joined.insert(namespace), "joined twice"),
            Event::Left { namespace, .. } => assert!(self.joined.remove(&namespace), "left twice"),
            Event::Event { namespace, ack, .. } => {
                assert!(
                    self.joined.contains(&namespace),
                    "an event of a namespace that is not joined"
                );
                tokens.extend(ack);
            }
            Event::Reconnecting { delay, .. } => assert!(!delay.is_zero()),
            Event::Closed { .. } => assert!(self.joined.is_empty()),
            _ => {}
        }
    }

    pub(super) fn check(&self, client: &Client, namespaces: &[NamespaceId]) {
        assert_eq!(client.pending_acks(), self.acks.len());
        for namespace in namespaces {
            assert_eq!(client.is_joined(*namespace), self.joined.contains(namespace));
            assert!(client.buffered_packets(*namespace) <= 4);
        }
    }

    pub(super) fn assert_over(&self) {
        assert!(self.joined.is_empty(), "never left");
        self.acks.assert_all_ended();
    }
}
