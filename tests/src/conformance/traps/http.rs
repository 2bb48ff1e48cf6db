//! T15, T16, T35: what clients rely on in HTTP answers, and the payload limit.

use crate::conformance::{ERROR_MESSAGES, assert_error, assert_still_serves, exchange};
use crate::kit::socketio::join_main_by_polling;
use crate::kit::{HttpConnection, Polling, Request, Response, WebSocketClient, settle};
use crate::testbed::Target;

pub(crate) fn t15_an_unknown_session_is_a_json_error(target: &Target) {
    for method in ["GET", "POST", "PUT"] {
        assert_error(
            &exchange(target, method, "?EIO=4&transport=polling&sid=unknown"),
            1,
        );
    }
    assert_error(
        &exchange(target, "GET", "?EIO=4&transport=websocket&sid=unknown"),
        1,
    );
}

pub(crate) fn t15_the_first_failed_check_decides(target: &Target) {
    assert_error(&exchange(target, "GET", "?transport=abc&sid=unknown"), 0);
    assert_error(&exchange(target, "POST", "?transport=polling&sid=unknown"), 1);
    assert_error(&exchange(target, "POST", "?transport=polling"), 2);
    assert_error(&exchange(target, "GET", "?transport=websocket"), 3);
}

pub(crate) fn t15_eio_is_compared_as_a_string(target: &Target) {
    for version in ["04", "4.0", "5", "", "+4", "44"] {
        assert_error(
            &exchange(target, "GET", &format!("?EIO={version}&transport=polling")),
            5,
        );
    }
}

pub(crate) fn t15_the_last_duplicate_parameter_wins(target: &Target) {
    assert_eq!(
        exchange(target, "GET", "?EIO=3&EIO=4&transport=abc&transport=polling").status,
        200
    );
    assert_error(&exchange(target, "GET", "?EIO=4&EIO=3&transport=polling"), 5);
}

pub(crate) fn t15_an_empty_sid_counts_as_absent(target: &Target) {
    assert_eq!(
        exchange(target, "GET", "?EIO=4&transport=polling&sid=").status,
        200
    );
}

pub(crate) fn t15_parameters_are_percent_decoded(target: &Target) {
    assert_eq!(
        exchange(target, "GET", "?%45IO=%34&transport=pol%6cing&extra=%zz+%").status,
        200
    );
}

pub(crate) fn t15_another_protocol_version_on_a_known_session_is_a_bad_request(target: &Target) {
    let mut session = Polling::open(target);
    for version in ["EIO=3", "EIO=5", "other=4"] {
        let query = format!("?{version}&transport=polling&sid={}", session.sid());
        assert_error(&exchange(target, "GET", &query), 3);
        assert_error(&exchange(target, "POST", &query), 3);
    }
    assert_echo(&mut session);
}

pub(crate) fn t15_other_methods_on_a_live_session_are_refused_without_harm(target: &Target) {
    let mut session = Polling::open(target);
    for method in ["PUT", "DELETE", "PATCH"] {
        let response = HttpConnection::exchange(target, &Request::new(method, session.url()));
        response.assert_is(500, "");
    }
    let mut connection = HttpConnection::open(target);
    connection.send(&Request::new("HEAD", session.url()));
    assert_eq!(connection.head().map(|response| response.status), Ok(500));
    assert_echo(&mut session);
}

pub(crate) fn t15_an_octet_stream_closes_the_session(target: &Target) {
    let mut session = Polling::open(target);
    let request = Request::post(session.url(), "4hello").replace("Content-Type", "application/octet-stream");
    HttpConnection::exchange(target, &request).assert_is(400, "");
    session.assert_gone();
}

pub(crate) fn t15_other_content_types_are_text(target: &Target) {
    let mut session = Polling::open(target);
    for content_type in ["application/octet-stream; x=1", "application/json", "text/html"] {
        let request = Request::post(session.url(), "4hello").replace("Content-Type", content_type);
        HttpConnection::exchange(target, &request).assert_is(200, "ok");
    }
    HttpConnection::exchange(
        target,
        &Request::post(session.url(), "4hello").without("Content-Type"),
    )
    .assert_is(200, "ok");
    assert_eq!(session.collect(4), ["4hello"; 4]);
}

pub(crate) fn t15_a_preflight_is_answered_before_verification(target: &Target) {
    for query in [
        "?EIO=4&transport=polling",
        "?EIO=4&transport=polling&sid=unknown",
        "?transport=abc",
    ] {
        let request = Request::new("OPTIONS", format!("{}{query}", target.path()))
            .header("Origin", "http://elsewhere.example")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "X-Custom");
        let response = HttpConnection::exchange(target, &request);
        response.assert_is(204, "");
        assert_eq!(response.header("content-length"), Some("0"));
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            response.header("access-control-allow-methods"),
            Some("GET,HEAD,PUT,PATCH,POST,DELETE")
        );
        assert_eq!(response.header("access-control-allow-headers"), Some("X-Custom"));
        assert_eq!(response.header("vary"), Some("Access-Control-Request-Headers"));
    }
}

pub(crate) fn t15_cors_headers_are_on_every_answer(target: &Target) {
    let mut session = Polling::open(target);
    let (mut polls, mut connection) = (Vec::new(), HttpConnection::open(target));
    polls.push(session.post("4hello"));
    polls.push(session.get());
    polls.push(exchange(target, "GET", "?EIO=4&transport=abc"));
    connection.send(&Request::upgrade(format!(
        "{}?EIO=4&transport=websocket",
        target.path()
    )));
    polls.push(connection.response());
    for response in polls {
        assert_eq!(
            response.header("access-control-allow-origin"),
            Some("*"),
            "{}",
            response.head
        );
        assert_eq!(response.header("set-cookie"), None);
    }
}

pub(crate) fn t15_old_browsers_get_their_protection_switched_off(target: &Target) {
    for agent in [
        "Mozilla/4.0 (compatible;MSIE 8.0)",
        "Mozilla/5.0 (Trident/7.0; rv:11.0)",
    ] {
        let request =
            Request::get(format!("{}?EIO=4&transport=polling", target.path())).header("User-Agent", agent);
        assert_eq!(
            HttpConnection::exchange(target, &request).header("x-xss-protection"),
            Some("0")
        );
    }
}

pub(crate) fn t15_websocket_errors_are_text_and_end_the_connection(target: &Target) {
    let cases = [
        ("EIO=4&transport=abc", 0),
        ("EIO=4&transport=websocket&sid=unknown", 1),
    ];
    for (query, code) in cases {
        let mut connection = HttpConnection::open(target);
        connection.send(&Request::upgrade(format!("{}?{query}", target.path())));
        let response = connection.response();
        assert_websocket_error(&response, ERROR_MESSAGES[code]);
        connection.expect_end();
    }
}

pub(crate) fn t15_a_websocket_of_another_version_for_a_known_session_is_refused(target: &Target) {
    let mut session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    let path = format!(
        "{}?EIO=3&transport=websocket&sid={}",
        target.path(),
        session.sid()
    );
    connection.send(&Request::upgrade(path));
    assert_websocket_error(&connection.response(), "Bad request");
    assert_echo(&mut session);
}

pub(crate) fn t15_a_refusing_gate_is_403_on_http_and_400_on_websocket(target: &Target) {
    let polling = Request::get(format!("{}?EIO=4&transport=polling", target.path())).header("x-refuse", "1");
    assert_error(&HttpConnection::exchange(target, &polling), 4);
    let mut connection = HttpConnection::open(target);
    let path = format!("{}?EIO=4&transport=websocket", target.path());
    connection.send(&Request::upgrade(path).header("x-refuse", "1"));
    assert_websocket_error(&connection.response(), "Forbidden");
    connection.expect_end();
}

pub(crate) fn t15_requests_of_a_session_skip_the_gate(target: &Target) {
    let mut session = join_main_by_polling(target);
    let message = r#"42["message","x"]"#;
    let post = Request::post(session.url(), message).header("x-refuse", "1");
    HttpConnection::exchange(target, &post).assert_is(200, "ok");
    assert_eq!(session.collect(1), [r#"42["message-back","x"]"#]);
    let mut connection = HttpConnection::open(target);
    let path = format!("{}?{}", target.path(), session.websocket_query());
    connection.send(&Request::upgrade(path).header("x-refuse", "1"));
    assert_eq!(connection.response().status, 101);
}

pub(crate) fn t15_other_paths_are_not_found(target: &Target) {
    for path in [
        "/",
        "/other/?EIO=4&transport=polling",
        "/engine.io?EIO=4&transport=polling",
        "/engine.iox/",
    ] {
        assert_eq!(
            HttpConnection::exchange(target, &Request::get(path)).status,
            404,
            "{path}"
        );
    }
}

pub(crate) fn t15_a_connection_serves_one_request_after_another(target: &Target) {
    let session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    for number in 0..20 {
        connection.send(&Request::post(session.url(), format!("4{number}")));
        connection.response().assert_is(200, "ok");
        connection.send(&Request::get(session.url()));
        assert_eq!(connection.response().packets(), [format!("4{number}")]);
    }
}

pub(crate) fn t15_pipelined_requests_are_answered_in_order(target: &Target) {
    let mut session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    let mut bytes = Request::post(session.url(), "4first").render();
    bytes.extend(Request::post(session.url(), "4second").render());
    bytes.extend(Request::get(format!("{}?transport=abc", target.path())).render());
    connection.send_bytes(&bytes);
    connection.response().assert_is(200, "ok");
    connection.response().assert_is(200, "ok");
    assert_error(&connection.response(), 0);
    assert_eq!(session.collect(2), ["4first", "4second"]);
}

pub(crate) fn t15_a_request_behind_a_parked_poll_is_answered_after_it(target: &Target) {
    let mut session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    let mut bytes = Request::get(session.url()).render();
    bytes.extend(Request::get(format!("{}?transport=abc", target.path())).render());
    connection.send_bytes(&bytes);
    settle(target);
    session.deliver("4hello");
    assert_eq!(connection.response().status, 200);
    assert_error(&connection.response(), 0);
}

pub(crate) fn t15_connection_close_is_honoured(target: &Target) {
    let mut connection = HttpConnection::open(target);
    let path = format!("{}?EIO=4&transport=polling", target.path());
    connection.send(&Request::get(&path).header("Connection", "close"));
    assert_eq!(connection.response().status, 200);
    connection.expect_end();
    let mut connection = HttpConnection::open(target);
    connection.send_bytes(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes());
    assert_eq!(connection.response().status, 200);
    connection.expect_end();
}

pub(crate) fn t15_chunked_bodies_are_read(target: &Target) {
    let mut session = Polling::open(target);
    let request = Request::post_chunked(session.url(), &["4he", "llo\x1e", "4", "world"]);
    HttpConnection::exchange(target, &request).assert_is(200, "ok");
    assert_eq!(session.collect(2), ["4hello", "4world"]);
}

pub(crate) fn t15_a_body_is_invited_when_the_client_expects_it(target: &Target) {
    let mut session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    connection.send(&Request::post_head(session.url(), 6).header("Expect", "100-continue"));
    assert_eq!(connection.response().status, 100);
    connection.send_bytes(b"4hello");
    connection.response().assert_is(200, "ok");
    assert_eq!(session.collect(1), ["4hello"]);
}

pub(crate) fn t15_a_request_in_single_bytes_is_read(target: &Target) {
    let mut session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    for byte in Request::post(session.url(), "4h\u{e9}llo").render() {
        connection.send_bytes(&[byte]);
    }
    connection.response().assert_is(200, "ok");
    assert_eq!(session.collect(1), ["4h\u{e9}llo"]);
}

pub(crate) fn t16_a_body_of_exactly_the_limit_is_taken(target: &Target) {
    let mut session = Polling::open(target);
    let packet = format!("4{}", "a".repeat(999_999));
    session.deliver(&packet);
    assert!(session.collect(1) == [packet], "the echo differs");
}

pub(crate) fn t16_a_body_over_the_limit_is_413_and_keeps_the_session(target: &Target) {
    let mut session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    connection.offer_bytes(&Request::post(session.url(), format!("4{}", "a".repeat(1_000_000))).render());
    connection.response().assert_is(413, "");
    assert_echo(&mut session);
}

pub(crate) fn t16_a_chunked_body_over_the_limit_is_413_and_keeps_the_session(target: &Target) {
    let mut session = Polling::open(target);
    let chunk = "a".repeat(250_000);
    let mut connection = HttpConnection::open(target);
    connection
        .offer_bytes(&Request::post_chunked(session.url(), &["4", &chunk, &chunk, &chunk, &chunk]).render());
    connection.response().assert_is(413, "");
    assert_echo(&mut session);
}

pub(crate) fn t16_a_websocket_message_of_exactly_the_limit_is_taken(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    let packet = format!("4{}", "a".repeat(999_999));
    socket.send(&packet);
    assert!(socket.text() == packet, "the echo differs");
    let bytes = vec![7; 1_000_000];
    socket.send_binary(&bytes);
    socket.expect_binary(&bytes);
}

pub(crate) fn t35_the_handshake_shows_the_first_request(target: &Target) {
    let (mut session, _) = Polling::open_with(target, "&who=first+one%21");
    crate::kit::socketio::join_by_polling(&mut session);
    let mut socket = WebSocketClient::open(
        target,
        &format!("{}&who=second&late=1", session.websocket_query()),
    );
    socket.send("2probe");
    socket.expect_text("3probe");
    socket.send("5");
    socket.send(r#"421["handshake-query","who"]"#);
    socket.expect_text(r#"431["first one!"]"#);
    socket.send(r#"422["handshake-query","late"]"#);
    socket.expect_text("432[null]");
    socket.send(r#"423["handshake-query","transport"]"#);
    socket.expect_text(r#"433["polling"]"#);
}

#[track_caller]
fn assert_websocket_error(response: &Response, message: &str) {
    response.assert_is(400, message);
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(response.header("content-type"), Some("text/html"));
}

#[track_caller]
fn assert_echo(session: &mut Polling) {
    session.deliver("4still here");
    assert_eq!(session.collect(1), ["4still here"]);
    assert_still_serves(session.target());
}
