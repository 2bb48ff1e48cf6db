//! Some minutes of a server and its clients that a seed decides, compared with the model after every step.
//!
//! ```text
//!   seed ──► bytes ──► Scenario { climate, guests, steps }          decode: byte by byte, so that a fuzzer can search
//!                          │
//!                        play: one step after the other
//!              ┌───────────┴───────────┐
//!            House                   Guest, up to twelve            the real server, the real clients
//!              └──────────┬────────────┘
//!                       Stage: every verb and every handler notes a Fact ──► socketio-model
//! ```

mod audit;
mod decode;
mod guest;
mod house;
mod parcel;
mod play;
mod question;
mod stage;
mod verb;
mod way;

use std::time::Duration;

use socketio_driver::client::TransportOrder;
use socketio_model::{Delivery, Room};

pub use parcel::{Kind, Parcel};
pub use question::{Manner, Question};
pub use way::Way;

use crate::{Tally, Weather, World};

/// What happens in a world.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Decides what the network and the scheduler do.
    pub seed: u64,
    /// What the network is like.
    pub climate: Climate,
    /// What stands between the clients and the server.
    pub way: Way,
    /// Time between two pings, and how long one may go unanswered.
    pub heartbeat: (Duration, Duration),
    /// The clients.
    pub guests: Vec<Visitor>,
    /// One after the other.
    pub steps: Vec<Step>,
}

/// What the network is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Climate {
    /// [`Weather::fair`].
    Fair,
    /// [`Weather::still`].
    Still,
    /// [`Weather::dripping`].
    Dripping,
    /// [`Weather::narrow`].
    Narrow,
    /// [`Weather::storm`].
    Storm,
}

impl Climate {
    /// The weather of it.
    #[must_use]
    pub fn weather(self) -> Weather {
        match self {
            Self::Fair => Weather::fair(),
            Self::Still => Weather::still(),
            Self::Dripping => Weather::dripping(),
            Self::Narrow => Weather::narrow(),
            Self::Storm => Weather::storm(),
        }
    }
}

/// A client as it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// How it connects.
    pub transports: TransportOrder,
    /// In how many namespaces it is.
    pub namespaces: u8,
    /// How the server lets it in.
    pub welcome: Welcome,
}

/// How the server lets a client into a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// At once.
    Prompt,
    /// Its `on_connect` takes so long, and its guard half of that.
    Slow(Duration),
    /// Every second time; the other times its guard refuses.
    Sometimes,
}

impl Welcome {
    /// How long the server's `on_connect` takes.
    #[must_use]
    pub const fn time(self) -> Duration {
        match self {
            Self::Slow(time) => time,
            Self::Prompt | Self::Sometimes => Duration::ZERO,
        }
    }
}

/// Something that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// So long after the step before.
    pub pause: Duration,
    /// By or to this guest, counted round.
    pub who: usize,
    /// In this namespace of it, counted round.
    pub place: u8,
    /// What.
    pub act: Act,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The guest sends something.
    Say(Parcel, Delivery),
    /// The guest asks the server something.
    Ask(Question),
    /// The guest wants the server to do something, in a handler.
    Wish(Verb),
    /// The server does something to the guest, outside of handlers.
    Do(Verb),
    /// The server sends something to many.
    Cast(Casting),
    /// The server takes everybody out of a room.
    Empty(Room),
    /// The guest leaves the namespace.
    LeaveNamespace,
    /// The guest leaves the namespace and comes back at once.
    Rejoin,
    /// The guest disconnects.
    Disconnect,
    /// The guest comes back, if it had left.
    Return,
    /// The guest's handle is dropped, and there is a new one.
    Renew,
    /// The guest's host is switched off and on again.
    Kill,
    /// What is sent on the guest's open connections arrives nowhere from now on.
    Silence,
    /// The server's host is switched off, and on again after this time.
    Crash(Duration),
    /// The server is shut down, and there is a new one after this time.
    Shutdown(Duration),
}

/// What the server does to a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Sends something to it.
    Send(Parcel, Delivery),
    /// Sends something to others.
    Cast(Casting),
    /// Asks it something.
    Ask(Question),
    /// Puts it into a room.
    Enter(Room),
    /// Takes it out of a room.
    Exit(Room),
    /// Takes it out of the namespace.
    Dismiss,
    /// Closes its connection.
    DismissSession,
}

/// A broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Casting {
    /// To these rooms; to all if there is none.
    pub to: Vec<Room>,
    /// But not to these.
    pub except: Vec<Room>,
    /// What.
    pub parcel: Parcel,
    /// How.
    pub delivery: Delivery,
}

/// How a scenario went.
#[derive(Clone, Debug)]
pub struct Report {
    /// A number for all that was sent; the same for the same scenario.
    pub trace: u64,
    /// What was wrong first, if anything was.
    pub failure: Option<String>,
    /// Everything that happened, a line each.
    pub log: Vec<String>,
    /// How often each thing that the network does has happened.
    pub tally: Tally,
    /// How long it lasted, for all clients together.
    pub client_time: Duration,
}

impl Scenario {
    /// Plays it. Panics of the driver are panics of this.
    #[must_use]
    pub fn run(&self) -> Report {
        let scenario = self.clone();
        let ((failure, log, tally, time), trace) = World::run(self.seed, |world| play::play(world, scenario));
        Report {
            trace,
            failure,
            log,
            tally,
            client_time: time * u32::try_from(self.guests.len()).unwrap_or(u32::MAX),
        }
    }
}
