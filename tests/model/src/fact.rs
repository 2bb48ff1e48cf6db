//! What happens, and what must not.

use std::fmt;
use std::time::Duration;

use crate::{Due, Ending, Outcome};

/// One socket: a client in one namespace from joining to leaving. Each reconnection has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat(pub usize);

/// A namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Namespace(pub u8);

/// A room of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Room(pub u8);

/// An event that was sent, once or to many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message(pub u64);

/// One of the two who talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The server.
    Server,
    /// The client.
    Client,
}

/// What the sender wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Exactly once.
    Reliable,
    /// At most once.
    Volatile,
}

/// A message to many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// Where.
    pub namespace: Namespace,
    /// Members of any of these; everybody if there is none.
    pub to: Vec<Room>,
    /// But members of these.
    pub except: Vec<Room>,
    /// But this one.
    pub but: Option<Seat>,
    /// What.
    pub message: Message,
    /// How.
    pub delivery: Delivery,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The server's `on_connect` begins.
    Joined {
        /// Who.
        seat: Seat,
        /// Where.
        namespace: Namespace,
    },
    /// The server's `on_connect` has ended.
    Welcomed(Seat),
    /// The server's `on_disconnect` begins.
    Left(Seat),
    /// The client's `on_connect` begins.
    Met(Seat),
    /// The client's `on_disconnect` begins.
    Parted(Seat),
    /// The server has put it into a room.
    Entered(Seat, Room),
    /// The server has taken it out of a room.
    Exited(Seat, Room),
    /// The server has taken everybody out of a room.
    Emptied(Namespace, Room),
    /// The server has sent something to one.
    Sent(Seat, Message, Delivery),
    /// The server has sent something to many.
    Cast(Cast),
    /// The client's handler begins.
    Heard(Seat, Message),
    /// The client has sent something.
    Said(Seat, Message, Delivery),
    /// The server's handler begins.
    Taken(Seat, Message),
    /// A message that was just sent wants an answer.
    Asked {
        /// By whom.
        by: Side,
        /// On which socket.
        seat: Seat,
        /// The question; its answer is its number.
        message: Message,
        /// For how long.
        patience: Duration,
        /// Whether an answer can be expected in that time.
        due: Due,
    },
    /// Who asked knows the end of it.
    Ended {
        /// Who had asked.
        by: Side,
        /// The question.
        message: Message,
        /// The end.
        outcome: Outcome,
    },
    /// Its connection ends or may end from now on, for this reason.
    Ends(Seat, Ending),
    /// All of this side of the socket is gone without a word: handlers, calls and all.
    Died(Side, Seat),
}

/// What must not happen has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A handler began for a socket that was not there, or twice for one that was.
    Presence(Fact),
    /// A side left, and nothing had happened that could lead to it.
    NoReason(Fact),
    /// Heard although it was sent to others, or to nobody.
    Unaddressed(Fact),
    /// Heard a second time.
    Twice(Fact),
    /// Heard before this, which was sent earlier.
    Gap(Fact, Message),
    /// A call ended that had not begun, ended before, or has no right to end so.
    Call(Fact),
    /// This socket was owed the message, sent by the side, and has not heard it.
    Missing(Seat, Side, Message),
    /// Nobody knows how this call ended.
    Unended(Side, Message),
    /// The side has not noticed in time that the other is dead, or that it was told to leave.
    Unnoticed(Seat, Side),
    /// The side still has this socket, or never had it.
    Unmatched(Seat, Side),
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for Breach {}
