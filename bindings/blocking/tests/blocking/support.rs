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

/// What handlers tell a test.
pub(crate) struct News<T>(Teller<T>, Receiver<T>);

/// Who tells it.
pub(crate) struct Teller<T>(Sender<T>);

impl<T> Clone for Teller<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send> News<T> {
    pub(crate) fn new() -> Self {
        let (teller, hearer) = channel();
        Self(Teller(teller), hearer)
    }

    pub(crate) fn teller(&self) -> Teller<T> {
        Teller(self.0.0.clone())
    }

    /// What is told within `time`.
    pub(crate) fn within(&self, time: Duration) -> Option<T> {
        self.1.recv_timeout(time).ok()
    }

    pub(crate) fn next(&self) -> T {
        self.1.recv_timeout(LONG).expect("is told")
    }
}

impl<T> Teller<T> {
    pub(crate) fn tell(&self, news: T) {
        // A test that has seen enough hears no more.
        let _ = self.0.send(news);
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

/// A door that is closed at first.
#[derive(Clone, Default)]
pub(crate) struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    pub(crate) fn open(&self) {
        *self.0.0.lock().expect("is whole") = true;
        self.0.1.notify_all();
    }

    /// Blocks the thread until the door is open.
    pub(crate) fn pass(&self) {
        let closed = self.0.0.lock().expect("is whole");
        let (open, _) = self
            .0
            .1
            .wait_timeout_while(closed, LONG, |open| !*open)
            .expect("is whole");
        assert!(*open, "nobody has opened the door");
    }
}
