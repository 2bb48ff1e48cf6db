//! What is known of one socket.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::stream::Stream;
use crate::{Namespace, Room, Side};

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client wants to leave: what it has sent arrives all the same.
    Goodbye,
    /// The server wants it to leave: what was sent to it arrives all the same.
    Dismissal,
    /// It breaks; each side has to notice.
    Break,
    /// It may have broken, and perhaps not.
    Doubt,
}

/// Where a side is with a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Awaited,
    /// `on_connect` runs.
    Arriving,
    Present,
    Gone,
    /// Nothing of this side will ever be heard of again.
    Dead,
}

impl Presence {
    pub(crate) const fn is_here(self) -> bool {
        matches!(self, Self::Arriving | Self::Present)
    }
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) namespace: Option<Namespace>,
    pub(crate) rooms: BTreeSet<Room>,
    pub(crate) server: Presence,
    pub(crate) client: Presence,
    /// To the client.
    pub(crate) down: Stream,
    /// To the server.
    pub(crate) up: Stream,
    endings: Vec<(Ending, Duration)>,
}

impl Socket {
    pub(crate) const fn new(down: Stream, up: Stream) -> Self {
        Self {
            namespace: None,
            rooms: BTreeSet::new(),
            server: Presence::Awaited,
            client: Presence::Awaited,
            down,
            up,
            endings: Vec::new(),
        }
    }

    pub(crate) const fn presence(&mut self, side: Side) -> &mut Presence {
        match side {
            Side::Server => &mut self.server,
            Side::Client => &mut self.client,
        }
    }

    /// The first side that is so.
    pub(crate) fn side_that(&self, is_so: impl Fn(Presence) -> bool) -> Option<Side> {
        let sides = [(Side::Server, self.server), (Side::Client, self.client)];
        let found = sides.into_iter().find(|(_, presence)| is_so(*presence));
        found.map(|(side, _)| side)
    }

    pub(crate) fn end(&mut self, ending: Ending, at: Duration) {
        self.endings.push((ending, at));
    }

    /// Whether something happened that makes both sides leave.
    pub(crate) const fn ends(&self) -> bool {
        !self.endings.is_empty()
    }

    pub(crate) fn ends_by(&self, ending: Ending) -> bool {
        self.endings.iter().any(|(own, _)| *own == ending)
    }

    /// Since when at least one side has to notice an end.
    pub(crate) fn broken_at(&self) -> Option<Duration> {
        let certain = |(ending, _): &&(Ending, Duration)| *ending != Ending::Doubt;
        self.endings.iter().find(certain).map(|(_, at)| *at)
    }

    /// Whether what this side has sent last may be lost.
    pub(crate) fn may_lose(&self, sender: Side) -> bool {
        let harmless = match sender {
            Side::Server => Ending::Dismissal,
            Side::Client => Ending::Goodbye,
        };
        self.endings.iter().any(|(ending, _)| *ending != harmless)
    }
}
