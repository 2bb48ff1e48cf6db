//! What can be measured.

use std::net::SocketAddr;
use std::time::Duration;

use crate::Outcome;
use crate::hub::Hub;
use crate::load::echo::{Argument, Echo};
use crate::load::fanout::Fanout;
use crate::load::{Run, Timing, connect, payload, polling, run_of};
use crate::options::Pace;
use crate::poller::Waiting;

/// One row of the table; the design's "Prices to beat" has the same rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Echo { clients: usize, in_flight: usize },
    Binary,
    Json,
    Broadcast { in_flight: usize },
    Rooms,
    Polling,
    Connect,
    Memory,
    Stall,
}

const BINARY_BYTES: usize = 1024;
const JSON_BYTES: usize = 64 * 1024;
const BROADCAST_CLIENTS: usize = 1000;
const ROOMS: usize = 20;
const ROOM_MEMBERS: usize = 50;

impl Scenario {
    pub(crate) const ALL: [Self; 14] = [
        Self::echo(1, 1),
        Self::echo(64, 1),
        Self::echo(64, 16),
        Self::echo(1000, 1),
        Self::echo(1000, 16),
        Self::Binary,
        Self::Json,
        Self::Broadcast { in_flight: 1 },
        Self::Broadcast { in_flight: 8 },
        Self::Rooms,
        Self::Polling,
        Self::Connect,
        Self::Memory,
        Self::Stall,
    ];

    /// What the bindings are compared by.
    pub(crate) const OF_BINDINGS: [Self; 6] = [
        Self::echo(1, 1),
        Self::echo(64, 16),
        Self::echo(1000, 1),
        Self::Broadcast { in_flight: 8 },
        Self::Broadcast { in_flight: 1 },
        Self::Memory,
    ];

    const fn echo(clients: usize, in_flight: usize) -> Self {
        Self::Echo { clients, in_flight }
    }

    pub(crate) fn named(name: &str) -> Outcome<Self> {
        let found = Self::ALL.into_iter().find(|scenario| scenario.name() == name);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|scenario| scenario.name()).collect();
            format!("no scenario is called {name}; there are {}", names.join(", ")).into()
        })
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Echo { clients, in_flight } => format!("echo-{clients}x{in_flight}"),
            Self::Binary => "binary-64x16".into(),
            Self::Json => "json-8x2".into(),
            Self::Broadcast { in_flight } => format!("broadcast-{in_flight}"),
            Self::Rooms => "rooms".into(),
            Self::Polling => "polling".into(),
            Self::Connect => "connect".into(),
            Self::Memory => "memory".into(),
            Self::Stall => "stall".into(),
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Echo { .. } | Self::Binary | Self::Json => "us/echo",
            Self::Broadcast { .. } | Self::Rooms => "us/delivery",
            Self::Polling => "us/request",
            Self::Connect => "us/client",
            Self::Memory => "KiB/client",
            Self::Stall => "us",
        }
    }

    /// Connects the clients of every scenario but `memory` and `stall`.
    pub(crate) fn connect(self, address: SocketAddr) -> Outcome<Run> {
        match self {
            Self::Echo { clients, in_flight } => echo(address, Echo::small(clients, in_flight)),
            Self::Binary => echo(
                address,
                Echo::new(64, 16, &Argument::Attachment(payload::binary(BINARY_BYTES))),
            ),
            Self::Json => echo(
                address,
                Echo::new(8, 2, &Argument::Json(payload::nested_json(JSON_BYTES))),
            ),
            Self::Broadcast { in_flight } => fanout(
                address,
                Fanout::broadcast(BROADCAST_CLIENTS, in_flight),
                |_, _| Ok(()),
            ),
            Self::Rooms => fanout(address, Fanout::rooms(ROOMS, ROOM_MEMBERS), Fanout::join_rooms),
            Self::Polling => polling::polling(address),
            Self::Connect => connect::connect(address),
            Self::Memory | Self::Stall => Err("this scenario has no operations to count".into()),
        }
    }

    /// Warm-up and window: long enough to hold many scheduler ticks, short enough for five rounds of all.
    pub(crate) fn timing(self, pace: Pace) -> Timing {
        let (warm_up, window) = match pace {
            Pace::Full => (250, 1000),
            Pace::Quick => (100, 300),
        };
        Timing {
            warm_up: Duration::from_millis(warm_up),
            window: Duration::from_millis(window),
        }
    }
}

fn echo(address: SocketAddr, mut echo: Echo) -> Outcome<Run> {
    let mut hub = Hub::new(address, Waiting::Spin)?;
    hub.join(echo.clients())?;
    hub.start(|outbox| echo.start(outbox))?;
    Ok(run_of(hub, echo))
}

fn fanout(
    address: SocketAddr,
    mut fanout: Fanout,
    prepare: impl FnOnce(&Fanout, &mut Hub) -> Outcome<()>,
) -> Outcome<Run> {
    let mut hub = Hub::new(address, Waiting::Spin)?;
    hub.join(fanout.clients())?;
    prepare(&fanout, &mut hub)?;
    hub.start(|outbox| fanout.start(outbox))?;
    Ok(run_of(hub, fanout))
}
