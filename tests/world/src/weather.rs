//! What a link does to those who use it: everything that TCP may do, within bounds.

use std::ops::Range;
use std::time::Duration;

/// How a link behaves. Each connection draws from its own stream of chance within these.
#[derive(Clone, Debug)]
pub struct Weather {
    /// How long a segment is on its way. Segments never overtake each other.
    pub latency: Range<Duration>,
    /// How many bytes one segment takes.
    pub segment: Range<usize>,
    /// How many bytes are on their way or unread before the writer has to wait.
    pub window: Range<usize>,
    /// Once in so many writes only a part is taken; never for 0.
    pub partial_writes: u64,
    /// Once in so many reads only a part is given; never for 0.
    pub partial_reads: u64,
    /// Once in so many segments the direction stands still for a time.
    pub stalls: u64,
    /// For how long.
    pub stall: Range<Duration>,
    /// Once in so many segments the connection is reset, in the middle of whatever it was.
    pub resets: u64,
    /// Once in so many segments the connection dies without a word: nothing arrives any more, nobody is told.
    pub silences: u64,
    /// Once in so many dials nobody listens.
    pub refusals: u64,
    /// Once in so many dials nobody answers; the dial never ends.
    pub black_holes: u64,
}

impl Weather {
    /// Nothing is lost; segments of any size, reads and writes in parts.
    #[must_use]
    pub fn fair() -> Self {
        Self {
            latency: Duration::from_micros(100)..Duration::from_millis(40),
            segment: 1..3_000,
            window: 2_000..200_000,
            partial_writes: 5,
            partial_reads: 5,
            stalls: 0,
            stall: Duration::ZERO..Duration::ZERO,
            resets: 0,
            silences: 0,
            refusals: 0,
            black_holes: 0,
        }
    }

    /// Every byte on its own.
    #[must_use]
    pub fn dripping() -> Self {
        Self {
            segment: 1..2,
            latency: Duration::ZERO..Duration::from_micros(50),
            ..Self::fair()
        }
    }

    /// Everything at once, in one piece.
    #[must_use]
    pub fn still() -> Self {
        Self {
            latency: Duration::from_micros(1)..Duration::from_micros(2),
            segment: 1 << 20..1 << 21,
            window: 1 << 24..1 << 25,
            partial_writes: 0,
            partial_reads: 0,
            ..Self::fair()
        }
    }

    /// Connections stall, break and fall silent, and are refused.
    #[must_use]
    pub fn storm() -> Self {
        Self {
            stalls: 60,
            stall: Duration::from_millis(10)..Duration::from_secs(60),
            resets: 150,
            silences: 300,
            refusals: 5,
            black_holes: 25,
            ..Self::fair()
        }
    }
}
