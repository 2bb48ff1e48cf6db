use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use futures_io::{AsyncRead, AsyncWrite};

use super::runtime::Stream;

/// Most bytes of one [`read_with`].
const READ: usize = 32 * 1024;

thread_local! {
    /// Bytes to read into: initialised once for each thread, not once for each read.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Reads into the spare room of `buffer`, at most 32 KiB, by a `read` that wants initialised bytes: what a
/// [`Stream`] over such a reader does. The bytes are copied once; clearing the room before each read would cost more.
///
/// # Errors
/// Those of `read`.
pub fn read_with(
    buffer: &mut BytesMut,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    let mut scratch = SCRATCH.take();
    scratch.resize(READ, 0);
    let room = (buffer.capacity() - buffer.len()).min(READ);
    let outcome = read(scratch.get_mut(..room).unwrap_or_default());
    if let Poll::Ready(Ok(count)) = outcome {
        buffer.extend_from_slice(scratch.get(..count).unwrap_or_default());
    }
    SCRATCH.set(scratch);
    outcome
}

/// A byte stream with the traits of the crate `futures-io`, as smol and async-std have them.
#[derive(Debug)]
pub struct IoStream<S> {
    stream: S,
    end: Option<fn(&S) -> io::Result<()>>,
}

impl<S> IoStream<S> {
    /// The driver's view of a stream whose `poll_close` ends its sending side.
    pub const fn new(stream: S) -> Self {
        Self { stream, end: None }
    }

    /// The driver's view of a stream whose sending side is ended by `end`, which does not wait.
    pub const fn ended_by(stream: S, end: fn(&S) -> io::Result<()>) -> Self {
        Self {
            stream,
            end: Some(end),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for IoStream<S> {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        read_with(buffer, |room| Pin::new(&mut self.stream).poll_read(task, room))
    }

    fn poll_write(&mut self, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match slices {
            [slice] => Pin::new(&mut self.stream).poll_write(task, slice),
            slices => Pin::new(&mut self.stream).poll_write_vectored(task, slices),
        }
    }

    fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.end {
            Some(end) => Poll::Ready(end(&self.stream)),
            None => Pin::new(&mut self.stream).poll_close(task),
        }
    }
}
