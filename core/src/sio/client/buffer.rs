//! Packets that wait for their namespace to be joined.

use crate::sio::{AckId, Encoded};
use std::collections::BTreeMap;

/// The packets of one namespace in the order of their emits; each can be taken out when nobody waits for it any more.
pub(super) struct Buffer {
    packets: BTreeMap<u64, Buffered>,
    bytes: usize,
    next: u64,
}

#[derive(Clone)]
pub(super) struct Buffered {
    pub(super) packet: Encoded,
    pub(super) ack: Option<AckId>,
}

impl Buffer {
    pub(super) const fn new() -> Self {
        Self {
            packets: BTreeMap::new(),
            bytes: 0,
            next: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// What all packets would take in a queue.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The place that the next packet gets.
    pub(super) const fn next_place(&self) -> u64 {
        self.next
    }

    pub(super) fn push(&mut self, packet: &Encoded, ack: Option<AckId>) {
        let packet = packet.detach();
        self.bytes = self.bytes.saturating_add(packet.encoded_len());
        self.packets.insert(self.next, Buffered { packet, ack });
        self.next = self.next.wrapping_add(1);
    }

    pub(super) fn first(&self) -> Option<(u64, &Buffered)> {
        self.packets
            .first_key_value()
            .map(|(place, buffered)| (*place, buffered))
    }

    pub(super) fn remove(&mut self, place: u64) -> Option<Buffered> {
        let buffered = self.packets.remove(&place)?;
        self.bytes = self.bytes.saturating_sub(buffered.packet.encoded_len());
        Some(buffered)
    }
}
