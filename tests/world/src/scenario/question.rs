//! Calls, which both sides make.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use socketio_driver::{Call, CallError};
use socketio_model::{Delivery, Due, Fact, Message, Outcome, Seat, Side};

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// How it is answered.
    pub manner: Manner,
    /// How long the answer is waited for.
    pub patience: Duration,
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// At once.
    Prompt,
    /// After a while.
    Slow,
    /// After a question in the other direction was answered.
    Relay,
    /// Never.
    Mute,
}

impl Question {
    /// Long enough for every answer.
    pub const LONG: Duration = Duration::from_secs(60);
    /// What answers ask before they are given.
    pub(super) const INNER: Self = Self {
        manner: Manner::Prompt,
        patience: Duration::from_secs(30),
    };
    /// How long slow answers take.
    pub(super) const SLOW: Duration = Duration::from_millis(300);

    /// The event that asks it.
    pub(super) const fn event(self) -> &'static str {
        match self.manner {
            Manner::Prompt => "ask",
            Manner::Slow => "slow",
            Manner::Relay => "relay",
            Manner::Mute => "mute",
        }
    }

    const fn due(self) -> Due {
        match self.manner {
            Manner::Mute => Due::Never,
            _ if self.patience.as_secs() >= Self::INNER.patience.as_secs() => Due::Answer,
            _ => Due::Perhaps,
        }
    }

    /// Sends the question, notes it if it was sent, and notes its end.
    pub(super) async fn follow(
        self,
        by: Side,
        seat: Seat,
        message: Message,
        call: Call<u64>,
        note: impl Fn(Fact),
    ) {
        let mut call = pin!(call.timeout(self.patience));
        let first = poll_fn(|task| Poll::Ready(call.as_mut().poll(task))).await;
        if first.is_ready() {
            return;
        }
        note(match by {
            Side::Server => Fact::Sent(seat, message, Delivery::Reliable),
            Side::Client => Fact::Said(seat, message, Delivery::Reliable),
        });
        note(Fact::Asked {
            by,
            seat,
            message,
            patience: self.patience,
            due: self.due(),
        });
        let outcome = match call.await {
            Ok(answer) => Outcome::Answered(answer),
            Err(CallError::TimedOut) => Outcome::TimedOut,
            Err(CallError::Disconnected) => Outcome::Disconnected,
            // An answer that nobody gave.
            Err(_) => Outcome::Answered(u64::MAX),
        };
        note(Fact::Ended { by, message, outcome });
    }
}
