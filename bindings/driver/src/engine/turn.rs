//! A thread that runs a handler and is about to sleep in it: where handlers may block, its strand goes on elsewhere.

use std::cell::Cell;
use std::sync::Arc;

use super::instance::Instance;
use super::runtime::Handlers;
use super::strand::Work;

/// What happens to the strand of the handler on this thread when it sleeps.
#[derive(Default)]
enum OnSleep {
    /// No handler runs, or its strand waits for it whatever it does.
    #[default]
    KeepStrand,
    LeaveStrand(Box<dyn FnOnce()>),
    HasLeft,
}

/// Whether a strand is still that of the thread that ran its job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    /// It goes on elsewhere.
    GivenUp,
    /// It is to be given back.
    Kept,
}

thread_local! {
    static ON_SLEEP: Cell<OnSleep> = const { Cell::new(OnSleep::KeepStrand) };
}

/// Lets the events of a client go on while the handler that runs on this thread sleeps, as they do while an
/// asynchronous handler waits: called before the thread is put to sleep by a binding whose handlers run
/// [apart](Handlers::Apart). The answer that is waited for may depend on what another handler of the same client does.
///
/// Does nothing elsewhere, and where nothing may overtake the handler: in `on_connect`, in guards, in namespaces that
/// are [serial](crate::NamespaceBuilder::serial).
pub fn step_aside() {
    let leave = ON_SLEEP.try_with(|place| match place.take() {
        OnSleep::LeaveStrand(leave) => {
            // Before the strand is left: what is woken by that may not find this thread with a way to leave it again.
            place.set(OnSleep::HasLeft);
            Some(leave)
        }
        on_sleep => {
            place.set(on_sleep);
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
    outer: OnSleep,
}

impl Turn {
    /// The jobs are about to run; there is one where handlers may sleep.
    pub(super) fn begin<I: Instance>(instance: &Arc<I>, jobs: &[Work<I::Machine>]) -> Self {
        let on_sleep = match jobs {
            [job] if instance.shard().handlers() == Handlers::Apart && instance.may_overtake(job) => {
                let (instance, strand) = (Arc::clone(instance), job.strand);
                OnSleep::LeaveStrand(Box::new(move || {
                    // A poisoned shard has no strands any more.
                    let _ = instance
                        .shard()
                        .with(&instance, |state, _| state.go_on_without(strand));
                }))
            }
            _ => OnSleep::KeepStrand,
        };
        Self {
            outer: ON_SLEEP.replace(on_sleep),
        }
    }

    /// The jobs have run.
    pub(super) fn end(self) -> Ownership {
        match ON_SLEEP.replace(self.outer) {
            OnSleep::HasLeft => Ownership::GivenUp,
            OnSleep::KeepStrand | OnSleep::LeaveStrand(_) => Ownership::Kept,
        }
    }
}
