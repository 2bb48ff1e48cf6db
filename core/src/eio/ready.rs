/// Whether a peer is ready for more: less than [`Limits::ready_bytes`](crate::Limits::ready_bytes) is on its way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Readiness {
    /// It is. No event follows.
    Ready,
    /// Not yet. An event tells when it is, once however often it was asked for until then, unless another tells before
    /// that it is gone.
    Awaited,
    /// It is gone, or is about to be; or it was not there yet. No event follows.
    Never,
}

/// Whether the application waits to be told that a peer is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Watch {
    #[default]
    Idle,
    Watching,
}

impl Watch {
    /// Whether somebody was waiting, who is told now.
    pub(crate) fn end(&mut self) -> bool {
        core::mem::take(self) == Self::Watching
    }
}
