//! Running jobs, outside the lock and in the order of their strands.
//!
//! Whoever takes jobs owns their strand: it is `Running` until [`Batch::finish`] gives it back, and nobody else runs
//! it meanwhile.

use std::future::{Future, poll_fn};
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::instance::{Instance, Machine, Next};
use super::runtime::Handlers;
use super::shard::Task;
use super::state::State as ShardState;
use super::strand::{Lifecycle, State, Strand, StrandId, Work};
use super::turn::{Ownership, Turn};

/// Most jobs of one strand run before others get a turn.
const BATCH: usize = 32;
/// The same where handlers may sleep: nothing that could go on without one is taken with it.
const BATCH_APART: usize = 1;

/// A batch of jobs, of one strand or several, in the order in which they arrived.
pub(super) struct Batch<I: Instance> {
    pub(super) work: Vec<Work<I::Machine>>,
    touched: Vec<StrandId>,
    /// Strands whose next job may not start yet, and what they wait for.
    stopped: Vec<(StrandId, Stopped)>,
    /// Jobs of those strands; they go back to the front of their queues.
    held_back: Vec<Work<I::Machine>>,
}

enum Stopped {
    /// As many handlers as may wait for their futures.
    Full,
    /// The rest of a job that nothing may overtake.
    After(Task),
}

impl<I: Instance> Default for Batch<I> {
    fn default() -> Self {
        Self {
            work: Vec::new(),
            touched: Vec::new(),
            stopped: Vec::new(),
            held_back: Vec::new(),
        }
    }
}

impl<I: Instance> Batch<I> {
    /// With the next jobs of a strand that nobody else runs.
    fn beginning(instance: &Arc<I>, strand: StrandId) -> Self {
        let mut batch = Self::default();
        // A poisoned shard has no strands any more.
        let _ = instance
            .shard()
            .with(instance, |state, _| take_jobs(state, strand, &mut batch.work));
        batch
    }

    /// Whether no strand is left to be given back.
    pub(super) fn is_idle(&self) -> bool {
        self.work.is_empty()
            && self.touched.is_empty()
            && self.stopped.is_empty()
            && self.held_back.is_empty()
    }

    /// Runs all jobs; afterwards [`finish`](Self::finish) is due under the lock, and then
    /// [`resume`](Self::resume).
    pub(super) fn run(&mut self, instance: &Arc<I>, task: &mut Context<'_>) {
        let mut work = mem::take(&mut self.work);
        for work in work.drain(..) {
            let strand = work.strand;
            if !self.touched.contains(&strand) {
                self.touched.push(strand);
            }
            if self.stopped.iter().any(|(stopped, _)| *stopped == strand) {
                self.held_back.push(work);
                continue;
            }
            match instance.run(work, task) {
                Next::Go => {}
                Next::Full => self.stopped.push((strand, Stopped::Full)),
                Next::After(rest) => self.stopped.push((strand, Stopped::After(rest))),
            }
        }
        self.work = work;
    }

    /// Gives the strands back and takes their next jobs, if there are any that may run.
    pub(super) fn finish(&mut self, state: &mut ShardState<I::Machine>) {
        for work in self.held_back.drain(..).rev() {
            if let Some(strand) = state.strands.get_mut(work.strand) {
                strand.push_front(work.job);
            }
        }
        for id in self.touched.drain(..) {
            let waits = self
                .stopped
                .iter()
                .any(|(own, stopped)| *own == id && matches!(stopped, Stopped::After(_)));
            if !waits {
                take_jobs(state, id, &mut self.work);
            } else if let Some(strand) = state.strands.get_mut(id) {
                strand.state = State::Waiting;
            }
        }
    }

    /// Starts what strands wait for, which may finish at once: therefore after they were given back.
    pub(super) fn resume(&mut self, instance: &Arc<I>) {
        for (strand, stopped) in self.stopped.drain(..) {
            if let Stopped::After(rest) = stopped {
                let unfinished = Unfinished::new(Arc::clone(instance), strand);
                instance.shard().spawn_handlers(async move {
                    // First, so that it is dropped last: after what the application keeps in the rest.
                    let unfinished = unfinished;
                    rest.await;
                    continue_after(unfinished).await;
                });
            }
        }
    }
}

/// Takes the next jobs of a strand that nobody else runs, or leaves it to be run later.
fn take_jobs<M: Machine>(state: &mut ShardState<M>, id: StrandId, work: &mut Vec<Work<M>>) {
    let is_full = state.is_full(id);
    let Some(strand) = state.strands.get_mut(id) else {
        return;
    };
    if !strand.has_jobs() {
        strand.state = State::Idle;
        if strand.lifecycle == Lifecycle::Over && strand.in_flight == 0 {
            state.remove_strand(id);
        }
        return;
    }
    if is_full && strand.lifecycle == Lifecycle::Open {
        strand.state = State::Full;
        return;
    }
    strand.state = State::Running;
    let subject = strand.subject.clone();
    let most = match state.handlers {
        Handlers::InPlace => BATCH,
        Handlers::Apart => BATCH_APART,
    };
    strand.take(most, |job| {
        work.push(Work {
            strand: id,
            subject: subject.clone(),
            job,
        });
    });
    state.release(id);
}

/// Runs a strand that is `Running` and that nobody else runs, until it is idle or waits.
///
/// When the task is dropped before that, the runtime is gone and nobody runs the strand any more: it ends.
pub(super) async fn drain<I: Instance>(unfinished: Unfinished<I>) {
    let (instance, strand) = (Arc::clone(&unfinished.instance), unfinished.strand);
    let mut batch = Batch::beginning(&instance, strand);
    while !batch.work.is_empty() {
        let ownership = poll_fn(|task| {
            let turn = Turn::begin(&instance, &batch.work);
            batch.run(&instance, task);
            Poll::Ready(turn.end())
        });
        if ownership.await == Ownership::GivenUp {
            if !end_beside(&instance, strand) {
                break;
            }
            yield_now().await;
            batch = Batch::beginning(&instance, strand);
            continue;
        }
        if instance
            .shard()
            .with(&instance, |state, _| batch.finish(state))
            .is_err()
        {
            return;
        }
        batch.resume(&instance);
        if !batch.work.is_empty() {
            yield_now().await;
        }
    }
    unfinished.finish();
}

/// A task that a strand depends on. Dropped unfinished it takes the strand with it: that happens only when the
/// runtime is gone, and the strand would keep everything alive for ever.
pub(super) struct Unfinished<I: Instance> {
    instance: Arc<I>,
    strand: StrandId,
    is_finished: bool,
}

impl<I: Instance> Unfinished<I> {
    pub(super) const fn new(instance: Arc<I>, strand: StrandId) -> Self {
        Self {
            instance,
            strand,
            is_finished: false,
        }
    }

    fn finish(mut self) {
        self.is_finished = true;
    }
}

impl<I: Instance> Drop for Unfinished<I> {
    fn drop(&mut self) {
        if !self.is_finished {
            // A poisoned shard has no strands any more.
            let _ = self
                .instance
                .shard()
                .with(&self.instance, |state, _| state.remove_strand(self.strand));
        }
    }
}

/// Lets `rest`, what is left of a job, go on as a task of its own beside its strand.
pub(crate) fn run_beside<I: Instance>(
    instance: &Arc<I>,
    strand: StrandId,
    rest: impl Future<Output = ()> + Send + 'static,
) -> Next {
    let is_full = begin(instance, strand);
    let unfinished = Unfinished::new(Arc::clone(instance), strand);
    instance.shard().spawn_handlers(async move {
        let unfinished = unfinished;
        rest.await;
        if end_beside(&unfinished.instance, unfinished.strand) {
            drain(unfinished).await;
        } else {
            unfinished.finish();
        }
    });
    if is_full { Next::Full } else { Next::Go }
}

/// Lets `rest`, what is left of a job, go on as a task of its own, and its strand after it.
pub(crate) fn run_before<I: Instance>(
    instance: &Arc<I>,
    strand: StrandId,
    rest: impl Future<Output = ()> + Send + 'static,
) -> Next {
    begin(instance, strand);
    Next::After(Box::pin(rest))
}

/// No more jobs come for a strand; it goes when none is left.
pub(super) fn mark_over<I: Instance>(instance: &Arc<I>, strand: StrandId) {
    with_strand(instance, strand, |strand| strand.lifecycle = Lifecycle::Over);
}

/// The last job of a client's strand begins, but others come after it: the strand takes them as before.
pub(super) fn reopen<I: Instance>(instance: &Arc<I>, strand: StrandId) {
    with_strand(instance, strand, Strand::reopen);
}

/// One handler more waits for its future; whether no other may.
fn begin<I: Instance>(instance: &Arc<I>, id: StrandId) -> bool {
    let begun = instance.shard().with(instance, |state, _| {
        if let Some(strand) = state.strands.get_mut(id) {
            strand.in_flight += 1;
        }
        state.is_full(id)
    });
    begun.unwrap_or(false)
}

/// A handler that others did not wait for is done. Whether its strand is to be run again, because all were waiting for
/// one of them.
fn end_beside<I: Instance>(instance: &Arc<I>, id: StrandId) -> bool {
    let goes_on = instance.shard().with(instance, |state, _| {
        let Some(strand) = state.strands.get_mut(id) else {
            return false;
        };
        strand.in_flight = strand.in_flight.saturating_sub(1);
        match strand.state {
            State::Full => {
                strand.state = State::Running;
                true
            }
            State::Idle if strand.in_flight == 0 && strand.lifecycle == Lifecycle::Over => {
                state.remove_strand(id);
                false
            }
            State::Idle | State::Running | State::Waiting => false,
        }
    });
    goes_on.unwrap_or(false)
}

/// A handler that others waited for is done: the strand goes on, on this task.
async fn continue_after<I: Instance>(unfinished: Unfinished<I>) {
    with_strand(&unfinished.instance, unfinished.strand, |strand| {
        strand.in_flight = strand.in_flight.saturating_sub(1);
        strand.state = State::Running;
    });
    drain(unfinished).await;
}

fn with_strand<I: Instance>(instance: &Arc<I>, id: StrandId, change: impl FnOnce(&mut Strand<I::Machine>)) {
    // A poisoned shard has no strands any more; every handle says so to the application.
    let _ = instance
        .shard()
        .with(instance, |state, _| state.strands.get_mut(id).map(change));
}

pub(super) async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|task| {
        if mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
