//! One direction of a connection.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

/// Segments in transit, bytes that have arrived, and the tasks that wait.
#[derive(Debug)]
pub(crate) struct Pipe {
    in_transit: VecDeque<Segment>,
    in_transit_bytes: usize,
    arrived: BytesMut,
    /// The number of segments in `arrived`.
    arrived_segments: usize,
    /// Most bytes in transit or unread.
    window: usize,
    /// When the latest segment is due: later ones never overtake it.
    pub(crate) last_due: Instant,
    end: End,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug)]
struct Segment {
    due: Instant,
    payload: Payload,
}

#[derive(Debug)]
enum Payload {
    Bytes(Bytes),
    End,
    Reset,
}

/// What follows the bytes that have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Ended,
    Reset,
}

/// The result of a read or a write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done(usize),
    Wait,
    Reset,
}

impl Pipe {
    pub(crate) fn new(now: Instant, window: usize) -> Self {
        Self {
            in_transit: VecDeque::new(),
            in_transit_bytes: 0,
            arrived: BytesMut::new(),
            arrived_segments: 0,
            window,
            last_due: now,
            end: End::Open,
            reader: None,
            writer: None,
        }
    }

    /// How many bytes may be sent now.
    pub(crate) fn space(&self) -> usize {
        self.window
            .saturating_sub(self.in_transit_bytes + self.arrived.len())
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.end == End::Reset
    }

    pub(crate) fn send(&mut self, due: Instant, bytes: Bytes) {
        self.in_transit_bytes += bytes.len();
        self.push(due, Payload::Bytes(bytes));
    }

    pub(crate) fn send_end(&mut self, due: Instant) {
        self.push(due, Payload::End);
    }

    pub(crate) fn send_reset(&mut self, due: Instant) {
        self.push(due, Payload::Reset);
    }

    fn push(&mut self, due: Instant, payload: Payload) {
        self.last_due = due;
        self.in_transit.push_back(Segment { due, payload });
    }

    /// Takes the next segment that is due by `now`; gives its bytes, for the trace, and the task to wake.
    pub(crate) fn arrive(&mut self, now: Instant) -> Option<(Bytes, Option<Waker>)> {
        if self.in_transit.front().is_none_or(|segment| segment.due > now) {
            return None;
        }
        let segment = self.in_transit.pop_front()?;
        let traced = match segment.payload {
            Payload::Bytes(bytes) => {
                self.in_transit_bytes -= bytes.len();
                if self.end == End::Open {
                    self.arrived.extend_from_slice(&bytes);
                    self.arrived_segments += 1;
                }
                bytes
            }
            Payload::End => {
                if self.end == End::Open {
                    self.end = End::Ended;
                }
                Bytes::from_static(b"<end>")
            }
            Payload::Reset => {
                self.reset();
                Bytes::from_static(b"<reset>")
            }
        };
        Some((traced, self.reader.take()))
    }

    /// Resets the direction: what was not read is lost, as in TCP.
    pub(crate) fn reset(&mut self) {
        self.end = End::Reset;
        self.arrived.clear();
    }

    /// The reader closes the connection.
    pub(crate) fn close(&mut self) -> [Option<Waker>; 2] {
        self.in_transit.clear();
        self.in_transit_bytes = 0;
        self.arrived.clear();
        self.end = End::Reset;
        [self.reader.take(), self.writer.take()]
    }

    /// Reads at most `most` bytes into `buffer`; gives the task that waits for space in the window.
    pub(crate) fn read(
        &mut self,
        most: usize,
        buffer: &mut BytesMut,
        reader: &Waker,
    ) -> (Outcome, Option<Waker>) {
        if self.end == End::Reset {
            return (Outcome::Reset, None);
        }
        if self.arrived.is_empty() {
            if self.end == End::Ended {
                return (Outcome::Done(0), None);
            }
            self.reader = Some(reader.clone());
            return (Outcome::Wait, None);
        }
        let count = self.arrived.len().min(most);
        buffer.extend_from_slice(&self.arrived.split_to(count));
        if self.arrived.is_empty() {
            self.arrived_segments = 0;
        }
        (Outcome::Done(count), self.writer.take())
    }

    pub(crate) fn take_writer(&mut self) -> Option<Waker> {
        self.writer.take()
    }

    pub(crate) fn wait_for_space(&mut self, writer: &Waker) {
        self.writer = Some(writer.clone());
    }

    /// The number of bytes that have arrived.
    pub(crate) fn unread(&self) -> usize {
        self.arrived.len()
    }

    /// In how many segments they arrived; the first may be read in part.
    pub(crate) const fn unread_segments(&self) -> usize {
        self.arrived_segments
    }

    /// The number of bytes that were sent and not read.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.in_transit_bytes + self.arrived.len()
    }
}
