//! The bindings of this project as one table: what is tested with one is tested with all.
//!
//! Handles and futures of the driver depend on no runtime, so a test that waits on tokio can drive a client of any
//! binding, and so can one that waits on a thread.

mod running_server;

use std::io;

use socketio_driver::client::{Client, ClientBuilder, ConnectError, SimpleClient, SimpleClientBuilder};
use socketio_driver::engine;
use socketio_driver::router::Kind;

pub use running_server::{RunningServer, THREADS_NAME, TestRuntime, threads, threads_of_async_std};

/// What runs a server or a client of this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `socketio-tokio`.
    Tokio,
    /// `socketio-smol`.
    Smol,
    /// `socketio-async-std`.
    AsyncStd,
    /// `socketio-blocking`.
    Blocking,
    /// The core alone in an event loop, the example `epoll`: a server with the applications of the testbed.
    Epoll,
}

/// All that have a server.
pub const SERVERS: [Binding; 5] = [
    Binding::Tokio,
    Binding::Smol,
    Binding::AsyncStd,
    Binding::Blocking,
    Binding::Epoll,
];

/// All that have a client.
pub const CLIENTS: [Binding; 4] = [
    Binding::Tokio,
    Binding::Smol,
    Binding::AsyncStd,
    Binding::Blocking,
];

/// Calls one generic function with the runtime of a binding.
macro_rules! with_runtime {
    ($binding:expr, $runtime:ident => $call:expr) => {
        match $binding {
            Binding::Tokio => {
                let $runtime = socketio_tokio::Tokio::current();
                $call
            }
            Binding::Smol => {
                let $runtime = socketio_smol::Smol::global();
                $call
            }
            Binding::AsyncStd => {
                let $runtime = socketio_async_std::AsyncStd;
                $call
            }
            Binding::Blocking => {
                let $runtime = running_server::threads().handle();
                $call
            }
            Binding::Epoll => panic!("there is no client on the bare event loop"),
        }
    };
}

impl Binding {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::AsyncStd => "async-std",
            Self::Blocking => "blocking",
            Self::Epoll => "epoll",
        }
    }

    /// The one called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        SERVERS.into_iter().find(|binding| binding.name() == name)
    }

    /// What its server runs on in a test's process.
    ///
    /// # Panics
    ///
    /// For the event loop, whose server has its own applications.
    #[must_use]
    pub const fn test_runtime(self) -> TestRuntime {
        match self {
            Self::Tokio => TestRuntime::MultiThread,
            Self::Smol => TestRuntime::Smol,
            Self::AsyncStd => TestRuntime::AsyncStd,
            Self::Blocking => TestRuntime::Blocking,
            Self::Epoll => panic!("the event loop serves the applications of the testbed only"),
        }
    }

    /// Starts a client.
    ///
    /// # Errors
    ///
    /// As the binding's `start`.
    ///
    /// # Panics
    ///
    /// If the binding has no client, or it is tokio's and this is not one of its runtimes.
    pub fn start<K: Kind>(self, builder: ClientBuilder<K>) -> io::Result<Client> {
        with_runtime!(self, runtime => engine::start(runtime, builder))
    }

    /// Connects a client.
    ///
    /// # Errors
    ///
    /// As the binding's `connect`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn connect<K: Kind>(self, builder: ClientBuilder<K>) -> Result<Client, ConnectError> {
        with_runtime!(self, runtime => engine::connect(runtime, builder).await)
    }

    /// Connects a client whose events are taken.
    ///
    /// # Errors
    ///
    /// As the binding's `connect_simple`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn connect_simple(
        self,
        builder: impl Into<SimpleClientBuilder>,
    ) -> Result<SimpleClient, ConnectError> {
        let builder = builder.into();
        with_runtime!(self, runtime => engine::connect_simple(runtime, builder).await)
    }

    /// Runs a test of this binding's client, which itself waits on tokio: for tokio's on both of its schedulers, for
    /// the others, whose threads are their own, on one.
    pub fn run_test(self, mut body: impl AsyncFnMut()) {
        use crate::live::Scheduler;
        match self {
            Self::Tokio => Scheduler::both(body),
            _ => Scheduler::MultiThread.runtime().block_on(body()),
        }
    }
}

/// Makes one `#[test]` for each client and each function named, which takes the binding: `with_smol::...` and so on.
#[macro_export]
macro_rules! on_every_client {
    ($($test:ident),* $(,)?) => {
        mod with_tokio { $crate::on_one_binding!(Tokio: $($test),*); }
        mod with_smol { $crate::on_one_binding!(Smol: $($test),*); }
        mod with_async_std { $crate::on_one_binding!(AsyncStd: $($test),*); }
        mod with_blocking { $crate::on_one_binding!(Blocking: $($test),*); }
    };
}

/// The same for each server that is a program of its own, the event loop's included: `on_smol::...` and so on.
#[macro_export]
macro_rules! on_every_server {
    ($($test:ident),* $(,)?) => {
        mod on_tokio { $crate::on_one_binding!(Tokio: $($test),*); }
        mod on_smol { $crate::on_one_binding!(Smol: $($test),*); }
        mod on_async_std { $crate::on_one_binding!(AsyncStd: $($test),*); }
        mod on_blocking { $crate::on_one_binding!(Blocking: $($test),*); }
        mod on_epoll { $crate::on_one_binding!(Epoll: $($test),*); }
    };
}

/// The same for each [`TestRuntime`](crate::binding::TestRuntime), which each function takes: `on_smol::...` and so on.
#[macro_export]
macro_rules! on_every_runtime {
    ($($test:ident),* $(,)?) => {
        mod on_current_thread { $crate::on_one_runtime!(CurrentThread: $($test),*); }
        mod on_multi_thread { $crate::on_one_runtime!(MultiThread: $($test),*); }
        mod on_smol { $crate::on_one_runtime!(Smol: $($test),*); }
        mod on_async_std { $crate::on_one_runtime!(AsyncStd: $($test),*); }
        mod on_blocking { $crate::on_one_runtime!(Blocking: $($test),*); }
    };
}

/// The tests of one runtime, behind [`on_every_runtime!`](crate::on_every_runtime).
#[doc(hidden)]
#[macro_export]
macro_rules! on_one_runtime {
    ($runtime:ident: $($test:ident),*) => {$(
        #[test]
        fn $test() {
            super::$test($crate::binding::TestRuntime::$runtime);
        }
    )*};
}

/// The tests of one binding, behind [`on_every_client!`](crate::on_every_client) and
/// [`on_every_server!`](crate::on_every_server). The compiler warns of a
/// function that is not named, as it is not used.
#[doc(hidden)]
#[macro_export]
macro_rules! on_one_binding {
    ($binding:ident: $($test:ident),*) => {$(
        #[test]
        fn $test() {
            super::$test($crate::binding::Binding::$binding);
        }
    )*};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for binding in SERVERS {
            assert_eq!(Binding::named(binding.name()), Some(binding));
        }
        assert_eq!(Binding::named("node"), None);
    }
}
