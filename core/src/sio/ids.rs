//! Handles that servers and clients have in common.

use crate::slab::Key;

/// One namespace. Small and dense, so that it can index tables beside the server or client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamespaceId(pub(super) u32);

impl NamespaceId {
    /// The first namespace added is 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An acknowledgement that the peer owes us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AckId(pub(super) Key);
