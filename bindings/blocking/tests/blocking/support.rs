use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use socketio_blocking::{Blocking, Client, Server, ServerBuilder, Serving, Threads};

/// How long anything may take; only what is broken takes so long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// A listener and its URL.
pub(crate) fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let address = listener.local_addr().expect("is bound");
    (listener, format!("http://{address}"))
}

/// A server that runs on threads of its own until this is dropped.
pub(crate) struct StartedServer {
    pub(crate) url: String,
    pub(crate) server: Server,
    pub(crate) serving: Serving,
}

pub(crate) fn started(builder: ServerBuilder<Blocking>) -> StartedServer {
    started_on(&Threads::builder().build().expect("starts"), builder)
}

pub(crate) fn started_on(threads: &Threads, builder: ServerBuilder<Blocking>) -> StartedServer {
    let (listener, url) = listen();
    let server = builder.build();
    let serving = threads.start_server(listener, server.clone()).expect("starts");
    StartedServer { url, server, serving }
}

/// A channel from handlers to the test.
pub(crate) struct Channel<T>(ChannelSender<T>, Receiver<T>);

/// Its sending half.
pub(crate) struct ChannelSender<T>(Sender<T>);

impl<T> Clone for ChannelSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send> Channel<T> {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = channel();
        Self(ChannelSender(sender), receiver)
    }

    pub(crate) fn sender(&self) -> ChannelSender<T> {
        ChannelSender(self.0.0.clone())
    }

    /// What is sent within `time`.
    pub(crate) fn within(&self, time: Duration) -> Option<T> {
        self.1.recv_timeout(time).ok()
    }

    pub(crate) fn recv(&self) -> T {
        self.1.recv_timeout(TIMEOUT).expect("is sent")
    }
}

impl<T> ChannelSender<T> {
    pub(crate) fn send(&self, value: T) {
        // A test that has received enough has dropped the receiver.
        let _ = self.0.send(value);
    }
}

/// A client without handlers.
pub(crate) fn connected(url: &str) -> Client {
    socketio_blocking::connect(Client::builder(url)).expect("connects")
}

/// How many threads of this process have names with this prefix.
#[cfg(target_os = "linux")]
pub(crate) fn count_threads(prefix: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("is Linux");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with(prefix)).count()
}

/// Waits until `count` such threads are left: the system removes a thread a moment after it was joined.
#[cfg(target_os = "linux")]
#[track_caller]
pub(crate) fn await_threads(prefix: &str, count: usize) {
    let begun = std::time::Instant::now();
    while count_threads(prefix) != count {
        let is_late = begun.elapsed() > Duration::from_secs(10);
        assert!(!is_late, "{} threads instead of {count}", count_threads(prefix));
        std::thread::yield_now();
    }
}

/// A latch at which threads wait until it is opened.
#[derive(Clone, Default)]
pub(crate) struct Latch(Arc<(Mutex<bool>, Condvar)>);

impl Latch {
    pub(crate) fn open(&self) {
        *self.0.0.lock().expect("is whole") = true;
        self.0.1.notify_all();
    }

    /// Blocks the thread until the latch is open.
    pub(crate) fn wait(&self) {
        let closed = self.0.0.lock().expect("is whole");
        let (open, _) = self
            .0
            .1
            .wait_timeout_while(closed, TIMEOUT, |open| !*open)
            .expect("is whole");
        assert!(*open, "the latch was not opened");
    }
}
