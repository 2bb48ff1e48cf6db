//! Long-polling: protocol sections 1.2, 1.5 and 1.6, traps T10 and T16.

use crate::pair::{App, POLLING, Pair};
use bytes::Bytes;
use socketio_core::eio::payload::PayloadError;
use socketio_core::eio::{CloseReason, Message};

fn target(sid: &str) -> String {
    format!("{POLLING}&sid={sid}")
}

#[test]
fn a_post_is_answered_ok_and_a_poll_brings_the_echo() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let post = pair.send_alone(
        "POST",
        &target(&sid),
        "Content-Type: text/plain;charset=UTF-8\r\n",
        "4hello",
    );
    assert_eq!((post.status, &post.body[..]), (200, "ok"));
    assert_eq!(post.header("content-type"), Some("text/html"));
    assert_eq!(post.header("cache-control"), Some("no-store"));
    let poll = pair.send_alone("GET", &target(&sid), "", "");
    assert_eq!((poll.status, &poll.body[..]), (200, "4hello"));
    assert_eq!(poll.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(poll.header("content-length"), Some("6"));
    assert_eq!(poll.header("cache-control"), Some("no-store"));
}

#[test]
fn all_that_is_queued_goes_in_one_answer() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    assert_eq!(pair.post(&sid, "4test1\x1e4test2\x1e4test3").0, 200);
    assert_eq!(pair.poll_now(&sid), (200, "4test1\x1e4test2\x1e4test3".into()));
}

#[test]
fn a_batch_for_a_waiting_poll_has_its_separators() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    for message in [
        Message::Text("a".into()),
        Message::Binary(Bytes::from_static(&[1, 2, 3, 4])),
    ] {
        pair.server
            .send(
                pair.now,
                session,
                &message,
                socketio_core::eio::Delivery::Reliable,
            )
            .unwrap();
    }
    pair.settle();
    assert_eq!(pair.polled(poll), (200, "4a\x1ebAQIDBA==".into()));
}

#[test]
fn binary_is_base64_both_ways_and_may_be_empty() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    pair.post(&sid, "4hello\x1ebAQIDBA==\x1eb\x1eb!!AQ\x1e4");
    let binary = |data: &'static [u8]| Message::Binary(Bytes::from_static(data));
    assert_eq!(
        pair.messages(),
        [
            Message::Text("hello".into()),
            binary(&[1, 2, 3, 4]),
            binary(&[]),
            binary(&[1]),
            Message::Text("".into())
        ]
    );
    assert_eq!(
        pair.poll_now(&sid),
        (200, "4hello\x1ebAQIDBA==\x1eb\x1ebAQ==\x1e4".into())
    );
}

#[test]
fn large_messages_of_both_kinds_survive_a_poll() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let text = format!("4{}", "x".repeat(70_000));
    let body = format!("{text}\x1eb{}", "QUJD".repeat(1_000));
    pair.post(&sid, &body);
    assert_eq!(pair.poll_now(&sid), (200, body));
}

#[test]
fn a_second_poll_ends_the_session() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let first = pair.poll(&sid);
    let second = pair.poll(&sid);
    assert_eq!(pair.polled(first), (200, "1".into()));
    assert_eq!(pair.polled(second), (400, String::new()));
    assert_eq!(pair.closed(), [CloseReason::OverlappingPoll]);
    assert_eq!(pair.poll_now(&sid).0, 400);
}

#[test]
fn a_second_post_ends_the_session_and_cuts_the_first() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    let first = pair.connect();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n4he",
        target(&sid)
    );
    pair.send(first, head);
    assert_eq!(pair.post(&sid, "4b"), (400, String::new()));
    assert!(pair.is_closed(first));
    assert!(pair.raw(first).is_empty());
    assert_eq!(pair.polled(poll), (200, "1".into()));
    assert_eq!(pair.closed(), [CloseReason::OverlappingPost]);
    pair.send(first, "llo wo");
    assert_eq!(pair.messages(), []);
}

#[test]
fn octets_end_the_session_but_only_exactly_that_type() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let like = pair.send_alone(
        "POST",
        &target(&sid),
        "Content-Type: application/octet-stream; x=1\r\n",
        "4a",
    );
    assert_eq!(like.status, 200);
    let answer = pair.send_alone(
        "POST",
        &target(&sid),
        "Content-Type: application/octet-stream\r\n",
        "4a",
    );
    assert_eq!((answer.status, &answer.body[..]), (400, ""));
    assert_eq!(pair.closed(), [CloseReason::InvalidContent]);
}

#[test]
fn a_body_too_large_is_413_and_the_session_lives() {
    let mut pair = Pair::with(|config| config.max_payload = 10);
    let sid = pair.open_polling();
    assert_eq!(pair.post(&sid, "4123456789"), (200, "ok".into()));
    assert_eq!(pair.post(&sid, "41234567890"), (413, String::new()));
    let conn = pair.connect();
    let chunked = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n412345\r\n6\r\n678901\r\n0\r\n\r\n",
        target(&sid)
    );
    pair.send(conn, chunked);
    let answer = pair.answer(conn).unwrap();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(pair.is_closed(conn));
    assert_eq!(pair.closed(), []);
    assert_eq!(pair.poll_now(&sid), (200, "4123456789".into()));
    assert_eq!(pair.post(&sid, "4a").0, 200);
}

#[test]
fn a_poll_that_is_given_up_ends_the_session_at_once() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    pair.lose(poll);
    assert_eq!(pair.closed(), [CloseReason::PollLost]);
    assert_eq!(pair.poll_now(&sid).0, 400);
}

#[test]
fn a_post_that_is_given_up_ends_the_session_at_once() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    let post = pair.connect();
    pair.send(
        post,
        format!(
            "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n4he",
            target(&sid)
        ),
    );
    pair.lose(post);
    assert_eq!(pair.closed(), [CloseReason::PostLost]);
    assert_eq!(pair.polled(poll), (200, "1".into()));
}

#[test]
fn a_connection_lost_between_requests_costs_no_session() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.request(conn, "GET", POLLING, "", "");
    pair.lose(conn);
    assert_eq!(pair.closed(), []);
    assert_eq!(pair.server.session_count(), 1);
}

#[test]
fn a_packet_that_is_none_ends_the_session_and_what_came_before_counts() {
    for (body, error) in [
        ("4a\x1eabc\x1e4b", PayloadError::UnknownType),
        ("4a\x1e", PayloadError::EmptyPacket),
        ("4a\x1e\x1e4b", PayloadError::EmptyPacket),
    ] {
        let mut pair = Pair::new();
        pair.app = App::Silent;
        let sid = pair.open_polling();
        let poll = pair.poll(&sid);
        assert_eq!(pair.post(&sid, body), (200, "ok".into()));
        assert_eq!(pair.messages(), [Message::Text("a".into())]);
        assert_eq!(pair.closed(), [CloseReason::ParseError(error)]);
        assert_eq!(pair.polled(poll), (200, "1".into()));
        assert_eq!(pair.poll_now(&sid).0, 400);
    }
}

#[test]
fn an_empty_post_ends_the_session() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    assert_eq!(pair.post(&sid, ""), (200, "ok".into()));
    assert_eq!(
        pair.closed(),
        [CloseReason::ParseError(PayloadError::EmptyPacket)]
    );
}

#[test]
fn more_packets_than_allowed_end_the_session() {
    let mut pair = Pair::with(|config| config.limits.packets_per_payload = 2);
    let sid = pair.open_polling();
    assert_eq!(pair.post(&sid, "4a\x1e4b").0, 200);
    pair.post(&sid, "4a\x1e4b\x1e4c");
    assert_eq!(pair.messages().len(), 4);
    assert_eq!(
        pair.closed(),
        [CloseReason::ParseError(PayloadError::TooManyPackets)]
    );
}

#[test]
fn a_ping_from_the_client_ends_the_session() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    assert_eq!(pair.post(&sid, "2\x1e4late"), (200, "ok".into()));
    assert_eq!(pair.closed(), [CloseReason::InvalidHeartbeat]);
    assert_eq!(pair.messages(), []);
    assert_eq!(pair.polled(poll), (200, "1".into()));
}

#[test]
fn packets_that_mean_nothing_here_are_ignored() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    assert_eq!(pair.post(&sid, "0{}\x1e3\x1e5\x1e6\x1e4a"), (200, "ok".into()));
    assert_eq!(pair.closed(), []);
    assert_eq!(pair.poll_now(&sid), (200, "4a".into()));
}

#[test]
fn other_methods_on_a_session_are_500_and_change_nothing() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    for method in ["PUT", "DELETE", "OPTIONS", "PATCH"] {
        let answer = pair.send_alone(method, &target(&sid), "", "");
        assert_eq!((answer.status, &answer.body[..]), (500, ""), "{method}");
    }
    let conn = pair.connect();
    pair.request(conn, "HEAD", &target(&sid), "", "");
    assert_eq!(pair.answer_to(conn, "HEAD").unwrap().status, 500);
    assert_eq!(pair.closed(), []);
    assert_eq!(pair.post(&sid, "4a").0, 200);
}

#[test]
fn a_poll_waits_until_something_is_emitted() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    assert_eq!(pair.answer(poll), None);
    pair.emit(session, "now");
    assert_eq!(pair.polled(poll), (200, "4now".into()));
    // The connection serves the next poll too.
    pair.request(poll, "GET", &target(&sid), "", "");
    assert_eq!(pair.answer(poll), None);
    pair.emit(session, "again");
    assert_eq!(pair.polled(poll), (200, "4again".into()));
}

#[test]
fn what_is_volatile_leaves_only_on_a_waiting_poll() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    assert!(!pair.emit_volatile(session, "lost"));
    let poll = pair.poll(&sid);
    let message = |text: &str| Message::Text(text.into());
    let volatile = socketio_core::eio::Delivery::Volatile;
    assert_eq!(
        pair.server.send(pair.now, session, &message("a"), volatile),
        Ok(())
    );
    // The first took the poll.
    assert!(
        pair.server
            .send(pair.now, session, &message("b"), volatile)
            .is_err()
    );
    pair.settle();
    assert_eq!(pair.polled(poll), (200, "4a".into()));
    assert!(!pair.emit_volatile(session, "lost"));
}
