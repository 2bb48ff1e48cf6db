//! Connections to the server that rest.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::line::{Line, within};
use super::quirks::Lines;
use crate::World;
use crate::chance::Chance;

/// The connection of a client to which one to the server belongs.
pub(super) type Owner = u64;

/// A connection that has rested.
pub(super) struct Rested {
    pub(super) line: Line,
    /// For whom it has carried something last.
    pub(super) last: Owner,
}

/// Connections to the server that rest, and whom to wake when there are others.
pub(super) struct Pool {
    lines: Lines,
    /// How long one may rest.
    rest: Option<Duration>,
    state: Mutex<State>,
}

struct State {
    idle: Vec<Idle>,
    chance: Chance,
    keeper: Option<Waker>,
    /// Whether the keeper has not looked since.
    is_changed: bool,
    is_closed: bool,
}

struct Idle {
    line: Line,
    owner: Owner,
    until: Option<Duration>,
}

impl Pool {
    pub(super) fn new(lines: Lines, rest: Option<Duration>, chance: Chance) -> Self {
        Self {
            lines,
            rest,
            state: Mutex::new(State {
                idle: Vec::new(),
                chance,
                keeper: None,
                is_changed: false,
                is_closed: false,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that rests and is good for a request of `owner`.
    pub(super) fn take(&self, owner: Owner) -> Option<Rested> {
        let mut state = self.lock();
        let place = match self.lines {
            Lines::Fresh => None,
            Lines::Paired => state.idle.iter().position(|idle| idle.owner == owner),
            Lines::Shared(_) if state.idle.is_empty() => None,
            Lines::Shared(_) => {
                let count = state.idle.len();
                Some(state.chance.length(0..count))
            }
        };
        let idle = state.idle.swap_remove(place?);
        Some(Rested {
            line: idle.line,
            last: idle.owner,
        })
    }

    /// Keeps one for later; gives it back if it is not wanted.
    pub(super) fn put(&self, world: &World, owner: Owner, line: Line) -> Option<Line> {
        let mut state = self.lock();
        let has_room = match self.lines {
            Lines::Fresh => false,
            Lines::Paired => true,
            Lines::Shared(most) => state.idle.len() < most,
        };
        if !has_room || state.is_closed {
            return Some(line);
        }
        let until = self.rest.map(|rest| world.age() + rest);
        state.idle.push(Idle { line, owner, until });
        wake(state);
        None
    }

    /// The client's connection has ended.
    pub(super) fn leave(&self, owner: Owner) {
        if self.lines == Lines::Paired {
            let mut state = self.lock();
            let left: Vec<Idle> = state.idle.extract_if(.., |idle| idle.owner == owner).collect();
            drop(state);
            drop(left);
        }
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        wake(state);
    }

    /// Lets go of those that the server has ended, and of those that have rested too long, until the pool is closed.
    pub(super) async fn keep(self: Arc<Self>, world: World) {
        loop {
            let next = self.lock().idle.iter().filter_map(|idle| idle.until).min();
            let patience = next.map(|next| next.saturating_sub(world.age()));
            let _ = within(&world, patience, poll_fn(|task| self.poll_change(task))).await;
            let now = world.age();
            let mut state = self.lock();
            let is_closed = state.is_closed;
            let is_over = |idle: &mut Idle| is_closed || idle.until.is_some_and(|until| until <= now);
            let over: Vec<Idle> = state.idle.extract_if(.., is_over).collect();
            drop(state);
            drop(over);
            if is_closed {
                return;
            }
        }
    }

    fn poll_change(&self, task: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        state.keeper = Some(task.waker().clone());
        // The server ends it, or says what nobody asked for.
        let ended: Vec<Idle> = state
            .idle
            .extract_if(.., |idle| idle.line.poll_read(task).is_ready())
            .collect();
        let is_changed = std::mem::take(&mut state.is_changed);
        drop(state);
        drop(ended);
        match is_changed {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    state.is_changed = true;
    let keeper = state.keeper.take();
    drop(state);
    if let Some(keeper) = keeper {
        keeper.wake();
    }
}
