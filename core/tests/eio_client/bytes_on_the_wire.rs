//! The exact bytes that the client sends, to a server whose bytes the test writes.

use super::world::{World, ms, target};
use socketio_core::eio::client::{CloseReason, Config, TransportOrder};
use socketio_core::eio::{Delivery, Message, Transport};
use socketio_core::http::HeaderError;
use socketio_core::wire::ClientWireError;
use socketio_core::ws::{self, Role};

pub(crate) const HANDSHAKE: &str =
    r#"0{"sid":"x/1","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":100}"#;
pub(crate) const OFFER: &str =
    r#"0{"sid":"x/1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}"#;

fn plain(config: &mut Config) {
    config.timestamp = None;
}

/// A session whose poll is on link 0.
fn polling() -> World {
    let mut world = World::scripted_with(plain);
    world.connect();
    world.sent(0);
    world.answer(0, HANDSHAKE);
    world
}

/// Answers the WebSocket handshake on a connection.
pub(crate) fn accept(world: &mut World, index: usize) -> String {
    let request = world.sent(index);
    let (_, rest) = request.split_once("Sec-WebSocket-Key: ").expect("a key");
    let (key, _) = rest.split_once("\r\n").expect("a line");
    let accept = ws::accept_key(key.as_bytes());
    let accept = core::str::from_utf8(&accept).unwrap();
    world.receive(
        index,
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ),
    );
    request.replace(key, "KEY")
}

/// A server's text frame.
pub(crate) fn text(text: &str) -> Vec<u8> {
    [&[0x81, text.len() as u8], text.as_bytes()].concat()
}

/// The frames a client sent.
pub(crate) fn frames(world: &mut World, index: usize) -> Vec<String> {
    let mut decoder = ws::Decoder::new(Role::Server, usize::MAX);
    let mut bytes = world.sent_bytes(index);
    let mut frames = Vec::new();
    while let Some(message) = decoder.poll_message(&mut bytes).expect("masked frames") {
        frames.push(match message {
            ws::Message::Text(text) => text.as_str().to_owned(),
            ws::Message::Close(code, _) => format!("{:?}", code.map(ws::CloseCode::get)),
            other => format!("{other:?}"),
        });
    }
    frames
}

#[test]
fn a_polling_session_from_its_first_byte_to_its_last() {
    let mut world = World::scripted_with(plain);
    let mut to = target();
    to.query = vec![("a b".to_owned(), "\u{e9}&".to_owned())];
    to.headers.append("X-Own", "1").unwrap();
    to.headers.append("Cookie", "own=1").unwrap();
    world.connect_to(to);
    let query = "a%20b=%C3%A9%26&EIO=4&transport=polling";
    assert_eq!(
        world.sent(0),
        format!(
            "GET /engine.io/?{query} HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nX-Own: 1\r\nCookie: own=1\r\n\r\n"
        )
    );
    world.answer_with(0, "200 OK", "Set-Cookie: io=2; Path=/\r\n", HANDSHAKE);
    assert_eq!(world.client_texts(), ["Opened polling"]);
    let rest = "Host: a\r\nAccept: */*\r\nX-Own: 1\r\nCookie: own=1; io=2\r\n\r\n";
    let get = format!("GET /engine.io/?{query}&sid=x%2F1 HTTP/1.1\r\n{rest}");
    assert_eq!(world.sent(0), get);
    world.send("hello").unwrap();
    let binary = Message::Binary(vec![1, 2, 3, 4].into());
    world.client.send(world.now, &binary, Delivery::Reliable).unwrap();
    world.settle();
    assert_eq!(
        world.sent(1),
        format!(
            "POST /engine.io/?{query}&sid=x%2F1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\
             Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 16\r\nX-Own: 1\r\n\
             Cookie: own=1; io=2\r\n\r\n4hello\u{1e}bAQIDBA=="
        )
    );
    world.answer(0, "4one\u{1e}2\u{1e}bAQ==\u{1e}6");
    assert_eq!(world.client_texts(), ["one", r#"b"\x01""#]);
    assert_eq!(world.sent(0), get);
    assert_eq!(world.sent(1), "");
    world.answer(1, "ok");
    assert!(
        world
            .sent(1)
            .ends_with("Content-Length: 1\r\nX-Own: 1\r\nCookie: own=1; io=2\r\n\r\n3")
    );
    world.answer(1, "ok");
    world.close();
    assert!(world.sent(1).ends_with("\r\n\r\n1"));
    world.answer(1, "ok");
    assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
    world.assert_idle();
    assert!(world.is_closed(0) && world.is_closed(1));
}

#[test]
fn a_websocket_session_from_its_first_byte_to_its_last() {
    let mut world = World::scripted_with(|config| {
        config.transports = TransportOrder::WebSocket;
        config.protocols = vec!["p".to_owned()];
    });
    world.connect();
    assert_eq!(
        accept(&mut world, 0),
        "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: KEY\r\n\
         Sec-WebSocket-Protocol: p\r\n\r\n"
    );
    assert_eq!(world.client_texts(), [""; 0]);
    world.receive(0, text(HANDSHAKE));
    assert_eq!(world.client_texts(), ["Opened websocket"]);
    assert_eq!(world.client.sid().unwrap(), &"x/1");
    world.receive(0, text("2"));
    world.receive(0, text("4a"));
    world.send("b").unwrap();
    let binary = Message::Binary(vec![7].into());
    world.client.send(world.now, &binary, Delivery::Reliable).unwrap();
    world.settle();
    assert_eq!(world.client_texts(), ["a"]);
    assert_eq!(frames(&mut world, 0), ["3", "4b", r#"Binary(b"\x07")"#]);
    world.send("c").unwrap();
    world.close();
    assert_eq!(frames(&mut world, 0), ["4c", "None"]);
    assert_eq!(world.client_texts(), [""; 0]);
    world.end(0);
    assert_eq!(world.client_texts(), ["Closed ForcedClose"]);
    world.assert_empty();
}

#[test]
fn an_upgrade_waits_for_the_poll_and_the_post_under_way() {
    let mut world = World::scripted_with(plain);
    world.connect();
    world.sent(0);
    world.answer(0, OFFER);
    assert_eq!(world.dialled(), [Transport::Polling, Transport::WebSocket]);
    let request = accept(&mut world, 1);
    assert!(request.starts_with("GET /engine.io/?EIO=4&transport=websocket&sid=x%2F1 HTTP/1.1\r\n"));
    assert_eq!(frames(&mut world, 1), ["2probe"]);
    world.send("a").unwrap();
    world.settle();
    assert!(world.sent(2).ends_with("\r\n\r\n4a"));
    world.receive(1, text("3probe"));
    assert_eq!(frames(&mut world, 1), [""; 0]);
    world.send("b").unwrap();
    assert!(!world.client.is_writable());
    world.sent(0);
    world.answer(0, "4x\u{1e}2");
    assert_eq!(world.sent(0), "");
    assert_eq!(frames(&mut world, 1), [""; 0]);
    world.answer(2, "ok");
    assert_eq!(world.sent(2), "");
    assert_eq!(frames(&mut world, 1), ["5", "4b", "3"]);
    assert_eq!(world.client_texts(), ["Opened polling", "x", "Upgraded"]);
    assert!(world.is_closed(0) && world.is_closed(2));
    assert_eq!(world.client.transport(), Some(Transport::WebSocket));
}

#[test]
fn every_polling_request_is_unique() {
    let mut world = World::scripted();
    world.connect();
    let stamp = |request: String| {
        let (_, rest) = request.split_once("&t=").expect("a timestamp");
        rest.chars().take(8).collect::<String>()
    };
    let first = stamp(world.sent(0));
    world.answer(0, HANDSHAKE);
    let second = stamp(world.sent(0));
    assert!(first != second && first.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let mut again = World::scripted();
    again.connect();
    assert_eq!(stamp(again.sent(0)), first, "the seed decides");
}

#[test]
fn what_follows_a_handshake_in_its_answer_is_received() {
    let mut world = World::scripted();
    world.connect();
    world.answer(0, &format!("{HANDSHAKE}\u{1e}4first"));
    assert_eq!(world.client_texts(), ["Opened polling", "first"]);
}

#[test]
fn connections_are_used_again_as_long_as_the_server_allows() {
    // How the server answered a POST, how long the connection rested, and on which the next one goes out.
    for (headers, rest, next) in [
        ("", 3_999, 1),
        ("", 4_001, 2),
        ("Keep-Alive: timeout=5\r\n", 3_999, 1),
        ("Keep-Alive: timeout=3\r\n", 1_999, 1),
        ("Keep-Alive: timeout=3\r\n", 2_001, 2),
        ("Keep-Alive: timeout=100\r\n", 4_001, 2),
        ("Keep-Alive: timeout=0\r\n", 1, 2),
        ("Connection: close\r\n", 0, 2),
    ] {
        let mut world = World::scripted_with(plain);
        world.connect();
        world.sent(0);
        world.answer(0, OFFER.replace("websocket", "none").as_str());
        world.send("a").unwrap();
        world.settle();
        assert!(world.sent(1).ends_with("\r\n\r\n4a"));
        world.answer_with(1, "200 OK", headers, "ok");
        world.wait(ms(rest));
        world.send("b").unwrap();
        world.settle();
        assert!(world.sent(next).ends_with("\r\n\r\n4b"), "{headers} {rest}");
        assert_eq!(world.is_closed(1), next == 2, "{headers} {rest}");
    }
}

#[test]
fn a_body_that_ends_with_its_connection_is_read_and_polling_goes_on() {
    let mut world = polling();
    world.sent(0);
    world.receive(0, "HTTP/1.1 200 OK\r\n\r\n4a");
    assert_eq!(world.client_texts()[1..], [""; 0]);
    world.end(0);
    assert_eq!(world.client_texts(), ["a"]);
    assert!(world.sent(1).starts_with("GET "));
}

#[test]
fn a_poll_lost_on_a_connection_that_had_served_is_sent_once_more() {
    let mut world = polling();
    world.sent(0);
    world.end(0);
    assert_eq!(world.dialled().len(), 2);
    assert!(world.sent(1).starts_with("GET "));
    world.answer(1, "4a");
    assert!(world.sent(1).starts_with("GET "));
    assert_eq!(world.client_texts(), ["Opened polling", "a"]);
    // The next loss is another one.
    world.end(1);
    assert!(world.sent(2).starts_with("GET "));
    // Twice in a row, on a connection that never served, is the end.
    world.end(2);
    assert_eq!(world.closed(), (CloseReason::ConnectionLost, None));
    world.assert_empty();
}

#[test]
fn a_poll_is_not_repeated_if_its_answer_may_have_been_lost() {
    let mut world = polling();
    world.sent(0);
    world.cut(0);
    world.settle();
    assert_eq!(world.closed(), (CloseReason::ConnectionLost, None));
    world.assert_empty();
}

#[test]
fn a_poll_is_not_repeated_on_a_connection_that_has_served() {
    let mut world = polling();
    world.send("a").unwrap();
    world.settle();
    world.answer(1, "ok");
    // Link 1 is at rest; who closed link 0 may have closed that, too.
    world.end(0);
    world.sent(1);
    assert_eq!(world.dialled().len(), 3);
    assert!(world.sent(2).starts_with("GET "));
    assert!(world.is_closed(1));
}

#[test]
fn a_poll_whose_answer_has_begun_is_not_repeated() {
    for begun in ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n4a", "HTTP/1"] {
        let mut world = polling();
        world.receive(0, begun);
        world.end(0);
        assert_eq!(world.closed(), (CloseReason::ConnectionLost, None));
        world.assert_empty();
    }
}

#[test]
fn a_post_is_never_repeated() {
    let mut world = polling();
    world.send("a").unwrap();
    world.settle();
    world.answer(1, "ok");
    world.send("b").unwrap();
    world.settle();
    world.end(1);
    assert_eq!(world.closed(), (CloseReason::ConnectionLost, None));
}

#[test]
fn a_post_goes_elsewhere_when_its_connection_ended_before_it_left() {
    let mut world = polling();
    world.send("a").unwrap();
    world.settle();
    world.send("b").unwrap();
    // The answer and the end of the connection are read at once.
    world.sent(1);
    world.answer_and_end(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(world.sent(1), "");
    assert!(world.sent(2).ends_with("\r\n\r\n4b"));
    assert_eq!(world.client_texts(), ["Opened polling"]);
}

#[test]
fn a_server_that_says_something_on_a_connection_at_rest_loses_only_that() {
    let mut world = polling();
    world.send("a").unwrap();
    world.settle();
    world.answer(1, "ok");
    world.receive(1, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    assert!(world.is_closed(1));
    world.send("b").unwrap();
    world.settle();
    assert!(world.sent(2).ends_with("\r\n\r\n4b"));
    assert_eq!(world.client_texts(), ["Opened polling"]);
}

#[test]
fn bodies_are_as_large_as_the_server_takes_and_no_larger() {
    let mut world = polling();
    let x = |count: usize| "x".repeat(count);
    for count in [1, 49, 49, 48, 49, 99] {
        world.send(&x(count)).unwrap();
    }
    world.settle();
    let mut bodies = Vec::new();
    for _ in 0..4 {
        let request = world.sent(1);
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        bodies.push(body.len());
        world.answer(1, "ok");
    }
    assert_eq!(bodies, [53, 100, 50, 100]);
    assert_eq!(world.sent(1), "");
}

#[test]
fn what_no_request_can_carry_ends_the_attempt_before_it_begins() {
    let cases: [(&str, &str); 2] = [("a\r\nX: y", "p"), ("a", "p, q")];
    for (authority, protocol) in cases {
        let mut world = World::scripted_with(|config| config.protocols = vec![protocol.to_owned()]);
        let mut to = target();
        to.authority = authority.to_owned();
        world.connect_to(to);
        let (reason, _) = world.closed();
        let error = ClientWireError::Request(HeaderError::InvalidValue);
        assert_eq!(reason, CloseReason::BadResponse(error));
        assert!(world.links.is_empty());
        world.assert_empty();
    }
}
