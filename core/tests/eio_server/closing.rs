//! How sessions end on polling: protocol section 1.13, trap T14. And stale handles.

use crate::pair::{Pair, ms};
use socketio_core::eio::{CloseReason, Delivery, Message, SendError};
use socketio_core::http::{Response, StatusCode};

#[test]
fn a_waiting_poll_is_told_at_once() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    pair.close(session);
    assert_eq!(pair.polled(poll), (200, "1".into()));
    assert_eq!(pair.closed(), [CloseReason::ForcedClose]);
    assert_eq!(pair.poll_now(&sid).0, 400);
}

#[test]
fn without_a_poll_the_next_one_is_told() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    pair.close(session);
    pair.close(session);
    assert_eq!(pair.closed(), [CloseReason::ForcedClose]);
    assert_eq!(pair.post(&sid, "4a\x1e2\x1e1\x1e3\x1eabc"), (200, "ok".into()));
    assert_eq!(pair.messages(), []);
    pair.wait(ms(29_999));
    assert_eq!(pair.poll_now(&sid), (200, "6\x1e1".into()));
    assert_eq!(pair.poll_now(&sid).0, 400);
    assert_eq!(pair.closed(), []);
    pair.lose_all();
    pair.assert_empty();
}

#[test]
fn nobody_is_told_after_30_seconds() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    pair.close(session);
    pair.wait(ms(30_000));
    assert_eq!(pair.server.session_count(), 0);
    assert_eq!(pair.poll_now(&sid).0, 400);
}

#[test]
fn what_was_queued_comes_before_the_end() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    pair.emit(session, "a");
    pair.emit(session, "b");
    pair.close(session);
    let late = Message::Text("late".into());
    let sent = pair.server.send(pair.now, session, &late, Delivery::Reliable);
    assert_eq!(sent, Err(SendError::Closed));
    assert_eq!(pair.poll_now(&sid), (200, "4a\x1e4b".into()));
    assert_eq!(pair.poll_now(&sid), (200, "6\x1e1".into()));
    assert_eq!(pair.server.session_count(), 0);
}

#[test]
fn what_a_waiting_poll_is_about_to_bring_comes_before_the_end() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    pair.queue(session, "a");
    pair.close(session);
    assert_eq!(pair.polled(poll), (200, "4a".into()));
    assert_eq!(pair.poll_now(&sid), (200, "6\x1e1".into()));
}

#[test]
fn a_client_that_closes_has_its_poll_released_with_a_noop() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    assert_eq!(pair.post(&sid, "4last\x1e1\x1e4late"), (200, "ok".into()));
    assert_eq!(pair.messages(), [Message::Text("last".into())]);
    assert_eq!(pair.polled(poll).0, 200);
    assert_eq!(pair.closed(), [CloseReason::TransportClose]);
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    pair.post(&sid, "1");
    assert_eq!(pair.polled(poll), (200, "6".into()));
    assert_eq!(pair.poll_now(&sid).0, 400);
}

#[test]
fn a_session_that_lingers_sends_no_pings() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    pair.close(session);
    pair.wait(ms(1_000));
    assert_eq!(pair.poll_now(&sid), (200, "6\x1e1".into()));
}

#[test]
fn a_second_poll_on_a_session_that_lingers_ends_it_silently() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    pair.close(session);
    let poll = pair.poll(&sid);
    assert_eq!(pair.polled(poll), (200, "6\x1e1".into()));
    assert_eq!(pair.closed(), [CloseReason::ForcedClose]);
}

#[test]
fn stale_handles_do_nothing() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    let id = pair.id(poll);
    pair.close(session);
    pair.lose_all();
    // The places are taken again.
    let other = pair.open_websocket();
    let now = pair.now;
    pair.server.close(now, session);
    pair.server.handle_lost(now, id);
    pair.server
        .handle_item(now, id, socketio_core::wire::Item::BodyEnd);
    let sent = pair
        .server
        .send(now, session, &Message::Text("x".into()), Delivery::Reliable);
    assert_eq!(sent, Err(SendError::Closed));
    assert_eq!(pair.server.sid(session), None);
    assert_eq!(pair.server.queued_bytes(session), 0);
    pair.settle();
    assert_eq!(pair.message(other), None);
    assert_eq!(pair.server.session_count(), 1);
}

#[test]
fn an_answer_to_an_earlier_request_does_not_meet_a_later_one() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.request(conn, "GET", "/a", "", "");
    let first = pair.requests()[0];
    pair.server
        .respond(pair.now, first, Response::new(StatusCode::OK));
    pair.settle();
    pair.request(conn, "GET", "/b", "", "");
    let second = pair.requests()[0];
    pair.server
        .respond(pair.now, first, Response::new(StatusCode::FORBIDDEN));
    pair.server.read_body(pair.now, first, 10);
    pair.server.allow(pair.now, second);
    pair.server.forbid(pair.now, second, "x");
    pair.settle();
    assert_eq!(pair.answer(conn).unwrap().status, 200);
    assert_eq!(pair.answer(conn), None);
    pair.server
        .respond(pair.now, second, Response::new(StatusCode::NOT_FOUND));
    pair.settle();
    assert_eq!(pair.answer(conn).unwrap().status, 404);
}
