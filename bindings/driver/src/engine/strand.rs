//! One strand per socket (or bare session): its handlers start in the order of the events, nothing starts before `on_connect` has
//! finished, and `on_disconnect` starts last.
//!
//! | state | meaning | a new job |
//! | --- | --- | --- |
//! | Idle | nothing runs, nothing waits | is taken by whoever brought it |
//! | Running | somebody runs jobs and will look again | is queued |
//! | Waiting | a job that nothing may overtake waits for its future | is queued |
//! | Full | as many handlers wait for their futures as may | is queued |

use std::collections::VecDeque;

use super::instance::{Job, Machine};
use crate::core::ConnId;

/// A strand with so much queued takes nothing more. Acknowledgements and pongs come in the same stream as events, so
/// a client whose handlers all wait must still be read from for a while.
const QUEUED_JOBS: usize = 1_024;
const QUEUED_BYTES: usize = 256 * 1024;

/// The handle of a strand. A stale one finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StrandId {
    index: usize,
    generation: u32,
}

/// A job taken out of its strand.
pub(crate) struct Work<M: Machine> {
    pub(crate) strand: StrandId,
    pub(crate) subject: M::Subject,
    pub(crate) job: M::Job,
}

/// The handlers of one socket or session.
pub(crate) struct Strand<M: Machine> {
    pub(crate) subject: M::Subject,
    jobs: VecDeque<M::Job>,
    /// Bytes that the queued jobs keep.
    queued_bytes: usize,
    pub(super) state: State,
    /// Handlers that wait for their futures.
    pub(super) in_flight: usize,
    /// The connection that hands nothing more over until this strand has room again.
    pub(super) held: Option<ConnId>,
    pub(super) lifecycle: Lifecycle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    Running,
    Waiting,
    Full,
}

/// Whether more is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifecycle {
    Open,
    /// The last job is queued: what is before it starts however many handlers wait, because they may wait for what
    /// `on_disconnect` does.
    Ending,
    /// `on_disconnect` has run, or the client was not let in; the strand goes when no handler waits any more.
    Over,
}

impl<M: Machine> Strand<M> {
    pub(crate) const fn new(subject: M::Subject) -> Self {
        Self {
            subject,
            jobs: VecDeque::new(),
            queued_bytes: 0,
            state: State::Idle,
            in_flight: 0,
            held: None,
            lifecycle: Lifecycle::Open,
        }
    }

    pub(super) fn has_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Whether so much is queued that nothing more may be handed over.
    pub(super) fn is_overloaded(&self) -> bool {
        self.jobs.len() >= QUEUED_JOBS || self.queued_bytes >= QUEUED_BYTES
    }

    pub(super) fn push(&mut self, mut job: M::Job) {
        self.enter(&mut job);
        self.jobs.push_back(job);
    }

    /// Puts a job back that was taken too early.
    pub(super) fn push_front(&mut self, mut job: M::Job) {
        self.enter(&mut job);
        self.jobs.push_front(job);
    }

    fn enter(&mut self, job: &mut M::Job) {
        job.detach();
        self.queued_bytes += job.size();
        if job.is_last() {
            self.lifecycle = Lifecycle::Ending;
        }
    }

    /// The end that was queued has come, and another beginning may follow it.
    pub(super) fn reopen(&mut self) {
        let has_end = self.jobs.iter().any(Job::is_last);
        self.lifecycle = if has_end {
            Lifecycle::Ending
        } else {
            Lifecycle::Open
        };
    }

    /// Takes at most `count` jobs.
    pub(super) fn take(&mut self, count: usize, mut each: impl FnMut(M::Job)) {
        for _ in 0..count {
            let Some(job) = self.jobs.pop_front() else { break };
            self.queued_bytes -= job.size();
            each(job);
        }
        if self.jobs.is_empty() {
            self.jobs = VecDeque::new();
        }
    }
}

/// All strands of a shard. A place is used again, so handles carry a generation.
pub(crate) struct Strands<M: Machine> {
    entries: Vec<(u32, Option<Strand<M>>)>,
    free: Vec<usize>,
}

impl<M: Machine> Default for Strands<M> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<M: Machine> Strands<M> {
    pub(crate) fn insert(&mut self, strand: Strand<M>) -> StrandId {
        if let Some(index) = self.free.pop()
            && let Some((generation, slot)) = self.entries.get_mut(index)
        {
            *slot = Some(strand);
            return StrandId {
                index,
                generation: *generation,
            };
        }
        if self.entries.len() == self.entries.capacity() {
            // Doubling would leave up to half of the room unused, and strands are large.
            self.entries.reserve_exact((self.entries.len() / 4).max(8));
        }
        self.entries.push((0, Some(strand)));
        StrandId {
            index: self.entries.len() - 1,
            generation: 0,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(crate) fn get_mut(&mut self, id: StrandId) -> Option<&mut Strand<M>> {
        let (generation, strand) = self.entries.get_mut(id.index)?;
        strand.as_mut().filter(|_| *generation == id.generation)
    }

    pub(super) fn remove(&mut self, id: StrandId) -> Option<Strand<M>> {
        let (generation, slot) = self.entries.get_mut(id.index)?;
        if *generation != id.generation {
            return None;
        }
        let strand = slot.take()?;
        *generation = generation.wrapping_add(1);
        self.free.push(id.index);
        Some(strand)
    }
}
