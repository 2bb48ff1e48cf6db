//! Questions that want an answer.

use std::time::Duration;

use crate::Seat;

/// Whether an answer can be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// In time, unless the connection breaks.
    Answer,
    /// Perhaps in time.
    Perhaps,
    /// The handler does not answer.
    Never,
}

/// How a call ends for who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This was the answer.
    Answered(u64),
    /// There was none in time.
    TimedOut,
    /// One side left before.
    Disconnected,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) seat: Seat,
    pub(crate) deadline: Duration,
    pub(crate) due: Due,
    pub(crate) has_ended: bool,
}
