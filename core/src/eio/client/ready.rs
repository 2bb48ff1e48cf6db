//! When the server is ready for more.

use super::session::{Phase, Stage};
use super::{Client, Event};
use crate::eio::{Readiness, Watch};
use std::time::Instant;

impl<M> Client<M> {
    /// Asks to be told when less than [`Limits::ready_bytes`](crate::Limits::ready_bytes) is on its way to the server:
    /// by [`Event::Ready`], if it is not [ready](Readiness::Ready) already. Without an open session it never is.
    ///
    /// Whoever asks before each message never fills the queue for a server that does not read.
    pub fn watch_ready(&mut self, now: Instant) -> Readiness {
        self.advance(now);
        match &self.phase {
            Phase::Open(session) if session.stage == Stage::Open => {}
            Phase::Idle | Phase::Opening(_) | Phase::Open(_) => return Readiness::Never,
        }
        if self.is_ready() {
            return Readiness::Ready;
        }
        self.watch = Watch::Watching;
        Readiness::Awaited
    }

    /// Bytes on their way to the server: queued, or handed to a connection that has not written them yet.
    pub const fn bytes_under_way(&self) -> usize {
        let unwritten = match &self.phase {
            Phase::Open(session) => session.carrier.unwritten(),
            Phase::Idle | Phase::Opening(_) => 0,
        };
        self.queue.len().saturating_add(unwritten)
    }

    /// Whether there is an open session with little on its way.
    pub(crate) fn is_ready(&self) -> bool {
        let is_open = matches!(&self.phase, Phase::Open(session) if session.stage == Stage::Open);
        is_open && self.config.limits.is_ready(self.bytes_under_way())
    }

    /// Tells who waits for it that the server is ready, if it is.
    pub(super) fn tell_if_ready(&mut self) {
        if self.watch == Watch::Watching && self.is_ready() {
            self.watch = Watch::Idle;
            self.events.push_back(Event::Ready);
        }
    }
}
