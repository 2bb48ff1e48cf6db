//! Telling the application who was refused: on a task of its own, and however many there are, a bounded number waits.

use std::collections::VecDeque;
use std::sync::Arc;

use super::instance::Instance;
use super::work::yield_now;
use crate::handler::catch;
use crate::refused::Refused;

/// Most that wait to be told. A flood is told of as fast as the hook takes it; the rest is counted.
const WAITING: usize = 1_024;
/// Told of without a pause for others.
const BATCH: usize = 32;

/// Those the application was not told of yet.
#[derive(Default)]
pub(super) struct Refusals {
    waiting: VecDeque<Refused>,
    task: NotifyTask,
}

/// Whether a task notifies the application of them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum NotifyTask {
    #[default]
    None,
    Running,
}

impl Refusals {
    /// Adds one; whether a task has to be made that [notifies](notify) the application.
    pub(super) fn push(&mut self, refused: Refused) -> bool {
        let is_full = self.waiting.len() >= WAITING;
        match self.waiting.back_mut() {
            Some(last) if is_full => last.left_out = last.left_out.saturating_add(1),
            _ => self.waiting.push_back(refused),
        }
        std::mem::replace(&mut self.task, NotifyTask::Running) == NotifyTask::None
    }

    /// The next few; nobody tells of any when there are none.
    fn take(&mut self) -> Vec<Refused> {
        let count = self.waiting.len().min(BATCH);
        if count == 0 {
            *self = Self::default();
        }
        self.waiting.drain(..count).collect()
    }
}

/// Calls the hook for everybody who waits, and for who comes meanwhile.
pub(super) async fn notify<I: Instance>(instance: Arc<I>) {
    // A poisoned shard has nothing to tell any more.
    while let Ok(batch) = instance.shard().with(&instance, |state, _| state.refusals.take()) {
        if batch.is_empty() {
            return;
        }
        for refused in &batch {
            // What the hook throws is dropped.
            let _ = catch(|| {
                instance.notify_refused(refused);
                Ok(())
            });
        }
        yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Peer, RefusalContext, RequestError};

    fn refused() -> Refused {
        Refused::new(
            Peer::Unknown,
            RequestError::BadRequest,
            RefusalContext::TooManyHalfOpen,
        )
    }

    #[test]
    fn a_flood_waits_in_bounded_room_and_is_counted() {
        let mut refusals = Refusals::default();
        assert!(refusals.push(refused()));
        for _ in 1..5_000 {
            assert!(!refusals.push(refused()));
        }
        let (mut told, mut left_out) = (0, 0);
        loop {
            let batch = refusals.take();
            if batch.is_empty() {
                break;
            }
            told += batch.len();
            left_out += batch.iter().map(|refused| refused.left_out).sum::<u64>();
        }
        assert_eq!((told, left_out), (WAITING, 5_000 - WAITING as u64));
        assert!(refusals.push(refused()), "the next begins anew");
    }
}
