//! Requests that are not for Engine.IO: the application answers them.

use crate::pair::{Conn, POLLING, Pair, ms};
use socketio_core::eio::{ClientBundle, Event, RequestId};
use socketio_core::http::{Response, StatusCode};
use socketio_core::wire::BodyFailure;

fn bodies(pair: &mut Pair) -> Vec<Result<Vec<u8>, BodyFailure>> {
    let taken = pair
        .events
        .iter()
        .filter_map(|event| match event {
            Event::RequestBody { body, .. } => Some(body.clone().map(|body| body.to_vec())),
            _ => None,
        })
        .collect();
    pair.events
        .retain(|event| !matches!(event, Event::RequestBody { .. }));
    taken
}

fn read_body(pair: &mut Pair, request: RequestId, limit: usize) {
    pair.server.read_body(pair.now, request, limit);
    pair.settle();
}

/// Two of the five bytes of a POST, whose body the application reads.
fn post_in_part(pair: &mut Pair) -> (Conn, RequestId) {
    let conn = pair.connect();
    pair.send(
        conn,
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe",
    );
    let request = pair.requests()[0];
    read_body(pair, request, 5);
    (conn, request)
}

fn respond(pair: &mut Pair, request: RequestId, body: &'static str) {
    let response = Response::new(StatusCode::OK).with_body("text/plain", body);
    pair.server.respond(pair.now, request, response);
    pair.settle();
}

#[test]
fn a_request_for_another_path_is_the_applications() {
    let mut pair = Pair::new();
    for target in ["/", "/engine.io?EIO=4&transport=polling", "/other/?transport=abc"] {
        let conn = pair.connect();
        pair.request(conn, "GET", target, "", "");
        let request = pair.requests()[0];
        assert_eq!(request.connection(), pair.id(conn));
        assert!(pair.server.request_peer(request).is_some());
        respond(&mut pair, request, "page");
        assert_eq!(pair.answer(conn).unwrap().body, "page");
        pair.request(conn, "GET", POLLING, "", "");
        assert!(pair.answer(conn).unwrap().body.starts_with("0{"));
    }
}

#[test]
fn a_body_is_read_when_asked_for_and_the_connection_stays() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.request(conn, "POST", "/form", "", "hello");
    let request = pair.requests()[0];
    read_body(&mut pair, request, 5);
    assert_eq!(bodies(&mut pair), [Ok(b"hello".to_vec())]);
    respond(&mut pair, request, "thanks");
    let answer = pair.answer(conn).unwrap();
    assert_eq!(answer.header("connection"), None);
    assert!(!pair.is_closed(conn));
}

#[test]
fn a_body_asked_for_twice_is_read_once() {
    let mut pair = Pair::new();
    let (conn, request) = post_in_part(&mut pair);
    read_body(&mut pair, request, 5);
    pair.send(conn, "llo");
    assert_eq!(bodies(&mut pair), [Ok(b"hello".to_vec())]);
    read_body(&mut pair, request, 5);
    respond(&mut pair, request, "thanks");
    assert_eq!(pair.answer(conn).unwrap().body, "thanks");
    pair.request(conn, "GET", POLLING, "", "");
    assert!(pair.answer(conn).unwrap().body.starts_with("0{"));
}

#[test]
fn a_body_beyond_the_limit_is_a_failure_and_still_wants_an_answer() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.request(conn, "POST", "/form", "", "hello!");
    let request = pair.requests()[0];
    read_body(&mut pair, request, 5);
    assert_eq!(bodies(&mut pair), [Err(BodyFailure::TooLarge)]);
    respond(&mut pair, request, "no");
    let answer = pair.answer(conn).unwrap();
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(pair.is_closed(conn));
}

#[test]
fn a_body_that_takes_too_long_or_is_cut_off_is_reported() {
    let mut pair = Pair::new();
    for is_lost in [false, true] {
        let (conn, request) = post_in_part(&mut pair);
        if is_lost {
            pair.lose(conn);
        } else {
            pair.wait(ms(60_000));
            assert_eq!(pair.answer(conn).unwrap().status, 408);
            assert!(pair.is_closed(conn));
        }
        assert_eq!(bodies(&mut pair), [Err(BodyFailure::Incomplete)]);
        respond(&mut pair, request, "late");
        assert_eq!(pair.answer(conn), None);
    }
    pair.assert_empty();
}

#[test]
fn an_answer_before_the_body_ends_the_connection() {
    let mut pair = Pair::new();
    let (conn, request) = post_in_part(&mut pair);
    respond(&mut pair, request, "enough");
    assert_eq!(pair.answer(conn).unwrap().body, "enough");
    assert!(pair.is_closed(conn));
    assert_eq!(bodies(&mut pair), []);
}

#[test]
fn a_request_whose_connection_is_lost_needs_no_answer() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.request(conn, "GET", "/", "", "");
    let request = pair.requests()[0];
    pair.lose(conn);
    respond(&mut pair, request, "late");
    assert_eq!(pair.server.request_peer(request), None);
    assert_eq!(bodies(&mut pair), []);
    pair.assert_empty();
}

#[test]
fn head_of_a_page_announces_a_length_and_sends_nothing() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.request(conn, "HEAD", "/", "", "");
    let request = pair.requests()[0];
    respond(&mut pair, request, "page");
    let answer = pair.answer_to(conn, "HEAD").unwrap();
    assert_eq!(answer.header("content-length"), Some("4"));
    assert!(pair.raw(conn).is_empty());
}

#[test]
fn the_names_of_the_client_bundle_are_the_hosts_if_it_has_one() {
    let names = [
        "socket.io.js",
        "socket.io.min.js",
        "socket.io.esm.min.js",
        "socket.io.msgpack.min.js",
    ];
    let mut pair = Pair::with(|config| config.client_bundle = ClientBundle::Present);
    for name in names {
        for suffix in ["", ".map", "?v=1"] {
            let conn = pair.connect();
            pair.request(conn, "GET", &format!("/engine.io/{name}{suffix}"), "", "");
            assert_eq!(pair.requests().len(), 1, "{name}{suffix}");
            pair.request(conn, "POST", &format!("/engine.io/{name}{suffix}"), "", "");
            assert_eq!(pair.requests().len(), 0);
        }
    }
    assert_eq!(pair.send_alone("GET", "/engine.io/other.js", "", "").status, 400);
    let mut pair = Pair::new();
    assert_eq!(
        pair.send_alone("GET", "/engine.io/socket.io.js", "", "").status,
        400
    );
}
