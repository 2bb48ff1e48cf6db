use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use super::house::{House, ItemOf, Machine};
use super::read_buffers::{READ, put_buffer, take_buffer};
use super::runtime::{Handlers, Runtime, Stream};
use super::shard::recycle;
use super::state::{Own, Parking, Stage};
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
/// With this much unwritten the peer of a server is heard no further: who sends without reading the answers waits like any writer,
/// and its session is not closed for a queue that it filled itself.
const BACKLOG: usize = 256 * 1024;
/// Slices of one vectored write.
const SLICES: usize = 32;
/// How long a connection that says its last words may take to write them and to see the peer's end. Whenever the peer
/// has taken [`LAST_WORDS_PACE`] bytes of them the time starts anew: who reads slowly still reads everything.
const LAST_WORDS: Duration = Duration::from_secs(5);
const LAST_WORDS_PACE: usize = 64 * 1024;
/// What a peer may still send after our last words before it is cut off.
const LAST_READ: usize = 4 * 1024 * 1024;

/// One connection: a future that ends with it.
pub(super) struct Connection<R: Runtime, S: Stream, H: House> {
    link: Link<H>,
    runtime: R,
    stream: S,
    phase: Phase<R>,
    said: Said,
}

/// A connection without its byte stream: its wire, and what passes between that and the shard. The shard hears of
/// the connection's end when this is dropped.
pub(crate) struct Link<H: House> {
    house: Arc<H>,
    id: ConnId,
    pub(super) wire: WireOf<H>,
    pub(super) output: OutBuf,
    /// The waker of the last poll, when the shard does not have it.
    waker: Option<Waker>,
    /// A strand that must have room before more is handed over.
    hold: Option<StrandId>,
    /// An item that was taken off the wire and is not handed over yet: one that ends the session waits until what
    /// came before it was handled to its end.
    next: Option<Box<ItemOf<H::Machine>>>,
    requests: H::Requests,
    /// Where handlers run apart: whether the application was asked something and may not have answered yet.
    is_asked: bool,
    /// What was wrong with the byte stream.
    lost: Option<io::Error>,
}

enum Phase<R: Runtime> {
    Open,
    /// The peer has ended its side; what it sent before is handed over first.
    Ended,
    /// The peer takes nothing any more, but what it has said is heard.
    Unheard,
    /// Neither side is heard any more; what the peer said before is handed over first, and that it broke off.
    Broken,
    /// Writing the last words, then reading until the peer's end.
    Closing {
        deadline: Pin<Box<R::Sleep>>,
        /// What was left to write when the deadline was set.
        unwritten: usize,
        sending: Sending,
        read: usize,
    },
}

/// Whether the peer was told anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Something,
}

/// Whether the peer was told that nothing more comes.
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
pub(super) struct Scratch<H: House> {
    items: Vec<ItemOf<H::Machine>>,
    own: Own<H::Machine>,
    batch: Batch<H>,
}

impl<H: House> Default for Scratch<H> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            own: Own::default(),
            batch: Batch::default(),
        }
    }
}

impl<H: House> Scratch<H> {
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

/// The wire of a house's connections.
type WireOf<H> = <<H as House>::Machine as Machine>::Wire;

thread_local! {
    /// One for each kind of house.
    static SCRATCH: Cell<Vec<Box<dyn Any>>> = const { Cell::new(Vec::new()) };
}

impl<R: Runtime, S: Stream, H: House> Connection<R, S, H> {
    pub(super) const fn new(link: Link<H>, runtime: R, stream: S) -> Self {
        Self {
            link,
            runtime,
            stream,
            phase: Phase::Open,
            said: Said::Nothing,
        }
    }

    fn poll_open(&mut self, task: &mut Context<'_>, scratch: &mut Scratch<H>) -> Poll<Over> {
        let mut budget = Budget::default();
        loop {
            if budget.is_spent() {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Once the peer has ended its side, what is left of it is taken at once.
            // So is an item that was held back because it ends the session.
            let is_ending = matches!(self.phase, Phase::Ended | Phase::Broken) || self.link.next.is_some();
            let was_backed_up = self.is_backed_up() && !is_ending;
            let has_items = !was_backed_up && self.link.take_items(scratch, &mut budget);
            if has_items && self.link.pass_on(task, scratch).is_err() {
                return Poll::Ready(Over);
            }
            let flow = self.link.wire.poll_output(&mut self.link.output);
            if let Poll::Ready(Err(Over)) = self.poll_write_or_hear_out(task) {
                return Poll::Ready(Over);
            }
            // The item that is held back tells why the connection closes.
            if flow == Flow::Closing && self.link.next.is_none() {
                if self.said == Said::Nothing && self.link.output.is_empty() {
                    // There are no last words that could be lost, and in a flood the connection has to make room at once.
                    let _ = self.stream.poll_shutdown(task);
                    return Poll::Ready(Over);
                }
                if self.begin_closing().is_err() {
                    return Poll::Ready(Over);
                }
                return self.poll_closing(task);
            }
            let may_go_on = was_backed_up && !self.is_backed_up();
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
                Poll::Ready(Err(Over)) if matches!(self.phase, Phase::Open | Phase::Unheard) => {
                    // Not an end: what the peer had still sent is lost.
                    self.phase = Phase::Broken;
                    continue;
                }
                Poll::Ready(Err(Over)) => return Poll::Ready(Over),
                Poll::Pending if matches!(self.phase, Phase::Unheard) => return Poll::Ready(Over),
                Poll::Pending => {}
            }
            match self.link.rest(task) {
                Ok(Rest::Asleep) => return Poll::Pending,
                Ok(Rest::Busy) => {}
                Err(Over) => return Poll::Ready(Over),
            }
        }
    }

    fn is_backed_up(&self) -> bool {
        WireOf::<H>::WAITS && self.link.output.len() >= BACKLOG
    }

    /// As [`poll_write`](Self::poll_write); but what a peer that can not be written to has said may still be heard.
    fn poll_write_or_hear_out(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Over>> {
        if !matches!(self.phase, Phase::Unheard | Phase::Broken) {
            match self.poll_write(task) {
                Poll::Ready(Err(Over)) if WireOf::<H>::HEARS_OUT => self.phase = Phase::Unheard,
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
        let is_waiting = flow == Flow::Paused || self.link.hold.is_some() || self.is_backed_up();
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
                    self.said = Said::Something;
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
                deadline: self.last_words(),
                unwritten: self.link.output.len(),
                sending: Sending::Open,
                read: 0,
            };
        }
        self.link.tell_written()
    }

    fn last_words(&self) -> Pin<Box<R::Sleep>> {
        Box::pin(self.runtime.sleep_until(self.runtime.now() + LAST_WORDS))
    }

    /// Writes the last words and reads until the peer's end: closing with unread input would make the peer lose
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

    /// Ends when the time for the last words is over, which starts anew for a peer that reads them.
    fn poll_deadline(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let left = self.link.output.len();
        let is_read = matches!(self.phase, Phase::Closing { unwritten, .. } if unwritten.saturating_sub(left) >= LAST_WORDS_PACE);
        let renewed = is_read.then(|| self.last_words());
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

impl<H: House> Link<H> {
    /// For a connection that the shard knows already.
    pub(super) fn new(house: Arc<H>, id: ConnId, wire: WireOf<H>) -> Self {
        Self {
            house,
            id,
            wire,
            output: OutBuf::new(),
            waker: None,
            hold: None,
            next: None,
            requests: H::Requests::default(),
            is_asked: false,
            lost: None,
        }
    }

    pub(super) const fn house(&self) -> &Arc<H> {
        &self.house
    }

    pub(super) const fn id(&self) -> ConnId {
        self.id
    }

    /// Hands this item over before those that are still on the wire.
    pub(super) fn put_first(&mut self, item: ItemOf<H::Machine>) {
        self.next = Some(Box::new(item));
    }

    /// Takes a batch of items off the wire, which decodes and validates them here, outside the lock.
    pub(super) fn take_items(&mut self, scratch: &mut Scratch<H>, budget: &mut Budget) -> bool {
        while self.hold.is_none() && budget.items > 0 {
            let Some(item) = self
                .next
                .take()
                .map(|item| *item)
                .or_else(|| self.wire.poll_item())
            else {
                break;
            };
            if !scratch.items.is_empty() && WireOf::<H>::is_last(&item) {
                self.next = Some(Box::new(item));
                break;
            }
            budget.items -= 1;
            if !WireOf::<H>::is_answered(&item) {
                scratch.items.push(item);
            }
        }
        !scratch.items.is_empty()
    }

    /// Hands items to the core, runs the handlers they lead to, and takes what is to be written.
    pub(super) fn pass_on(&mut self, task: &mut Context<'_>, scratch: &mut Scratch<H>) -> Result<(), Error> {
        let Scratch { items, own, batch } = scratch;
        let (id, wire) = (self.id, &mut self.wire);
        let waker = self.house.shard().with(&self.house, |state, now| {
            let waker = state.unpark(id);
            state.handle_items(now, id, items.drain(..), own);
            state.machine.poll_transmit(id, wire);
            waker
        })?;
        self.waker = waker.or_else(|| self.waker.take());
        self.hold = own.overloaded.take();
        if !own.requests.is_empty() {
            self.is_asked = self.house.shard().handlers() == Handlers::Apart;
            for request in own.requests.drain(..) {
                self.house.answer(&mut self.requests, request)?;
            }
            // Now, because the peer's end may be the next thing that is read.
            let wire = &mut self.wire;
            self.house
                .shard()
                .with(&self.house, |state, _| state.machine.poll_transmit(id, wire))?;
        }
        batch.work.append(&mut own.work);
        while !batch.work.is_empty() {
            batch.run(&self.house, task);
            let wire = &mut self.wire;
            self.house.shard().with(&self.house, |state, _| {
                batch.finish(state);
                state.machine.poll_transmit(id, wire);
            })?;
            batch.resume(&self.house);
        }
        Ok(())
    }

    /// The byte stream failed; the first failure is the one that says why.
    pub(super) fn fail(&mut self, error: io::Error) -> Over {
        self.lost.get_or_insert(error);
        Over
    }

    /// Of the last words less is left. They may be the answer to a poll, whose session goes on elsewhere and counts them.
    fn tell_written(&mut self) -> Result<(), Over> {
        let _ = self.wire.poll_output(&mut self.output);
        let (id, wire) = (self.id, &mut self.wire);
        let shard = self.house.shard();
        let told = shard.with(&self.house, |state, _| state.machine.poll_transmit(id, wire));
        told.map_err(|_| Over)
    }

    /// Lets the task sleep with nothing to wait for from the shard but its end.
    pub(super) fn watch(&mut self, task: &Context<'_>) -> Result<(), Over> {
        loop {
            let (id, offered) = (self.id, self.waker.take());
            let seen = self.house.shard().with(&self.house, |state, _| {
                (state.park(id, offered, task.waker()), state.stage)
            });
            match seen.map_err(|_| Over)? {
                (_, Stage::Aborted) => return Err(Over),
                (Parking::Asleep, _) => return Ok(()),
                (Parking::Busy(_), _) => self.waker = Some(task.waker().clone()),
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
        let seen = self.house.shard().with(&self.house, |state, _| {
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
            Parking::Asleep => false,
            Parking::Busy(waker) => {
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

impl<H: House> Drop for Link<H> {
    fn drop(&mut self) {
        let detail = self.lost.take().map(|error| {
            // The error of a connector may be the application's, and its text is then its code; it goes here, too.
            catch(move || Ok(error.to_string())).unwrap_or_else(|error| error.to_string())
        });
        // A poisoned shard keeps no books any more.
        let _ = self
            .house
            .shard()
            .with(&self.house, |state, now| state.close(now, self.id, detail));
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

impl<R: Runtime, S: Stream, H: House> Future for Connection<R, S, H> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let outcome = Scratch::with(|scratch| match this.phase {
            Phase::Open | Phase::Ended | Phase::Unheard | Phase::Broken => this.poll_open(task, scratch),
            Phase::Closing { .. } => this.poll_closing(task),
        });
        outcome.map(|Over| ())
    }
}

/// Everything of it is pinned on the heap, if at all.
impl<R: Runtime, S: Stream, H: House> Unpin for Connection<R, S, H> {}
