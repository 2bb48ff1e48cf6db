//! One table of conformance cases, run by `tests/conformance_*.rs` over every binding.
//!
//! [`CASES`] is the table, [`conformance_tests!`](crate::conformance_tests) makes one `#[test]` of each entry. The list
//! itself is the macro [`every_case!`](crate::every_case), because tests need names at compile time.
//!
//! # What the lab application offers
//!
//! Path `/socket.io/`, CORS `*`, heartbeat 25 s / 20 s, payload limit 1,000,000 bytes, **upgrade timeout 3 s**,
//! everything else by default. A handshake request (no `sid`) with a header `x-refuse` is refused by the application's
//! request gate (error code 4); requests with a `sid` are never asked. Nothing is emitted on connection.
//!
//! Namespace `/`:
//!
//! | event | effect |
//! | --- | --- |
//! | `message` args | emits `message-back` with the same arguments |
//! | `message-with-ack` args, ack | acknowledges with the same arguments |
//! | `watch`, ack | the socket joins the room `watchers`; acknowledges with nothing |
//! | `join` room, ack / `leave` room, ack | joins or leaves; acknowledges with nothing |
//! | `cast` room, args | emits `cast` with the arguments to everyone in the room, the caller included if there |
//! | `disconnect-me` close | disconnects this namespace's socket (`false`) or the whole client (`true`) |
//! | `volatile-burst` n | emits `tick` 0 ... `tick` n-1, volatile, in one go |
//! | `ask` value | emits `question` value with an ack and a timeout of 300 ms; then emits `answer` with the ack's arguments, or `timed-out` |
//! | `handshake-query` name, ack | acknowledges with that query parameter of the handshake, or `null` |
//!
//! Every socket of `/` and `/custom`, on disconnection: emits `left` [socket id, reason] to the room `watchers` of `/`.
//! Namespace `/custom`: nothing else. Namespace `/deny`: its guard refuses everyone with message `not allowed` and data
//! `{"code":7}`.

use std::sync::{PoisonError, RwLock};

use crate::kit::{HttpConnection, Polling, Request, Response, WebSocketClient, socketio};
use crate::testbed::{self, App, Target};

mod engine;
mod hostile;
mod list;
mod punctuality;
mod socket;
mod traps;

/// One behaviour that every binding must show.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Module and function.
    pub name: &'static str,
    /// The application it talks to.
    pub app: App,
    /// Whether it measures time, so that nothing may run beside it.
    pub serial: bool,
    /// What the published JS server does instead, where this project decided otherwise.
    pub differs_from_js: Option<&'static str>,
    /// The case; panics when the server is wrong.
    pub run: fn(&Target),
}

macro_rules! table {
    ($($module:ident { $($name:ident: $app:ident $(, $trait:ident $($reason:literal)?)*;)* })*) => {
        /// Every case.
        pub const CASES: &[Case] = &[$($(
            table!(@with $(, $trait $($reason)?)*; Case {
                name: concat!(stringify!($module), "::", stringify!($name)),
                app: App::$app,
                serial: false,
                differs_from_js: None,
                run: $module::$name,
            }),
        )*)*];
    };
    (@with ; $case:expr) => { $case };
    (@with , serial $(, $trait:ident $($reason:literal)?)*; $case:expr) => {
        table!(@with $(, $trait $($reason)?)*; Case { serial: true, ..$case })
    };
    (@with , differs_from_js $because:literal $(, $trait:ident $($reason:literal)?)*; $case:expr) => {
        table!(@with $(, $trait $($reason)?)*; Case { differs_from_js: Some($because), ..$case })
    };
}

crate::every_case!(table);

/// Held for writing by cases that measure time, for reading by all others.
static TIMING: RwLock<()> = RwLock::new(());

/// Runs one case against one binding's server. With `ORACLE=js` in the environment the server is the published JS one,
/// and cases that differ from it on purpose are skipped.
///
/// # Panics
///
/// When the case fails or is unknown.
pub fn run(binding: &str, name: &str, program: Option<&str>) {
    let case = CASES
        .iter()
        .find(|case| case.name == name)
        .unwrap_or_else(|| panic!("no case named {name}"));
    let oracle_is_js = std::env::var("ORACLE").is_ok_and(|oracle| oracle == "js");
    if let (true, Some(reason)) = (oracle_is_js, case.differs_from_js) {
        println!("skipped, the JS server differs: {reason}");
        return;
    }
    let target = testbed::start(binding, case.app, program);
    if case.serial {
        let _alone = TIMING.write().unwrap_or_else(PoisonError::into_inner);
        (case.run)(&target);
    } else {
        let _among_others = TIMING.read().unwrap_or_else(PoisonError::into_inner);
        (case.run)(&target);
    }
}

/// Makes one `#[test]` per case, named `engine::...`, `socket::...`, `traps::...`, `hostile::...`.
///
/// To be called in an integration test, where Cargo names the testbed binary if the package has one.
#[macro_export]
macro_rules! conformance_tests {
    ($binding:literal) => {
        const BINDING: &str = $binding;
        $crate::every_case!($crate::conformance_test_functions);
    };
}

/// The expansion behind [`conformance_tests!`](crate::conformance_tests).
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test_functions {
    ($($module:ident { $($name:ident: $app:ident $(, $trait:ident $($reason:literal)?)*;)* })*) => {$(
        mod $module {$(
            #[test]
            fn $name() {
                let name = concat!(stringify!($module), "::", stringify!($name));
                $crate::conformance::run(super::BINDING, name, option_env!("CARGO_BIN_EXE_testbed"));
            }
        )*}
    )*};
}

/// The texts of protocol section 1.5 by code.
const ERROR_MESSAGES: [&str; 6] = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
];

/// Asserts an Engine.IO error over plain HTTP: status, body, type and CORS headers (protocol section 1.5).
#[track_caller]
fn assert_error(response: &Response, code: usize) {
    let status = if code == 4 { 403 } else { 400 };
    response.assert_is(
        status,
        &format!(r#"{{"code":{code},"message":"{}"}}"#, ERROR_MESSAGES[code]),
    );
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    assert_eq!(response.header("cache-control"), None);
}

/// Sends one request on a connection of its own.
#[track_caller]
fn exchange(target: &Target, method: &str, query: &str) -> Response {
    HttpConnection::exchange(target, &Request::new(method, format!("{}{query}", target.path())))
}

/// Asserts that an honest client is served, whatever was done to the server before.
#[track_caller]
fn assert_still_serves(target: &Target) {
    if target.app.is_engine() {
        let (mut socket, _) = WebSocketClient::open_session(target);
        socket.send("4hello");
        socket.expect_text("4hello");
        let mut session = Polling::open(target);
        session.deliver("4hello");
        assert_eq!(session.poll(), ["4hello"]);
    } else {
        let (mut socket, _) = socketio::join_main(target);
        assert_echoes(&mut socket);
    }
}

/// Asserts that a socket joined to `/` of the suite or the lab gets its messages back.
#[track_caller]
fn assert_echoes(socket: &mut WebSocketClient) {
    socket.send(r#"42["message","still here"]"#);
    socket.expect_text(r#"42["message-back","still here"]"#);
}
