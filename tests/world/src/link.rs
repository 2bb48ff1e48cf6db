//! A TCP connection: two pipes and the conditions between them.

use std::io::IoSlice;
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use crate::conditions::{NetworkConditions, Statistics};
use crate::pipe::{Outcome, Pipe};
use crate::random::Random;

/// One side of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The side that made the connection.
    Dialler,
    /// The side that accepted it.
    Acceptor,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Dialler => Self::Acceptor,
            Self::Acceptor => Self::Dialler,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Dialler => 0,
            Self::Acceptor => 1,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Link {
    /// By the side that reads.
    pipes: [Pipe; 2],
    closed: [bool; 2],
    random: Random,
    conditions: NetworkConditions,
    /// How long a KiB takes, besides latency.
    time_per_kib: Duration,
    pub(crate) statistics: Statistics,
    /// Whether nothing arrives any more, although neither side sees an error.
    is_silent: bool,
}

/// Segments that were sent: when they arrive, and at which side.
pub(crate) type Arrivals = Vec<(Instant, Side)>;

impl Link {
    pub(crate) fn new(now: Instant, mut random: Random, conditions: NetworkConditions) -> Self {
        let mut pipe = || Pipe::new(now, random.length(conditions.window.clone()));
        let pipes = [pipe(), pipe()];
        let time_per_kib = random.time(&conditions.time_per_kib);
        Self {
            pipes,
            closed: [false; 2],
            random,
            conditions,
            time_per_kib,
            statistics: Statistics::default(),
            is_silent: false,
        }
    }

    fn inbound(&mut self, side: Side) -> &mut Pipe {
        &mut self.pipes[side.index()]
    }

    fn outbound(&mut self, side: Side) -> &mut Pipe {
        self.inbound(side.other())
    }

    /// Whether both sides have closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed == [true; 2]
    }

    /// Bytes that were sent and not read, in both directions.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.pipes.iter().map(Pipe::pending_bytes).sum()
    }

    pub(crate) fn read(
        &mut self,
        side: Side,
        space: usize,
        buffer: &mut BytesMut,
        reader: &Waker,
    ) -> (Outcome, Option<Waker>) {
        let is_partial = self.random.once_in(self.conditions.partial_reads);
        let most = if is_partial {
            self.random.length(1..space + 1)
        } else {
            space
        };
        let pipe = self.inbound(side);
        let (unread, segments) = (pipe.unread(), pipe.unread_segments());
        let (outcome, writer) = pipe.read(most, buffer, reader);
        if let Outcome::Done(count) = outcome {
            self.statistics.coalesced += u64::from(count == unread && segments > 1);
            self.statistics.partial_reads += u64::from(count < unread.min(space));
        }
        (outcome, writer)
    }

    /// Sends a part of `slices`, or all.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        side: Side,
        slices: &[IoSlice<'_>],
        writer: &Waker,
        arrivals: &mut Arrivals,
    ) -> Outcome {
        if self.inbound(side).is_reset() {
            return Outcome::Reset;
        }
        let wanted = slices.iter().map(|slice| slice.len()).sum();
        let space = self.outbound(side).space().min(wanted);
        if space == 0 && wanted > 0 {
            self.outbound(side).wait_for_space(writer);
            self.statistics.full_windows += 1;
            return Outcome::Wait;
        }
        let is_partial = space > 1 && self.random.once_in(self.conditions.partial_writes);
        let taken = if is_partial {
            self.statistics.partial_writes += 1;
            self.random.length(1..space)
        } else {
            space
        };
        self.send(now, side, gather(slices, taken), arrivals);
        Outcome::Done(taken)
    }

    fn send(&mut self, now: Instant, side: Side, mut bytes: Bytes, arrivals: &mut Arrivals) {
        while !bytes.is_empty() {
            let length = self
                .random
                .length(self.conditions.segment.clone())
                .clamp(1, bytes.len());
            let segment = bytes.split_to(length);
            let due = self.due(now, side, length);
            self.statistics.segments += 1;
            if self.random.once_in(self.conditions.silences) {
                self.statistics.silences += 1;
                self.is_silent = true;
            }
            if self.is_silent {
                continue;
            }
            if self.random.once_in(self.conditions.resets) {
                for reader in [side, side.other()] {
                    let due = due.max(self.inbound(reader).last_due);
                    self.inbound(reader).send_reset(due);
                    arrivals.push((due, reader));
                }
                self.statistics.resets += 1;
                self.is_silent = true;
                return;
            }
            self.outbound(side).send(due, segment);
            arrivals.push((due, side.other()));
            if self.random.once_in(self.conditions.half_closes) {
                self.statistics.half_closes += 1;
                self.outbound(side).send_end(due);
                arrivals.push((due, side.other()));
            }
        }
    }

    /// When a segment that is sent now arrives: never before an earlier one.
    fn due(&mut self, now: Instant, side: Side, length: usize) -> Instant {
        let mut due = now + self.random.time(&self.conditions.latency);
        if self.random.once_in(self.conditions.stalls) {
            self.statistics.stalls += 1;
            due += self.random.time(&self.conditions.stall);
        }
        let time = self.time_per_kib.mul_f64(length as f64 / 1_024.0);
        due.max(self.outbound(side).last_due) + time
    }

    /// `side` ends its direction.
    pub(crate) fn end(&mut self, now: Instant, side: Side, arrivals: &mut Arrivals) {
        if !self.is_silent {
            let due = self.due(now, side, 0);
            self.outbound(side).send_end(due);
            arrivals.push((due, side.other()));
        }
    }

    /// `side` closes the connection. As in TCP the other side sees a reset if `side` has not read everything, and
    /// otherwise the end of the stream.
    pub(crate) fn close(&mut self, now: Instant, side: Side, arrivals: &mut Arrivals) -> [Option<Waker>; 2] {
        let has_unread = self.inbound(side).pending_bytes() > 0;
        let wakers = self.inbound(side).close();
        self.closed[side.index()] = true;
        if !self.is_silent && !self.closed[side.other().index()] {
            let due = self.due(now, side, 0);
            if has_unread {
                self.outbound(side).send_reset(due);
            } else {
                self.outbound(side).send_end(due);
            }
            arrivals.push((due, side.other()));
        }
        wakers
    }

    /// Resets the connection at once for both sides.
    pub(crate) fn reset(&mut self, now: Instant, arrivals: &mut Arrivals) {
        for side in [Side::Dialler, Side::Acceptor] {
            let due = now.max(self.inbound(side).last_due);
            self.inbound(side).send_reset(due);
            arrivals.push((due, side));
        }
    }

    /// From now on nothing arrives, and neither side sees an error.
    pub(crate) const fn silence(&mut self) {
        self.is_silent = true;
    }

    /// What has arrived at `side` by `now`, for the trace, and the task to wake.
    pub(crate) fn arrive(&mut self, now: Instant, side: Side) -> Option<(Bytes, Option<Waker>)> {
        self.inbound(side).arrive(now)
    }

    /// The task that waits to write at `side`.
    pub(crate) fn take_writer(&mut self, side: Side) -> Option<Waker> {
        self.outbound(side).take_writer()
    }

    pub(crate) fn is_reset(&mut self, side: Side) -> bool {
        self.inbound(side).is_reset()
    }
}

/// The first `count` bytes.
fn gather(slices: &[IoSlice<'_>], count: usize) -> Bytes {
    let mut bytes = BytesMut::with_capacity(count);
    for slice in slices {
        let left = count - bytes.len();
        bytes.extend_from_slice(&slice[..left.min(slice.len())]);
    }
    bytes.freeze()
}
