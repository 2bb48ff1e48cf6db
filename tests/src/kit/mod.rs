//! Raw blocking clients on `std::net::TcpStream`. Every read has a deadline, every failure names what was
//! expected: a case that fails says so within [`DEADLINE`], it never hangs.

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

/// How long any single answer may take. Far above what a loaded machine needs, far below a test runner's patience.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Bounds a wait during which other things arrive: heartbeats must not keep a hopeless case alive.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    started: Instant,
}

impl Patience {
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

/// Waits until what was written on one connection has most certainly been seen by the server, before something is
/// written on another one.
///
/// Nothing on the wire tells that a poll is parked, so the order between two connections can only be made likely: a
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
