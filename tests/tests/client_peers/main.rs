//! Our clients against published servers and our own: every case, with every client, on every server, over every
//! transport. With our own servers that are all pairs of bindings.
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
use support::{At, Case, Mode};

/// Everything that can be tried with a server that stays.
const CASES: &[&[Case]] = &[
    events::CASES,
    acks::CASES,
    binary::CASES,
    namespaces::CASES,
    leaving::CASES,
];

/// How long the long ones are.
struct Extent {
    /// How often a server is killed and started again.
    restarts: u64,
    /// How many packets of ten large attachments there are.
    packets: usize,
}

impl Extent {
    /// In full on tokio alone: what carries the bytes is the same everywhere.
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

fn try_all(binding: Binding, peer: Peer, mode: Mode, scheduler: Scheduler) {
    let Ok(server) = peer.start(PeerOptions::default()) else {
        return;
    };
    let runtime = scheduler.runtime();
    let at = At::new(binding, peer, &server, mode);
    let cases = CASES.iter().flat_map(|cases| cases.iter());
    let cases = cases.map(|case| (case.name, (case.run)(at.clone()))).collect();
    runtime.block_on(async {
        all_of(cases).await;
        binary::attachments_come_back_intact(Extent::of(binding).packets, at).await;
    });
}

/// Servers, and what is tried with each by every client. The scheduler is tokio's, on which its client runs, and the
/// tests of all others.
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
                try_all(binding, $peer, Mode::Polling, Scheduler::CurrentThread);
            }

            fn over_websocket(binding: Binding) {
                try_all(binding, $peer, Mode::WebSocket, Scheduler::MultiThread);
            }

            fn with_upgrade(binding: Binding) {
                try_all(binding, $peer, Mode::Upgrade, Scheduler::CurrentThread);
            }

            fn killed_and_started_again(binding: Binding) {
                let rounds = Extent::of(binding).restarts;
                restarts::some_times(rounds, binding, $peer, Scheduler::MultiThread);
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
