//! What a client may send, and how slowly it may read.

use std::time::{Duration, Instant};

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::socketio::join_main;
use socketio_tests::kit::{Close, DEADLINE, WebSocketClient};
use socketio_tokio::{CloseReason, Error, PacketError, Reason, RefusalContext as Context, Violation};

use crate::support::LimitedServer;

crate::on_every_runtime!(packets_beyond_the_limits_end_the_session);

fn packets_beyond_the_limits_end_the_session(runtime: TestRuntime) {
    let server = LimitedServer::with(
        runtime,
        |limits| {
            limits.attachments = 2;
            limits.json_depth = 10;
        },
        |builder| builder.max_payload(1_000),
    );
    let deep = format!("42[\"a\",{}{}]", "[".repeat(20), "]".repeat(20));
    let packet = |error| Reason::ForcedClose(Violation::Packet(error));
    for (text, reason, close) in [
        ("453-[\"a\"]", packet(PacketError::TooManyAttachments), None),
        (&deep, packet(PacketError::TooDeep), None),
        ("42/chat,[\"a\"]", Reason::ForcedClose(Violation::NotJoined), None),
        ("40", Reason::ForcedClose(Violation::AlreadyJoined), None),
        (
            &"4".repeat(1_001),
            Reason::Session(CloseReason::MessageTooLarge),
            Some(1009),
        ),
    ] {
        let (mut client, _) = join_main(&server.target);
        client.offer(text);
        assert_eq!(client.closed(), Close::Frame(close), "{reason}");
        assert_eq!(server.reason(), reason);
    }
    server.assert_no_other_refusal();
}

#[test]
fn a_violation_before_anything_was_joined_is_reported_as_a_refusal() {
    let server = LimitedServer::start(TestRuntime::MultiThread, |_| {});
    let (mut client, _) = WebSocketClient::open_session(&server.target);
    client.send("42[\"early\"]");
    assert_eq!(client.closed(), Close::Frame(None));
    assert_eq!(server.refused(), Context::Violation(Violation::NotJoined));
}

#[test]
fn a_client_that_joins_nothing_is_closed_and_reported() {
    let server = LimitedServer::with(
        TestRuntime::MultiThread,
        |_| {},
        |builder| builder.connect_timeout(Duration::from_millis(150)),
    );
    let (mut client, _) = WebSocketClient::open_session(&server.target);
    assert_eq!(client.closed(), Close::Frame(None));
    assert_eq!(server.refused(), Context::NothingJoined);
}

#[test]
fn a_client_that_does_not_read_is_closed_with_the_reason() {
    let server = LimitedServer::start(TestRuntime::MultiThread, |limits| limits.queued_bytes = 100_000);
    let (client, _) = join_main(&server.target);
    let text = "x".repeat(50_000);
    let started = Instant::now();
    let error = loop {
        if let Some(socket) = server.handle.sockets().expect("it is served").pop()
            && let Err(error) = socket.emit("flood", &text)
        {
            break error;
        }
        assert!(started.elapsed() < DEADLINE, "the queue has no bound");
    };
    assert!(error.to_string().contains("Limits::queued_bytes"), "{error}");
    assert_eq!(error, Error::QueueFull);
    let reason = server.reason();
    assert_eq!(reason, Reason::Session(CloseReason::SlowConsumer));
    assert!(reason.to_string().contains("Limits::queued_bytes"), "{reason}");
    drop(client);
}
