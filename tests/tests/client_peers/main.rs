//! Our client against published servers and our own: every case, on every server, over every transport.
//!
//! The servers run the app `interop`, whose contract is in `tests/interop/README.md`.

mod acks;
mod binary;
mod events;
mod leaving;
mod namespaces;
mod restarts;
mod support;

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

fn try_all(peer: Peer, mode: Mode, scheduler: Scheduler) {
    let Ok(server) = peer.start(PeerOptions::default()) else {
        return;
    };
    let runtime = scheduler.runtime();
    let at = At::new(peer, &server, mode);
    let cases = CASES.iter().flat_map(|cases| cases.iter());
    let cases = cases.map(|case| (case.name, (case.run)(at.clone()))).collect();
    runtime.block_on(async {
        all_of(cases).await;
        binary::a_thousand_attachments_come_back_intact(at).await;
    });
}

/// A server, and on which of tokio's schedulers the client talks to it over polling and otherwise.
macro_rules! peers {
    ($($name:ident: $peer:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn over_polling() {
                try_all($peer, Mode::Polling, Scheduler::CurrentThread);
            }

            #[test]
            fn over_websocket() {
                try_all($peer, Mode::WebSocket, Scheduler::MultiThread);
            }

            #[test]
            fn with_upgrade() {
                try_all($peer, Mode::Upgrade, Scheduler::CurrentThread);
            }

            #[test]
            fn killed_and_started_again() {
                restarts::ten_times($peer, Scheduler::MultiThread);
            }
        }
    )*};
}

peers! {
    node: Peer::Node;
    python_threads: Peer::PythonThreads;
    python_async: Peer::PythonAsync;
    socketioxide: Peer::Socketioxide;
    house: Peer::House(env!("CARGO_BIN_EXE_testbed"));
}
