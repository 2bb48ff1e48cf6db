//! The one timer of a shard.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use super::instance::{Instance, Machine};
use super::runtime::Runtime;
use super::state::Stage;

/// Wakes the core whenever something is due, until the server ends.
pub(super) async fn run<R: Runtime, I: Instance>(runtime: R, instance: Arc<I>) {
    let mut sleep: Option<(Instant, Pin<Box<R::Sleep>>)> = None;
    loop {
        let is_over = poll_fn(|task| {
            let waker = task.waker().clone();
            let armed = instance.shard().with(&instance, |state, now| {
                state.machine.handle_timeout(now);
                let is_over = state.stage == Stage::Aborted;
                (is_over, state.arm_timer(waker))
            });
            let Ok((is_over, (deadline, _old))) = armed else {
                return Poll::Ready(true);
            };
            if is_over {
                return Poll::Ready(true);
            }
            if deadline != sleep.as_ref().map(|(deadline, _)| *deadline) {
                sleep = deadline.map(|deadline| (deadline, Box::pin(runtime.sleep_until(deadline))));
            }
            match &mut sleep {
                Some((_, sleep)) => sleep.as_mut().poll(task).map(|_| false),
                None => Poll::Pending,
            }
        });
        let is_over = pin!(is_over).await;
        // A sleep that is over may not be polled again, not even if nothing has changed: the core may have been told a
        // time just before its end.
        sleep = None;
        if is_over {
            return;
        }
    }
}
