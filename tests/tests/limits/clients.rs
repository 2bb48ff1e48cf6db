//! What our own client reports about the limits of a server.

use socketio_core::eio::client::CloseReason;
use socketio_core::http::StatusCode;
use socketio_core::sio::client::Reason;
use socketio_tests::binding::{Binding, TestRuntime};
use socketio_tests::kit::HttpConnection;
use socketio_tokio::Limits;
use socketio_tokio::client::{Client, ConnectError, ConnectionEvent, TransportOrder};
use tokio::runtime::Runtime;

use crate::support::LimitedServer;

/// Why a client can not connect to a server with these limits while another client is connected.
fn refusal(change: impl FnOnce(&mut Limits), header: &str) -> (StatusCode, String) {
    let server = LimitedServer::start(TestRuntime::MultiThread, change);
    let (_other, _): (HttpConnection, _) = server.handshake();
    let runtime = Runtime::new().expect("a runtime starts");
    runtime.block_on(async {
        let builder = Client::builder(format!("http://{}", server.target.address))
            .transports(TransportOrder::Polling)
            .header("X", header);
        let client = Binding::Tokio.start(builder).expect("it starts");
        let mut events = client.events();
        loop {
            let event = events.next().await.expect("the client still exists");
            if let ConnectionEvent::AttemptFailed { error, .. } = event {
                match error.kind {
                    Reason::Engine(CloseReason::Refused(status)) => break (status, error.to_string()),
                    other => panic!("{other}"),
                }
            }
        }
    })
}

#[test]
fn a_client_reports_which_limit_of_the_server_it_reached() {
    for (result, status, cure) in [
        (refusal(|limits| limits.connections = 1, "x"), 503, "try later"),
        (refusal(|limits| limits.sessions = 1, "x"), 503, "try later"),
        (
            refusal(|limits| limits.connections_per_address = 1, "x"),
            429,
            "this address",
        ),
        (
            refusal(|limits| limits.head.head_bytes = 500, &"x".repeat(1_000)),
            431,
            "shorter headers",
        ),
    ] {
        let (answer, text) = result;
        assert_eq!(answer.as_u16(), status, "{text}");
        assert!(text.contains(cure), "{text}");
    }
}

#[test]
fn a_client_that_can_not_connect_returns_the_reason() {
    let server = LimitedServer::start(TestRuntime::MultiThread, |limits| limits.sessions = 0);
    let runtime = Runtime::new().expect("a runtime starts");
    let builder = Client::builder(format!("http://{}", server.target.address));
    let outcome = runtime.block_on(Binding::Tokio.connect(builder));
    let Err(error @ ConnectError::Failed(_)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(error.to_string().contains("503"), "{error}");
}
