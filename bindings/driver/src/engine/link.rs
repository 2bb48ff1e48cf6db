//! A connection without its byte stream: between its wire and the shard.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::instance::{Instance, ItemOf, Machine};
use super::read_buffers::READ;
use super::runtime::Handlers;
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
/// With this much unwritten nothing more is read from the peer of a server: who sends without reading the answers
/// waits like any writer, and its session is not closed for a queue that it filled itself.
const BACKLOG: usize = 256 * 1024;

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
    pub(super) hold: Option<StrandId>,
    /// An item that was taken off the wire and is not handed over yet: one that ends the session waits until what
    /// came before it was handled to its end.
    pub(super) next: Option<Box<ItemOf<I::Machine>>>,
    requests: I::Requests,
    /// Where handlers run apart: whether the application was asked something and may not have answered yet.
    pub(super) is_asked: bool,
    /// What was wrong with the byte stream.
    lost: Option<io::Error>,
}

/// Whether the task may sleep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Asleep,
    Busy,
}

/// The connection is over.
pub(super) struct Over;

/// What one poll may still do.
pub(super) struct Budget {
    pub(super) items: usize,
    pub(super) bytes: usize,
}

/// Scratch of one poll, kept for its capacity.
pub(super) struct Scratch<I: Instance> {
    items: Vec<ItemOf<I::Machine>>,
    own: OwnWork<I::Machine>,
    batch: Batch<I>,
}

/// The wire of an instance's connections.
pub(super) type WireOf<I> = <<I as Instance>::Machine as Machine>::Wire;

thread_local! {
    /// One for each type of instance.
    static SCRATCH: Cell<Vec<Box<dyn Any>>> = const { Cell::new(Vec::new()) };
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
    pub(super) fn is_backed_up(&self) -> bool {
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
    pub(super) fn tell_written(&mut self) -> Result<(), Over> {
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
