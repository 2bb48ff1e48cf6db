//! Waiting for one or both of two futures, and for a limited time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::World;

/// Which of two futures was ready first.
pub(super) enum First<A, B> {
    Left(A),
    Right(B),
}

/// Waits for one of two futures; the left one if both are ready.
pub(super) async fn first<A, B>(
    left: impl Future<Output = A>,
    right: impl Future<Output = B>,
) -> First<A, B> {
    let (mut left, mut right) = (pin!(left), pin!(right));
    poll_fn(|task| {
        if let Poll::Ready(left) = left.as_mut().poll(task) {
            return Poll::Ready(First::Left(left));
        }
        right.as_mut().poll(task).map(First::Right)
    })
    .await
}

/// Waits for both futures.
pub(super) async fn both(left: impl Future<Output = ()>, right: impl Future<Output = ()>) {
    let (mut left, mut right) = (pin!(left), pin!(right));
    let mut waits = [true; 2];
    poll_fn(|task| {
        waits[0] = waits[0] && left.as_mut().poll(task).is_pending();
        waits[1] = waits[1] && right.as_mut().poll(task).is_pending();
        match waits {
            [false, false] => Poll::Ready(()),
            _ => Poll::Pending,
        }
    })
    .await;
}

/// Waits for a future until the timeout; for ever if there is none.
pub(super) async fn within<T>(
    world: &World,
    timeout: Option<Duration>,
    awaited: impl Future<Output = T>,
) -> Option<T> {
    let Some(timeout) = timeout else {
        return Some(awaited.await);
    };
    match first(awaited, world.sleep(timeout)).await {
        First::Left(output) => Some(output),
        First::Right(()) => None,
    }
}
