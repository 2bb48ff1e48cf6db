//! Conversations in which the client has to answer pings in time, on machines that do not always let it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// The suites' servers ping after 300 ms and wait 200 ms for the pong: a client that takes longer than this from one of
/// its packets to the next may have been too late, and cannot blame the server.
const LATE: Duration = Duration::from_millis(450);

/// How often a client may be late.
const ATTEMPTS: usize = 5;

/// Whether the client was late.
pub(super) struct Punctuality {
    sent: Instant,
    longest: Duration,
}

impl Punctuality {
    fn start() -> Self {
        Self {
            sent: Instant::now(),
            longest: Duration::ZERO,
        }
    }

    /// The client has just sent something that had to arrive before the heartbeat's end.
    pub(super) fn sent(&mut self) {
        self.longest = self.longest.max(self.sent.elapsed());
        self.sent = Instant::now();
    }

    fn was_late(&self) -> bool {
        self.longest.max(self.sent.elapsed()) > LATE
    }
}

/// Runs a conversation, which calls [`Punctuality::sent`]; another one if it failed and the client had been late.
pub(super) fn in_time(mut converse: impl FnMut(&mut Punctuality)) {
    for _ in 1..ATTEMPTS {
        let mut punctuality = Punctuality::start();
        match catch_unwind(AssertUnwindSafe(|| converse(&mut punctuality))) {
            Ok(()) => return,
            Err(failure) if !punctuality.was_late() => resume_unwind(failure),
            Err(_) => {}
        }
    }
    converse(&mut Punctuality::start());
}
