//! Calls of both sides: events that ask for an acknowledgement.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use socketio_driver::{Call, CallError};
use socketio_model::{AnswerExpectation, CallOutcome, Delivery, Fact, Message, Side, SocketId};

use super::events;
use crate::World;

/// How a call is made and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSetup {
    /// How it is answered.
    pub answer_mode: AnswerMode,
    /// How long the caller waits.
    pub timeout: Duration,
}

/// How a call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerMode {
    /// At once.
    Immediate,
    /// After a while.
    Slow,
    /// After a call in the other direction was answered.
    AfterNestedCall,
    /// Never.
    Never,
}

impl CallSetup {
    /// Long enough for every answer.
    pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);
    /// The call that a handler makes before it answers with [`AnswerMode::AfterNestedCall`].
    pub(super) const NESTED: Self = Self {
        answer_mode: AnswerMode::Immediate,
        timeout: Duration::from_secs(30),
    };
    /// How long a handler takes to answer with [`AnswerMode::Slow`].
    pub(super) const SLOW_ANSWER: Duration = Duration::from_millis(300);

    /// The event whose handler answers so.
    pub(super) const fn event(self) -> &'static str {
        match self.answer_mode {
            AnswerMode::Immediate => events::CALL,
            AnswerMode::Slow => events::SLOW_CALL,
            AnswerMode::AfterNestedCall => events::NESTED_CALL,
            AnswerMode::Never => events::UNANSWERED_CALL,
        }
    }

    const fn expectation(self) -> AnswerExpectation {
        match self.answer_mode {
            AnswerMode::Never => AnswerExpectation::Never,
            _ if self.timeout.as_secs() >= Self::NESTED.timeout.as_secs() => AnswerExpectation::InTime,
            _ => AnswerExpectation::Uncertain,
        }
    }

    /// Makes the call, notes it if it was sent, and notes how it ended. Gives the outcome of one that was not sent.
    pub(super) async fn run(
        self,
        caller: Side,
        socket_id: SocketId,
        message: Message,
        call: Call<u64>,
        world: &World,
        note: impl Fn(Fact),
    ) -> Option<Result<u64, CallError>> {
        let at = world.elapsed();
        let mut call = pin!(call.timeout(self.timeout));
        // A call that cannot be sent ends at its first poll.
        let first = poll_fn(|task| Poll::Ready(call.as_mut().poll(task))).await;
        if let Poll::Ready(outcome) = first {
            return Some(outcome);
        }
        note(match caller {
            Side::Server => Fact::ServerSent(socket_id, message, Delivery::Reliable),
            Side::Client => Fact::ClientSent(socket_id, message, Delivery::Reliable),
        });
        note(Fact::CallStarted {
            caller,
            socket_id,
            message,
            at,
            timeout: self.timeout,
            expectation: self.expectation(),
        });
        let outcome = match call.await {
            Ok(answer) => CallOutcome::Answered(answer),
            Err(CallError::TimedOut) => CallOutcome::TimedOut,
            Err(CallError::Disconnected) => CallOutcome::Disconnected,
            // No handler gives this answer, so the model refuses it.
            Err(_) => CallOutcome::Answered(u64::MAX),
        };
        note(Fact::CallEnded {
            caller,
            message,
            outcome,
        });
        None
    }
}

/// Whether a call could end so without being sent: only if the socket is not connected.
pub(super) const fn may_end_unsent(outcome: &Result<u64, CallError>, is_connected: bool) -> bool {
    !is_connected && matches!(outcome, Err(CallError::NotSent(_) | CallError::Disconnected))
}
