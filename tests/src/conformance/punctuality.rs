//! Conversations in which the client has to answer pings in time, on machines that do not always let it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// Hurried servers ping after 300 ms and wait 200 ms for the pong: a client that takes longer than this from one of
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

    fn was_later(&self, late: Duration) -> bool {
        self.longest.max(self.sent.elapsed()) > late
    }
}

/// Runs a conversation, which calls [`Punctuality::sent`]; another one if it failed and the client had been late.
pub(super) fn in_time(converse: impl FnMut(&mut Punctuality)) {
    repeat_if_later(LATE, converse);
}

fn repeat_if_later(late: Duration, mut converse: impl FnMut(&mut Punctuality)) {
    for _ in 1..ATTEMPTS {
        let mut punctuality = Punctuality::start();
        match catch_unwind(AssertUnwindSafe(|| converse(&mut punctuality))) {
            Ok(()) => return,
            Err(failure) if !punctuality.was_later(late) => resume_unwind(failure),
            Err(_) => {}
        }
    }
    converse(&mut Punctuality::start());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No machine takes so long for these tests.
    const AN_HOUR: Duration = Duration::from_secs(60 * 60);

    /// How often a conversation takes place that always fails, after a packet that took so long.
    fn count_attempts(longest: Duration) -> usize {
        let mut attempts = 0;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            repeat_if_later(AN_HOUR, |punctuality| {
                attempts += 1;
                punctuality.longest = longest;
                panic!("this failure is part of the test");
            });
        }));
        assert!(outcome.is_err());
        attempts
    }

    #[test]
    fn a_failure_of_a_punctual_client_counts() {
        assert_eq!(count_attempts(Duration::ZERO), 1);
    }

    #[test]
    fn a_client_may_be_late_only_so_often() {
        assert_eq!(count_attempts(AN_HOUR * 2), ATTEMPTS);
    }

    #[test]
    fn a_conversation_that_succeeds_is_not_repeated() {
        let mut attempts = 0;
        repeat_if_later(AN_HOUR, |punctuality| {
            attempts += 1;
            punctuality.longest = AN_HOUR * 2;
        });
        assert_eq!(attempts, 1);
    }
}
