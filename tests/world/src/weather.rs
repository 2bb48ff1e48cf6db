//! What a link does to those who use it: everything that TCP may do, within bounds.

use std::ops::{AddAssign, Range};
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
    /// How long a KiB takes, besides: the bandwidth. Each connection has its own.
    pub pace: Range<Duration>,
    /// Once in so many writes only a part is taken; never for 0.
    pub partial_writes: u64,
    /// Once in so many reads only a part is given; never for 0.
    pub partial_reads: u64,
    /// Once in so many segments the direction stands still for a time.
    pub stalls: u64,
    /// For how long.
    pub stall: Range<Duration>,
    /// Once in so many segments it is the last of its direction: the reader is told of an end that the writer did not
    /// mean, as by a middlebox that forgets half of a connection. The other direction goes on.
    pub half_closes: u64,
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
            pace: Duration::ZERO..Duration::ZERO,
            partial_writes: 5,
            partial_reads: 5,
            stalls: 0,
            stall: Duration::ZERO..Duration::ZERO,
            half_closes: 0,
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

    /// Nothing is lost, but there is room for little at a time, and it is slow: writers wait. Yet nothing takes so long
    /// that a heartbeat fails behind it.
    #[must_use]
    pub fn narrow() -> Self {
        Self {
            segment: 1..1_460,
            window: 1_000..8_000,
            pace: Duration::from_micros(200)..Duration::from_millis(2),
            latency: Duration::from_micros(100)..Duration::from_millis(5),
            ..Self::fair()
        }
    }

    /// Connections stall, break and fall silent, and are refused.
    #[must_use]
    pub fn storm() -> Self {
        Self {
            pace: Duration::ZERO..Duration::from_millis(2),
            window: 500..60_000,
            stalls: 60,
            stall: Duration::from_millis(10)..Duration::from_secs(60),
            half_closes: 400,
            resets: 150,
            silences: 300,
            refusals: 5,
            black_holes: 25,
            ..Self::fair()
        }
    }
}

/// How often each thing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Segments that were sent.
    pub segments: u64,
    /// Reads that gave more than one segment.
    pub coalesced: u64,
    /// Reads that gave less than there was, although the reader had room.
    pub partial_reads: u64,
    /// Writes that were taken in part.
    pub partial_writes: u64,
    /// Writes that had to wait because the window was full.
    pub full_windows: u64,
    /// Times that a direction stood still.
    pub stalls: u64,
    /// Directions that ended by themselves.
    pub half_closes: u64,
    /// Connections that were reset.
    pub resets: u64,
    /// Connections that died without a word.
    pub silences: u64,
    /// Dials that were refused.
    pub refusals: u64,
    /// Dials that nobody answered.
    pub black_holes: u64,
}

impl Tally {
    /// Every count with its name.
    #[must_use]
    pub const fn all(&self) -> [(&'static str, u64); 11] {
        [
            ("segments", self.segments),
            ("coalesced", self.coalesced),
            ("partial reads", self.partial_reads),
            ("partial writes", self.partial_writes),
            ("full windows", self.full_windows),
            ("stalls", self.stalls),
            ("half-closes", self.half_closes),
            ("resets", self.resets),
            ("silences", self.silences),
            ("refusals", self.refusals),
            ("black holes", self.black_holes),
        ]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.segments += other.segments;
        self.coalesced += other.coalesced;
        self.partial_reads += other.partial_reads;
        self.partial_writes += other.partial_writes;
        self.full_windows += other.full_windows;
        self.stalls += other.stalls;
        self.half_closes += other.half_closes;
        self.resets += other.resets;
        self.silences += other.silences;
        self.refusals += other.refusals;
        self.black_holes += other.black_holes;
    }
}
