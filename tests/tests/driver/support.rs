//! A server on any binding, and what tests need to wait for it.

use std::future::pending;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socketio_tests::binding::{Ground, Serving};
use socketio_tests::kit::{DEADLINE, WebSocketClient};
use socketio_tests::testbed::{App, Target};
use socketio_tokio::{Async, Server, ServerBuilder};
use tokio::runtime::Builder;

/// A server that is served until it is dropped.
pub(crate) struct Served {
    pub(crate) target: Target,
    pub(crate) server: Server,
    serving: Serving,
}

impl Served {
    pub(crate) fn start(ground: Ground, builder: ServerBuilder<Async>) -> Self {
        let server = builder.build();
        let serving = Serving::start(ground, server.clone());
        eventually("the server is served", || server.sockets().is_ok());
        Self {
            target: Target {
                address: serving.address,
                app: App::Lab,
            },
            server,
            serving,
        }
    }

    /// Joins `/` with a WebSocket.
    #[track_caller]
    pub(crate) fn join(&self) -> WebSocketClient {
        self.join_with("").0
    }

    /// Joins `/` with a WebSocket and `auth`; also returns the socket's id.
    #[track_caller]
    pub(crate) fn join_with(&self, auth: &str) -> (WebSocketClient, String) {
        let (mut client, _) = WebSocketClient::open_session(&self.target);
        client.send(&format!("40{auth}"));
        let reply = client.text();
        let id = reply
            .strip_prefix("40{\"sid\":\"")
            .and_then(|rest| rest.strip_suffix("\"}"));
        let id = id.unwrap_or_else(|| panic!("not let in: {reply}")).to_owned();
        (client, id)
    }

    /// What `serve` returned, which must be within `deadline`.
    #[track_caller]
    pub(crate) fn outcome(&self, deadline: Duration) -> io::Result<()> {
        self.serving.outcome(deadline)
    }

    /// Drops the future of `serve` where it stands.
    pub(crate) fn abort(&self) {
        self.serving.abort();
    }

    /// Ends what it runs on, with everything on it. Handles of the server are gone before.
    pub(crate) fn end_ground(self) {
        let Self { server, serving, .. } = self;
        drop(server);
        serving.end_ground();
    }
}

/// What handlers noted, in order.
pub(crate) struct Log<T>(Arc<(Mutex<Vec<T>>, Condvar)>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Log<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Mutex::new(Vec::new()), Condvar::new())))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, entry: T) {
        self.lock().push(entry);
        self.0.1.notify_all();
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.lock().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Waits until there are `count` entries.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<T> {
        self.wait_long(count, DEADLINE)
    }

    /// Waits for `count` entries as long as they keep coming: `patience` is for each.
    #[track_caller]
    pub(crate) fn wait_long(&self, count: usize, patience: Duration) -> Vec<T> {
        let mut entries = self.lock();
        let (mut seen, mut since) = (entries.len(), Instant::now());
        while entries.len() < count {
            entries = match self.0.1.wait_timeout(entries, patience) {
                Ok((entries, _)) => entries,
                Err(poisoned) => poisoned.into_inner().0,
            };
            if entries.len() > seen {
                (seen, since) = (entries.len(), Instant::now());
            } else if since.elapsed() >= patience {
                drop(entries);
                panic!("stuck at {seen} entries of {count}");
            }
        }
        entries.clone()
    }
}

/// A door that handlers wait at until a test opens it.
#[derive(Clone)]
pub(crate) struct Door(Arc<tokio::sync::Semaphore>);

impl Door {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(tokio::sync::Semaphore::new(0)))
    }

    pub(crate) fn open(&self) {
        self.0.add_permits(1_000_000);
    }

    /// Lets so many more pass.
    pub(crate) fn open_for(&self, count: usize) {
        self.0.add_permits(count);
    }

    pub(crate) async fn pass(&self) {
        match self.0.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => pending().await,
        }
    }
}

/// Waits until `condition` holds; nothing tells when it does.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "not within the deadline: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a future on a thread that is not the server's.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(future)
}
