//! One end of a connection, and waiting for the first of several things.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use socketio_driver::engine::Stream;

use crate::{SimStream, World};

/// Bytes of one read.
const READ: usize = 16 * 1024;
/// How long a peer may take to end its side after the last answer.
const LINGER: Duration = Duration::from_secs(5);

/// One end of a connection, and what has arrived on it and was not used yet.
pub(super) struct Line {
    stream: SimStream,
    pub(super) input: BytesMut,
}

impl Line {
    pub(super) fn new(stream: SimStream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
        }
    }

    /// Reads on; 0 is the end.
    pub(super) fn poll_read(&mut self, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.reserve(READ);
        self.stream.poll_read(task, &mut self.input)
    }

    /// Reads on; 0 is the end. Nothing is lost when this is dropped.
    pub(super) async fn read(&mut self) -> io::Result<usize> {
        poll_fn(|task| self.poll_read(task)).await
    }

    pub(super) fn poll_write(&mut self, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_write(task, &[IoSlice::new(bytes)])
    }

    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        poll_fn(|task| {
            while !bytes.is_empty() {
                let written = ready!(self.poll_write(task, bytes))?;
                bytes = &bytes[written..];
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Nothing more is sent; what the peer still sends is heard and dropped until it ends, so that it can read our last
    /// words.
    pub(super) async fn finish(mut self, world: &World) {
        let stream = &mut self.stream;
        let ended = poll_fn(|task| stream.poll_shutdown(task)).await;
        let ends = async {
            while ended.is_ok() && matches!(self.read().await, Ok(1..)) {
                self.input.clear();
            }
        };
        let _ = within(world, Some(LINGER), ends).await;
    }

    /// Breaks it.
    pub(super) fn reset(self) {
        self.stream.reset();
    }
}

/// What came first.
pub(super) enum First<A, B> {
    Left(A),
    Right(B),
}

/// Waits for either; for the left one if both are there.
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

/// Waits for both.
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

/// Waits so long at most; `None` is for ever.
pub(super) async fn within<T>(
    world: &World,
    patience: Option<Duration>,
    awaited: impl Future<Output = T>,
) -> Option<T> {
    let Some(patience) = patience else {
        return Some(awaited.await);
    };
    match first(awaited, world.sleep(patience)).await {
        First::Left(output) => Some(output),
        First::Right(()) => None,
    }
}
