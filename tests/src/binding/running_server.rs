//! Servers in the test's process, on any binding.

use std::env;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socketio_async_std::AsyncStd;
use socketio_blocking::{IntoListener as _, Threads};
use socketio_driver::Server;
use socketio_driver::engine::{self, Listener, Runtime};
use socketio_driver::net::tls::TlsServer;
use socketio_smol::Smol;
use socketio_tokio::Tokio;
use tokio::runtime::Builder;
use tokio::sync::{Notify, oneshot};

use crate::testbed::{App, Target};

/// What the names of [`threads`] begin with.
pub const THREADS_NAME: &str = "threads";

/// The runtime that a server of a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestRuntime {
    /// tokio, everything on one thread.
    CurrentThread,
    /// tokio, on four threads.
    MultiThread,
    /// smol, on an executor of its own.
    Smol,
    /// async-std, of which a process has one.
    AsyncStd,
    /// Plain threads of its own.
    Blocking,
}

/// A server that runs on a thread of its own until this is dropped.
#[derive(Debug)]
pub struct RunningServer {
    /// Where it listens.
    pub address: SocketAddr,
    abort: Arc<Notify>,
    outcome: Receiver<io::Result<()>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where a server listens.
enum BoundListener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// What is to be served, and where the outcome goes.
struct ServeTask {
    server: Server,
    tls: Option<TlsServer>,
    abort: Arc<Notify>,
    ended: Sender<io::Result<()>>,
}

impl TestRuntime {
    /// All.
    pub const ALL: [Self; 5] = [
        Self::CurrentThread,
        Self::MultiThread,
        Self::Smol,
        Self::AsyncStd,
        Self::Blocking,
    ];

    /// Those that can be stopped, with all their tasks.
    pub const STOPPABLE: [Self; 3] = [Self::CurrentThread, Self::MultiThread, Self::Blocking];
}

impl RunningServer {
    /// Serves on a port of its own.
    #[must_use]
    pub fn start(runtime: TestRuntime, server: Server) -> Self {
        Self::start_with(runtime, server, None)
    }

    /// The same, over TLS if wanted.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start_with(runtime: TestRuntime, server: Server, tls: Option<TlsServer>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("it is a socket");
        Self::begin(runtime, server, tls, BoundListener::Tcp(listener), address)
    }

    /// Serves on a Unix socket, which has no address.
    ///
    /// # Panics
    ///
    /// If nothing can be bound to `path`.
    #[must_use]
    pub fn start_unix(runtime: TestRuntime, server: Server, path: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("it can be bound");
        listener.set_nonblocking(true).expect("it is a socket");
        let no_address = (Ipv4Addr::UNSPECIFIED, 0).into();
        Self::begin(runtime, server, None, BoundListener::Unix(listener), no_address)
    }

    fn begin(
        runtime: TestRuntime,
        server: Server,
        tls: Option<TlsServer>,
        listener: BoundListener,
        address: SocketAddr,
    ) -> Self {
        let (ended, outcome) = channel();
        let abort = Arc::new(Notify::new());
        let (stop, stopped) = oneshot::channel();
        let task = ServeTask {
            server,
            tls,
            abort: Arc::clone(&abort),
            ended,
        };
        let thread = thread::spawn(move || task.run(runtime, listener, stopped));
        Self {
            address,
            abort,
            outcome,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The server as the clients of [`kit`](crate::kit) name it.
    #[must_use]
    pub const fn target(&self) -> Target {
        Target {
            address: self.address,
            app: App::Lab,
        }
    }

    /// As `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What `serve` returned.
    ///
    /// # Panics
    ///
    /// If it does not return within `deadline`.
    #[track_caller]
    pub fn outcome(&self, deadline: Duration) -> io::Result<()> {
        self.outcome
            .recv_timeout(deadline)
            .expect("serve() returns in time")
    }

    /// Drops the future of `serve` where it stands; the runtime goes on.
    pub fn abort(&self) {
        self.abort.notify_one();
    }

    /// Stops the runtime while the future of `serve` still runs, as far as the runtime can be stopped.
    ///
    /// # Panics
    ///
    /// If that panics.
    pub fn stop_runtime(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the runtime ends");
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.abort();
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The test panics already.
            let _ = thread.join();
        }
    }
}

impl ServeTask {
    /// Runs until the sender of `stopped` is dropped.
    fn run(self, runtime: TestRuntime, listener: BoundListener, stopped: oneshot::Receiver<()>) {
        match runtime {
            TestRuntime::CurrentThread => self.run_on_tokio(Builder::new_current_thread(), listener, stopped),
            TestRuntime::MultiThread => self.run_on_tokio(Builder::new_multi_thread(), listener, stopped),
            TestRuntime::Smol => self.run_on_smol(listener, stopped),
            TestRuntime::AsyncStd => {
                let task = match listener {
                    BoundListener::Tcp(listener) => {
                        let listener = async_std::net::TcpListener::from(listener);
                        async_std::task::spawn(self.serve(AsyncStd, listener))
                    }
                    BoundListener::Unix(listener) => {
                        let listener = async_std::os::unix::net::UnixListener::from(listener);
                        async_std::task::spawn(self.serve(AsyncStd, listener))
                    }
                };
                let _ = async_std::task::block_on(stopped);
                drop(task);
            }
            TestRuntime::Blocking => self.run_on_threads(listener, stopped),
        }
    }

    fn run_on_tokio(self, mut builder: Builder, listener: BoundListener, stopped: oneshot::Receiver<()>) {
        let runtime = builder.worker_threads(4).enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        runtime.block_on(async {
            match listener {
                BoundListener::Tcp(listener) => {
                    let listener = tokio::net::TcpListener::from_std(listener).expect("it is a socket");
                    tokio::spawn(self.serve(Tokio::current(), listener))
                }
                BoundListener::Unix(listener) => {
                    let listener = tokio::net::UnixListener::from_std(listener).expect("it is a socket");
                    tokio::spawn(self.serve(Tokio::current(), listener))
                }
            };
            let _ = stopped.await;
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
    }

    fn run_on_smol(self, listener: BoundListener, stopped: oneshot::Receiver<()>) {
        let executor = Arc::new(smol::Executor::new());
        let runtime = Smol::on(Arc::clone(&executor));
        let task = match listener {
            BoundListener::Tcp(listener) => {
                let listener: smol::net::TcpListener = listener.try_into().expect("it is a socket");
                executor.spawn(self.serve(runtime, listener))
            }
            BoundListener::Unix(listener) => {
                let listener: smol::net::unix::UnixListener = listener.try_into().expect("it is a socket");
                executor.spawn(self.serve(runtime, listener))
            }
        };
        task.detach();
        let _ = smol::block_on(executor.run(stopped));
    }

    fn run_on_threads(self, listener: BoundListener, stopped: oneshot::Receiver<()>) {
        let threads = Threads::builder().build().expect("there is room for threads");
        let handle = threads.handle();
        match listener {
            BoundListener::Tcp(listener) => {
                let listener = listener.into_listener(&handle).expect("it is a socket");
                handle.spawn(self.serve(handle.clone(), listener));
            }
            BoundListener::Unix(listener) => {
                let listener = listener.into_listener(&handle).expect("it is a socket");
                handle.spawn(self.serve(handle.clone(), listener));
            }
        }
        let _ = stopped.blocking_recv();
    }

    async fn serve<R: Runtime, L: Listener<R>>(self, runtime: R, listener: L) {
        let Self {
            server,
            tls,
            abort,
            ended,
        } = self;
        let serve = async {
            match tls {
                Some(tls) => engine::serve(runtime, tls.wrap(listener), server).await,
                None => engine::serve(runtime, listener, server).await,
            }
        };
        if let Some(result) = unless(abort.notified(), serve).await {
            // A test that does not ask has dropped the other end.
            let _ = ended.send(result);
        }
    }
}

/// The output of `future`, unless `aborted` comes first; then it is dropped.
async fn unless<F: Future>(aborted: impl Future, future: F) -> Option<F::Output> {
    let (mut aborted, mut future) = (pin!(aborted), pin!(future));
    poll_fn(|task| {
        if aborted.as_mut().poll(task).is_ready() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(task).map(Some)
    })
    .await
}

/// The threads of the blocking binding's clients in this process.
///
/// # Panics
///
/// If the system gives none.
pub fn threads() -> &'static Threads {
    static THREADS: LazyLock<Threads> = LazyLock::new(|| {
        let threads = Threads::builder().name(THREADS_NAME);
        threads.build().expect("there is room for threads")
    });
    &THREADS
}

/// Gives async-std so many threads, which it counts when it is first used in the environment that the process was
/// started with: if that says otherwise, the program is started again in the same process.
///
/// # Errors
///
/// If it can not be started again.
pub fn threads_of_async_std(count: usize) -> io::Result<()> {
    const COUNT: &str = "ASYNC_STD_THREAD_COUNT";
    if env::var(COUNT).is_ok_and(|known| known == count.to_string()) {
        return Ok(());
    }
    let mut again = Command::new(env::current_exe()?);
    again.args(env::args_os().skip(1)).env(COUNT, count.to_string());
    Err(again.exec())
}
