use std::fmt;

use crate::core::{Peer, RefusalContext, RequestError};

/// Somebody the server refused, as [`on_refused`](crate::ServerBuilder::on_refused) is told.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Refused {
    /// Who asked.
    pub peer: Peer,
    /// The protocol's error in the answer, [`RequestError::BadRequest`] where HTTP alone answers; a namespace is refused
    /// with [`RequestError::Forbidden`] and the message of the CONNECT_ERROR.
    pub error: RequestError,
    /// What exactly was wrong, or which limit was reached; its text names the cure.
    pub context: RefusalContext,
    /// How many others were refused right after this one and are not told of, because the hook did not keep up.
    pub left_out: u64,
}

impl Refused {
    pub(crate) const fn new(peer: Peer, error: RequestError, context: RefusalContext) -> Self {
        Self {
            peer,
            error,
            context,
            left_out: 0,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.peer, self.context)?;
        match self.left_out {
            0 => Ok(()),
            others => write!(formatter, " (and {others} others)"),
        }
    }
}

/// What the application wants to be called with.
pub(crate) type RefusedHook = dyn Fn(&Refused) + Send + Sync;
