//! The conformance table over a server that is mounted in a hyper service. A program of its own, because some cases
//! measure time and nothing may run beside them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use host::Host;
use socketio_tests::apps::{Pace, lab, suite};
use socketio_tests::conformance::CASES;
use socketio_tests::testbed::App;

#[path = "hyper_mount/host.rs"]
mod host;

/// Cases about what belongs to the host here: the header `Connection`.
const CASES_OF_THE_HOST: [&str; 1] = ["traps::t15_a_refusing_gate_is_403_on_http_and_400_on_websocket"];

/// All cases about Socket.IO servers; those of bare Engine.IO need another server.
#[test]
fn the_cases_of_socket_io_servers_pass() {
    let servers = [
        suite::server::<socketio_tokio::Async>(Pace::Patient),
        suite::server::<socketio_tokio::Async>(Pace::Hurried),
        lab::server::<socketio_tokio::Async>(),
    ];
    let [suite, hurried_suite, lab] = [
        Host::start(&servers[0], App::Suite),
        Host::start(&servers[1], App::HurriedSuite),
        Host::start(&servers[2], App::Lab),
    ];
    let (mut passed, mut failed) = (0, Vec::new());
    for case in CASES
        .iter()
        .filter(|case| !CASES_OF_THE_HOST.contains(&case.name))
    {
        let host = match case.app {
            App::Suite => &suite,
            App::HurriedSuite => &hurried_suite,
            App::Lab => &lab,
            App::Engine | App::HurriedEngine => continue,
        };
        match catch_unwind(AssertUnwindSafe(|| (case.run)(&host.target))) {
            Ok(()) => passed += 1,
            Err(_) => failed.push(case.name),
        }
    }
    assert!(
        passed > 100 && failed.is_empty(),
        "{passed} passed, failed: {failed:#?}"
    );
    for (server, host) in servers.iter().zip([suite, hurried_suite, lab]) {
        server.shutdown(Duration::ZERO).expect("it is served");
        host.end();
    }
}
