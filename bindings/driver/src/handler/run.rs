use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{self, Poll};

use crate::error::{ExtractError, HandlerError};
use crate::handler::{ErasedHandler, HandlerContext, IntoOutcome, Step};

/// Empty slots that one asynchronous handler keeps for its next calls. More are only made while more calls
/// of the same handler are in their first poll at once, which is at most one per thread.
const POOLED_SLOTS: usize = 16;

/// A handler that returns its result.
pub(crate) struct SyncHandler<F>(pub(crate) F);

impl<C, F, R> ErasedHandler<C> for SyncHandler<F>
where
    C: HandlerContext,
    F: Fn(&mut C) -> Result<R, ExtractError> + Send + Sync,
    R: IntoOutcome<C>,
{
    fn call(&self, mut context: C, _: &mut task::Context<'_>) -> Step<C> {
        let result = catch(|| Ok((self.0)(&mut context)?));
        let mut sink = context.into_sink();
        let outcome = result.and_then(|value| catch(|| value.into_outcome(&mut sink)));
        Step::Done(outcome.unwrap_or_else(|error| C::failed(sink, error)))
    }
}

/// The place one call's future lives in: emptied and reused when the first poll finishes it, handed out
/// as it is when not. Either way the future never moves and needs no second box.
type Slot<Running> = Pin<Box<Option<Running>>>;

/// A handler that returns a future of its result.
pub(crate) struct AsyncHandler<F, Running> {
    start: F,
    /// Only ever tried, never waited for: a contended pool costs an allocation, not a stall.
    free: Mutex<Vec<Slot<Running>>>,
}

impl<F, Running> AsyncHandler<F, Running> {
    pub(crate) fn new(start: F) -> Self {
        Self {
            start,
            free: Mutex::new(Vec::with_capacity(POOLED_SLOTS)),
        }
    }

    fn take_slot(&self) -> Slot<Running> {
        let pooled = self.free.try_lock().ok().and_then(|mut free| free.pop());
        pooled.unwrap_or_else(|| Box::pin(None))
    }

    fn put_slot(&self, slot: Slot<Running>) {
        if let Ok(mut free) = self.free.try_lock()
            && free.len() < POOLED_SLOTS
        {
            free.push(slot);
        }
    }
}

impl<C, F, Running> ErasedHandler<C> for AsyncHandler<F, Running>
where
    C: HandlerContext,
    F: Fn(&mut C) -> Result<Running, ExtractError> + Send + Sync,
    Running: Future<Output: IntoOutcome<C>> + Send + 'static,
{
    fn call(&self, mut context: C, task: &mut task::Context<'_>) -> Step<C> {
        context.detach();
        let started = catch(|| Ok((self.start)(&mut context)?));
        let mut sink = context.into_sink();
        let future = match started {
            Ok(future) => future,
            Err(error) => return Step::Done(C::failed(sink, error)),
        };
        let mut slot = self.take_slot();
        slot.set(Some(future));
        match slot.as_mut().resume(task, &mut sink) {
            Poll::Ready(Ok(outcome)) => {
                self.put_slot(slot);
                Step::Done(outcome)
            }
            Poll::Ready(Err(error)) => {
                self.put_slot(slot);
                Step::Done(C::failed(sink, error))
            }
            Poll::Pending => {
                C::suspend(&mut sink);
                Step::Pending(Suspended {
                    slot,
                    sink: Some(sink),
                })
            }
        }
    }
}

/// What is left of a handler that had to wait; a future of its outcome.
///
/// Panics of the handler are outcomes here as well. Polled again after its outcome it stays pending for ever.
#[must_use = "a suspended handler does nothing unless it is polled"]
pub struct Suspended<C: HandlerContext> {
    slot: Pin<Box<dyn Resume<C> + Send>>,
    sink: Option<C::Sink>,
}

/// The sink is only ever reached through `&mut`, never pinned.
impl<C: HandlerContext> Unpin for Suspended<C> {}

impl<C: HandlerContext> Future for Suspended<C> {
    type Output = C::Outcome;

    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<C::Outcome> {
        let this = &mut *self;
        let Some(sink) = &mut this.sink else {
            return Poll::Pending;
        };
        let result = task::ready!(this.slot.as_mut().resume(task, sink));
        match (result, this.sink.take()) {
            (Err(error), Some(sink)) => Poll::Ready(C::failed(sink, error)),
            (Ok(outcome), _) => Poll::Ready(outcome),
            (Err(_), None) => Poll::Pending,
        }
    }
}

/// A slot whose future's type is forgotten.
trait Resume<C: HandlerContext> {
    /// Polls the future; the slot is empty once it is ready.
    fn resume(
        self: Pin<&mut Self>,
        task: &mut task::Context<'_>,
        sink: &mut C::Sink,
    ) -> Poll<Result<C::Outcome, HandlerError>>;
}

impl<C, Running> Resume<C> for Option<Running>
where
    C: HandlerContext,
    Running: Future<Output: IntoOutcome<C>>,
{
    fn resume(
        mut self: Pin<&mut Self>,
        task: &mut task::Context<'_>,
        sink: &mut C::Sink,
    ) -> Poll<Result<C::Outcome, HandlerError>> {
        let polled = catch(
            || match self.as_mut().as_pin_mut().map(|future| future.poll(task)) {
                Some(Poll::Ready(value)) => value.into_outcome(sink).map(Poll::Ready),
                Some(Poll::Pending) | None => Ok(Poll::Pending),
            },
        );
        let finished = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(outcome)) => Ok(outcome),
            Err(error) => Err(error),
        };
        // Destructors of the application run here and may panic too.
        let emptied = catch(|| {
            self.set(None);
            Ok(())
        });
        Poll::Ready(finished.and_then(|outcome| emptied.map(|()| outcome)))
    }
}

/// Runs `work` and turns a panic into an error.
///
/// What `work` borrows may be left half done; the callers only drop it afterwards.
pub(crate) fn catch<R>(work: impl FnOnce() -> Result<R, HandlerError>) -> Result<R, HandlerError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) => Err(HandlerError::Panicked(panic_message(payload))),
    }
}

fn panic_message(payload: Box<dyn Any + Send>) -> String {
    let payload = match payload.downcast::<String>() {
        Ok(message) => return *message,
        Err(payload) => payload,
    };
    match payload.downcast::<&'static str>() {
        Ok(message) => (*message).to_owned(),
        Err(payload) => {
            // A payload of the application's own may panic when it is dropped; then it is leaked by `forget`.
            std::mem::forget(payload);
            "a value that is no text".to_owned()
        }
    }
}
