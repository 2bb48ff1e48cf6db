//! Protocol sections 1.4 to 1.8.

use crate::pair::{POLLING, Pair, UPGRADE, WEBSOCKET, sid_of};
use socketio_core::Sid;
use socketio_core::eio::{Config, Gate, RefusalContext, RequestError, Transports, Upgrades};
use socketio_core::http::{AllowedHeaders, Cookie, Cors, CorsOrigin};

fn error(code: u8, message: &str) -> String {
    format!("{{\"code\":{code},\"message\":\"{message}\"}}")
}

#[test]
fn a_polling_handshake_is_the_open_packet_with_five_fields_in_order() {
    let mut pair = Pair::new();
    let answer = pair.send_alone("GET", POLLING, "", "");
    let sid = sid_of(&answer.body);
    assert_eq!(
        answer.body,
        format!(
            "0{{\"sid\":\"{sid}\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,\"pingTimeout\":200,\
             \"maxPayload\":1000000}}"
        )
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let session = pair.session();
    assert_eq!(pair.server.sid(session), Sid::parse(&sid));
}

#[test]
fn a_websocket_handshake_offers_no_upgrade() {
    let mut pair = Pair::new();
    let conn = pair.websocket(WEBSOCKET);
    let handshake = pair.text(conn);
    let sid = sid_of(&handshake);
    assert_eq!(
        handshake,
        format!(
            "0{{\"sid\":\"{sid}\",\"upgrades\":[],\"pingInterval\":300,\"pingTimeout\":200,\"maxPayload\":1000000}}"
        )
    );
}

#[test]
fn no_upgrade_is_offered_where_none_is_possible() {
    for change in [
        (|config: &mut Config| config.upgrades = Upgrades::Refused) as fn(&mut Config),
        |config| config.transports = Transports::Polling,
    ] {
        let body = Pair::with(change).send_alone("GET", POLLING, "", "").body;
        assert!(body.contains("\"upgrades\":[],"), "{body}");
    }
}

const MESSAGES: [&str; 6] = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
];

#[test]
fn plain_requests_are_refused_with_the_protocols_codes() {
    use RefusalContext as Why;
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    for (request, code, context) in [
        ("GET EIO=4", 0, Why::Transport),
        ("GET EIO=4&transport=abc", 0, Why::Transport),
        ("GET EIO=4&transport=webtransport", 0, Why::Transport),
        (
            "GET EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA",
            1,
            Why::UnknownSession,
        ),
        ("GET EIO=4&transport=polling&sid=x", 1, Why::UnknownSession),
        ("GET EIO=4&transport=websocket&sid=SID", 3, Why::TransportMismatch),
        ("GET EIO=3&transport=polling&sid=SID", 3, Why::ProtocolMismatch),
        ("POST EIO=4&transport=polling", 2, Why::Method),
        ("PUT EIO=4&transport=polling", 2, Why::Method),
        ("OPTIONS EIO=4&transport=polling", 2, Why::Method),
        ("GET EIO=4&transport=websocket", 3, Why::TransportHandshake),
        ("GET transport=polling", 5, Why::Version),
        ("GET EIO=04&transport=polling", 5, Why::Version),
    ] {
        let message = MESSAGES[usize::from(code)];
        let (method, query) = request.split_once(' ').unwrap();
        let target = format!("/engine.io/?{}", query.replace("SID", &sid));
        let answer = pair.send_alone(method, &target, "", "");
        assert_eq!(
            (answer.status, answer.body),
            (400, error(code, message)),
            "{request}"
        );
        assert_eq!(
            answer.headers[0],
            ("Content-Type".into(), "application/json".into())
        );
        let [(refused, seen)] = &pair.refused()[..] else {
            panic!("one refusal for {request}");
        };
        assert_eq!(
            (refused.code(), refused.message(), *seen),
            (code, message, context)
        );
    }
    assert_eq!(pair.server.session_count(), 1);
}

#[test]
fn websocket_requests_are_refused_with_text_and_the_end() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    for (target, message) in [
        ("/engine.io/?EIO=4&transport=abc", "Transport unknown"),
        (
            &format!("{WEBSOCKET}&sid=AAAAAAAAAAAAAAAAAAAA")[..],
            "Session ID unknown",
        ),
        (
            &format!("/engine.io/?EIO=3&transport=websocket&sid={sid}")[..],
            "Bad request",
        ),
        (
            "/engine.io/?EIO=3&transport=websocket",
            "Unsupported protocol version",
        ),
    ] {
        let conn = pair.connect();
        pair.request(conn, "GET", target, UPGRADE, "");
        let answer = pair.answer(conn).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (400, message), "{target}");
        assert_eq!(answer.header("content-type"), Some("text/html"));
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(pair.is_closed(conn));
        assert_eq!(pair.refused().len(), 1);
    }
}

#[test]
fn a_websocket_request_without_a_sound_key_is_refused_and_reported() {
    let mut pair = Pair::new();
    let conn = pair.connect();
    let headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    pair.request(conn, "GET", WEBSOCKET, headers, "");
    let answer = pair.answer(conn).unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, "Missing or invalid Sec-WebSocket-Key header");
    assert!(pair.is_closed(conn));
    assert_eq!(
        pair.refused(),
        [(RequestError::BadRequest, RefusalContext::TransportHandshake)]
    );

    let old = UPGRADE.replace("13", "8");
    let answer = pair.send_alone("GET", WEBSOCKET, &old, "");
    assert_eq!(answer.status, 426);
    assert_eq!(answer.header("sec-websocket-version"), Some("13"));
}

#[test]
fn a_websocket_for_polling_is_accepted_and_closed() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    for target in [POLLING.to_owned(), format!("{POLLING}&sid={sid}")] {
        let conn = pair.websocket(&target);
        assert_eq!(pair.close_code(conn), None);
    }
    assert_eq!(pair.server.session_count(), 1);
}

#[test]
fn a_server_without_websocket_answers_upgrades_like_plain_requests() {
    let mut pair = Pair::with(|config| config.transports = Transports::Polling);
    let answer = pair.send_alone("GET", WEBSOCKET, UPGRADE, "");
    assert_eq!((answer.status, answer.body), (400, error(0, "Transport unknown")));
    let mut pair = Pair::with(|config| config.transports = Transports::WebSocket);
    let answer = pair.send_alone("GET", POLLING, "", "");
    assert_eq!((answer.status, answer.body), (400, error(0, "Transport unknown")));
}

#[test]
fn an_origin_that_no_header_may_hold_is_refused() {
    let mut pair = Pair::new();
    assert_eq!(
        pair.send_alone("GET", POLLING, "Origin: a\u{1}b\r\n", "").status,
        400
    );
    assert_eq!(pair.server.session_count(), 0);
}

#[test]
fn the_last_of_two_parameters_counts_and_an_empty_sid_is_none() {
    let mut pair = Pair::new();
    let target = "/engine.io/?EIO=3&EIO=4&transport=abc&transport=polling&sid=";
    assert_eq!(pair.send_alone("GET", target, "", "").status, 200);
    assert_eq!(
        pair.send_alone("GET", "/engine.io/foo/bar?EIO=4&transport=polling", "", "")
            .status,
        200
    );
}

#[test]
fn old_explorers_are_told_not_to_look_for_scripts() {
    for agent in ["Mozilla/4.0 (compatible;MSIE 8.0)", "Mozilla/5.0 (Trident/7.0)"] {
        let mut pair = Pair::new();
        let headers = format!("User-Agent: {agent}\r\n");
        let handshake = pair.send_alone("GET", POLLING, &headers, "");
        assert_eq!(handshake.header("x-xss-protection"), Some("0"));
        let target = format!("{POLLING}&sid={}", sid_of(&handshake.body));
        let post = pair.send_alone("POST", &target, &headers, "4a");
        assert_eq!(post.header("x-xss-protection"), Some("0"));
        assert_eq!(
            pair.send_alone("GET", &target, &headers, "")
                .header("x-xss-protection"),
            Some("0")
        );
        assert_eq!(
            pair.send_alone("GET", POLLING, "", "").header("x-xss-protection"),
            None
        );
    }
}

#[test]
fn cross_origin_headers_stand_on_every_answer() {
    let cors = Cors::builder(CorsOrigin::Exact("http://a".into()))
        .credentials(true)
        .build()
        .unwrap();
    let mut pair = Pair::with(|config| config.cors = Some(cors));
    let origin = "Origin: http://b\r\n";
    let handshake = pair.send_alone("GET", POLLING, origin, "");
    let target = format!("{POLLING}&sid={}", sid_of(&handshake.body));
    let answers = [
        handshake,
        pair.send_alone("POST", &target, origin, "4a"),
        pair.send_alone("GET", &target, origin, ""),
        pair.send_alone("PUT", &target, origin, ""),
        pair.send_alone("GET", "/engine.io/?EIO=4", origin, ""),
        pair.send_alone("GET", WEBSOCKET, &format!("{UPGRADE}{origin}"), ""),
        pair.send_alone("GET", "/engine.io/?EIO=4", &format!("{UPGRADE}{origin}"), ""),
        pair.send_alone("OPTIONS", &target, origin, ""),
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 500, 400, 101, 400, 204]);
    for answer in answers {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("http://a"),
            "{answer:?}"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(
            answer.header("vary").map(|vary| vary.starts_with("Origin")),
            Some(true)
        );
    }
}

#[test]
fn a_preflight_is_answered_before_any_check() {
    let cors = Cors::builder(CorsOrigin::Any)
        .allowed_headers(AllowedHeaders::Echo)
        .build()
        .unwrap();
    let mut pair = Pair::with(|config| config.cors = Some(cors));
    let headers = "Origin: http://b\r\nAccess-Control-Request-Headers: x-a\r\n";
    let answer = pair.send_alone("OPTIONS", "/engine.io/?transport=abc", headers, "");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("x-a"));
    assert_eq!(
        answer.header("access-control-allow-methods"),
        Some("GET,HEAD,PUT,PATCH,POST,DELETE")
    );
    assert!(pair.refused().is_empty());
}

#[test]
fn the_cookie_is_set_by_the_polling_handshake_alone() {
    let cookie = Cookie::builder().build().unwrap();
    let mut pair = Pair::with(|config| config.cookie = Some(cookie));
    let handshake = pair.send_alone("GET", POLLING, "", "");
    let sid = sid_of(&handshake.body);
    let expected = format!("io={sid}; Path=/; HttpOnly; SameSite=Lax");
    assert_eq!(handshake.header("set-cookie"), Some(&expected[..]));
    let target = format!("{POLLING}&sid={sid}");
    assert_eq!(
        pair.send_alone("POST", &target, "", "4a").header("set-cookie"),
        None
    );
    assert_eq!(pair.send_alone("GET", &target, "", "").header("set-cookie"), None);
    assert_eq!(
        pair.send_alone("GET", WEBSOCKET, UPGRADE, "")
            .header("set-cookie"),
        None
    );
}

#[test]
fn the_first_subprotocol_offered_is_chosen() {
    let mut pair = Pair::new();
    let headers = format!("{UPGRADE}Sec-WebSocket-Protocol: chat, other\r\n");
    let answer = pair.send_alone("GET", WEBSOCKET, &headers, "");
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-protocol"), Some("chat"));
    assert_eq!(
        answer.header("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    let answer = pair.send_alone("GET", WEBSOCKET, UPGRADE, "");
    assert_eq!(answer.header("sec-websocket-protocol"), None);
}

#[test]
fn the_gate_allows_and_forbids() {
    let mut pair = Pair::with(|config| config.gate = Gate::Ask);
    let conn = pair.connect();
    pair.request(conn, "GET", POLLING, "X-Token: 1\r\n", "");
    let request = pair.requests()[0];
    let head = pair.server.request_head(request).unwrap();
    assert_eq!(head.header("x-token"), Some(&b"1"[..]));
    assert_eq!(pair.answer(conn), None);
    pair.server.allow(pair.now, request);
    pair.settle();
    let sid = sid_of(&pair.answer(conn).unwrap().body);
    pair.server.allow(pair.now, request);
    pair.server.forbid(pair.now, request, "late");
    pair.settle();
    assert_eq!(pair.answer(conn), None);
    assert_eq!(pair.server.session_count(), 1);
    // A request that names a session does not pass the gate again.
    assert_eq!(pair.post(&sid, "4a"), (200, "ok".into()));
    assert!(pair.requests().is_empty());

    pair.request(conn, "GET", POLLING, "", "");
    let request = pair.requests()[0];
    pair.server.forbid(pair.now, request, "no \"you\"");
    pair.settle();
    let answer = pair.answer(conn).unwrap();
    assert_eq!((answer.status, answer.body), (403, error(4, "no \\\"you\\\"")));
    assert_eq!(
        pair.refused(),
        [(
            RequestError::Forbidden("no \"you\"".into()),
            RefusalContext::Forbidden
        )]
    );
}

#[test]
fn the_gate_turns_a_websocket_away_with_400_and_text() {
    let mut pair = Pair::with(|config| config.gate = Gate::Ask);
    let conn = pair.connect();
    pair.request(conn, "GET", WEBSOCKET, UPGRADE, "");
    let request = pair.requests()[0];
    pair.server.forbid(pair.now, request, "no");
    pair.settle();
    let answer = pair.answer(conn).unwrap();
    assert_eq!((answer.status, &answer.body[..]), (400, "no"));
    assert!(pair.is_closed(conn));

    let conn = pair.connect();
    pair.request(conn, "GET", WEBSOCKET, UPGRADE, "");
    let request = pair.requests()[0];
    pair.server.allow(pair.now, request);
    pair.settle();
    assert_eq!(pair.answer(conn).unwrap().status, 101);
    assert!(pair.text(conn).starts_with("0{"));
}

#[test]
fn the_gate_comes_before_the_version_and_after_everything_else() {
    let mut pair = Pair::with(|config| config.gate = Gate::Ask);
    assert_eq!(pair.send_alone("POST", POLLING, "", "").status, 400);
    assert!(pair.requests().is_empty());
    let conn = pair.connect();
    pair.request(conn, "GET", "/engine.io/?EIO=3&transport=polling", "", "");
    let request = pair.requests()[0];
    pair.server.allow(pair.now, request);
    pair.settle();
    assert_eq!(
        pair.answer(conn).unwrap().body,
        error(5, "Unsupported protocol version")
    );
}

#[test]
fn a_decision_about_a_lost_connection_does_nothing() {
    let mut pair = Pair::with(|config| config.gate = Gate::Ask);
    let conn = pair.connect();
    pair.request(conn, "GET", POLLING, "", "");
    let request = pair.requests()[0];
    pair.lose(conn);
    pair.server.allow(pair.now, request);
    pair.settle();
    pair.assert_empty();
}
