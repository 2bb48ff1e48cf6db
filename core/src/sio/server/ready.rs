//! When a client is ready for more.

use super::socket::Stage;
use super::{Event, Server, SocketId};
use crate::eio::{Readiness, SessionId, Watch};
use std::time::Instant;

impl Server {
    /// Asks to be told when less than [`Limits::ready_bytes`](crate::Limits::ready_bytes) is on its way to a socket's
    /// client, in all its namespaces: by [`Event::Ready`], if it is not [ready](Readiness::Ready) already. A socket that
    /// was not accepted, or is gone, never is.
    ///
    /// Whoever asks before each event never fills the queue of a client that does not read.
    pub fn watch_ready(&mut self, now: Instant, socket: SocketId) -> Readiness {
        self.advance(now);
        let Some(state) = self
            .sockets
            .get_mut(socket.0)
            .filter(|state| state.stage != Stage::Connecting)
        else {
            return Readiness::Never;
        };
        let readiness = self.engine.watch_ready(self.now, state.session);
        if readiness == Readiness::Awaited {
            state.watch = Watch::Watching;
        }
        readiness
    }

    /// Bytes on their way to a socket's client: queued, or handed to a connection that has not written them yet.
    pub fn bytes_under_way(&self, socket: SocketId) -> usize {
        self.session(socket)
            .map_or(0, |session| self.engine.bytes_under_way(session))
    }

    pub(super) fn tell_ready(&mut self, session: SessionId) {
        let Some(client) = self.clients.get(session.index()).and_then(Option::as_ref) else {
            return;
        };
        for (_, socket) in &client.sockets {
            let state = self.sockets.get_mut(socket.0);
            if state.is_some_and(|state| state.watch.end()) {
                self.events.push_back(Event::Ready { socket: *socket });
            }
        }
    }
}
