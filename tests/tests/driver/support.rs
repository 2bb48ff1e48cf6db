//! A server on any runtime, and what tests need to wait for it.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socketio_tests::binding::{RunningServer, TestRuntime};
use socketio_tests::kit::{DEADLINE, WebSocketClient, wait_until};
use socketio_tests::testbed::Target;
use socketio_tokio::{Async, Server, ServerBuilder};
use tokio::runtime::Builder;

/// A server that runs until this is dropped.
pub(crate) struct TestServer {
    pub(crate) target: Target,
    pub(crate) handle: Server,
    running: RunningServer,
}

impl TestServer {
    pub(crate) fn start(runtime: TestRuntime, builder: ServerBuilder<Async>) -> Self {
        let handle = builder.build();
        let running = RunningServer::start(runtime, handle.clone());
        wait_until("the server is served", || handle.sockets().is_ok());
        Self {
            target: running.target(),
            handle,
            running,
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
        let id = id.unwrap_or_else(|| panic!("not joined: {reply}")).to_owned();
        (client, id)
    }

    /// What `serve` returned, which must be within `deadline`.
    #[track_caller]
    pub(crate) fn outcome(&self, deadline: Duration) -> io::Result<()> {
        self.running.outcome(deadline)
    }

    /// Drops the future of `serve` where it stands.
    pub(crate) fn abort(&self) {
        self.running.abort();
    }

    /// Stops its runtime, with everything on it, after its handle is dropped.
    pub(crate) fn stop_runtime(self) {
        let Self { handle, running, .. } = self;
        drop(handle);
        running.stop_runtime();
    }
}

/// Entries of handlers, in order.
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

    /// Waits for `count` entries as long as they keep coming: `timeout` is for each.
    #[track_caller]
    pub(crate) fn wait_long(&self, count: usize, timeout: Duration) -> Vec<T> {
        let mut entries = self.lock();
        let (mut seen, mut since) = (entries.len(), Instant::now());
        while entries.len() < count {
            entries = match self.0.1.wait_timeout(entries, timeout) {
                Ok((entries, _)) => entries,
                Err(poisoned) => poisoned.into_inner().0,
            };
            if entries.len() > seen {
                (seen, since) = (entries.len(), Instant::now());
            } else if since.elapsed() >= timeout {
                drop(entries);
                panic!("stuck at {seen} entries of {count}");
            }
        }
        entries.clone()
    }
}

/// Runs a future on a thread that is not the server's.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(future)
}
