//! A TCP connection: two pipes and the weather between them.

use std::io::IoSlice;
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use crate::chance::Chance;
use crate::pipe::{Outcome, Pipe};
use crate::weather::{Tally, Weather};

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who made the connection.
    Dialler,
    /// Who accepted it.
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
    chance: Chance,
    weather: Weather,
    /// How long a KiB takes.
    pace: Duration,
    pub(crate) tally: Tally,
    /// Nothing arrives any more, and nobody is told.
    is_silent: bool,
}

/// Segments that a write led to: when the side that reads has to look.
pub(crate) type Arrivals = Vec<(Instant, Side)>;

impl Link {
    pub(crate) fn new(now: Instant, mut chance: Chance, weather: Weather) -> Self {
        let mut pipe = || Pipe::new(now, chance.length(weather.window.clone()));
        let pipes = [pipe(), pipe()];
        let pace = chance.time(&weather.pace);
        Self {
            pipes,
            closed: [false; 2],
            chance,
            weather,
            pace,
            tally: Tally::default(),
            is_silent: false,
        }
    }

    fn inbound(&mut self, side: Side) -> &mut Pipe {
        &mut self.pipes[side.index()]
    }

    fn outbound(&mut self, side: Side) -> &mut Pipe {
        self.inbound(side.other())
    }

    /// Whether both sides have let go of it.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.closed == [true; 2]
    }

    /// Bytes that were sent and not read, both ways.
    pub(crate) fn held(&self) -> usize {
        self.pipes.iter().map(Pipe::held).sum()
    }

    pub(crate) fn read(
        &mut self,
        side: Side,
        room: usize,
        buffer: &mut BytesMut,
        reader: &Waker,
    ) -> (Outcome, Option<Waker>) {
        let is_part = self.chance.once_in(self.weather.partial_reads);
        let most = if is_part {
            self.chance.length(1..room + 1)
        } else {
            room
        };
        let pipe = self.inbound(side);
        let (there, segments) = (pipe.unread(), pipe.unread_segments());
        let (outcome, writer) = pipe.read(most, buffer, reader);
        if let Outcome::Done(count) = outcome {
            self.tally.coalesced += u64::from(count == there && segments > 1);
            self.tally.partial_reads += u64::from(count < there.min(room));
        }
        (outcome, writer)
    }

    /// Sends some of what is in `slices`.
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
        let room = self.outbound(side).room().min(wanted);
        if room == 0 && wanted > 0 {
            self.outbound(side).wait_for_room(writer);
            self.tally.full_windows += 1;
            return Outcome::Wait;
        }
        let is_part = room > 1 && self.chance.once_in(self.weather.partial_writes);
        let taken = if is_part {
            self.tally.partial_writes += 1;
            self.chance.length(1..room)
        } else {
            room
        };
        self.send(now, side, gather(slices, taken), arrivals);
        Outcome::Done(taken)
    }

    fn send(&mut self, now: Instant, side: Side, mut bytes: Bytes, arrivals: &mut Arrivals) {
        while !bytes.is_empty() {
            let length = self
                .chance
                .length(self.weather.segment.clone())
                .clamp(1, bytes.len());
            let segment = bytes.split_to(length);
            let due = self.due(now, side, length);
            self.tally.segments += 1;
            if self.chance.once_in(self.weather.silences) {
                self.tally.silences += 1;
                self.is_silent = true;
            }
            if self.is_silent {
                continue;
            }
            if self.chance.once_in(self.weather.resets) {
                for reader in [side, side.other()] {
                    let due = due.max(self.inbound(reader).last_due);
                    self.inbound(reader).send_reset(due);
                    arrivals.push((due, reader));
                }
                self.tally.resets += 1;
                self.is_silent = true;
                return;
            }
            self.outbound(side).send(due, segment);
            arrivals.push((due, side.other()));
            if self.chance.once_in(self.weather.half_closes) {
                self.tally.half_closes += 1;
                self.outbound(side).send_end(due);
                arrivals.push((due, side.other()));
            }
        }
    }

    /// When what is sent now arrives: never before what was sent earlier.
    fn due(&mut self, now: Instant, side: Side, length: usize) -> Instant {
        let mut due = now + self.chance.time(&self.weather.latency);
        if self.chance.once_in(self.weather.stalls) {
            self.tally.stalls += 1;
            due += self.chance.time(&self.weather.stall);
        }
        let time = self.pace.mul_f64(length as f64 / 1_024.0);
        due.max(self.outbound(side).last_due) + time
    }

    /// No more comes from `side`.
    pub(crate) fn end(&mut self, now: Instant, side: Side, arrivals: &mut Arrivals) {
        if !self.is_silent {
            let due = self.due(now, side, 0);
            self.outbound(side).send_end(due);
            arrivals.push((due, side.other()));
        }
    }

    /// `side` lets go of the connection: what it has not read is lost, and then the other side is told by a reset, as by
    /// TCP; otherwise by an end.
    pub(crate) fn close(&mut self, now: Instant, side: Side, arrivals: &mut Arrivals) -> [Option<Waker>; 2] {
        let has_unread = self.inbound(side).held() > 0;
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

    /// Breaks the connection at once for both.
    pub(crate) fn cut(&mut self, now: Instant, arrivals: &mut Arrivals) {
        for side in [Side::Dialler, Side::Acceptor] {
            let due = now.max(self.inbound(side).last_due);
            self.inbound(side).send_reset(due);
            arrivals.push((due, side));
        }
    }

    /// Nothing arrives any more, and nobody is told.
    pub(crate) const fn silence(&mut self) {
        self.is_silent = true;
    }

    /// What has arrived for `side` by `now`, for the trace, and whom to wake.
    pub(crate) fn arrive(&mut self, now: Instant, side: Side) -> Option<(Bytes, Option<Waker>)> {
        self.inbound(side).arrive(now)
    }

    /// The writer of `side`, whose link was reset.
    pub(crate) fn wake_writer(&mut self, side: Side) -> Option<Waker> {
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
        let rest = count - bytes.len();
        bytes.extend_from_slice(&slice[..rest.min(slice.len())]);
    }
    bytes.freeze()
}
