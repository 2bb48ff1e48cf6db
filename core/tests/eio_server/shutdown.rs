//! The end of the server, and of how many sessions it takes.

use crate::pair::{POLLING, Pair, UPGRADE, WEBSOCKET};
use socketio_core::eio::{CloseReason, Gate, RefusalContext};
use socketio_core::http::{Response, StatusCode};

#[test]
fn shutdown_wakes_polls_and_closes_every_connection() {
    let mut pair = Pair::new();
    let first = pair.open_polling();
    let poll = pair.poll(&first);
    let lingering = pair.open_polling();
    let session = pair.session();
    pair.close(session);
    let websocket = pair.open_websocket();
    let upgrading = pair.open_polling();
    let probe = pair.upgrading(&upgrading);
    let idle = pair.connect();
    let mid_head = pair.connect();
    pair.send(mid_head, "GET /engine.io/?EIO=4");
    pair.closed();

    pair.shutdown();
    assert!(pair.server.is_shut_down());
    let answer = pair.answer(poll).unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, "1"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(pair.close_code(websocket), None);
    assert_eq!(pair.close_code(probe), None);
    assert!(pair.is_closed(idle) && pair.is_closed(mid_head) && pair.is_closed(poll));
    assert_eq!(pair.closed(), [CloseReason::ServerShuttingDown; 3]);
    let _ = lingering;
    pair.assert_empty();
}

#[test]
fn what_was_sent_just_before_a_shutdown_reaches_the_poll_that_waits() {
    let mut pair = Pair::new();
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    pair.queue(session, "a");
    pair.shutdown();
    assert_eq!(pair.answer(poll).unwrap().body, "4a\u{1e}1");
    assert!(pair.is_closed(poll));
    pair.assert_empty();
}

#[test]
fn every_handshake_is_refused_afterwards() {
    let mut pair = Pair::new();
    pair.shutdown();
    for (target, headers) in [(POLLING, ""), (WEBSOCKET, UPGRADE)] {
        let conn = pair.connect();
        pair.request(conn, "GET", target, headers, "");
        assert_eq!(pair.answer(conn).unwrap().status, 503);
        assert!(pair.is_closed(conn));
        assert_eq!(pair.refused()[0].1, RefusalContext::Unavailable);
    }
    let conn = pair.connect();
    pair.request(conn, "GET", "/engine.io/", "", "");
    assert_eq!(pair.answer(conn).unwrap().status, 400);
    assert!(pair.is_closed(conn));
    pair.assert_empty();
}

#[test]
fn a_post_on_its_way_in_is_answered_and_then_its_connection_closes() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let post = pair.connect();
    let head = format!("POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n4");
    pair.send(post, head);
    pair.shutdown();
    pair.send(post, "a");
    assert_eq!(pair.answer(post).unwrap().status, 200);
    assert!(pair.is_closed(post));
    assert_eq!(pair.messages(), []);
    pair.lose_all();
    pair.assert_empty();
}

#[test]
fn a_request_the_application_still_answers_is_the_last_on_its_connection() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.request(conn, "GET", "/page", "", "");
    let request = pair.requests()[0];
    pair.shutdown();
    assert!(!pair.is_closed(conn));
    pair.server
        .respond(pair.now, request, Response::new(StatusCode::OK));
    pair.settle();
    assert_eq!(pair.answer(conn).unwrap().status, 200);
    assert!(pair.is_closed(conn));
    pair.assert_empty();
}

#[test]
fn a_handshake_that_waits_for_the_application_is_refused() {
    let mut pair = Pair::with(|config| config.gate = Gate::Ask);
    let conn = pair.connect();
    pair.request(conn, "GET", POLLING, "", "");
    let request = pair.requests()[0];
    pair.shutdown();
    assert_eq!(pair.answer(conn).unwrap().status, 503);
    assert!(pair.is_closed(conn));
    pair.server.allow(pair.now, request);
    pair.settle();
    pair.assert_empty();
}

#[test]
fn more_sessions_than_allowed_are_refused_with_and_without_a_gate() {
    for gate in [Gate::Open, Gate::Ask] {
        let mut pair = Pair::with(|config| {
            config.limits.sessions = 1;
            config.gate = gate;
        });
        let conns = [pair.connect(), pair.connect()];
        for conn in conns {
            pair.request(conn, "GET", POLLING, "", "");
        }
        for request in pair.requests() {
            pair.server.allow(pair.now, request);
        }
        pair.settle();
        let statuses = conns.map(|conn| pair.answer(conn).unwrap().status);
        assert_eq!(statuses, [200, 503], "{gate:?}");
        assert_eq!(pair.server.session_count(), 1);
    }
}

#[test]
fn more_connections_than_allowed_are_refused_with_their_first_request() {
    let mut pair = Pair::with(|config| config.limits.connections = 1);
    let conns = [pair.connect(), pair.connect()];
    for conn in conns.iter().rev() {
        pair.request(*conn, "GET", POLLING, "", "");
    }
    let statuses = conns.map(|conn| pair.answer(conn).unwrap().status);
    assert_eq!(statuses, [200, 503]);
    assert!(pair.is_closed(conns[1]) && !pair.is_closed(conns[0]));
    assert_eq!(pair.server.session_count(), 1);
}
