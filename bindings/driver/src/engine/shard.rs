use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use super::instance::{Instance, Machine};
use super::refusals;
use super::runtime::Handlers;
use super::state::{AfterUnlock, State};
use super::work::{self, Unfinished};
use crate::core::OutBuf;
use crate::error::Error;
use crate::handler::catch;

/// The core and everything that belongs to it, behind one lock.
pub(crate) struct Shard<M: Machine> {
    state: Mutex<Option<State<M>>>,
    host: OnceLock<Host>,
}

/// What the shard needs of the runtime, with its type forgotten.
pub(crate) struct Host {
    pub(crate) now: Box<dyn Fn() -> Instant + Send + Sync>,
    pub(crate) spawn: Box<dyn Fn(Task) + Send + Sync>,
    pub(crate) spawn_handlers: Box<dyn Fn(Task) + Send + Sync>,
    pub(crate) handlers: Handlers,
}

/// What is run beside its maker.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

thread_local! {
    /// Kept for its capacity; taken out while in use, so that a waker that comes back here finds a fresh one.
    static AFTER: Cell<Option<AfterUnlock>> = const { Cell::new(None) };
    /// Output buffers that were written out, for the core to fill again.
    static SPARES: Cell<Vec<OutBuf>> = const { Cell::new(Vec::new()) };
}

/// More emptied buffers than this are given to the allocator instead of the core.
const SPARES_PER_THREAD: usize = 256;

/// Gives an emptied output buffer back to the core, at the next lock.
pub(super) fn recycle(buffer: OutBuf) {
    // A thread that is ending keeps nothing.
    let _ = SPARES.try_with(|place| {
        let mut spares = place.take();
        if spares.len() < SPARES_PER_THREAD {
            spares.push(buffer);
        }
        place.set(spares);
    });
}

impl<M: Machine> Shard<M> {
    pub(crate) const fn new() -> Self {
        Self {
            state: Mutex::new(None),
            host: OnceLock::new(),
        }
    }

    /// Begins to serve; fails when it did before.
    pub(crate) fn start(&self, machine: M, host: Host) -> Result<(), Error> {
        let handlers = host.handlers;
        self.host.set(host).map_err(|_| Error::AlreadyServing)?;
        *self.state.lock().map_err(|_| Error::Poisoned)? = Some(State::new(machine, handlers));
        Ok(())
    }

    pub(super) fn now(&self) -> Result<Instant, Error> {
        Ok((self.host.get().ok_or(Error::NotServing)?.now)())
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(host) = self.host.get() {
            (host.spawn)(Box::pin(task));
        }
    }

    /// Runs a task in which handlers of the application are called.
    pub(super) fn spawn_handlers(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(host) = self.host.get() {
            (host.spawn_handlers)(Box::pin(task));
        }
    }

    /// Where handlers run; in place while nothing is served.
    pub(super) fn handlers(&self) -> Handlers {
        self.host.get().map_or(Handlers::InPlace, |host| host.handlers)
    }

    /// Runs `verbs` under the lock, and after unlock what they led to.
    ///
    /// `verbs` calls the core and updates the driver's state; nothing of the application runs in it.
    pub(crate) fn with<I: Instance<Machine = M>, R>(
        &self,
        instance: &Arc<I>,
        verbs: impl FnOnce(&mut State<M>, Instant) -> R,
    ) -> Result<R, Error> {
        let now = self.now()?;
        let mut after = AFTER.try_with(Cell::take).ok().flatten().unwrap_or_default();
        let (result, over, effects) = {
            let mut guard = self.state.lock().map_err(|_| Error::Poisoned)?;
            let state = guard.as_mut().ok_or(Error::NotServing)?;
            take_spares(&mut state.machine);
            let result = verbs(state, now);
            state.settle();
            mem::swap(&mut state.after_unlock, &mut after);
            (result, mem::take(&mut state.over), mem::take(&mut state.effects))
        };
        after.run(instance);
        for strand in over {
            // The application's data goes with its last handle, and its destructor may panic: that must not end the
            // connection this runs on, nor meet another such panic on its way.
            let _ = catch(|| {
                drop(strand);
                Ok(())
            });
        }
        let _ = AFTER.try_with(|place| place.set(Some(after)));
        for effect in effects {
            instance.perform(effect);
        }
        Ok(result)
    }
}

fn take_spares(machine: &mut impl Machine) {
    let _ = SPARES.try_with(|place| {
        let mut spares = place.take();
        for spare in spares.drain(..) {
            machine.recycle(spare);
        }
        place.set(spares);
    });
}

impl AfterUnlock {
    fn run<I: Instance>(&mut self, instance: &Arc<I>) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
        if mem::take(&mut self.notifies_refused) {
            instance
                .shard()
                .spawn_handlers(refusals::notify(Arc::clone(instance)));
        }
        for strand in self.strands.drain(..) {
            let unfinished = Unfinished::new(Arc::clone(instance), strand);
            instance.shard().spawn_handlers(work::drain(unfinished));
        }
    }
}
