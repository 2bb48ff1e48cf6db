//! Messages that ask for an acknowledgement.

use std::time::Duration;

use crate::SocketId;

/// Whether an answer can be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerExpectation {
    /// In time, unless the connection is lost.
    InTime,
    /// Perhaps in time.
    Uncertain,
    /// The handler does not answer.
    Never,
}

/// How a call ends for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// This was the answer.
    Answered(u64),
    /// There was no answer in time.
    TimedOut,
    /// One side disconnected before.
    Disconnected,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) socket_id: SocketId,
    pub(crate) deadline: Duration,
    pub(crate) expectation: AnswerExpectation,
    pub(crate) has_ended: bool,
}
