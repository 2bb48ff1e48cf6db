//! A thread that runs a handler and is about to sleep in it: where handlers may block, its strand goes on elsewhere.

use std::cell::Cell;
use std::sync::Arc;

use super::house::House;
use super::runtime::Handlers;
use super::strand::Work;

/// What the handler on this thread does to its strand when it sleeps.
#[derive(Default)]
enum Standing {
    /// No handler runs, or its strand waits for it whatever it does.
    #[default]
    Fixed,
    MayLeave(Box<dyn FnOnce()>),
    HasLeft,
}

/// Whether a strand is still that of the thread that ran its job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It goes on elsewhere.
    Alone,
    /// It is to be given back.
    Kept,
}

thread_local! {
    static STANDING: Cell<Standing> = const { Cell::new(Standing::Fixed) };
}

/// Lets the events of a client go on while the handler that runs on this thread sleeps, as they do while an
/// asynchronous handler waits: called before the thread is put to sleep by a binding whose handlers run
/// [apart](Handlers::Apart). The answer that is waited for may depend on what another handler of the same client does.
///
/// Does nothing elsewhere, and where nothing may overtake the handler: in `on_connect`, in guards, in namespaces that
/// are [serial](crate::NamespaceBuilder::serial).
pub fn step_aside() {
    let leave = STANDING.try_with(|place| match place.take() {
        Standing::MayLeave(leave) => {
            // Before the strand is left: what is woken by that may not find this thread with a way to leave it again.
            place.set(Standing::HasLeft);
            Some(leave)
        }
        standing => {
            place.set(standing);
            None
        }
    });
    // A thread that is ending runs no handler.
    if let Ok(Some(leave)) = leave {
        leave();
    }
}

/// One job on this thread.
pub(super) struct Turn {
    /// That of the handler around it, which has called into the driver.
    outer: Standing,
}

impl Turn {
    /// The jobs are about to run; there is one where handlers may sleep.
    pub(super) fn begin<H: House>(house: &Arc<H>, jobs: &[Work<H::Machine>]) -> Self {
        let standing = match jobs {
            [job] if house.shard().handlers() == Handlers::Apart && house.may_overtake(job) => {
                let (house, strand) = (Arc::clone(house), job.strand);
                Standing::MayLeave(Box::new(move || {
                    // A poisoned shard has no strands any more.
                    let _ = house.shard().with(&house, |state, _| state.go_on_without(strand));
                }))
            }
            _ => Standing::Fixed,
        };
        Self {
            outer: STANDING.replace(standing),
        }
    }

    /// The jobs have run.
    pub(super) fn end(self) -> Left {
        match STANDING.replace(self.outer) {
            Standing::HasLeft => Left::Alone,
            Standing::Fixed | Standing::MayLeave(_) => Left::Kept,
        }
    }
}
