//! How the clock moves.

use std::ops::Range;
use std::time::Duration;

use crate::random::Random;

/// How the clock of a world moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Only when no task can run: whatever a task does takes no time.
    Stepping,
    /// Also whenever somebody reads it, as under tasks that take time: by microseconds, and sometimes by milliseconds,
    /// as if something else had been given the processor. So what was due in a moment may be overdue when it is looked
    /// at again.
    Running,
}

/// Between two readings.
const TICK: Range<Duration> = Duration::ZERO..Duration::from_micros(40);
/// Between two readings with something else in between.
const INTERRUPTION: Range<Duration> = Duration::ZERO..Duration::from_millis(3);
/// One in so many.
const INTERRUPTIONS: u64 = 200;

/// What passes between readings of the clock.
pub(crate) struct Ticks {
    clock: Clock,
    random: Random,
}

impl Ticks {
    pub(crate) fn of(seed: u64) -> Self {
        Self {
            clock: Clock::Stepping,
            random: Random::of(seed, "ticks", 0),
        }
    }

    pub(crate) const fn set(&mut self, clock: Clock) {
        self.clock = clock;
    }

    pub(crate) fn next(&mut self) -> Duration {
        match self.clock {
            Clock::Stepping => Duration::ZERO,
            Clock::Running if self.random.once_in(INTERRUPTIONS) => self.random.time(&INTERRUPTION),
            Clock::Running => self.random.time(&TICK),
        }
    }
}
