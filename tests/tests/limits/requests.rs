//! How large and how slow a request may be.

use std::time::Duration;

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::socketio::join_by_polling;
use socketio_tests::kit::{Polling, Request};
use socketio_tokio::{BodyFailure, CloseReason, HeadError, PayloadError, Reason, RefusalContext as Context};

use crate::support::{LimitedServer, POLLING};

crate::on_every_runtime!(
    heads_beyond_the_limits_are_refused_with_their_status,
    a_slow_head_is_408,
    a_slow_body_is_408_and_ends_the_session,
    a_body_that_is_too_large_is_413_and_the_session_stays,
    too_many_packets_in_a_body_end_the_session,
);

fn heads_beyond_the_limits_are_refused_with_their_status(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| {
        limits.head.head_bytes = 1_000;
        limits.head.target_bytes = 500;
        limits.head.headers = 10;
    });
    let large = Request::get(POLLING).header("X", &"x".repeat(1_000));
    let many = (0..11).fold(Request::get(POLLING), |request, _| request.header("X", "x"));
    let long = Request::get(format!("{POLLING}&x={}", "x".repeat(500)));
    for (request, error, status) in [
        (large.render(), HeadError::HeadTooLarge, 431),
        (many.render(), HeadError::TooManyHeaders, 431),
        (long.render(), HeadError::TargetTooLong, 414),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), HeadError::MissingHost, 400),
        (vec![0x16, 3, 1, 0], HeadError::MalformedRequestLine, 400),
    ] {
        let mut connection = server.connect();
        connection.offer_bytes(&request);
        assert_eq!(connection.response().status, status, "{error:?}");
        connection.expect_end();
        assert_eq!(server.refused(), Context::Head(error));
    }
}

fn a_slow_head_is_408(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.head_timeout = Duration::from_millis(150));
    let (mut slow, mut silent) = (server.connect(), server.connect());
    slow.send_bytes(b"GET / HTTP/1.1\r\n");
    assert_eq!(slow.response().status, 408);
    slow.expect_end();
    silent.expect_end();
    assert_eq!(server.refused(), Context::HeadTimedOut);
    server.assert_no_other_refusal();
}

fn a_slow_body_is_408_and_ends_the_session(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.body_timeout = Duration::from_millis(150));
    let mut session = Polling::open(&server.target);
    join_by_polling(&mut session);
    let mut connection = server.connect();
    connection.send(&Request::post_head(session.url(), 10));
    connection.send_bytes(b"42[");
    assert_eq!(connection.response().status, 408);
    connection.expect_end();
    assert_eq!(server.refused(), Context::BodyTimedOut);
    assert_eq!(server.reason(), Reason::Session(CloseReason::PostTimedOut));
    session.assert_gone();
}

fn a_body_that_is_too_large_is_413_and_the_session_stays(runtime: TestRuntime) {
    let server = LimitedServer::with(runtime, |_| {}, |builder| builder.max_payload(100));
    let mut session = Polling::open(&server.target);
    join_by_polling(&mut session);
    let large = "4".repeat(101);
    let mut connection = server.connect();
    connection.offer_bytes(&Request::post(session.url(), large.clone()).render());
    assert_eq!(connection.response().status, 413);
    assert_eq!(server.refused(), Context::Body(BodyFailure::TooLarge));
    let mut connection = server.connect();
    connection.offer_bytes(&Request::post_chunked(session.url(), &[&large]).render());
    assert_eq!(connection.response().status, 413);
    assert_eq!(server.refused(), Context::Body(BodyFailure::TooLarge));
    assert_eq!(session.post("3").status, 200);
}

fn too_many_packets_in_a_body_end_the_session(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.packets_per_payload = 2);
    let mut session = Polling::open(&server.target);
    join_by_polling(&mut session);
    assert_eq!(session.post("3\u{1e}3\u{1e}3").status, 200);
    let reason = server.reason();
    assert_eq!(
        reason,
        Reason::Session(CloseReason::ParseError(PayloadError::TooManyPackets))
    );
    assert!(
        reason.to_string().contains("Limits::packets_per_payload"),
        "{reason}"
    );
    session.assert_gone();
}
