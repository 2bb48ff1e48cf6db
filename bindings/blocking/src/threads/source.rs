//! Readiness of what the operating system tells of, edge by edge.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use mio::Interest;
use mio::event::Event;
use socketio_driver::engine::{Stream, read_with};

use super::shared::{Shared, lock};

/// Whether a read or write that did less than it could says that there will be an event. Where it does not, only
/// `WouldBlock` says so.
const SHORT_IS_BLOCKED: bool = cfg!(unix);

/// What is known of a source, and who waits for more.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Directions>);

#[derive(Default)]
struct Directions {
    read: DirectionState,
    write: DirectionState,
}

#[derive(Default)]
struct DirectionState {
    is_ready: bool,
    /// It is ready for ever: the end may be told together with what comes before it, and only once.
    is_ended: bool,
    waker: Option<Waker>,
}

/// One direction of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

impl Readiness {
    /// Of a source that may be ready: nothing has been told of it yet.
    pub(super) fn untold() -> Arc<Self> {
        let state = || DirectionState {
            is_ready: true,
            ..DirectionState::default()
        };
        let (read, write) = (state(), state());
        Arc::new(Self(Mutex::new(Directions { read, write })))
    }

    /// Of a source that is not ready before it is told.
    pub(super) fn unready() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Something happened.
    pub(super) fn note(&self, event: &Event) {
        let mut directions = lock(&self.0);
        let has_failed = event.is_error();
        let reader = directions
            .read
            .note(event.is_readable(), event.is_read_closed() || has_failed);
        let writer = directions
            .write
            .note(event.is_writable(), event.is_write_closed() || has_failed);
        drop(directions);
        reader.into_iter().chain(writer).for_each(Waker::wake);
    }

    /// Takes the readiness of one direction, which is given back by [`restore`](Self::restore) if it was not used up;
    /// `Pending` when there is none: the task is woken when there is.
    fn take(&self, direction: Direction, task: &Context<'_>) -> Poll<()> {
        let mut directions = lock(&self.0);
        let state = directions.state(direction);
        if state.is_ready || state.is_ended {
            state.is_ready = false;
            return Poll::Ready(());
        }
        if !state
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(task.waker()))
        {
            let replaced = state.waker.replace(task.waker().clone());
            drop(directions);
            drop(replaced);
        }
        Poll::Pending
    }

    fn restore(&self, direction: Direction) {
        lock(&self.0).state(direction).is_ready = true;
    }

    /// The operating system says that there is nothing, whatever it said before.
    fn block(&self, direction: Direction) {
        lock(&self.0).state(direction).is_ended = false;
    }

    /// Tries `operation` until it does not block any more. `Ok` with `Extent::Short` has used the readiness up.
    pub(super) fn attempt<T>(
        &self,
        direction: Direction,
        task: &Context<'_>,
        mut operation: impl FnMut() -> io::Result<(T, Extent)>,
    ) -> Poll<io::Result<T>> {
        loop {
            // Taken before the system is asked, so that what happens after that is not overlooked.
            ready!(self.take(direction, task));
            match operation() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.block(direction),
                Err(error) if error.kind() == ErrorKind::Interrupted => self.restore(direction),
                Ok((value, Extent::Short)) if SHORT_IS_BLOCKED => return Poll::Ready(Ok(value)),
                result => {
                    self.restore(direction);
                    return Poll::Ready(result.map(|(value, _)| value));
                }
            }
        }
    }
}

/// How much an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Less than it was allowed to: there was no more.
    Short,
    /// All it could; or nobody knows.
    Full,
}

impl Extent {
    const fn of(count: usize, room: usize) -> Self {
        // Nothing is an end, not a lack.
        if 0 < count && count < room {
            Self::Short
        } else {
            Self::Full
        }
    }
}

impl Directions {
    const fn state(&mut self, direction: Direction) -> &mut DirectionState {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}

impl DirectionState {
    fn note(&mut self, is_ready: bool, is_ended: bool) -> Option<Waker> {
        if !(is_ready || is_ended) {
            return None;
        }
        self.is_ready = true;
        self.is_ended |= is_ended;
        self.waker.take()
    }
}

/// Something that the operating system tells events of, until it is dropped.
pub(super) struct Source<S: mio::event::Source> {
    pub(super) io: S,
    pub(super) readiness: Arc<Readiness>,
    key: usize,
    shared: Arc<Shared>,
}

impl<S: mio::event::Source> Source<S> {
    pub(super) fn new(
        shared: &Arc<Shared>,
        mut io: S,
        readiness: Arc<Readiness>,
        interest: Interest,
    ) -> io::Result<Self> {
        let key = shared.io().register(&mut io, Arc::clone(&readiness), interest)?;
        Ok(Self {
            io,
            readiness,
            key,
            shared: Arc::clone(shared),
        })
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl<S: mio::event::Source> Drop for Source<S> {
    fn drop(&mut self) {
        self.shared.io().deregister(&mut self.io, self.key);
    }
}

/// A connection, TCP or Unix, on the I/O thread.
pub struct SocketStream<S: Socket>(pub(super) Source<S>);

/// A connected socket.
pub trait Socket: mio::event::Source + Send + Sync + Unpin + 'static {
    /// Reads once.
    ///
    /// # Errors
    /// Those of the socket.
    fn read(&self, room: &mut [u8]) -> io::Result<usize>;

    /// Writes once.
    ///
    /// # Errors
    /// Those of the socket.
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ends the sending side.
    ///
    /// # Errors
    /// Those of the socket.
    fn end(&self) -> io::Result<()>;
}

macro_rules! socket {
    ($stream:ty) => {
        impl Socket for $stream {
            fn read(&self, room: &mut [u8]) -> io::Result<usize> {
                (&mut &*self).read(room)
            }

            fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
                match slices {
                    [slice] => (&mut &*self).write(slice),
                    slices => (&mut &*self).write_vectored(slices),
                }
            }

            fn end(&self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }
        }
    };
}

socket!(mio::net::TcpStream);
#[cfg(unix)]
socket!(mio::net::UnixStream);

impl<S: Socket> SocketStream<S> {
    /// A stream that is connected.
    pub(super) fn new(shared: &Arc<Shared>, io: S) -> io::Result<Self> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        Ok(Self(Source::new(shared, io, Readiness::untold(), interest)?))
    }
}

impl<S: Socket> Stream for SocketStream<S> {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let Source { io, readiness, .. } = &self.0;
        readiness.attempt(Direction::Read, task, || {
            let mut allowed = 0;
            let read = read_with(buffer, |room| {
                allowed = room.len();
                Poll::Ready(io.read(room))
            });
            match read {
                Poll::Ready(Ok(count)) => Ok((count, Extent::of(count, allowed))),
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => Err(ErrorKind::WouldBlock.into()),
            }
        })
    }

    fn poll_write(&mut self, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let Source { io, readiness, .. } = &self.0;
        let offered = slices.iter().map(|slice| slice.len()).sum();
        readiness.attempt(Direction::Write, task, || {
            let count = io.write(slices)?;
            Ok((count, Extent::of(count, offered)))
        })
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.io.end())
    }
}

impl<S: Socket> std::fmt::Debug for SocketStream<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SocketStream").finish_non_exhaustive()
    }
}
