//! Clients that do not read.

use crate::pair::{App, Pair, frame};
use socketio_core::eio::{CloseReason, Delivery, Message, SendError, SessionId};
use socketio_core::ws::OpCode;

fn fill(pair: &mut Pair, session: SessionId, size: usize) -> (usize, SendError) {
    let message = Message::Text("x".repeat(size).into());
    for count in 0..100_000 {
        if let Err(error) = pair.server.send(pair.now, session, &message, Delivery::Reliable) {
            pair.settle();
            return (count, error);
        }
        pair.settle();
    }
    panic!("the queue has no bound");
}

#[test]
fn a_polling_client_that_never_polls_is_closed_at_the_limit() {
    let mut pair = Pair::with(|config| config.limits.queued_bytes = 10_000);
    let (sid, session) = pair.open_polling_session();
    let (count, error) = fill(&mut pair, session, 997);
    assert_eq!((count, error), (9, SendError::QueueFull));
    assert_eq!(pair.closed(), [CloseReason::SlowConsumer]);
    assert_eq!(pair.poll_now(&sid).0, 400);
}

#[test]
fn a_poll_that_waits_when_the_queue_overflows_is_answered() {
    let mut pair = Pair::with(|config| config.limits.queued_bytes = 10);
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    let message = Message::Text("0123456789".into());
    let now = pair.now;
    assert_eq!(
        pair.server.send(now, session, &message, Delivery::Reliable),
        Ok(())
    );
    let second = pair.server.send(now, session, &message, Delivery::Reliable);
    assert_eq!(second, Err(SendError::QueueFull));
    pair.settle();
    assert_eq!(pair.polled(poll), (200, "1".into()));
    assert_eq!(pair.closed(), [CloseReason::SlowConsumer]);
}

#[test]
fn one_message_larger_than_the_limit_is_still_sent() {
    let mut pair = Pair::with(|config| config.limits.queued_bytes = 10);
    let (sid, session) = pair.open_polling_session();
    pair.emit(session, "0123456789abcdef");
    assert_eq!(pair.poll_now(&sid), (200, "40123456789abcdef".into()));
}

#[test]
fn a_websocket_client_that_does_not_read_is_closed_and_its_queue_let_go() {
    let mut pair = Pair::with(|config| config.limits.queued_bytes = 2_000_000);
    let conn = pair.open_websocket();
    let session = pair.session();
    pair.set_window(conn, 0);
    let (_, error) = fill(&mut pair, session, 10_000);
    assert_eq!(error, SendError::QueueFull);
    assert_eq!(pair.closed(), [CloseReason::SlowConsumer]);
    assert!(pair.unread(conn) < 600_000, "{}", pair.unread(conn));
    // What it has already been promised ends in a close frame.
    pair.set_window(conn, usize::MAX);
    let mut count = 0;
    let last = loop {
        match pair.message(conn) {
            Some(socketio_core::ws::Message::Text(text)) => assert_eq!(text.len(), 10_001),
            other => break other,
        }
        count += 1;
    };
    assert!(count > 0);
    assert!(matches!(last, Some(socketio_core::ws::Message::Close(None, _))));
    pair.assert_empty();
}

#[test]
fn a_client_that_reads_again_in_time_gets_everything() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    let session = pair.session();
    pair.set_window(conn, 100);
    for number in 0..100 {
        pair.emit(session, &format!("{number}{}", "x".repeat(10_000)));
    }
    assert!(pair.server.queued_bytes(session) > 0);
    pair.set_window(conn, 50_000);
    pair.set_window(conn, usize::MAX);
    for number in 0..100 {
        assert!(pair.text(conn).starts_with(&format!("4{number}x")));
    }
    assert_eq!(pair.server.queued_bytes(session), 0);
}

#[test]
fn a_client_that_pings_and_does_not_read_gets_no_more_pongs() {
    let mut pair = Pair::new();
    pair.app = App::Silent;
    let conn = pair.open_websocket();
    pair.set_window(conn, 0);
    let pings = frame(OpCode::Ping, &[0; 125]).repeat(10_000);
    pair.send(conn, pings);
    assert!(pair.unread(conn) < 128 * 1024);
}

#[test]
fn a_client_that_sends_requests_and_does_not_read_is_read_no_further() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.set_window(conn, 0);
    let requests = "GET /engine.io/ HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100);
    for _ in 0..20 {
        pair.send(conn, &requests);
    }
    assert!(pair.is_paused(conn));
    assert!(pair.unread(conn) < 128 * 1024, "{}", pair.unread(conn));
    pair.set_window(conn, usize::MAX);
    assert!(!pair.is_paused(conn));
    for _ in 0..2_000 {
        assert_eq!(pair.answer(conn).unwrap().status, 400);
    }
    pair.send(conn, requests);
    assert_eq!(pair.refused().len(), 2_100);
}

#[test]
fn a_message_that_finds_a_full_queue_reaches_nobody_else() {
    let mut pair = Pair::with(|config| config.limits.queued_bytes = 10);
    let slow = pair.open_polling();
    let slow_session = pair.session();
    let (sid, session) = pair.open_polling_session();
    fill(&mut pair, slow_session, 9);
    pair.emit(session, "a");
    assert_eq!(pair.poll_now(&sid), (200, "4a".into()));
    assert_eq!(pair.poll_now(&slow).0, 400);
}

#[test]
fn shutdown_while_a_client_does_not_read_ends_in_a_close_frame() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    let session = pair.session();
    pair.set_window(conn, 0);
    for _ in 0..100 {
        pair.emit(session, &"x".repeat(10_000));
    }
    assert!(pair.server.queued_bytes(session) > 0);
    pair.shutdown();
    assert!(!pair.is_closed(conn));
    pair.set_window(conn, usize::MAX);
    for _ in 0..100 {
        assert_eq!(pair.text(conn).len(), 10_001);
    }
    assert_eq!(pair.close_code(conn), None);
    pair.assert_empty();
}
