//! Limits of connections and requests: what the peer is answered, and the events of the application.

use crate::pair::{App, Conn, POLLING, Pair, ms};
use socketio_core::eio::payload::PayloadError;
use socketio_core::eio::{CloseReason, Config, Gate, Peer, RefusalContext as Why};
use socketio_core::http::{BodyError, Cors, CorsOrigin, HeadError};
use socketio_core::wire::BodyFailure;

fn from(pair: &mut Pair, address: &str) -> Conn {
    let address: std::net::IpAddr = address.parse().unwrap();
    pair.connect_from(Peer::Address((address, 1).into()))
}

fn refusals(pair: &mut Pair) -> Vec<Why> {
    pair.refused().into_iter().map(|(_, context)| context).collect()
}

fn poll(pair: &mut Pair, conn: Conn) -> Option<u16> {
    pair.request(conn, "GET", POLLING, "", "");
    pair.answer(conn).map(|answer| answer.status)
}

#[test]
fn one_connection_too_many_is_503() {
    let mut pair = Pair::with(|config| config.limits.connections = 2);
    let conns = [pair.connect(), pair.connect(), pair.connect()];
    assert_eq!(
        conns.map(|conn| poll(&mut pair, conn)),
        [Some(200), Some(200), Some(503)]
    );
    assert!(pair.is_closed(conns[2]));
    assert_eq!(refusals(&mut pair), [Why::TooManyConnections]);
    assert_eq!(pair.server.try_open(pair.now, Peer::Unknown).map(drop), Some(()));
    assert_eq!(
        pair.server.try_open(pair.now, Peer::Unknown),
        None,
        "far beyond the limit"
    );
    pair.settle();
    assert_eq!(refusals(&mut pair), [Why::TooManyConnections]);
}

#[test]
fn one_connection_too_many_from_an_address_is_429_and_others_are_let_in() {
    let mut pair = Pair::with(|config| config.limits.connections_per_address = 2);
    let crowd = ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1"].map(|address| from(&mut pair, address));
    assert_eq!(
        crowd.map(|conn| poll(&mut pair, conn)),
        [Some(200), Some(200), Some(429)]
    );
    assert!(pair.is_closed(crowd[2]));
    assert_eq!(refusals(&mut pair), [Why::TooManyFromAddress]);
    for address in ["10.0.0.2", "2001:db8::1", "2001:db8:0:1::1"] {
        let other = from(&mut pair, address);
        assert_eq!(poll(&mut pair, other), Some(200), "{address}");
    }
    let unknown = [(); 5].map(|()| pair.connect());
    assert_eq!(unknown.map(|conn| poll(&mut pair, conn)), [Some(200); 5]);
    pair.lose(crowd[0]);
    let next = from(&mut pair, "10.0.0.1");
    assert_eq!(poll(&mut pair, next), Some(200));
}

#[test]
fn far_beyond_the_limit_of_an_address_there_is_no_answer() {
    let mut pair = Pair::with(|config| config.limits.connections_per_address = 16);
    let peer = Peer::Address(([10, 0, 0, 1], 1).into());
    let opened = (0..100).filter(|_| pair.server.try_open(pair.now, peer).is_some());
    assert_eq!(opened.count(), 18);
    let other = Peer::Address(([10, 0, 0, 2], 1).into());
    assert!(pair.server.try_open(pair.now, other).is_some());
    pair.settle();
    assert_eq!(refusals(&mut pair), [Why::TooManyFromAddress; 82]);
}

#[test]
fn of_too_many_half_open_connections_the_oldest_ends() {
    let mut pair = Pair::with(|config| config.limits.half_open = 2);
    let begun = pair.connect();
    pair.send(begun, "GET / HT");
    let silent = pair.connect();
    let quick = pair.connect();
    pair.settle();
    assert_eq!(pair.answer(begun).unwrap().status, 408);
    assert!(pair.is_closed(begun) && !pair.is_closed(silent));
    assert_eq!(refusals(&mut pair), [Why::TooManyHalfOpen]);
    // Whoever has sent a request does not count any more, however long it rests.
    assert_eq!(poll(&mut pair, quick), Some(200));
    let next = pair.connect();
    pair.settle();
    assert!(!pair.is_closed(silent));
    let last = pair.connect();
    pair.settle();
    assert!(pair.is_closed(silent) && pair.raw(silent).is_empty());
    assert!(!pair.is_closed(next) && !pair.is_closed(last) && !pair.is_closed(quick));
    assert_eq!(refusals(&mut pair), [Why::TooManyHalfOpen]);
}

#[test]
fn an_honest_client_gets_through_a_flood_of_half_open_connections() {
    let mut pair = Pair::with(|config| config.limits.half_open = 10);
    for _ in 0..50 {
        let _ = [(); 5].map(|()| pair.connect());
        let honest = pair.connect();
        pair.send(honest, "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\n");
        let _ = [(); 4].map(|()| pair.connect());
        pair.send(honest, "Host: a\r\n\r\n");
        assert_eq!(pair.answer(honest).unwrap().status, 200);
        pair.lose(honest);
    }
    assert!(pair.server.connection_count() <= 10);
    assert_eq!(refusals(&mut pair).len(), 50 * 9 - 10 + 1);
}

#[test]
fn more_sessions_than_allowed_are_503() {
    let mut pair = Pair::with(|config| config.limits.sessions = 1);
    let conns = [pair.connect(), pair.connect()];
    assert_eq!(conns.map(|conn| poll(&mut pair, conn)), [Some(200), Some(503)]);
    assert_eq!(refusals(&mut pair), [Why::TooManySessions]);
}

#[test]
fn a_head_beyond_its_limits_has_its_status_and_its_reason() {
    let long = "x".repeat(2_000);
    let headers = "a: b\r\n".repeat(20);
    for (head, error, status) in [
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\na: {long}\r\n\r\n"),
            HeadError::HeadTooLarge,
            431,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n"),
            HeadError::TooManyHeaders,
            431,
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", &long[..600]),
            HeadError::TargetTooLong,
            414,
        ),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), HeadError::MissingHost, 400),
        (
            "\u{16}\u{3}\u{1}".to_owned(),
            HeadError::MalformedRequestLine,
            400,
        ),
        (
            "GET / HTTP/3.0\r\nHost: a\r\n\r\n".to_owned(),
            HeadError::UnsupportedVersion,
            505,
        ),
    ] {
        let mut pair = Pair::with(|config| {
            config.limits.head.head_bytes = 1_000;
            config.limits.head.target_bytes = 500;
            config.limits.head.headers = 10;
        });
        let conn = pair.connect();
        pair.send(conn, &head);
        assert_eq!(pair.answer(conn).unwrap().status, status, "{error:?}");
        assert!(pair.is_closed(conn));
        assert_eq!(refusals(&mut pair), [Why::Head(error)]);
        assert_eq!(Why::Head(error).status().unwrap().as_u16(), status);
    }
}

#[test]
fn a_slow_head_is_408_and_told_and_a_silent_connection_just_ends() {
    let mut pair = Pair::with(|config| config.limits.head_timeout = ms(1_000));
    let (slow, silent) = (pair.connect(), pair.connect());
    pair.send(slow, "GET / HTTP/1.1\r\nHo");
    pair.wait(ms(999));
    assert!(!pair.is_closed(slow) && !pair.is_closed(silent));
    pair.wait(ms(1));
    assert_eq!(pair.answer(slow).unwrap().status, 408);
    assert!(pair.is_closed(slow) && pair.is_closed(silent));
    assert!(pair.raw(silent).is_empty());
    assert_eq!(refusals(&mut pair), [Why::HeadTimedOut]);
    pair.assert_empty();
}

#[test]
fn a_second_head_that_is_slow_is_told_and_rest_between_requests_is_not() {
    for (begins, expected) in [(true, &[Why::HeadTimedOut][..]), (false, &[])] {
        let mut pair = Pair::new();
        let conn = pair.connect();
        pair.request(conn, "GET", "/engine.io/?transport=none", "", "");
        assert_eq!(pair.answer(conn).unwrap().status, 400);
        assert_eq!(refusals(&mut pair), [Why::Transport]);
        if begins {
            pair.send(conn, "GET");
        }
        pair.wait(ms(60_000));
        assert_eq!(
            pair.answer(conn).map(|answer| answer.status),
            begins.then_some(408)
        );
        assert_eq!(refusals(&mut pair), expected);
        pair.assert_empty();
    }
}

/// A POST of a polling session: its answer, its events, and how the session ends, if it does.
#[track_caller]
fn posted(rest: &str, wait: bool) -> (u16, Vec<Why>, Vec<CloseReason>) {
    let mut pair = Pair::with(|config| {
        config.max_payload = 100;
        config.ping_interval = ms(1_000_000);
    });
    pair.app = App::Silent;
    let sid = pair.open_polling();
    let conn = pair.connect();
    pair.send(
        conn,
        format!("POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: a\r\n{rest}"),
    );
    if wait {
        pair.wait(ms(60_000));
    }
    let status = pair.answer(conn).unwrap().status;
    (status, refusals(&mut pair), pair.closed())
}

#[test]
fn a_body_beyond_its_limits_has_its_status_and_its_reason() {
    let chunk = format!(
        "Transfer-Encoding: chunked\r\n\r\n65\r\n{}\r\n0\r\n\r\n",
        "4".repeat(101)
    );
    let too_large = vec![Why::Body(BodyFailure::TooLarge)];
    assert_eq!(
        posted("Content-Length: 101\r\n\r\n", false),
        (413, too_large.clone(), vec![])
    );
    assert_eq!(posted(&chunk, false), (413, too_large, vec![]));
    let broken = BodyFailure::Broken(BodyError::InvalidChunkSize);
    assert_eq!(
        posted("Transfer-Encoding: chunked\r\n\r\nzz\r\n", false),
        (400, vec![Why::Body(broken)], vec![CloseReason::PostLost])
    );
    assert_eq!(
        posted("Content-Length: 9\r\n\r\n4he", true),
        (408, vec![Why::BodyTimedOut], vec![CloseReason::PostTimedOut])
    );
}

#[test]
fn the_body_of_another_request_that_takes_too_long_is_told() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    pair.send(
        conn,
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe",
    );
    let request = pair.requests()[0];
    pair.server.read_body(pair.now, request, 5);
    pair.settle();
    pair.wait(ms(60_000));
    assert_eq!(pair.answer(conn).unwrap().status, 408);
    assert_eq!(refusals(&mut pair), [Why::BodyTimedOut]);
}

#[test]
fn more_packets_than_a_body_may_hold_are_named() {
    let mut pair = Pair::with(|config| config.limits.packets_per_payload = 2);
    let sid = pair.open_polling();
    assert_eq!(pair.post(&sid, "4a\x1e4b\x1e4c"), (200, "ok".into()));
    let reason = CloseReason::ParseError(PayloadError::TooManyPackets);
    assert_eq!(pair.closed(), [reason]);
    assert_eq!(reason.as_str(), "parse error");
    assert!(
        reason.to_string().contains("Limits::packets_per_payload"),
        "{reason}"
    );
}

#[test]
fn whoever_probes_without_reading_gets_few_answers() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    let conn = pair.upgrading(&sid);
    let (now, id) = (pair.now, pair.id(conn));
    for _ in 0..10_000 {
        let probe = socketio_core::wire::Item::Ping("probe".into());
        pair.server.handle_item(now, id, probe);
    }
    pair.settle();
    let mut count = 0;
    while pair.message(conn).is_some() {
        count += 1;
    }
    assert_eq!(count, 64);
}

/// A server that allows pages of any origin.
fn open_to_pages(change: impl FnOnce(&mut Config)) -> Pair {
    Pair::with(|config| {
        config.cors = Some(Cors::builder(CorsOrigin::Any).build().unwrap());
        config.ping_interval = ms(1_000_000);
        change(config);
    })
}

/// The status of an answer that pages may see.
#[track_caller]
fn seen(pair: &mut Pair, conn: Conn) -> u16 {
    let answer = pair.answer(conn).unwrap();
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("*"),
        "{answer:?}"
    );
    answer.status
}

#[test]
fn pages_of_other_origins_see_why_they_were_refused() {
    for (connections, connections_per_address, sessions, status) in
        [(0, 100, 100, 503), (100, 0, 100, 429), (100, 100, 0, 503)]
    {
        let mut pair = open_to_pages(|config| {
            config.limits.connections = connections;
            config.limits.connections_per_address = connections_per_address;
            config.limits.sessions = sessions;
        });
        let conn = from(&mut pair, "10.0.0.1");
        pair.request(conn, "GET", POLLING, "Origin: http://a\r\n", "");
        assert_eq!(seen(&mut pair, conn), status);
    }
}

#[test]
fn a_page_under_decision_at_a_shutdown_sees_why_and_the_application_is_told() {
    let mut pair = open_to_pages(|config| config.gate = Gate::Ask);
    let conn = pair.connect();
    pair.request(conn, "GET", POLLING, "Origin: http://a\r\n", "");
    pair.shutdown();
    assert_eq!(seen(&mut pair, conn), 503);
    assert_eq!(refusals(&mut pair), [Why::Unavailable]);
}

#[test]
fn a_page_that_posts_too_slowly_sees_why() {
    let mut pair = open_to_pages(|_| {});
    let sid = pair.open_polling();
    let conn = pair.connect();
    let head = format!("POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\n");
    pair.send(conn, head + "Content-Length: 9\r\n\r\n4he");
    pair.wait(ms(60_000));
    assert_eq!(seen(&mut pair, conn), 408);
    assert!(pair.is_closed(conn));
    assert_eq!(refusals(&mut pair), [Why::BodyTimedOut]);
    assert_eq!(pair.closed(), [CloseReason::PostTimedOut]);
}
