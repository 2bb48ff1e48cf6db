//! Malformed, lying and smuggled HTTP requests. RFC 9112 wants 400 and a closed connection; a closed connection alone
//! is as good.

use crate::conformance::assert_still_serves;
use crate::kit::{Ended, HttpConnection, Polling, Request, settle};
use crate::testbed::Target;

pub(crate) fn malformed_request_lines_are_refused(target: &Target) {
    let path = "/engine.io/?EIO=4&transport=polling";
    let lines = [
        format!("GET {path} HTTP/9.9"),
        format!("GET {path} HTTP/1.1 extra"),
        format!("GET {path} HTTQ/1.1"),
        format!("G@T {path} HTTP/1.1"),
        format!("GET\0 {path} HTTP/1.1"),
        format!(" {path} HTTP/1.1"),
        "GET".to_owned(),
        "GET  HTTP/1.1".to_owned(),
        format!("GET {path}&a=\0 HTTP/1.1"),
        "PRI * HTTP/2.0".to_owned(),
    ];
    for line in lines {
        assert_refused(target, format!("{line}\r\nHost: localhost\r\n\r\n").as_bytes());
    }
    assert_still_serves(target);
}

/// differs_from_js: Node answers a request line without version as HTTP/1.0.
pub(crate) fn http_0_9_is_refused(target: &Target) {
    assert_refused(
        target,
        b"GET /engine.io/?EIO=4&transport=polling\r\nHost: localhost\r\n\r\n",
    );
    assert_still_serves(target);
}

pub(crate) fn malformed_header_lines_are_refused(target: &Target) {
    let lines: [&[u8]; 9] = [
        b"no colon",
        b"Space : before",
        b": nameless",
        b"Nul: a\0b",
        b"Bare: a\rb",
        b"N\xc3\xa4me: x",
        b"Na me: x",
        b"Origin: http://a\x01b",
        b"Delete: \x7f",
    ];
    for line in lines {
        let mut bytes = b"GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n".to_vec();
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n\r\n");
        assert_refused(target, &bytes);
    }
    assert_still_serves(target);
}

pub(crate) fn a_request_without_host_is_refused(target: &Target) {
    assert_refused(
        target,
        b"GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n",
    );
    assert_still_serves(target);
}

/// differs_from_js: Node takes the first one.
pub(crate) fn a_request_with_two_hosts_is_refused(target: &Target) {
    assert_refused(
        target,
        b"GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    );
    assert_still_serves(target);
}

pub(crate) fn unknown_methods_are_refused(target: &Target) {
    let session = Polling::open(target);
    for method in [
        "BREW",
        "TRACE",
        "CONNECT",
        "get",
        "GETGETGETGETGETGETGETGETGETGETGET",
    ] {
        assert_refused(
            target,
            &Request::new(method, "/engine.io/?EIO=4&transport=polling").render(),
        );
        assert_refused(target, &Request::new(method, session.url()).render());
    }
    assert_still_serves(target);
}

pub(crate) fn bytes_that_are_no_http_are_refused(target: &Target) {
    let tls_client_hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n\r\n";
    let samples: [&[u8]; 4] = [
        tls_client_hello,
        &[0; 64],
        &[0xff; 64],
        b"\r\n\r\n\r\n\r\nhello\r\n\r\n",
    ];
    for bytes in samples {
        assert_refused(target, bytes);
    }
    assert_still_serves(target);
}

pub(crate) fn an_endless_head_is_refused(target: &Target) {
    let start = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n";
    assert_refused(
        target,
        format!("{start}X: {}\r\n\r\n", "a".repeat(1_000_000)).as_bytes(),
    );
    assert_refused(
        target,
        format!("{start}{}\r\n", "X: a\r\n".repeat(100_000)).as_bytes(),
    );
    assert_refused(
        target,
        format!("GET /engine.io/?{} HTTP/1.1\r\n\r\n", "a".repeat(1_000_000)).as_bytes(),
    );
    assert_still_serves(target);
}

pub(crate) fn slow_heads_hold_nobody_up(target: &Target) {
    let mut slow: Vec<HttpConnection> = (0..30).map(|_| HttpConnection::open(target)).collect();
    for connection in &mut slow {
        connection.send_bytes(b"GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: loc");
    }
    assert_still_serves(target);
    for connection in &mut slow {
        connection.send_bytes(b"alhost\r\n\r\n");
        assert_eq!(connection.response().status, 200);
    }
}

pub(crate) fn malformed_lengths_are_refused(target: &Target) {
    let session = Polling::open(target);
    for length in [
        "abc",
        "-1",
        "+6",
        "6,7",
        "6e0",
        "0x6",
        "99999999999999999999999",
        "6 6",
        "",
    ] {
        let request = Request::post(session.url(), "4hello").replace("Content-Length", length);
        assert_refused(target, &request.render());
    }
    assert_still_serves(target);
}

pub(crate) fn malformed_transfer_codings_are_refused(target: &Target) {
    let session = Polling::open(target);
    for coding in ["gzip", "xchunked", "chunked, gzip", "chunkedx", "\"chunked\""] {
        let request = Request::post_chunked(session.url(), &["4hello"]).replace("Transfer-Encoding", coding);
        assert_refused(target, &request.render());
    }
    assert_still_serves(target);
}

pub(crate) fn chunks_with_lying_sizes_are_refused(target: &Target) {
    let bodies = [
        "zz\r\n4hello\r\n0\r\n\r\n",
        "-1\r\n4hello\r\n0\r\n\r\n",
        "\r\n4hello\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n4hello\r\n0\r\n\r\n",
        "3\r\n4hello\r\n0\r\n\r\n",
        "40\r\n4hello\r\n0\r\n\r\n",
        "6\r\n4hello0\r\n\r\n",
        "0x6\r\n4hello\r\n0\r\n\r\n",
        "+6\r\n4hello\r\n0\r\n\r\n",
    ];
    for body in bodies {
        let session = Polling::open(target);
        let mut bytes = Request::new("POST", session.url())
            .header("Transfer-Encoding", "chunked")
            .render();
        bytes.extend_from_slice(body.as_bytes());
        assert_refused(target, &bytes);
    }
    assert_still_serves(target);
}

pub(crate) fn a_request_with_two_framings_is_refused(target: &Target) {
    let hidden = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let framings = [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: chunked\x0b\r\n",
        "Transfer-Encoding:\x0bchunked\r\nContent-Length: 5\r\n",
    ];
    for framing in framings {
        let session = Polling::open(target);
        let url = session.url();
        let bytes = format!("POST {url} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n0\r\n\r\n{hidden}");
        assert_refused(target, bytes.as_bytes());
    }
    assert_still_serves(target);
}

pub(crate) fn a_body_shorter_than_announced_closes_only_its_session(target: &Target) {
    let mut session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    connection.send(&Request::post_head(session.url(), 100));
    connection.send_bytes(b"4hello");
    settle(target);
    drop(connection);
    settle(target);
    session.assert_gone();
    assert_still_serves(target);
}

pub(crate) fn a_body_on_a_poll_is_no_request(target: &Target) {
    let hidden = "GET /engine.io/?transport=abc HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut session = Polling::open(target);
    session.deliver("4hello");
    let mut connection = HttpConnection::open(target);
    let poll = Request::get(session.url()).header("Content-Length", &hidden.len().to_string());
    let mut bytes = poll.render();
    bytes.extend_from_slice(hidden.as_bytes());
    connection.send_bytes(&bytes);
    connection.send(&Request::get("/nowhere"));
    // Served or refused, but never read as a request of its own, which would be error 0.
    while let Ok(response) = connection.try_response() {
        assert!(!response.text().contains("Transport unknown"), "{response:?}");
        if response.status == 404 {
            break;
        }
    }
    assert_still_serves(target);
}

pub(crate) fn requests_dropped_anywhere_leave_no_harm(target: &Target) {
    let session = Polling::open(target);
    let bytes = Request::post(session.url(), "4hello").render();
    for cut in (0..bytes.len()).step_by(7) {
        let mut connection = HttpConnection::open(target);
        connection.send_bytes(&bytes[..cut]);
    }
    assert_still_serves(target);
}

pub(crate) fn wrong_session_ids_are_unknown(target: &Target) {
    let long = "a".repeat(4_000);
    for sid in ["x", "%00", "..%2f..", "__proto__", "constructor", "%ff%fe", &long] {
        let url = format!("{}?EIO=4&transport=polling&sid={sid}", target.path());
        let response = HttpConnection::exchange(target, &Request::get(url));
        response.assert_is(400, r#"{"code":1,"message":"Session ID unknown"}"#);
    }
    assert_still_serves(target);
}

pub(crate) fn bad_websocket_handshakes_are_refused(target: &Target) {
    let good = Request::upgrade(format!("{}?EIO=4&transport=websocket", target.path()));
    let key = "Sec-WebSocket-Key";
    let without_key = "Missing or invalid Sec-WebSocket-Key header";
    for request in [
        good.clone().without(key),
        good.clone().replace(key, "short"),
        good.clone().replace(key, "%%%"),
    ] {
        let mut connection = HttpConnection::open(target);
        connection.send(&request);
        connection.response().assert_is(400, without_key);
        connection.expect_end();
    }
    let version = "Sec-WebSocket-Version";
    for request in [good.clone().without(version), good.clone().replace(version, "12")] {
        let response = HttpConnection::exchange(target, &request);
        assert!([400, 426].contains(&response.status), "{response:?}");
    }
    let other = HttpConnection::exchange(target, &good.replace("Upgrade", "h2c"));
    assert_eq!(other.status, 400);
    assert_still_serves(target);
}

/// Sends bytes and the end of the sending direction; asserts that nothing among the answers is a success, and that the
/// server ends the connection.
#[track_caller]
fn assert_refused(target: &Target, bytes: &[u8]) {
    let mut connection = HttpConnection::open(target);
    connection.offer_bytes(bytes);
    connection.finish_writing();
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    loop {
        match connection.try_response() {
            Ok(response) => assert!(response.status >= 400, "{shown:?} was answered by {response:?}"),
            Err(Ended::Deadline) => panic!("{shown:?} leaves the connection open"),
            Err(Ended::Closed | Ended::Reset) => break,
        }
    }
}
