//! One side of a connection of the proxy.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use socketio_driver::engine::Stream;

use super::wait::within;
use crate::{SimStream, World};

/// Most bytes of one read.
const READ_SIZE: usize = 16 * 1024;
/// How long a peer may take to end its direction after the proxy has ended its own.
const LINGER: Duration = Duration::from_secs(5);

/// One side of a connection, with input that was not consumed yet.
pub(super) struct Connection {
    stream: SimStream,
    pub(super) input: BytesMut,
}

impl Connection {
    pub(super) fn new(stream: SimStream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
        }
    }

    /// Reads more input; 0 is the end of the stream.
    pub(super) fn poll_read(&mut self, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.reserve(READ_SIZE);
        self.stream.poll_read(task, &mut self.input)
    }

    /// Reads more input; 0 is the end of the stream. Nothing is lost if the future is dropped.
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

    /// Ends this direction and discards input until the peer ends the other. Closing at once could reset the connection,
    /// and what was written last would be lost.
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

    /// Resets the connection.
    pub(super) fn reset(self) {
        self.stream.reset();
    }
}
