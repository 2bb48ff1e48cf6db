use crate::slab::Key;

/// One connection of a [`Server`](super::Server) or a [`Client`](super::Client), until `handle_lost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub(in crate::eio) Key);

impl ConnId {
    /// A small number that no other connection of the same server or client has, for tables beside it. It is
    /// used again after the connection is gone.
    pub const fn index(self) -> usize {
        self.0.index as usize
    }
}
