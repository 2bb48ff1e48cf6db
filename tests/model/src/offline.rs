//! What clients keep while they are not connected.

use std::collections::{BTreeMap, VecDeque};

use crate::stream::Certainty;
use crate::{ClientId, Message, Namespace};

/// Messages in the order in which they were emitted.
pub(crate) type Buffer = VecDeque<(Message, Certainty)>;

/// The buffers of all clients, each for one namespace.
#[derive(Debug, Default)]
pub(crate) struct OfflineBuffers(BTreeMap<(ClientId, Namespace), Buffer>);

impl OfflineBuffers {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn len(&self, client: ClientId, namespace: Namespace) -> usize {
        self.0.get(&(client, namespace)).map_or(0, Buffer::len)
    }

    pub(crate) fn push(&mut self, client: ClientId, namespace: Namespace, message: Message) {
        let buffer = self.0.entry((client, namespace)).or_default();
        buffer.push_back((message, Certainty::Must));
    }

    /// Whether there was one to remove. If the oldest may have been sent, the one that was meant may be a later one.
    pub(crate) fn remove_oldest(&mut self, client: ClientId, namespace: Namespace) -> bool {
        let Some(buffer) = self.0.get_mut(&(client, namespace)) else {
            return false;
        };
        let removed = buffer.pop_front();
        if let Some((_, Certainty::May)) = removed
            && let Some((_, certainty)) = buffer.iter_mut().find(|(_, other)| *other == Certainty::Must)
        {
            *certainty = Certainty::May;
        }
        removed.is_some()
    }

    pub(crate) fn take(&mut self, client: ClientId, namespace: Namespace) -> Buffer {
        self.0.remove(&(client, namespace)).unwrap_or_default()
    }

    /// The buffer of this namespace that has the message.
    pub(crate) fn take_with(&mut self, namespace: Namespace, message: Message) -> Buffer {
        let has_message = |buffer: &Buffer| buffer.iter().any(|(buffered, _)| *buffered == message);
        let mut buffers = self.0.iter();
        let found = buffers.find(|((_, of), buffer)| *of == namespace && has_message(buffer));
        match found.map(|(key, _)| *key) {
            Some((client, namespace)) => self.take(client, namespace),
            None => Buffer::new(),
        }
    }

    /// They may have been sent and lost.
    pub(crate) fn make_uncertain(&mut self, client: ClientId, namespace: Namespace) {
        for (_, certainty) in self.0.entry((client, namespace)).or_default() {
            *certainty = Certainty::May;
        }
    }

    pub(crate) fn forget(&mut self, client: ClientId) {
        self.0.retain(|(of, _), _| *of != client);
    }

    /// The first message that must still be sent, or be reported as not sent.
    pub(crate) fn first_left(&self) -> Option<(ClientId, Message)> {
        self.0.iter().find_map(|((client, _), buffer)| {
            let left = buffer.iter().find(|(_, certainty)| *certainty == Certainty::Must);
            left.map(|(message, _)| (*client, *message))
        })
    }
}
