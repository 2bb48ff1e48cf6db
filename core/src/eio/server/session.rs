use super::{ConnId, Peer};
use crate::OutBuf;
use crate::Sid;
use crate::eio::{Transport, Watch};
use crate::http::RequestHead;
use crate::slab::Key;
use crate::timer::TimerId;

/// One Engine.IO session, whatever carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(crate) Key);

impl SessionId {
    /// A small number that no other living session has, for tables beside the server. It is used again after
    /// the session is gone.
    pub const fn index(self) -> usize {
        self.0.index as usize
    }
}

pub(super) struct Session {
    pub(super) sid: Sid,
    pub(super) head: RequestHead,
    pub(super) peer: Peer,
    pub(super) carrier: Carrier,
    pub(super) heartbeat: Heartbeat,
    /// Packets for the client as complete WebSocket frames, whatever the transport.
    pub(super) queue: OutBuf,
    /// Bytes of answers to polls that were not written yet, on whatever connections.
    pub(super) answers: usize,
    pub(super) watch: Watch,
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

pub(super) struct Polling {
    pub(super) poll: Option<ConnId>,
    pub(super) post: Option<ConnId>,
    pub(super) upgrade: Option<Upgrade>,
    pub(super) phase: Phase,
}

#[derive(Clone, Copy)]
pub(super) enum Phase {
    Open,
    /// Closed for the application; the next poll tells the client.
    Lingering(TimerId),
}

/// A WebSocket that wants to take a polling session over.
#[derive(Clone, Copy)]
pub(super) struct Upgrade {
    pub(super) connection: ConnId,
    pub(super) timeout: TimerId,
    pub(super) probe: Probe,
}

#[derive(Clone, Copy)]
pub(super) enum Probe {
    /// No `2probe` yet: polls wait as usual.
    Awaited,
    /// Polls are released at once; the timer spaces them out.
    Answered { next_noop: Option<TimerId> },
}

/// Where a session is in the round of ping and pong (protocol section 1.11).
#[derive(Clone, Copy)]
pub(super) enum Heartbeat {
    /// The next ping is due later.
    Resting(TimerId),
    /// A ping is out; no pong means the end.
    Pinged { timeout: TimerId, grace: Grace },
    /// Closed: nobody waits any more.
    Stopped,
}

/// Whether another packet than a pong may still push the timeout back, once per ping.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Grace {
    Left,
    Used,
}

impl Polling {
    pub(super) const fn new() -> Self {
        Self {
            poll: None,
            post: None,
            upgrade: None,
            phase: Phase::Open,
        }
    }
}

impl Session {
    pub(super) const fn transport(&self) -> Transport {
        match self.carrier {
            Carrier::Polling(_) => Transport::Polling,
            Carrier::WebSocket { .. } => Transport::WebSocket,
        }
    }

    /// Whether a packet would leave at once (protocol section 1.14).
    pub(super) fn is_writable(&self) -> bool {
        self.queue.is_empty()
            && match &self.carrier {
                Carrier::Polling(polling) => polling.poll.is_some(),
                Carrier::WebSocket { unwritten, .. } => *unwritten == 0,
            }
    }

    /// Bytes that are queued for the client, or handed to its connections and not written yet.
    pub(super) const fn under_way(&self) -> usize {
        let unwritten = match &self.carrier {
            Carrier::Polling(_) => 0,
            Carrier::WebSocket { unwritten, .. } => *unwritten,
        };
        self.queue
            .len()
            .saturating_add(unwritten)
            .saturating_add(self.answers)
    }

    pub(super) const fn is_open(&self) -> bool {
        !matches!(
            self.carrier,
            Carrier::Polling(Polling {
                phase: Phase::Lingering(_),
                ..
            })
        )
    }
}
