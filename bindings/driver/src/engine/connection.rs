//! A connection: its byte stream, and how it ends.

use std::future::Future;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::instance::Instance;
use super::link::{Budget, Link, Over, Rest, Scratch, WireOf};
use super::read_buffers::{put_buffer, take_buffer};
use super::runtime::{Runtime, Stream};
use super::shard::recycle;
use super::wires::ConnectionWire;
use crate::core::Flow;

/// While nothing may be handed over, so much is read that the end of the stream is seen.
const READ_AHEAD: usize = 64 * 1024;
/// Slices of one vectored write.
const SLICES: usize = 32;
/// How long a closing connection may take to write its last output and to see the peer's end. Whenever the peer
/// has taken [`CLOSE_PROGRESS`] bytes of it the time starts anew: who reads slowly still reads everything.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
const CLOSE_PROGRESS: usize = 64 * 1024;
/// What a peer may still send after our last output before it is cut off.
const LAST_READ: usize = 4 * 1024 * 1024;

/// One connection: a future that ends with it.
pub(super) struct Connection<R: Runtime, S: Stream, I: Instance> {
    link: Link<I>,
    runtime: R,
    stream: S,
    phase: Phase<R>,
    written: Written,
}

enum Phase<R: Runtime> {
    Open,
    /// The peer has ended its side; what it sent before is handed over first.
    Ended,
    /// The peer takes nothing any more, but what it has sent is read.
    ReadOnly,
    /// The byte stream has failed; what the peer sent before is handed over first, then the failure.
    Broken,
    /// Writing the last output, then reading until the peer's end.
    Closing {
        deadline: Pin<Box<R::Sleep>>,
        /// What was left to write when the deadline was set.
        unwritten: usize,
        sending: Sending,
        read: usize,
    },
}

/// Whether anything was written to the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    Something,
}

/// Whether our side of the byte stream was ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Open,
    Ended,
}

impl<R: Runtime, S: Stream, I: Instance> Connection<R, S, I> {
    pub(super) const fn new(link: Link<I>, runtime: R, stream: S) -> Self {
        Self {
            link,
            runtime,
            stream,
            phase: Phase::Open,
            written: Written::Nothing,
        }
    }

    fn poll_open(&mut self, task: &mut Context<'_>, scratch: &mut Scratch<I>) -> Poll<Over> {
        let mut budget = Budget::default();
        loop {
            if budget.is_spent() {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Once the peer has ended its side, what is left of it is taken at once.
            // So is an item that was held back because it ends the session.
            let is_ending = matches!(self.phase, Phase::Ended | Phase::Broken) || self.link.next.is_some();
            let was_backed_up = self.link.is_backed_up() && !is_ending;
            let has_items = !was_backed_up && self.link.take_items(scratch, &mut budget);
            if has_items && self.link.pass_on(task, scratch).is_err() {
                return Poll::Ready(Over);
            }
            let flow = self.link.wire.poll_output(&mut self.link.output);
            if let Poll::Ready(Err(Over)) = self.poll_write_or_read_only(task) {
                return Poll::Ready(Over);
            }
            // The item that is held back tells why the connection closes.
            if flow == Flow::Closing && self.link.next.is_none() {
                if self.written == Written::Nothing && self.link.output.is_empty() {
                    // There is no output that could be lost, and in a flood the connection has to make room at once.
                    let _ = self.stream.poll_shutdown(task);
                    return Poll::Ready(Over);
                }
                if self.begin_closing().is_err() {
                    return Poll::Ready(Over);
                }
                return self.poll_closing(task);
            }
            let may_go_on = was_backed_up && !self.link.is_backed_up();
            if has_items || may_go_on || budget.is_spent() {
                continue;
            }
            match self.poll_read(task, flow) {
                Poll::Ready(Ok(0)) => {
                    self.link.wire.handle_end();
                    self.phase = Phase::Ended;
                    continue;
                }
                Poll::Ready(Ok(count)) => {
                    budget.bytes = budget.bytes.saturating_sub(count);
                    continue;
                }
                Poll::Ready(Err(Over)) if matches!(self.phase, Phase::Open | Phase::ReadOnly) => {
                    // Not an end: what the peer had still sent is lost.
                    self.phase = Phase::Broken;
                    continue;
                }
                Poll::Ready(Err(Over)) => return Poll::Ready(Over),
                Poll::Pending if matches!(self.phase, Phase::ReadOnly) => return Poll::Ready(Over),
                Poll::Pending => {}
            }
            match self.link.rest(task) {
                Ok(Rest::Asleep) => return Poll::Pending,
                // Each round counts: others may emit as fast as this writes.
                Ok(Rest::Busy) => budget.items = budget.items.saturating_sub(1),
                Err(Over) => return Poll::Ready(Over),
            }
        }
    }

    /// As [`poll_write`](Self::poll_write); but what a peer that can not be written to has sent may still be read.
    fn poll_write_or_read_only(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Over>> {
        if !matches!(self.phase, Phase::ReadOnly | Phase::Broken) {
            match self.poll_write(task) {
                Poll::Ready(Err(Over)) if WireOf::<I>::READS_TO_END => self.phase = Phase::ReadOnly,
                other => return other,
            }
        }
        let unwritten = self.link.output.len();
        self.link.output.advance(unwritten);
        Poll::Ready(Ok(()))
    }

    /// Reads once; 0 bytes are the end of the stream. `Pending` also when nothing may be read now.
    fn poll_read(&mut self, task: &mut Context<'_>, flow: Flow) -> Poll<Result<usize, Over>> {
        if let Phase::Ended | Phase::Broken = self.phase {
            // An answer on its way is waited for: who has ended its side may still read it, and who is gone counts
            // until then, so that no more questions wait than there may be connections.
            let is_due = self.link.is_asked && flow == Flow::Paused;
            return if self.link.hold.is_some() || is_due {
                Poll::Pending
            } else {
                Poll::Ready(Err(Over))
            };
        }
        let is_waiting = flow == Flow::Paused || self.link.hold.is_some() || self.link.is_backed_up();
        if is_waiting && self.link.wire.buffered() >= READ_AHEAD {
            return Poll::Pending;
        }
        let mut buffer = take_buffer();
        let outcome = self.stream.poll_read(task, &mut buffer);
        if let Poll::Ready(Ok(1..)) = outcome {
            self.link.wire.handle_input(&mut buffer);
        }
        put_buffer(buffer);
        Poll::Ready(ready!(outcome).map_err(|error| self.link.fail(error)))
    }

    /// Writes all output. `Pending` while the peer does not take it.
    fn poll_write(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Over>> {
        while !self.link.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = self.link.output.chunks_vectored(&mut slices);
            let slices = slices.get(..count).unwrap_or_default();
            match ready!(self.stream.poll_write(task, slices)) {
                Ok(written @ 1..) => {
                    self.written = Written::Something;
                    self.link.output.advance(written);
                }
                Ok(0) => return Poll::Ready(Err(Over)),
                Err(error) => return Poll::Ready(Err(self.link.fail(error))),
            }
        }
        if let Some(spare) = self.link.output.take_spare() {
            recycle(spare);
        }
        self.stream
            .poll_flush(task)
            .map_err(|error| self.link.fail(error))
    }

    fn begin_closing(&mut self) -> Result<(), Over> {
        if !matches!(self.phase, Phase::Closing { .. }) {
            self.phase = Phase::Closing {
                deadline: self.close_deadline(),
                unwritten: self.link.output.len(),
                sending: Sending::Open,
                read: 0,
            };
        }
        self.link.tell_written()
    }

    fn close_deadline(&self) -> Pin<Box<R::Sleep>> {
        Box::pin(self.runtime.sleep_until(self.runtime.now() + CLOSE_TIMEOUT))
    }

    /// Writes the last output and reads until the peer's end: closing with unread input would make the peer lose
    /// what it has not read yet.
    fn poll_closing(&mut self, task: &mut Context<'_>) -> Poll<Over> {
        if self.link.watch(task).is_err() {
            return Poll::Ready(Over);
        }
        let unwritten = self.link.output.len();
        let is_written = match self.poll_write(task) {
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(Over)) => return Poll::Ready(Over),
            Poll::Pending => false,
        };
        if self.link.output.len() < unwritten && self.link.tell_written().is_err() {
            return Poll::Ready(Over);
        }
        if self.poll_deadline(task).is_ready() {
            return Poll::Ready(Over);
        }
        let Phase::Closing { sending, .. } = &mut self.phase else {
            return Poll::Ready(Over);
        };
        if is_written && *sending == Sending::Open {
            match self.stream.poll_shutdown(task) {
                Poll::Ready(Ok(())) => *sending = Sending::Ended,
                Poll::Ready(Err(_)) => return Poll::Ready(Over),
                Poll::Pending => {}
            }
        }
        self.poll_discard(task)
    }

    /// Ends when the time for the last output is over, which starts anew for a peer that reads it.
    fn poll_deadline(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let left = self.link.output.len();
        let is_read = matches!(self.phase, Phase::Closing { unwritten, .. } if unwritten.saturating_sub(left) >= CLOSE_PROGRESS);
        let renewed = is_read.then(|| self.close_deadline());
        let Phase::Closing {
            deadline, unwritten, ..
        } = &mut self.phase
        else {
            return Poll::Ready(());
        };
        if let Some(renewed) = renewed {
            (*deadline, *unwritten) = (renewed, left);
        }
        deadline.as_mut().poll(task).map(drop)
    }

    fn poll_discard(&mut self, task: &mut Context<'_>) -> Poll<Over> {
        let Phase::Closing { read, .. } = &mut self.phase else {
            return Poll::Ready(Over);
        };
        loop {
            let mut buffer = take_buffer();
            let outcome = self.stream.poll_discard(task, &mut buffer);
            buffer.clear();
            put_buffer(buffer);
            match ready!(outcome) {
                Ok(count @ 1..) if *read < LAST_READ => *read += count,
                Ok(_) | Err(_) => return Poll::Ready(Over),
            }
        }
    }
}

impl<R: Runtime, S: Stream, I: Instance> Future for Connection<R, S, I> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let outcome = Scratch::with(|scratch| match this.phase {
            Phase::Open | Phase::Ended | Phase::ReadOnly | Phase::Broken => this.poll_open(task, scratch),
            Phase::Closing { .. } => this.poll_closing(task),
        });
        outcome.map(|Over| ())
    }
}

/// Everything of it is pinned on the heap, if at all.
impl<R: Runtime, S: Stream, I: Instance> Unpin for Connection<R, S, I> {}
