//! How clients reach the server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socketio_model::Promise;

use super::house::PORT;
use crate::World;
use crate::chance::Chance;
use crate::intermediary::{Buffering, Intermediary, Proxy, Toll};

/// The number of the server's host.
pub(super) const HOUSE: u8 = 2;
/// The number of the intermediary's host.
const INTERMEDIARY: u8 = 3;
/// Connections to those who have gone without a word do not stay for ever.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// How clients reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Without anything between.
    Direct,
    /// Through an HTTP proxy.
    Through(Intermediary),
}

impl Way {
    /// Through an intermediary that this number decides.
    pub(super) fn through(number: u64) -> Self {
        let mut quirks = Intermediary::drawn(&mut Chance::of(number, "way", 0));
        quirks.clients.after.get_or_insert(LONGEST_REST);
        quirks.deadline.get_or_insert(LONGEST_REST);
        Self::Through(quirks)
    }

    /// What it promises to those whose server pings at this interval: a session that it may end can end at any moment.
    pub(super) fn promise(&self, ping_interval: Duration) -> Promise {
        match self {
            Self::Through(quirks) if quirks.toll(ping_interval) == Toll::Sessions => Promise::None,
            Self::Direct | Self::Through(_) => Promise::Kept,
        }
    }

    /// How long it keeps back what is under way.
    pub(super) const fn delay(&self) -> Duration {
        match self {
            Self::Through(quirks) => match &quirks.buffering {
                Buffering::Streamed => Duration::ZERO,
                Buffering::Whole(delay) => delay.end,
            },
            Self::Direct => Duration::ZERO,
        }
    }

    /// How many connections there are between a client and the server.
    pub(super) const fn legs(&self) -> u32 {
        match self {
            Self::Direct => 1,
            Self::Through(_) => 2,
        }
    }

    /// Where clients connect to.
    pub(super) const fn url(&self) -> &'static str {
        match self {
            Self::Direct => "http://host-2",
            Self::Through(_) => "http://host-3",
        }
    }

    /// All addresses to which connections are made.
    pub(super) fn addresses(world: &World) -> [SocketAddr; 2] {
        [HOUSE, INTERMEDIARY].map(|number| SocketAddr::new(world.host(number).address(), PORT))
    }

    /// Starts what stands between.
    pub(super) fn open(&self, world: &World) -> io::Result<Option<Proxy>> {
        match self {
            Self::Direct => Ok(None),
            Self::Through(quirks) => {
                let [server, _] = Self::addresses(world);
                let host = world.host(INTERMEDIARY);
                quirks.clone().open(world, &host, PORT, server).map(Some)
            }
        }
    }
}
