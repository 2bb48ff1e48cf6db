//! A runtime of one thread whose time never passes and whose connections are buffers in memory.

use bytes::BytesMut;
use socketio_driver::Peer;
use socketio_driver::engine::{Listener, Runtime, Stream};
use std::collections::VecDeque;
use std::future::{Future, Pending, pending, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// All tasks, and the connections that clients make.
pub(crate) struct InMemoryRuntime {
    shared: Arc<Shared>,
    tasks: Vec<Option<(Task, Waker, Arc<TaskWaker>)>>,
}

/// The handle the driver gets.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Shared>);

struct Shared {
    now: Instant,
    spawned: Mutex<Vec<Task>>,
    runnable: Arc<Mutex<VecDeque<usize>>>,
    backlog: Arc<Mutex<Backlog>>,
}

/// Connections that were made and not accepted yet.
#[derive(Default)]
struct Backlog {
    pipes: VecDeque<Pipe>,
    acceptor: Option<Waker>,
}

/// Wakes one task.
struct TaskWaker {
    task: usize,
    is_queued: AtomicBool,
    runnable: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::Relaxed) {
            self.runnable.lock().unwrap().push_back(self.task);
        }
    }
}

impl InMemoryRuntime {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                now: Instant::now(),
                spawned: Mutex::default(),
                runnable: Arc::default(),
                backlog: Arc::default(),
            }),
            tasks: Vec::new(),
        }
    }

    pub(crate) fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    pub(crate) fn listener(&self) -> TestListener {
        TestListener(Arc::clone(&self.shared.backlog))
    }

    /// Runs `task` and whatever it spawns.
    pub(crate) fn start(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle().spawn(task);
        self.run();
    }

    /// A new connection, from the client's end.
    pub(crate) fn dial(&self) -> Pipe {
        let pipe = Pipe::default();
        let mut backlog = self.shared.backlog.lock().unwrap();
        backlog.pipes.push_back(pipe.clone());
        let acceptor = backlog.acceptor.take();
        drop(backlog);
        acceptor.into_iter().for_each(Waker::wake);
        pipe
    }

    /// Polls tasks until none is runnable.
    pub(crate) fn run(&mut self) {
        loop {
            self.adopt();
            let Some(number) = self.shared.runnable.lock().unwrap().pop_front() else {
                return;
            };
            let Some((task, waker, flag)) = &mut self.tasks[number] else {
                continue;
            };
            flag.is_queued.store(false, Ordering::Relaxed);
            if task.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
                self.tasks[number] = None;
            }
        }
    }

    fn adopt(&mut self) {
        loop {
            let spawned = self.shared.spawned.lock().unwrap().pop();
            let Some(task) = spawned else { break };
            let flag = Arc::new(TaskWaker {
                task: self.tasks.len(),
                is_queued: AtomicBool::new(false),
                runnable: Arc::clone(&self.shared.runnable),
            });
            let waker = Waker::from(Arc::clone(&flag));
            waker.wake_by_ref();
            self.tasks.push(Some((task, waker, flag)));
        }
    }
}

impl Runtime for Handle {
    type Stream = Pipe;
    type Sleep = Pending<()>;

    fn now(&self) -> Instant {
        self.0.now
    }

    fn sleep_until(&self, _: Instant) -> Self::Sleep {
        pending()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawned.lock().unwrap().push(Box::pin(task));
    }

    fn seed(&self) -> io::Result<[u8; 32]> {
        Ok([7; 32])
    }
}

pub(crate) struct TestListener(Arc<Mutex<Backlog>>);

impl Listener<Handle> for TestListener {
    type Stream = Pipe;

    fn accept(&mut self) -> impl Future<Output = io::Result<(Pipe, Peer)>> + Send {
        poll_fn(|context| {
            let mut backlog = self.0.lock().unwrap();
            if let Some(pipe) = backlog.pipes.pop_front() {
                return Poll::Ready(Ok((pipe, Peer::Unknown)));
            }
            backlog.acceptor = Some(context.waker().clone());
            Poll::Pending
        })
    }
}

/// One connection; both ends hold the same.
#[derive(Clone, Default)]
pub(crate) struct Pipe(Arc<Mutex<Buffers>>);

#[derive(Default)]
struct Buffers {
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    reader: Option<Waker>,
}

impl Pipe {
    /// The client writes.
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut buffers = self.0.lock().unwrap();
        buffers.to_server.extend_from_slice(bytes);
        let reader = buffers.reader.take();
        drop(buffers);
        reader.into_iter().for_each(Waker::wake);
    }

    /// The client reads everything, which must contain `mark`; returns how many bytes that was.
    pub(crate) fn assert_received_and_forget(&self, mark: &str) -> usize {
        let mut buffers = self.0.lock().unwrap();
        let received = &mut buffers.to_client;
        assert!(
            received
                .windows(mark.len())
                .any(|window| window == mark.as_bytes()),
            "{mark} is not in {:?}",
            String::from_utf8_lossy(received)
        );
        let count = received.len();
        received.clear();
        count
    }
}

impl Stream for Pipe {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut buffers = self.0.lock().unwrap();
        let count = buffers.to_server.len().min(buffer.capacity() - buffer.len());
        if count == 0 {
            buffers.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        buffer.extend_from_slice(&buffers.to_server[..count]);
        buffers.to_server.drain(..count);
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut buffers = self.0.lock().unwrap();
        for slice in slices {
            buffers.to_client.extend_from_slice(slice);
        }
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
