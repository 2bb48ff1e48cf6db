//! Asynchronous handlers that need not wait run in a pooled slot and allocate nothing.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use socketio_driver::handler::{HandlerContext, Step};
use socketio_driver::{Extract, ExtractError, Handler, HandlerError, IntoOutcome};

/// The smallest context there is.
struct Number(u64);

/// What a handler for [`Number`] returns.
struct Twice(u64);

impl HandlerContext for Number {
    type Outcome = Result<u64, HandlerError>;
    type Sink = ();

    fn detach(&mut self) {}

    fn into_sink(self) {}

    fn suspend(_: &mut ()) {}

    fn failed(_: (), error: HandlerError) -> Self::Outcome {
        Err(error)
    }
}

impl Extract<Number> for u64 {
    fn extract(context: &mut Number) -> Result<Self, ExtractError> {
        Ok(context.0)
    }
}

impl IntoOutcome<Number> for Twice {
    fn into_outcome(self, _: &mut ()) -> Result<Result<u64, HandlerError>, HandlerError> {
        Ok(Ok(self.0 * 2))
    }
}

/// Runs `handler` `times` times with a future that is ready at once, after warming up, and counts allocations.
fn allocations<M>(handler: impl Handler<Number, M>, times: u64) -> u64 {
    let handler = handler.erase();
    let mut task = Context::from_waker(Waker::noop());
    let mut run = |number| match handler.call(Number(number), &mut task) {
        Step::Done(outcome) => assert_eq!(outcome, Ok(number * 2)),
        Step::Pending(_) => panic!("it need not wait"),
    };
    run(1);
    allocation_counter::measure(|| (0..times).for_each(&mut run)).count_total
}

#[test]
fn a_ready_async_handler_does_not_allocate() {
    let handler = async |number: u64| {
        let large = [number; 64];
        poll_fn(|_| Poll::Ready(())).await;
        Twice(large[63])
    };
    assert_eq!(allocations(handler, 1_000), 0);
}

#[test]
fn a_sync_handler_does_not_allocate() {
    assert_eq!(allocations(|number: u64| Twice(number), 1_000), 0);
}

#[test]
fn a_handler_that_waits_costs_one_slot() {
    let handler = Handler::<Number, _>::erase(async |number: u64| {
        let mut polled = false;
        poll_fn(|_| {
            if std::mem::replace(&mut polled, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        Twice(number)
    });
    let mut task = Context::from_waker(Waker::noop());
    let counted = allocation_counter::measure(|| {
        let Step::Pending(rest) = handler.call(Number(4), &mut task) else {
            panic!("it waits")
        };
        let mut rest = std::pin::pin!(rest);
        assert_eq!(rest.as_mut().poll(&mut task), Poll::Ready(Ok(8)));
        assert_eq!(rest.as_mut().poll(&mut task), Poll::Pending);
    });
    assert_eq!(counted.count_total, 1);
}
