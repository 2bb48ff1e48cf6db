//! Which strand belongs to which handle of a core.

use super::strand::StrandId;
use crate::core::{NamespaceId, SessionId, SocketId};

/// A handle of a core with a small number that no other living one of its kind has.
pub(super) trait Indexed: Copy + PartialEq {
    fn index(self) -> usize;
}

/// The strands of a machine, by the index of what they belong to. An index is used again, so a handle that is stale
/// finds nothing.
pub(super) struct StrandTable<I>(Vec<Option<(I, StrandId)>>);

impl<I: Indexed> StrandTable<I> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn get(&self, id: I) -> Option<StrandId> {
        let (own, strand) = self.0.get(id.index()).copied().flatten()?;
        (own == id).then_some(strand)
    }

    pub(super) fn insert(&mut self, id: I, strand: StrandId) {
        let index = id.index();
        if index >= self.0.len() {
            self.0.resize_with(index + 1, || None);
        }
        if let Some(slot) = self.0.get_mut(index) {
            *slot = Some((id, strand));
        }
    }

    /// Forgets a strand that is over, unless another has its place by now.
    pub(super) fn forget(&mut self, id: I, strand: StrandId) {
        if let Some(slot) = self.0.get_mut(id.index())
            && slot.is_some_and(|(_, own)| own == strand)
        {
            *slot = None;
        }
    }
}

macro_rules! indexed {
    ($($id:ty),*) => {
        $(impl Indexed for $id {
            fn index(self) -> usize {
                self.index()
            }
        })*
    };
}

indexed!(NamespaceId, SessionId, SocketId);
