//! The state of one socket.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::stream::Stream;
use crate::{Namespace, Room, Side};

/// Why a socket disconnects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectCause {
    /// The client disconnects: what it has sent still arrives.
    ByClient,
    /// The server disconnects it: what it was sent still arrives.
    ByServer,
    /// The connection is lost; each side has to detect it.
    ConnectionLost,
    /// The connection may be lost, but need not be.
    ConnectionMayBeLost,
}

/// How far one side is with a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionState {
    NotYetConnected,
    /// `on_connect` runs.
    Connecting,
    Connected,
    Disconnected,
    /// Nothing of this side will be recorded any more.
    Killed,
}

impl ConnectionState {
    /// Whether `on_connect` has begun and `on_disconnect` has not.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Connecting | Self::Connected)
    }
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) namespace: Option<Namespace>,
    pub(crate) rooms: BTreeSet<Room>,
    pub(crate) server: ConnectionState,
    pub(crate) client: ConnectionState,
    /// Messages from the server to the client.
    pub(crate) to_client: Stream,
    /// Messages from the client to the server.
    pub(crate) to_server: Stream,
    causes: Vec<(DisconnectCause, Duration)>,
}

impl Socket {
    pub(crate) const fn new(to_client: Stream, to_server: Stream) -> Self {
        Self {
            namespace: None,
            rooms: BTreeSet::new(),
            server: ConnectionState::NotYetConnected,
            client: ConnectionState::NotYetConnected,
            to_client,
            to_server,
            causes: Vec::new(),
        }
    }

    pub(crate) const fn state(&mut self, side: Side) -> &mut ConnectionState {
        match side {
            Side::Server => &mut self.server,
            Side::Client => &mut self.client,
        }
    }

    /// The first side in such a state.
    pub(crate) fn side_where(&self, is_such: impl Fn(ConnectionState) -> bool) -> Option<Side> {
        let sides = [(Side::Server, self.server), (Side::Client, self.client)];
        let found = sides.into_iter().find(|(_, state)| is_such(*state));
        found.map(|(side, _)| side)
    }

    pub(crate) fn add_cause(&mut self, cause: DisconnectCause, at: Duration) {
        self.causes.push((cause, at));
    }

    /// Whether something happened that makes both sides disconnect.
    pub(crate) const fn has_cause(&self) -> bool {
        !self.causes.is_empty()
    }

    pub(crate) fn is_caused_by(&self, cause: DisconnectCause) -> bool {
        self.causes.iter().any(|(other, _)| *other == cause)
    }

    /// Since when at least one side has to detect the end.
    pub(crate) fn ends_since(&self) -> Option<Duration> {
        let certain =
            |(cause, _): &&(DisconnectCause, Duration)| *cause != DisconnectCause::ConnectionMayBeLost;
        self.causes.iter().find(certain).map(|(_, at)| *at)
    }

    /// Whether the last messages of this side may be lost.
    pub(crate) fn may_lose(&self, sender: Side) -> bool {
        let harmless = match sender {
            Side::Server => DisconnectCause::ByServer,
            Side::Client => DisconnectCause::ByClient,
        };
        self.causes.iter().any(|(cause, _)| *cause != harmless)
    }
}
