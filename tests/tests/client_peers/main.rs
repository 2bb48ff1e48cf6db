//! Our clients against published servers and our own: every case, with every client, on every server, over every
//! transport. With our own servers these are all pairs of bindings.
//!
//! The servers run the app `interop`, whose contract is in `tests/interop/README.md`.

mod acks;
mod binary;
mod events;
mod leaving;
mod namespaces;
mod restarts;
mod support;

use socketio_tests::binding::Binding;
use socketio_tests::live::{Peer, PeerOptions, Scheduler, all_of};
use support::{Case, Mode, Setup};

/// The cases that do not stop the server.
const CASES: &[&[Case]] = &[
    events::CASES,
    acks::CASES,
    binary::CASES,
    namespaces::CASES,
    leaving::CASES,
];

/// How often the long cases repeat.
struct Repetitions {
    /// How often a server is killed and started again.
    restarts: u64,
    /// How many packets of ten large attachments are sent.
    packets: usize,
}

impl Repetitions {
    /// In full on tokio alone: the bytes pass through the same code on every binding.
    const fn of(binding: Binding) -> Self {
        match binding {
            Binding::Tokio => Self {
                restarts: 10,
                packets: 100,
            },
            _ => Self {
                restarts: 2,
                packets: 10,
            },
        }
    }
}

fn run_all(binding: Binding, peer: Peer, mode: Mode, scheduler: Scheduler) {
    let Ok(server) = peer.start(PeerOptions::default()) else {
        return;
    };
    let runtime = scheduler.runtime();
    let setup = Setup::new(binding, peer, &server, mode);
    let cases = CASES.iter().flat_map(|cases| cases.iter());
    let cases = cases.map(|case| (case.name, (case.run)(setup.clone()))).collect();
    runtime.block_on(async {
        all_of(cases).await;
        binary::attachments_come_back_intact(Repetitions::of(binding).packets, setup).await;
    });
}

/// The tests of each server with every client. The scheduler is tokio's, on which its client runs, and the tests of all
/// others.
macro_rules! peers {
    ($($name:ident: $peer:expr;)*) => {$(
        mod $name {
            use super::*;

            socketio_tests::on_every_client![
                over_polling,
                over_websocket,
                with_upgrade,
                killed_and_started_again,
            ];

            fn over_polling(binding: Binding) {
                run_all(binding, $peer, Mode::Polling, Scheduler::CurrentThread);
            }

            fn over_websocket(binding: Binding) {
                run_all(binding, $peer, Mode::WebSocket, Scheduler::MultiThread);
            }

            fn with_upgrade(binding: Binding) {
                run_all(binding, $peer, Mode::Upgrade, Scheduler::CurrentThread);
            }

            fn killed_and_started_again(binding: Binding) {
                let rounds = Repetitions::of(binding).restarts;
                restarts::reconnect_after_restarts(rounds, binding, $peer, Scheduler::MultiThread);
            }
        }
    )*};
}

const TESTBED: &str = env!("CARGO_BIN_EXE_testbed");

peers! {
    node: Peer::Node;
    python_threads: Peer::PythonThreads;
    python_async: Peer::PythonAsync;
    socketioxide: Peer::Socketioxide;
    on_tokio: Peer::Testbed(TESTBED, Binding::Tokio);
    on_smol: Peer::Testbed(TESTBED, Binding::Smol);
    on_async_std: Peer::Testbed(TESTBED, Binding::AsyncStd);
    on_blocking: Peer::Testbed(TESTBED, Binding::Blocking);
    on_epoll: Peer::Testbed(TESTBED, Binding::Epoll);
}
