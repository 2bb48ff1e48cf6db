//! Latency, bandwidth and faults of links: everything that TCP may do, within bounds.

use std::ops::{AddAssign, Range};
use std::time::Duration;

/// How links behave. Each connection draws from a random stream of its own within these bounds.
#[derive(Clone, Debug)]
pub struct NetworkConditions {
    /// How long a segment travels. Segments never overtake each other.
    pub latency: Range<Duration>,
    /// Bytes in one segment.
    pub segment: Range<usize>,
    /// Bytes that may be in transit or unread before the writer has to wait.
    pub window: Range<usize>,
    /// How long a KiB takes, besides latency; each connection has its own bandwidth.
    pub time_per_kib: Range<Duration>,
    /// One in so many writes accepts only a part; never for 0.
    pub partial_writes: u64,
    /// One in so many reads returns only a part; never for 0.
    pub partial_reads: u64,
    /// One in so many segments is delayed, with all that follow in its direction.
    pub stalls: u64,
    /// How long it is delayed.
    pub stall: Range<Duration>,
    /// After one in so many segments the reader sees the end of the stream although the writer did not end it, as with
    /// a middlebox that drops half of a connection. The other direction goes on.
    pub half_closes: u64,
    /// At one in so many segments the connection is reset.
    pub resets: u64,
    /// At one in so many segments the connection falls silent: nothing arrives any more, and neither side sees an error.
    pub silences: u64,
    /// One in so many dials is refused.
    pub refusals: u64,
    /// One in so many dials never ends.
    pub black_holes: u64,
}

impl NetworkConditions {
    /// Nothing is lost; segments of any size, reads and writes in parts.
    #[must_use]
    pub fn typical() -> Self {
        Self {
            latency: Duration::from_micros(100)..Duration::from_millis(40),
            segment: 1..3_000,
            window: 2_000..200_000,
            time_per_kib: Duration::ZERO..Duration::ZERO,
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

    /// Every byte is a segment of its own.
    #[must_use]
    pub fn bytewise() -> Self {
        Self {
            segment: 1..2,
            latency: Duration::ZERO..Duration::from_micros(50),
            ..Self::typical()
        }
    }

    /// Everything arrives at once and in one segment.
    #[must_use]
    pub fn ideal() -> Self {
        Self {
            latency: Duration::from_micros(1)..Duration::from_micros(2),
            segment: 1 << 20..1 << 21,
            window: 1 << 24..1 << 25,
            partial_writes: 0,
            partial_reads: 0,
            ..Self::typical()
        }
    }

    /// Nothing is lost, but windows are small and bandwidth is low, so that writers wait. Yet nothing takes so long that
    /// a heartbeat behind it fails.
    #[must_use]
    pub fn narrow() -> Self {
        Self {
            segment: 1..1_460,
            window: 1_000..8_000,
            time_per_kib: Duration::from_micros(200)..Duration::from_millis(2),
            latency: Duration::from_micros(100)..Duration::from_millis(5),
            ..Self::typical()
        }
    }

    /// Connections stall, are reset, fall silent and are refused.
    #[must_use]
    pub fn unreliable() -> Self {
        Self {
            time_per_kib: Duration::ZERO..Duration::from_millis(2),
            window: 500..60_000,
            stalls: 60,
            stall: Duration::from_millis(10)..Duration::from_secs(60),
            half_closes: 400,
            resets: 150,
            silences: 300,
            refusals: 5,
            black_holes: 25,
            ..Self::typical()
        }
    }
}

/// How often each thing has happened in a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Segments that were sent.
    pub segments: u64,
    /// Reads that returned more than one segment.
    pub coalesced: u64,
    /// Reads that returned less than had arrived, although the buffer had space.
    pub partial_reads: u64,
    /// Writes of which only a part was accepted.
    pub partial_writes: u64,
    /// Writes that had to wait because the window was full.
    pub full_windows: u64,
    /// Segments that were delayed.
    pub stalls: u64,
    /// Directions that ended although the writer did not end them.
    pub half_closes: u64,
    /// Connections that were reset.
    pub resets: u64,
    /// Connections that fell silent.
    pub silences: u64,
    /// Dials that were refused.
    pub refusals: u64,
    /// Dials that never ended.
    pub black_holes: u64,
}

impl Statistics {
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

impl AddAssign for Statistics {
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
