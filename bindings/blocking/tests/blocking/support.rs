use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use socketio_blocking::{Blocking, Client, Server, ServerBuilder, Serving, Threads};

/// Nothing here takes so long unless it is broken.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A listener and its URL.
pub(crate) fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let address = listener.local_addr().expect("is bound");
    (listener, format!("http://{address}"))
}

/// A server on threads of its own, until it is dropped.
pub(crate) struct Started {
    pub(crate) url: String,
    pub(crate) server: Server,
    pub(crate) serving: Serving,
}

pub(crate) fn started(builder: ServerBuilder<Blocking>) -> Started {
    started_on(&Threads::builder().build().expect("starts"), builder)
}

pub(crate) fn started_on(threads: &Threads, builder: ServerBuilder<Blocking>) -> Started {
    let (listener, url) = listen();
    let server = builder.build();
    let serving = threads.start_server(listener, server.clone()).expect("starts");
    Started { url, server, serving }
}

/// What handlers report to a test.
pub(crate) struct Reports<T>(Reporter<T>, Receiver<T>);

/// What handlers report with.
pub(crate) struct Reporter<T>(Sender<T>);

impl<T> Clone for Reporter<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send> Reports<T> {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = channel();
        Self(Reporter(sender), receiver)
    }

    pub(crate) fn reporter(&self) -> Reporter<T> {
        Reporter(self.0.0.clone())
    }

    /// What is reported within `time`.
    pub(crate) fn within(&self, time: Duration) -> Option<T> {
        self.1.recv_timeout(time).ok()
    }

    pub(crate) fn next(&self) -> T {
        self.1.recv_timeout(LONG).expect("is reported")
    }
}

impl<T> Reporter<T> {
    pub(crate) fn report(&self, report: T) {
        // A test that has seen enough takes no more reports.
        let _ = self.0.send(report);
    }
}

/// A client without handlers.
pub(crate) fn connected(url: &str) -> Client {
    socketio_blocking::connect(Client::builder(url)).expect("connects")
}

/// Threads of this process whose names begin so.
#[cfg(target_os = "linux")]
pub(crate) fn living(prefix: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("is Linux");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with(prefix)).count()
}

/// Waits until so many threads are left whose names begin so: the system forgets a thread a moment after it was joined.
#[cfg(target_os = "linux")]
#[track_caller]
pub(crate) fn remain(prefix: &str, count: usize) {
    let begun = std::time::Instant::now();
    while living(prefix) != count {
        let is_over = begun.elapsed() > Duration::from_secs(10);
        assert!(!is_over, "{} threads instead of {count}", living(prefix));
        std::thread::yield_now();
    }
}

/// A latch that is closed until it is opened, once.
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
            .wait_timeout_while(closed, LONG, |open| !*open)
            .expect("is whole");
        assert!(*open, "nobody has opened the latch");
    }
}
