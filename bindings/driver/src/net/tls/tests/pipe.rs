use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use bytes::BytesMut;

use crate::engine::Stream;

/// What is between two processes in one direction.
const CAPACITY: usize = 32 * 1024;

/// One end of a connection in memory.
pub(super) struct Pipe {
    incoming: Arc<Mutex<Direction>>,
    outgoing: Arc<Mutex<Direction>>,
    /// How much the next calls move; 0 makes one wait for nothing.
    sizes: Vec<usize>,
    /// Reads and writes are counted apart: taking turns, one of them could meet nothing but zeros.
    reads: usize,
    writes: usize,
}

#[derive(Default)]
struct Direction {
    bytes: VecDeque<u8>,
    is_ended: bool,
    is_read_by_nobody: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Direction {
    fn wake(&mut self) {
        self.reader
            .take()
            .into_iter()
            .chain(self.writer.take())
            .for_each(Waker::wake);
    }
}

impl Pipe {
    pub(super) fn pair(sizes: &[usize]) -> (Self, Self) {
        let (there, back) = (Arc::default(), Arc::default());
        let pipe = |incoming: &Arc<_>, outgoing: &Arc<_>| Self {
            incoming: Arc::clone(incoming),
            outgoing: Arc::clone(outgoing),
            sizes: sizes.to_vec(),
            reads: 0,
            writes: 0,
        };
        (pipe(&back, &there), pipe(&there, &back))
    }

    /// What the call of this number moves; `None` when it is to wait for nothing.
    fn size(&self, call: usize, task: &Context<'_>) -> Option<usize> {
        let size = self.sizes[call % self.sizes.len()];
        if size == 0 {
            task.waker().wake_by_ref();
        }
        (size > 0).then_some(size)
    }
}

impl Stream for Pipe {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.reads += 1;
        let Some(size) = self.size(self.reads, task) else {
            return Poll::Pending;
        };
        let mut incoming = self.incoming.lock().unwrap();
        if incoming.bytes.is_empty() && !incoming.is_ended {
            incoming.reader = Some(task.waker().clone());
            return Poll::Pending;
        }
        let room = buffer.capacity() - buffer.len();
        assert!(room > 0, "a read needs room");
        let count = size.min(room).min(incoming.bytes.len());
        buffer.extend(incoming.bytes.drain(..count));
        incoming.wake();
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.writes += 1;
        let Some(size) = self.size(self.writes, task) else {
            return Poll::Pending;
        };
        let mut outgoing = self.outgoing.lock().unwrap();
        if outgoing.is_ended || outgoing.is_read_by_nobody {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = CAPACITY - outgoing.bytes.len();
        if room == 0 {
            outgoing.writer = Some(task.waker().clone());
            return Poll::Pending;
        }
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
        let before = outgoing.bytes.len();
        outgoing.bytes.extend(bytes.take(size.min(room)));
        let count = outgoing.bytes.len() - before;
        outgoing.wake();
        Poll::Ready(Ok(count))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut outgoing = self.outgoing.lock().unwrap();
        outgoing.is_ended = true;
        outgoing.wake();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut outgoing = self.outgoing.lock().unwrap();
        outgoing.is_ended = true;
        outgoing.wake();
        drop(outgoing);
        let mut incoming = self.incoming.lock().unwrap();
        incoming.is_read_by_nobody = true;
        // As TCP does: who closes without having read takes the peer's words with it.
        if !incoming.bytes.is_empty() {
            self.outgoing.lock().unwrap().bytes.clear();
        }
        incoming.wake();
    }
}

/// Whether a task was woken.
pub(super) struct Flag(AtomicBool);

impl Flag {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs two futures, each only when it was woken, to their ends.
pub(super) fn join<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let flags = [Flag::new(), Flag::new()];
    let wakers = flags.clone().map(Waker::from);
    let (mut first_outcome, mut second_outcome) = (None, None);
    while first_outcome.is_none() || second_outcome.is_none() {
        let mut is_stuck = true;
        if first_outcome.is_none() && flags[0].take() {
            is_stuck = false;
            if let Poll::Ready(outcome) = first.as_mut().poll(&mut Context::from_waker(&wakers[0])) {
                first_outcome = Some(outcome);
            }
        }
        if second_outcome.is_none() && flags[1].take() {
            is_stuck = false;
            if let Poll::Ready(outcome) = second.as_mut().poll(&mut Context::from_waker(&wakers[1])) {
                second_outcome = Some(outcome);
            }
        }
        assert!(!is_stuck, "both wait for each other");
    }
    first_outcome.zip(second_outcome).expect("both have ended")
}
