use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use super::instance::{Instance, ItemOf, Machine};
use super::read_buffers::{READ, put_buffer, take_buffer};
use super::runtime::{Handlers, Runtime, Stream};
use super::shard::recycle;
use super::state::{OwnWork, ParkOutcome, Stage};
use super::strand::StrandId;
use super::wires::ConnectionWire;
use super::work::Batch;
use crate::core::{ConnId, Flow, OutBuf};
use crate::error::Error;
use crate::handler::catch;

/// Items handled under one lock, and handlers run before the next.
const ITEMS: usize = 32;
/// Items and bytes one poll may handle before others get their turn. Runtimes look for what has arrived on other
/// connections only every so many polls (tokio: 61), so a poll has to be short, not only bounded.
const ITEMS_PER_POLL: usize = ITEMS;
const BYTES_PER_POLL: usize = READ;
/// While nothing may be handed over, so much is read that the end of the stream is seen.
const READ_AHEAD: usize = 64 * 1024;
/// With this much unwritten nothing more is read from the peer of a server: who sends without reading the answers
/// waits like any writer, and its session is not closed for a queue that it filled itself.
const BACKLOG: usize = 256 * 1024;
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

/// A connection without its byte stream: its wire, and what passes between that and the shard. The shard hears of
/// the connection's end when this is dropped.
pub(crate) struct Link<I: Instance> {
    instance: Arc<I>,
    id: ConnId,
    pub(super) wire: WireOf<I>,
    pub(super) output: OutBuf,
    /// The waker of the last poll, when the shard does not have it.
    waker: Option<Waker>,
    /// A strand that must have room before more is handed over.
    hold: Option<StrandId>,
    /// An item that was taken off the wire and is not handed over yet: one that ends the session waits until what
    /// came before it was handled to its end.
    next: Option<Box<ItemOf<I::Machine>>>,
    requests: I::Requests,
    /// Where handlers run apart: whether the application was asked something and may not have answered yet.
    is_asked: bool,
    /// What was wrong with the byte stream.
    lost: Option<io::Error>,
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

/// What one poll may still do.
pub(super) struct Budget {
    items: usize,
    bytes: usize,
}

/// The connection is over.
pub(super) struct Over;

/// Whether the task may sleep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Asleep,
    Busy,
}

/// Scratch of one poll, kept for its capacity.
pub(super) struct Scratch<I: Instance> {
    items: Vec<ItemOf<I::Machine>>,
    own: OwnWork<I::Machine>,
    batch: Batch<I>,
}

impl<I: Instance> Default for Scratch<I> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            own: OwnWork::default(),
            batch: Batch::default(),
        }
    }
}

impl<I: Instance> Scratch<I> {
    /// Lends the thread's scratch to one poll.
    pub(super) fn with<T>(poll: impl FnOnce(&mut Self) -> T) -> T {
        let mut kinds = SCRATCH.take();
        let kept = kinds.iter().position(|kept| kept.is::<Self>());
        let kept = kept.and_then(|place| kinds.swap_remove(place).downcast::<Self>().ok());
        SCRATCH.set(kinds);
        let mut scratch = kept.unwrap_or_default();
        let outcome = poll(&mut scratch);
        // What a poisoned shard has left undone is not for the next connection.
        if scratch.is_idle() {
            let mut kinds = SCRATCH.take();
            kinds.push(scratch);
            SCRATCH.set(kinds);
        }
        outcome
    }

    fn is_idle(&self) -> bool {
        self.items.is_empty() && self.own.is_empty() && self.batch.is_idle()
    }
}

/// The wire of an instance's connections.
type WireOf<I> = <<I as Instance>::Machine as Machine>::Wire;

thread_local! {
    /// One for each type of instance.
    static SCRATCH: Cell<Vec<Box<dyn Any>>> = const { Cell::new(Vec::new()) };
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

impl<I: Instance> Link<I> {
    /// For a connection that the shard knows already.
    pub(super) fn new(instance: Arc<I>, id: ConnId, wire: WireOf<I>) -> Self {
        Self {
            instance,
            id,
            wire,
            output: OutBuf::new(),
            waker: None,
            hold: None,
            next: None,
            requests: I::Requests::default(),
            is_asked: false,
            lost: None,
        }
    }

    pub(super) const fn instance(&self) -> &Arc<I> {
        &self.instance
    }

    pub(super) const fn id(&self) -> ConnId {
        self.id
    }

    /// Whether so much is unwritten that the peer has to wait.
    fn is_backed_up(&self) -> bool {
        WireOf::<I>::WAITS && self.output.len() >= BACKLOG
    }

    /// Hands this item over before those that are still on the wire.
    pub(super) fn put_first(&mut self, item: ItemOf<I::Machine>) {
        self.next = Some(Box::new(item));
    }

    /// Takes a batch of items off the wire, which decodes and validates them here, outside the lock.
    pub(super) fn take_items(&mut self, scratch: &mut Scratch<I>, budget: &mut Budget) -> bool {
        while self.hold.is_none() && budget.items > 0 {
            let Some(item) = self
                .next
                .take()
                .map(|item| *item)
                .or_else(|| self.wire.poll_item())
            else {
                break;
            };
            if !scratch.items.is_empty() && WireOf::<I>::is_last(&item) {
                self.next = Some(Box::new(item));
                break;
            }
            budget.items -= 1;
            if !WireOf::<I>::is_answered(&item) {
                scratch.items.push(item);
            }
        }
        !scratch.items.is_empty()
    }

    /// Hands items to the core, runs the handlers they lead to, and takes what is to be written.
    pub(super) fn pass_on(&mut self, task: &mut Context<'_>, scratch: &mut Scratch<I>) -> Result<(), Error> {
        let Scratch { items, own, batch } = scratch;
        let (id, wire) = (self.id, &mut self.wire);
        let waker = self.instance.shard().with(&self.instance, |state, now| {
            let waker = state.unpark(id);
            state.handle_items(now, id, items.drain(..), own);
            state.machine.poll_transmit(id, wire);
            waker
        })?;
        self.waker = waker.or_else(|| self.waker.take());
        self.hold = own.overloaded.take();
        if !own.requests.is_empty() {
            self.is_asked = self.instance.shard().handlers() == Handlers::Apart;
            for request in own.requests.drain(..) {
                self.instance.answer(&mut self.requests, request)?;
            }
            // Now, because the peer's end may be the next thing that is read.
            let wire = &mut self.wire;
            self.instance
                .shard()
                .with(&self.instance, |state, _| state.machine.poll_transmit(id, wire))?;
        }
        batch.work.append(&mut own.work);
        while !batch.work.is_empty() {
            batch.run(&self.instance, task);
            let wire = &mut self.wire;
            self.instance.shard().with(&self.instance, |state, _| {
                batch.finish(state);
                state.machine.poll_transmit(id, wire);
            })?;
            batch.resume(&self.instance);
        }
        Ok(())
    }

    /// The byte stream failed; the first failure is the one that says why.
    pub(super) fn fail(&mut self, error: io::Error) -> Over {
        self.lost.get_or_insert(error);
        Over
    }

    /// Less is left of the last output. It may be the answer to a poll, whose session goes on elsewhere and counts it.
    fn tell_written(&mut self) -> Result<(), Over> {
        let _ = self.wire.poll_output(&mut self.output);
        let (id, wire) = (self.id, &mut self.wire);
        let shard = self.instance.shard();
        let told = shard.with(&self.instance, |state, _| state.machine.poll_transmit(id, wire));
        told.map_err(|_| Over)
    }

    /// Lets the task sleep with nothing to wait for from the shard but its end.
    pub(super) fn watch(&mut self, task: &Context<'_>) -> Result<(), Over> {
        loop {
            let (id, offered) = (self.id, self.waker.take());
            let seen = self.instance.shard().with(&self.instance, |state, _| {
                (state.park(id, offered, task.waker()), state.stage)
            });
            match seen.map_err(|_| Over)? {
                (_, Stage::Aborted) => return Err(Over),
                (ParkOutcome::Asleep, _) => return Ok(()),
                (ParkOutcome::Busy(_), _) => self.waker = Some(task.waker().clone()),
            }
        }
    }

    /// Lets the task sleep until something happens, unless something has.
    pub(super) fn rest(&mut self, task: &Context<'_>) -> Result<Rest, Over> {
        let offered = self.waker.take();
        let unwritten = self.output.len();
        // What was written since it was asked last does not count any more when the core looks whether all has left.
        let _ = self.wire.poll_output(&mut self.output);
        let (id, wire, hold) = (self.id, &mut self.wire, &mut self.hold);
        let seen = self.instance.shard().with(&self.instance, |state, _| {
            let parking = state.park(id, offered, task.waker());
            state.machine.poll_transmit(id, wire);
            let is_held = hold.is_some_and(|strand| state.hold(strand, id));
            let is_released = hold.is_some() && !is_held;
            *hold = hold.filter(|_| is_held);
            (parking, is_released, state.stage)
        });
        let (parking, is_released, stage) = seen.map_err(|_| Over)?;
        if stage == Stage::Aborted {
            return Err(Over);
        }
        let is_busy = match parking {
            ParkOutcome::Asleep => false,
            ParkOutcome::Busy(waker) => {
                let is_current = waker.as_ref().is_some_and(|waker| waker.will_wake(task.waker()));
                self.waker = if is_current {
                    waker
                } else {
                    Some(task.waker().clone())
                };
                true
            }
        };
        let flow = self.wire.poll_output(&mut self.output);
        self.is_asked &= flow == Flow::Paused;
        if self.hold.is_none()
            && self.next.is_none()
            && !self.is_backed_up()
            && let Some(item) = self.wire.poll_item()
        {
            self.next = Some(Box::new(item));
            return Ok(Rest::Busy);
        }
        // What is held back is handed over first; the strand it waits for wakes the task.
        let may_close = flow == Flow::Closing && self.next.is_none();
        let has_output = self.output.len() > unwritten || may_close;
        Ok(if is_busy || is_released || has_output {
            Rest::Busy
        } else {
            Rest::Asleep
        })
    }
}

impl<I: Instance> Drop for Link<I> {
    fn drop(&mut self) {
        let detail = self.lost.take().map(|error| {
            // The error of a connector may be the application's, and its text is then its code; it goes here, too.
            catch(move || Ok(error.to_string())).unwrap_or_else(|error| error.to_string())
        });
        // A poisoned shard does not keep track of connections any more.
        let _ = self
            .instance
            .shard()
            .with(&self.instance, |state, now| state.close(now, self.id, detail));
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            items: ITEMS_PER_POLL,
            bytes: BYTES_PER_POLL,
        }
    }
}

impl Budget {
    pub(super) const fn is_spent(&self) -> bool {
        self.items == 0 || self.bytes == 0
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
