//! One direction of a connection.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

/// Bytes on their way, bytes that have arrived, and who waits for either.
#[derive(Debug)]
pub(crate) struct Pipe {
    under_way: VecDeque<Segment>,
    under_way_bytes: usize,
    arrived: BytesMut,
    /// Of how many segments they are.
    arrived_segments: usize,
    /// Most bytes under way or unread.
    window: usize,
    /// Nothing sent from now on is due before that.
    pub(crate) last_due: Instant,
    end: End,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug)]
struct Segment {
    due: Instant,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Bytes(Bytes),
    End,
    Reset,
}

/// What the reader finds after the bytes that have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Ended,
    Reset,
}

/// What came of a read or a write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done(usize),
    Wait,
    Reset,
}

impl Pipe {
    pub(crate) fn new(now: Instant, window: usize) -> Self {
        Self {
            under_way: VecDeque::new(),
            under_way_bytes: 0,
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
    pub(crate) fn room(&self) -> usize {
        self.window
            .saturating_sub(self.under_way_bytes + self.arrived.len())
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.end == End::Reset
    }

    pub(crate) fn send(&mut self, due: Instant, bytes: Bytes) {
        self.under_way_bytes += bytes.len();
        self.push(due, Content::Bytes(bytes));
    }

    pub(crate) fn send_end(&mut self, due: Instant) {
        self.push(due, Content::End);
    }

    pub(crate) fn send_reset(&mut self, due: Instant) {
        self.push(due, Content::Reset);
    }

    fn push(&mut self, due: Instant, content: Content) {
        self.last_due = due;
        self.under_way.push_back(Segment { due, content });
    }

    /// Takes out the next segment that is due by `now`; the bytes of it, for the trace, and whom to wake.
    pub(crate) fn arrive(&mut self, now: Instant) -> Option<(Bytes, Option<Waker>)> {
        if self.under_way.front().is_none_or(|segment| segment.due > now) {
            return None;
        }
        let segment = self.under_way.pop_front()?;
        let seen = match segment.content {
            Content::Bytes(bytes) => {
                self.under_way_bytes -= bytes.len();
                if self.end == End::Open {
                    self.arrived.extend_from_slice(&bytes);
                    self.arrived_segments += 1;
                }
                bytes
            }
            Content::End => {
                if self.end == End::Open {
                    self.end = End::Ended;
                }
                Bytes::from_static(b"<end>")
            }
            Content::Reset => {
                self.reset();
                Bytes::from_static(b"<reset>")
            }
        };
        Some((seen, self.reader.take()))
    }

    /// The connection is broken: what was not read is lost, as TCP loses it.
    pub(crate) fn reset(&mut self) {
        self.end = End::Reset;
        self.arrived.clear();
    }

    /// Nobody reads any more.
    pub(crate) fn close(&mut self) -> [Option<Waker>; 2] {
        self.under_way.clear();
        self.under_way_bytes = 0;
        self.arrived.clear();
        self.end = End::Reset;
        [self.reader.take(), self.writer.take()]
    }

    /// Reads at most `most` bytes into `buffer`; the waker of the writer if there is room again.
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

    pub(crate) fn wait_for_room(&mut self, writer: &Waker) {
        self.writer = Some(writer.clone());
    }

    /// Bytes that have arrived.
    pub(crate) fn unread(&self) -> usize {
        self.arrived.len()
    }

    /// In how many segments they came, or a part of the first of them.
    pub(crate) const fn unread_segments(&self) -> usize {
        self.arrived_segments
    }

    /// Bytes that were sent and not read.
    pub(crate) fn held(&self) -> usize {
        self.under_way_bytes + self.arrived.len()
    }
}
