//! HTTP around the protocol: timeouts, persistence, bodies.

use crate::pair::{POLLING, Pair, ms};
use socketio_core::eio::CloseReason;
use socketio_core::wire::Item;

fn undisturbed() -> Pair {
    Pair::with(|config| config.ping_interval = ms(600_000))
}

#[test]
fn a_head_that_takes_too_long_is_408() {
    let mut pair = undisturbed();
    let conn = pair.connect();
    pair.wait(ms(10_000));
    pair.send(conn, "GET / HT");
    pair.wait(ms(19_999));
    assert!(!pair.is_closed(conn));
    pair.wait(ms(1));
    let answer = pair.answer(conn).unwrap();
    assert_eq!(answer.status, 408);
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(pair.is_closed(conn));
    pair.assert_empty();
}

#[test]
fn a_connection_that_says_nothing_is_closed_silently() {
    let mut pair = undisturbed();
    let conn = pair.connect();
    pair.wait(ms(30_000));
    assert!(pair.is_closed(conn));
    assert!(pair.raw(conn).is_empty());
}

#[test]
fn a_connection_that_rests_too_long_is_closed_silently() {
    let mut pair = undisturbed();
    let conn = pair.connect();
    pair.request(conn, "GET", POLLING, "", "");
    pair.answer(conn).unwrap();
    pair.wait(ms(59_999));
    assert!(!pair.is_closed(conn));
    pair.wait(ms(1));
    assert!(pair.is_closed(conn));
    assert!(pair.raw(conn).is_empty());
    assert_eq!(pair.closed(), []);
}

#[test]
fn a_body_that_takes_too_long_is_408_and_the_end_of_the_session() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = pair.connect();
    let head = format!("POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n4he");
    pair.send(conn, head);
    pair.wait(ms(60_000));
    assert_eq!(pair.answer(conn).unwrap().status, 408);
    assert!(pair.is_closed(conn));
    assert_eq!(pair.closed(), [CloseReason::PostTimedOut]);
}

#[test]
fn a_body_that_came_in_time_may_be_worked_off_slowly() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = pair.connect();
    let head = format!("POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n");
    pair.send(conn, head);
    // The first packet is handed over, the others wait for the application.
    let (now, id) = (pair.now, pair.id(conn));
    pair.server.handle_item(now, id, Item::Pong);
    pair.wait(ms(60_000));
    pair.send(conn, "4a\x1e4b\x1e4c");
    assert_eq!(pair.answer(conn).unwrap().status, 200);
    assert_eq!(pair.messages().len(), 3);
    assert_eq!(pair.closed(), []);
}

#[test]
fn a_waiting_poll_has_no_deadline_of_its_own() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    pair.wait(ms(500_000));
    assert_eq!(pair.answer(poll), None);
    assert!(!pair.is_closed(poll));
}

#[test]
fn requests_in_one_piece_are_answered_in_order() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = pair.connect();
    let target = format!("{POLLING}&sid={sid}");
    let post = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n4a");
    let poll = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    pair.send(conn, format!("{post}{poll}{poll}{post}"));
    let bodies: Vec<String> = (0..2).map(|_| pair.answer(conn).unwrap().body).collect();
    assert_eq!(bodies, ["ok", "4a"]);
    // The second poll waits, and so does what stands behind it.
    assert_eq!(pair.answer(conn), None);
    let session = pair.session();
    pair.emit(session, "b");
    let bodies: Vec<String> = (0..2).map(|_| pair.answer(conn).unwrap().body).collect();
    assert_eq!(bodies, ["4b", "ok"]);
}

#[test]
fn a_client_that_asks_first_is_told_to_continue() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = pair.connect();
    let head = format!(
        "POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    );
    pair.send(conn, &head);
    assert_eq!(pair.raw(conn), "HTTP/1.1 100 Continue\r\n\r\n");
    pair.send(conn, "4a");
    assert_eq!(pair.answer(conn).unwrap().status, 200);
    // Not when the answer is no anyway.
    let large = head.replace("Content-Length: 2", "Content-Length: 9999999");
    pair.send(conn, large);
    assert_eq!(pair.answer(conn).unwrap().status, 413);
}

#[test]
fn a_chunked_body_is_read_to_its_end_and_the_connection_stays() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = pair.connect();
    let head = format!("POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..2 {
        pair.send(
            conn,
            format!("{head}3;x=y\r\n4he\r\n3\r\nllo\r\n0\r\nT: x\r\n\r\n"),
        );
        assert_eq!(pair.answer(conn).unwrap().body, "ok");
    }
    assert_eq!(pair.poll_now(&sid), (200, "4hello\x1e4hello".into()));
}

#[test]
fn a_broken_chunked_body_is_400_and_the_end_of_the_session() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = pair.connect();
    let head = format!("POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    pair.send(conn, format!("{head}zz\r\n"));
    assert_eq!(pair.answer(conn).unwrap().status, 400);
    assert!(pair.is_closed(conn));
    assert_eq!(pair.closed(), [CloseReason::PostLost]);
}

#[test]
fn http_1_0_and_connection_close_end_after_the_answer() {
    let mut pair = undisturbed();
    for request in [
        format!("GET {POLLING} HTTP/1.0\r\n\r\n"),
        format!("GET {POLLING} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ] {
        let conn = pair.connect();
        pair.send(conn, request);
        let answer = pair.answer(conn).unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(pair.is_closed(conn));
    }
    let conn = pair.connect();
    pair.send(
        conn,
        format!("GET {POLLING} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    );
    assert_eq!(
        pair.answer(conn).unwrap().header("connection"),
        Some("keep-alive")
    );
    assert!(!pair.is_closed(conn));
}

#[test]
fn an_answer_to_head_has_no_body() {
    let mut pair = undisturbed();
    let conn = pair.connect();
    pair.request(conn, "HEAD", POLLING, "", "");
    let answer = pair.answer_to(conn, "HEAD").unwrap();
    assert_eq!(answer.status, 400);
    assert!(pair.raw(conn).is_empty());
}

#[test]
fn what_is_no_http_is_refused_and_closed() {
    let mut pair = undisturbed();
    for (bytes, status) in [
        ("\x16\x03\x01", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
    ] {
        let conn = pair.connect();
        pair.send(conn, bytes);
        assert_eq!(pair.answer(conn).unwrap().status, status, "{bytes:?}");
        assert!(pair.is_closed(conn));
    }
    pair.assert_empty();
}

#[test]
fn a_body_nobody_reads_is_not_taken_for_the_next_request() {
    let mut pair = undisturbed();
    let conn = pair.connect();
    let hidden = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n";
    pair.request(conn, "POST", "/engine.io/?EIO=4&transport=polling", "", hidden);
    let answer = pair.answer(conn).unwrap();
    assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    assert!(pair.is_closed(conn));
    assert_eq!(pair.answer(conn), None);
    assert_eq!(pair.server.session_count(), 0);
}

#[test]
fn deadlines_may_be_further_away_than_any_clock_reaches() {
    let mut pair = Pair::with(|config| {
        config.ping_interval = std::time::Duration::MAX;
        config.limits.keep_alive_timeout = std::time::Duration::MAX;
    });
    let sid = pair.open_polling();
    pair.wait(ms(1_000_000));
    assert_eq!(pair.post(&sid, "4a").0, 200);
}
