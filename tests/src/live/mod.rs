//! What tests of the client need: published servers, a server that may break every rule, and waiting with a time limit.

mod event_channel;
mod local_server;
mod peer;
mod scripted;

pub use event_channel::{EventReceiver, EventSender, event_channel};
pub use local_server::LocalServer;
pub use peer::{Peer, PeerOptions};
pub use scripted::{ReceivedRequest, ScriptedConnection, ScriptedServer, frame};

use std::future::{Future, IntoFuture};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

/// How long anything in a test may take that is expected to happen at once.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// The output of `future`.
///
/// # Panics
///
/// If it does not come within [`TIMEOUT`]; `what` says what was waited for.
#[track_caller]
pub fn within<F: IntoFuture>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(TIMEOUT, future.into_future()).await {
            Ok(output) => output,
            Err(_) => panic!("waited {TIMEOUT:?} for {what}, at {caller}"),
        }
    }
}

/// Waits until `condition` holds, where nothing tells when it does.
///
/// # Panics
///
/// If it does not within [`TIMEOUT`].
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        while !condition() {
            assert!(
                started.elapsed() < TIMEOUT,
                "waited {TIMEOUT:?} until {what}, at {caller}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Which of tokio's schedulers a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Everything on the test's thread.
    CurrentThread,
    /// Two threads.
    MultiThread,
}

impl Scheduler {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::CurrentThread, Self::MultiThread];

    /// A runtime of this kind.
    ///
    /// # Panics
    ///
    /// If the operating system has no threads left.
    #[must_use]
    pub fn runtime(self) -> Runtime {
        let mut builder = match self {
            Self::CurrentThread => Builder::new_current_thread(),
            Self::MultiThread => Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(2).enable_all().build();
        runtime.expect("a runtime can be made")
    }

    /// Runs `body` on both, one after the other.
    pub fn both(mut body: impl AsyncFnMut()) {
        for scheduler in Self::BOTH {
            let runtime = scheduler.runtime();
            runtime.block_on(body());
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}

/// Runs cases at the same time and reports all that failed.
///
/// # Panics
///
/// If one panics, with the names of all that did.
pub async fn all_of(cases: Vec<(&'static str, impl Future<Output = ()> + Send + 'static)>) {
    let running: Vec<_> = cases
        .into_iter()
        .map(|(name, case)| (name, tokio::spawn(case)))
        .collect();
    let mut failed = Vec::new();
    for (name, case) in running {
        if let Err(error) = case.await {
            failed.push(failure(name, error));
        }
    }
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

/// One line about a task that panicked.
#[must_use]
pub fn failure(name: &str, error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return format!("{name}: was cancelled");
    };
    let why = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("{name}: {}", why.unwrap_or("it panicked"))
}
