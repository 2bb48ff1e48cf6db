//! What the lock guards: the core, the connections' wakers, the strands, the timer.

use std::mem;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::client::ClientMachine;
use super::instance::{ItemOf, Job as _, Machine, Notice};
use super::refusals::Refusals;
use super::runtime::Handlers;
use super::server::ServerMachine;
use super::strand::{Lifecycle, State as StrandState, Strand, StrandId, Strands, Work};
use crate::core::{ConnId, Peer};
use crate::refused::Refused;

/// A clock can express this much; nobody waits longer.
const LONGEST_GRACE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(crate) struct State<M: Machine> {
    pub(crate) machine: M,
    pub(crate) strands: Strands<M>,
    connections: Vec<Slot>,
    timer: Timer,
    pub(super) stage: Stage,
    /// Connections whose tasks are not over.
    pub(super) open: usize,
    /// The accept loop, which also waits for the last connection.
    pub(super) acceptor: Option<Waker>,
    handlers_in_flight: usize,
    pub(super) handlers: Handlers,
    pub(super) after_unlock: AfterUnlock,
    /// Strands to be dropped after unlock: they hold values of the application.
    pub(super) over: Vec<Strand<M>>,
    /// What is to be done for the core after unlock.
    pub(super) effects: Vec<M::Effect>,
    pub(super) refusals: Refusals,
}

/// How a connection's task hears that there is something for it.
enum Slot {
    Free,
    /// It is being polled, or was woken, and will look itself.
    Awake {
        ready: bool,
    },
    Parked(Waker),
}

/// Whether a connection's task may sleep; wakers that are not needed come back to be dropped outside the lock.
pub(super) enum ParkOutcome {
    Asleep,
    /// There is something for it, or the shard has no waker of its current task.
    Busy(Option<Waker>),
}

#[derive(Default)]
struct Timer {
    armed: Option<Instant>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Serving,
    /// Connections end as soon as their output is written.
    Ending {
        deadline: Instant,
    },
    /// Connections end at once.
    Aborted,
}

impl State<ClientMachine> {
    /// A client that nobody holds any more closes; when it has, its tasks end.
    pub(super) fn retire(&mut self, now: Instant) {
        if self.stage == Stage::Serving {
            self.stage = Stage::Ending { deadline: now };
            self.machine.retire(now);
        }
    }
}

impl<M: ServerMachine> State<M> {
    /// Somebody made a connection; its task is about to run.
    pub(super) fn open(&mut self, now: Instant, peer: Peer) -> ConnId {
        let connection = self.machine.open(now, peer);
        self.enter(connection);
        connection
    }

    /// As [`open`](Self::open); `None` when there are so many that not even a refusal can be said.
    pub(super) fn try_open(&mut self, now: Instant, peer: Peer) -> Option<ConnId> {
        let connection = self.machine.try_open(now, peer)?;
        self.enter(connection);
        Some(connection)
    }
}

/// What has to happen after unlock.
#[derive(Default)]
pub(super) struct AfterUnlock {
    pub(super) wakers: Vec<Waker>,
    pub(super) strands: Vec<StrandId>,
    /// Whether the application is to be told who was refused.
    pub(super) notifies_refused: bool,
}

/// What a connection's own items lead to, to be done after unlock.
pub(super) struct OwnWork<M: Machine> {
    pub(super) work: Vec<Work<M>>,
    pub(super) requests: Vec<M::Request>,
    /// A strand that takes nothing more at the moment.
    pub(super) overloaded: Option<StrandId>,
}

impl<M: Machine> Default for OwnWork<M> {
    fn default() -> Self {
        Self {
            work: Vec::new(),
            requests: Vec::new(),
            overloaded: None,
        }
    }
}

impl<M: Machine> OwnWork<M> {
    pub(super) fn is_empty(&self) -> bool {
        self.work.is_empty() && self.requests.is_empty() && self.overloaded.is_none()
    }
}

impl<M: Machine> State<M> {
    pub(super) fn new(machine: M, handlers: Handlers) -> Self {
        Self {
            handlers_in_flight: machine.limits().handlers_in_flight,
            handlers,
            machine,
            strands: Strands::default(),
            connections: Vec::new(),
            timer: Timer::default(),
            stage: Stage::Serving,
            open: 0,
            acceptor: None,
            after_unlock: AfterUnlock::default(),
            over: Vec::new(),
            effects: Vec::new(),
            refusals: Refusals::default(),
        }
    }

    /// Finds out what the core calls led to: events for other sockets, connections to wake, an earlier deadline.
    pub(super) fn settle(&mut self) {
        self.handle_notices();
        while let Some(connection) = self.machine.poll_ready() {
            self.wake(connection);
        }
        let is_earlier = match (self.machine.poll_timeout(), self.timer.armed) {
            (Some(deadline), Some(armed)) => deadline < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let is_over = matches!(self.stage, Stage::Ending { .. }) && self.open == 0 && self.machine.is_over();
        if is_over {
            self.stage = Stage::Aborted;
        }
        if is_earlier || is_over {
            self.after_unlock.wakers.extend(self.timer.waker.take());
        }
    }

    /// A connection's task is about to run.
    pub(super) fn enter(&mut self, connection: ConnId) {
        let index = connection.index();
        if index >= self.connections.len() {
            self.connections.resize_with(index + 1, || Slot::Free);
        }
        if let Some(slot) = self.connections.get_mut(index) {
            *slot = Slot::Awake { ready: false };
        }
        self.open += 1;
    }

    /// The task of a connection is over.
    pub(super) fn close(&mut self, now: Instant, connection: ConnId, detail: Option<String>) {
        self.machine.handle_lost(now, connection, detail);
        if let Some(slot) = self.connections.get_mut(connection.index())
            && let Slot::Parked(waker) = mem::replace(slot, Slot::Free)
        {
            self.after_unlock.wakers.push(waker);
        }
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.wake_acceptor();
        }
    }

    /// Passes a connection's own items on and takes what they lead to: jobs of its own strands are for the
    /// caller to run.
    pub(super) fn handle_items(
        &mut self,
        now: Instant,
        connection: ConnId,
        items: impl Iterator<Item = ItemOf<M>>,
        own: &mut OwnWork<M>,
    ) {
        self.machine.handle_timeout(now);
        self.handle_notices();
        for item in items {
            self.machine.handle_item(now, connection, item);
            while let Some(notice) = self.machine.poll_notice(&mut self.strands) {
                match notice {
                    Notice::Job(strand, job) => self.take_or_queue(strand, job, own),
                    Notice::Request(request) => own.requests.push(request),
                    Notice::Wake(waker) => self.after_unlock.wakers.push(waker),
                    Notice::Refused(refused) => self.refuse(refused),
                    Notice::Effect(effect) => self.effects.push(effect),
                    Notice::Nothing => {}
                }
            }
        }
    }

    fn take_or_queue(&mut self, id: StrandId, job: M::Job, own: &mut OwnWork<M>) {
        let Some(strand) = self.strands.get_mut(id) else {
            return;
        };
        let continues = strand.state == StrandState::Running
            && !strand.has_jobs()
            && own.work.iter().rev().any(|work| work.strand == id);
        let has_room = strand.in_flight < self.handlers_in_flight || job.is_last();
        let is_here = self.handlers == Handlers::InPlace;
        if is_here && (strand.state == StrandState::Idle && has_room || continues) {
            strand.state = StrandState::Running;
            let subject = strand.subject.clone();
            own.work.push(Work {
                strand: id,
                subject,
                job,
            });
        } else {
            self.queue(id, job);
            if self
                .strands
                .get_mut(id)
                .is_some_and(|strand| strand.is_overloaded())
            {
                own.overloaded = Some(id);
            }
        }
    }

    /// Queues a job; a strand that nobody runs and that may go on is run on a task of its own.
    fn queue(&mut self, id: StrandId, job: M::Job) {
        let Some(strand) = self.strands.get_mut(id) else {
            return;
        };
        strand.push(job);
        let may_go_on = match strand.state {
            StrandState::Idle
                if strand.in_flight >= self.handlers_in_flight && strand.lifecycle == Lifecycle::Open =>
            {
                strand.state = StrandState::Full;
                false
            }
            StrandState::Idle => true,
            StrandState::Full => strand.lifecycle == Lifecycle::Ending,
            StrandState::Running | StrandState::Waiting => false,
        };
        if may_go_on {
            strand.state = StrandState::Running;
            self.after_unlock.strands.push(id);
        }
    }

    /// A handler sleeps, and its strand goes on without it.
    pub(super) fn go_on_without(&mut self, id: StrandId) {
        let Some(strand) = self.strands.get_mut(id) else {
            return;
        };
        strand.in_flight += 1;
        let is_full = strand.in_flight >= self.handlers_in_flight && strand.lifecycle == Lifecycle::Open;
        strand.state = match (strand.has_jobs(), is_full) {
            (false, _) => StrandState::Idle,
            (true, true) => StrandState::Full,
            (true, false) => {
                self.after_unlock.strands.push(id);
                StrandState::Running
            }
        };
    }

    /// Queues what the core has to tell; strands that nobody runs are run on a task of their own.
    fn handle_notices(&mut self) {
        while let Some(notice) = self.machine.poll_notice(&mut self.strands) {
            match notice {
                Notice::Job(id, job) => self.queue(id, job),
                Notice::Wake(waker) => self.after_unlock.wakers.push(waker),
                Notice::Refused(refused) => self.refuse(refused),
                Notice::Effect(effect) => self.effects.push(effect),
                // Requests come out of a connection's own items only.
                Notice::Request(_) | Notice::Nothing => {}
            }
        }
    }

    /// Somebody was refused; the application is told after unlock.
    pub(super) fn refuse(&mut self, refused: Refused) {
        self.after_unlock.notifies_refused |= self.refusals.push(refused);
    }

    /// Ends a strand; its values are dropped after unlock.
    pub(super) fn remove_strand(&mut self, id: StrandId) {
        let Some(strand) = self.strands.remove(id) else {
            return;
        };
        if let Some(connection) = strand.held {
            self.wake(connection);
        }
        self.machine.forget(id, &strand.subject);
        self.over.push(strand);
    }

    /// Whether a strand takes nothing more at the moment. Then `connection`, which wants to bring more, is woken when
    /// it does again.
    pub(super) fn hold(&mut self, id: StrandId, connection: ConnId) -> bool {
        match self.strands.get_mut(id) {
            Some(strand) if strand.is_overloaded() => {
                strand.held = Some(connection);
                true
            }
            _ => false,
        }
    }

    /// Lets the connection hand over more that waited for a strand, if it has room again.
    pub(super) fn release(&mut self, id: StrandId) {
        let connection = match self.strands.get_mut(id) {
            Some(strand) if !strand.is_overloaded() => strand.held.take(),
            _ => None,
        };
        if let Some(connection) = connection {
            self.wake(connection);
        }
    }

    /// Whether as many handlers of a strand wait for their futures as may.
    pub(super) fn is_full(&mut self, id: StrandId) -> bool {
        let limit = self.handlers_in_flight;
        self.strands
            .get_mut(id)
            .is_some_and(|strand| strand.in_flight >= limit)
    }

    /// Lets nobody in any more and ends everything within `grace`.
    pub(crate) fn shut_down(&mut self, now: Instant, grace: Duration) {
        if self.stage == Stage::Serving {
            self.stage = Stage::Ending {
                deadline: now + grace.min(LONGEST_GRACE),
            };
            self.machine.shutdown(now);
            self.wake_acceptor();
        }
    }

    /// Ends everything at once.
    pub(super) fn abort(&mut self, now: Instant) {
        self.stage = Stage::Aborted;
        self.machine.shutdown(now);
        for slot in &mut self.connections {
            if let Slot::Parked(_) = slot
                && let Slot::Parked(waker) = mem::replace(slot, Slot::Awake { ready: true })
            {
                self.after_unlock.wakers.push(waker);
            }
        }
        self.wake_acceptor();
        self.after_unlock.wakers.extend(self.timer.waker.take());
    }

    fn wake_acceptor(&mut self) {
        self.after_unlock.wakers.extend(self.acceptor.take());
    }

    /// Tells a connection's task that there is something for it.
    fn wake(&mut self, connection: ConnId) {
        let Some(slot) = self.connections.get_mut(connection.index()) else {
            return;
        };
        match slot {
            Slot::Free => {}
            Slot::Awake { ready } => *ready = true,
            Slot::Parked(_) => {
                if let Slot::Parked(waker) = mem::replace(slot, Slot::Awake { ready: true }) {
                    self.after_unlock.wakers.push(waker);
                }
            }
        }
    }

    /// Lets a connection's task, which runs with `current`, sleep, unless there is something for it.
    pub(super) fn park(
        &mut self,
        connection: ConnId,
        offered: Option<Waker>,
        current: &Waker,
    ) -> ParkOutcome {
        let Some(slot) = self.connections.get_mut(connection.index()) else {
            return ParkOutcome::Busy(offered);
        };
        match slot {
            Slot::Awake { ready: ready @ true } => {
                *ready = false;
                ParkOutcome::Busy(offered)
            }
            Slot::Awake { .. } | Slot::Free => match offered {
                Some(waker) if waker.will_wake(current) => {
                    *slot = Slot::Parked(waker);
                    ParkOutcome::Asleep
                }
                offered => ParkOutcome::Busy(offered),
            },
            Slot::Parked(waker) if waker.will_wake(current) => ParkOutcome::Asleep,
            Slot::Parked(_) => match mem::replace(slot, Slot::Awake { ready: false }) {
                Slot::Parked(old) => ParkOutcome::Busy(Some(old)),
                Slot::Free | Slot::Awake { .. } => ParkOutcome::Busy(offered),
            },
        }
    }

    /// A connection's task runs: nobody has to wake it. Its waker comes back for the next time.
    pub(super) fn unpark(&mut self, connection: ConnId) -> Option<Waker> {
        match self.connections.get_mut(connection.index()) {
            Some(slot @ Slot::Parked(_)) => match mem::replace(slot, Slot::Awake { ready: false }) {
                Slot::Parked(waker) => Some(waker),
                Slot::Free | Slot::Awake { .. } => None,
            },
            Some(Slot::Awake { ready }) => {
                *ready = false;
                None
            }
            Some(Slot::Free) | None => None,
        }
    }

    /// The timer task sleeps until the deadline it is given, or until an earlier one is armed.
    pub(super) fn arm_timer(&mut self, waker: Waker) -> (Option<Instant>, Option<Waker>) {
        self.timer.armed = self.machine.poll_timeout();
        let old = self.timer.waker.replace(waker);
        (self.timer.armed, old)
    }
}
