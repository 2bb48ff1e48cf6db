use super::ConnId;
use super::event::Failure;
use crate::Text;
use crate::eio::Transport;
use core::time::Duration;

/// How far a client is.
pub(super) enum Phase {
    Idle,
    Opening(Attempt),
    Open(Session),
}

/// The attempt to open a session.
pub(super) struct Attempt {
    pub(super) connection: ConnId,
    /// What is tried after the present transport.
    pub(super) rest: &'static [Transport],
    /// How the first transport failed, which is what counts when all do.
    pub(super) first_failure: Option<Failure>,
}

pub(super) struct Session {
    pub(super) sid: Text,
    /// How long the server may be without a ping.
    pub(super) patience: Duration,
    pub(super) max_payload: Option<u64>,
    pub(super) carrier: Carrier,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// The application has closed it; what is queued still leaves.
    Closing,
}

/// What carries a session now.
pub(super) enum Carrier {
    Polling(Polling),
    WebSocket {
        connection: ConnId,
        /// Bytes that were handed to it and not written yet.
        unwritten: usize,
    },
}

#[derive(Default)]
pub(super) struct Polling {
    /// The GET under way.
    pub(super) poll: Option<ConnId>,
    /// The POST under way.
    pub(super) post: Option<ConnId>,
    /// Bytes of it that were not written yet.
    pub(super) unwritten: usize,
    /// Connections at rest, the one that rested longest first.
    pub(super) idle: Vec<ConnId>,
    /// Connections being dialled for whatever needs one.
    pub(super) dialing: Vec<ConnId>,
    pub(super) repeat: Repeat,
    pub(super) upgrade: Option<Upgrade>,
}

/// Whether the present poll is sent for the second time.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Repeat {
    #[default]
    First,
    /// The first was lost on a connection that had served before.
    Second,
}

/// A WebSocket that is to take over.
#[derive(Clone, Copy)]
pub(super) struct Upgrade {
    pub(super) connection: ConnId,
    pub(super) step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The server has not answered the probe.
    Probing,
    /// It has: polling comes to rest.
    Pausing,
}

impl Session {
    pub(super) const fn transport(&self) -> Transport {
        match self.carrier {
            Carrier::Polling(_) => Transport::Polling,
            Carrier::WebSocket { .. } => Transport::WebSocket,
        }
    }
}

impl Carrier {
    /// Bytes that were handed to a connection and not written yet.
    pub(super) const fn unwritten(&self) -> usize {
        match self {
            Self::Polling(polling) => polling.unwritten,
            Self::WebSocket { unwritten, .. } => *unwritten,
        }
    }
}

impl Polling {
    pub(super) fn is_pausing(&self) -> bool {
        self.upgrade.is_some_and(|upgrade| upgrade.step == Step::Pausing)
    }
}
