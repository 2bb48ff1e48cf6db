//! Raw blocking clients on `std::net::TcpStream`. Every read has a deadline, every failure names what was
//! expected: a case that fails does so within [`DEADLINE`], it never hangs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::testbed::Target;

pub mod frame;
pub mod http;
pub mod polling;
pub mod request;
pub mod socketio;
pub mod websocket;

pub use frame::{Frame, LengthForm, RawWebSocket};
pub use http::{Ended, HttpConnection, Response};
pub use polling::Polling;
pub use request::Request;
pub use websocket::{Close, Incoming, WebSocketClient};

/// How long any single answer may take: far more than a loaded machine needs, far less than a test runner allows.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Bounds a wait during which other things arrive: a case must not wait for ever because heartbeats come.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    started: Instant,
}

impl Deadline {
    /// Starts to wait.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// Panics once [`DEADLINE`] has passed since the start.
    #[track_caller]
    pub fn check(self, awaited: &str) {
        assert!(
            self.started.elapsed() < DEADLINE,
            "no {awaited} within the deadline, only other things"
        );
    }
}

/// Waits until `condition` holds, where nothing tells when it does.
///
/// # Panics
///
/// If it does not within [`DEADLINE`]; `what` says what was waited for.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "not within the deadline: {what}");
        sleep(Duration::from_millis(2));
    }
}

/// Waits until what was written on one connection has most certainly been seen by the server, before something is
/// written on another one.
///
/// Nothing on the wire shows that a poll is parked, so the order between two connections can only be made likely: a
/// full exchange on a third connection, then the 20 ms that the official suites allow themselves a quarter of.
pub fn settle(target: &Target) {
    let mut connection = HttpConnection::open(target);
    connection.send(&Request::get(format!(
        "{}?EIO=4&transport=polling&sid=settle",
        target.path()
    )));
    let _ = connection.response();
    sleep(Duration::from_millis(20));
}
