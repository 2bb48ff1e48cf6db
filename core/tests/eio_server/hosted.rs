//! Requests whose HTTP a host parsed: the same server, another front.

use crate::pair::{Conn, POLLING, Pair, UPGRADE, WEBSOCKET, sid_of};
use bytes::Bytes;
use socketio_core::eio::{CloseReason, Message};
use socketio_core::http::{RequestHead, Response};
use socketio_core::wire::{BodyFailure, Plain, Reply, Wire};

fn hosted_request(pair: &mut Pair, method: &str, target: &str, headers: &str) -> Conn {
    let headers: Vec<(&str, &[u8])> = headers
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    let head = RequestHead::from_parts(method, target, headers).unwrap();
    let wire = Wire::hosted(pair.server.config().wire(), Plain, head);
    let conn = pair.add(wire);
    pair.settle();
    conn
}

fn response(pair: &mut Pair, conn: Conn) -> Option<Response> {
    match pair.wire(conn).poll_reply() {
        Some(Reply::Response(response)) => Some(response),
        Some(Reply::Upgrade(_)) => panic!("an upgrade"),
        None => None,
    }
}

fn body(pair: &mut Pair, conn: Conn) -> (u16, String) {
    let response = response(pair, conn).expect("an answer");
    let body = match response.body() {
        socketio_core::http::Body::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        _ => String::new(),
    };
    (response.status().as_u16(), body)
}

fn open(pair: &mut Pair) -> String {
    let conn = hosted_request(pair, "GET", POLLING, "");
    sid_of(&body(pair, conn).1)
}

fn give_body(pair: &mut Pair, conn: Conn, given: Result<Bytes, BodyFailure>) {
    assert!(pair.wire(conn).wants_body().is_some());
    let item = pair.wire(conn).handle_body(given);
    let (now, id) = (pair.now, pair.id(conn));
    if let Some(item) = item {
        pair.server.handle_item(now, id, item);
    }
    pair.settle();
}

#[test]
fn polls_and_posts_pass_through_a_host() {
    let mut pair = Pair::new();
    let sid = open(&mut pair);
    let target = format!("{POLLING}&sid={sid}");
    let poll = hosted_request(&mut pair, "GET", &target, "");
    assert!(response(&mut pair, poll).is_none());
    // Over HTTP/2 a body need not announce its length.
    for headers in ["", "content-length: 6\n", "content-length: 0\n"] {
        let post = hosted_request(&mut pair, "POST", &target, headers);
        assert_eq!(pair.wire(post).wants_body(), Some(1_000_000));
        give_body(&mut pair, post, Ok(Bytes::from_static(b"4hello")));
        assert_eq!(body(&mut pair, post), (200, "ok".into()));
        assert_eq!(pair.messages(), [Message::Text("hello".into())]);
    }
    assert_eq!(body(&mut pair, poll), (200, "4hello".into()));
    assert_eq!(pair.closed(), []);
}

#[test]
fn a_body_the_host_could_not_get_has_its_status() {
    let mut pair = Pair::new();
    let sid = open(&mut pair);
    let target = format!("{POLLING}&sid={sid}");
    let post = hosted_request(&mut pair, "POST", &target, "");
    give_body(&mut pair, post, Ok(Bytes::from(vec![b'4'; 1_000_001])));
    assert_eq!(body(&mut pair, post).0, 413);
    assert_eq!(pair.closed(), []);
    let post = hosted_request(&mut pair, "POST", &target, "");
    give_body(&mut pair, post, Err(BodyFailure::TooLarge));
    assert_eq!(body(&mut pair, post).0, 413);
    assert_eq!(pair.closed(), []);
    let post = hosted_request(&mut pair, "POST", &target, "");
    give_body(&mut pair, post, Err(BodyFailure::Incomplete));
    assert_eq!(body(&mut pair, post).0, 408);
    assert_eq!(pair.closed(), [CloseReason::PostLost]);
}

#[test]
fn a_host_that_drops_a_poll_ends_the_session() {
    let mut pair = Pair::new();
    let sid = open(&mut pair);
    let poll = hosted_request(&mut pair, "GET", &format!("{POLLING}&sid={sid}"), "");
    pair.lose(poll);
    assert_eq!(pair.closed(), [CloseReason::PollLost]);
    pair.lose_all();
    pair.assert_empty();
}

#[test]
fn after_an_upgrade_the_same_wire_takes_and_gives_frames() {
    let mut pair = Pair::new();
    let sid = open(&mut pair);
    let headers = UPGRADE.replace("\r\n", "\n");
    let conn = hosted_request(&mut pair, "GET", &format!("{WEBSOCKET}&sid={sid}"), &headers);
    let Some(Reply::Upgrade(response)) = pair.wire(conn).poll_reply() else {
        panic!("no upgrade");
    };
    assert_eq!(
        response.headers().get("sec-websocket-accept"),
        Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..])
    );
    pair.send_text(conn, "2probe");
    assert_eq!(pair.text(conn), "3probe");
    pair.send_text(conn, "5");
    pair.send_text(conn, "4hello");
    assert_eq!(pair.text(conn), "4hello");
    pair.send_text(conn, "1");
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), [CloseReason::TransportClose]);
}

#[test]
fn a_handshake_over_a_hosts_websocket_begins_with_the_open_packet() {
    let mut pair = Pair::new();
    let headers = UPGRADE.replace("\r\n", "\n");
    let conn = hosted_request(&mut pair, "GET", WEBSOCKET, &headers);
    assert!(matches!(pair.wire(conn).poll_reply(), Some(Reply::Upgrade(_))));
    assert!(pair.text(conn).starts_with("0{"));
    pair.send_binary(conn, &[1]);
    assert!(pair.message(conn).is_some());
}

#[test]
fn refusals_are_replies() {
    let mut pair = Pair::new();
    let conn = hosted_request(&mut pair, "GET", "/engine.io/?EIO=4", "");
    assert_eq!(
        body(&mut pair, conn),
        (400, "{\"code\":0,\"message\":\"Transport unknown\"}".into())
    );
    let headers = UPGRADE.replace("\r\n", "\n");
    let conn = hosted_request(&mut pair, "GET", "/engine.io/?EIO=4", &headers);
    assert_eq!(body(&mut pair, conn), (400, "Transport unknown".into()));
}

#[test]
fn a_body_for_a_foreign_request_is_handed_over_whole() {
    let mut pair = Pair::new();
    let conn = hosted_request(&mut pair, "POST", "/form", "");
    let request = pair.requests()[0];
    pair.server.read_body(pair.now, request, 10);
    pair.settle();
    assert_eq!(pair.wire(conn).wants_body(), Some(10));
    give_body(&mut pair, conn, Ok(Bytes::from_static(b"hello")));
    assert!(format!("{:?}", pair.events).contains("hello"));
}
