//! When the server is ready for more.

use super::namespace::{Namespace, State};
use super::{Client, Event};
use crate::eio::{Readiness, Watch};
use crate::sio::NamespaceId;
use std::time::Instant;

impl Client {
    /// Asks to be told when a namespace is joined, nothing waits for it any more, and less than
    /// [`Limits::ready_bytes`](crate::Limits::ready_bytes) is on its way to the server: by [`Event::Ready`], if it is
    /// not [ready](Readiness::Ready) already. So it is also while a lost connection is made anew, whatever
    /// [`Config::offline`](super::Config::offline) says: who can wait has no need of a buffer, and is never refused.
    ///
    /// A namespace that is not [wanted](Self::wants) is never ready. When it is not wanted any more, those who wait are
    /// not told: [`Event::Refused`], [`Event::Left`] and [`Event::Closed`] are, and who [left](Self::leave) it knows.
    pub fn watch_ready(&mut self, now: Instant, namespace: NamespaceId) -> Readiness {
        self.advance(now);
        let has_room = self.engine.is_ready();
        match self.namespaces.get_mut(namespace.index()) {
            Some(state) if state.is_ready(has_room) => Readiness::Ready,
            Some(state) if !matches!(state.state, State::Idle(_) | State::Leaving(_)) => {
                state.watch = Watch::Watching;
                self.watch = Watch::Watching;
                Readiness::Awaited
            }
            _ => Readiness::Never,
        }
    }

    /// Bytes on their way to the server: queued, or handed to a connection that has not written them yet. Those not
    /// included that wait for a namespace to be joined.
    pub const fn bytes_under_way(&self) -> usize {
        self.engine.bytes_under_way()
    }

    /// Tells who waits for namespaces that are ready now.
    pub(super) fn tell_ready(&mut self) {
        if self.watch == Watch::Idle {
            return;
        }
        self.watch = Watch::Idle;
        let has_room = self.engine.is_ready();
        for (namespace, state) in (0..).map(NamespaceId).zip(&mut self.namespaces) {
            match state.state {
                State::Idle(_) | State::Leaving(_) => state.watch = Watch::Idle,
                _ if state.watch == Watch::Idle => {}
                _ if state.is_ready(has_room) => {
                    state.watch = Watch::Idle;
                    self.events.push_back(Event::Ready { namespace });
                }
                _ => self.watch = Watch::Watching,
            }
        }
    }
}

impl Namespace {
    fn is_ready(&self, has_room: bool) -> bool {
        has_room && self.is_joined() && self.buffer.is_empty()
    }
}
