//! Request heads: what is read from them, and every way a peer can get one wrong.

use bytes::BytesMut;
use socketio_core::http::{
    BodyLength, HeadDecoder, HeadError, HeadLimits, Method, RequestHead, Version, WebSocketRefusal,
    WebSocketRequest,
};

fn decode(text: &str) -> Result<Option<RequestHead>, HeadError> {
    HeadDecoder::new(&HeadLimits::default()).poll_head(&mut BytesMut::from(text))
}

fn head(text: &str) -> RequestHead {
    decode(text).expect("a sound head").expect("a whole head")
}

fn refused(text: &str) -> (HeadError, u16) {
    let error = decode(text).expect_err("a head to refuse");
    (error, error.status().as_u16())
}

/// A GET with `lines` as further headers.
fn with(lines: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

const HANDSHAKE: &str = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\n\
    connection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn the_parts_of_a_head_are_found() {
    let head = head(
        "POST /socket.io/?EIO=4&sid=a%2Bb HTTP/1.1\r\nHost: example.com\r\norigin:http://a\r\n\
         Content-Type: \t text/plain;charset=UTF-8 \r\ncontent-length: 5\r\nX-A: 1\r\nx-a: 2\r\nX-Empty:\r\n\
         Cookie: io=1\r\nUser-Agent: u\r\nAccept-Encoding: gzip, deflate\r\n\r\nhello",
    );
    assert_eq!(head.method(), Method::Post);
    assert_eq!(head.version(), Version::Http11);
    assert_eq!(head.target(), "/socket.io/?EIO=4&sid=a%2Bb");
    assert_eq!(head.path(), "/socket.io/");
    assert_eq!(head.query().get("sid").as_deref(), Some("a+b"));
    assert_eq!(head.host(), Some(&b"example.com"[..]));
    assert_eq!(head.origin(), Some(&b"http://a"[..]));
    assert_eq!(head.content_type(), Some(&b"text/plain;charset=UTF-8"[..]));
    assert_eq!(head.cookie(), Some(&b"io=1"[..]));
    assert_eq!(head.user_agent(), Some(&b"u"[..]));
    assert_eq!(head.accept_encoding(), Some(&b"gzip, deflate"[..]));
    assert_eq!(head.header_str("X-a"), Some("1"));
    assert_eq!(head.header("x-empty"), Some(&b""[..]));
    assert_eq!(head.header("CONTENT-LENGTH"), Some(&b"5"[..]));
    assert_eq!(head.header("x-missing"), None);
    assert_eq!(head.header_list("x-A").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(head.headers().count(), 10);
    assert_eq!(head.body_length(), BodyLength::Length(5));
    assert!(head.raw().ends_with(b"deflate\r\n\r\n"));
}

#[test]
fn a_head_is_small_and_its_debug_text_holds_no_secret() {
    assert!(size_of::<RequestHead>() <= 160, "{}", size_of::<RequestHead>());
    let head = head("GET /a?sid=secret HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n");
    assert_eq!(format!("{head:?}"), "RequestHead(GET /a)");
}

#[test]
fn targets_of_every_form_have_a_path() {
    for (target, path, query) in [
        ("/a?b?c", "/a", "b?c"),
        ("http://host/a?b", "/a", "b"),
        ("http://host?b", "", "b"),
        ("http://host", "/", ""),
        ("*", "*", ""),
        ("/a?u=http://b/c", "/a", "u=http://b/c"),
    ] {
        let head = head(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((head.path(), head.query().as_str()), (path, query), "{target}");
    }
}

#[test]
fn methods_are_case_sensitive_tokens() {
    assert_eq!(
        head("get / HTTP/1.1\r\nHost: a\r\n\r\n").method(),
        Method::Other("get".into())
    );
    assert_eq!(
        head("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").method(),
        Method::Options
    );
}

#[test]
fn what_follows_a_head_stays_in_the_input() {
    let mut decoder = HeadDecoder::new(&HeadLimits::default());
    let mut input = BytesMut::from(
        "\r\n\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nrest",
    );
    assert_eq!(decoder.poll_head(&mut input).unwrap().unwrap().path(), "/1");
    assert_eq!(decoder.poll_head(&mut input).unwrap().unwrap().path(), "/2");
    assert_eq!(&input[..], b"rest");
}

#[test]
fn connections_persist_by_version_and_option() {
    let keeps = |version: &str, option: &str| {
        head(&format!("GET / HTTP/{version}\r\nHost: a\r\n{option}\r\n")).keep_alive()
    };
    assert!(keeps("1.1", ""));
    assert!(!keeps("1.1", "Connection: foo, Close\r\n"));
    assert!(!keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
    assert!(!keeps("1.0", ""));
    assert!(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

#[test]
fn a_client_may_wait_for_the_go_ahead() {
    assert!(head(&with("Expect: 100-Continue\r\n")).wants_continue());
    assert!(!head("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").wants_continue());
    assert_eq!(
        refused(&with("Expect: tea\r\n")),
        (HeadError::UnknownExpectation, 417)
    );
}

#[test]
fn malformed_request_lines_are_refused() {
    for line in [
        "GET /",
        "GET",
        "GET  / HTTP/1.1",
        "GET / x HTTP/1.1",
        " GET / HTTP/1.1",
        "GET /\t HTTP/1.1",
        "G\u{e9}T / HTTP/1.1",
        "GET / http/1.1",
        "\u{16}\u{3}\u{1}",
        "GET /\0 HTTP/1.1",
    ] {
        let outcome = refused(&format!("{line}\r\nHost: a\r\n\r\n"));
        assert_eq!(outcome, (HeadError::MalformedRequestLine, 400), "{line}");
    }
}

#[test]
fn other_versions_are_refused_by_name() {
    for version in ["2.0", "1.2", "0.9", "3.0"] {
        let outcome = refused(&format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n"));
        assert_eq!(outcome, (HeadError::UnsupportedVersion, 505), "{version}");
    }
    assert_eq!(
        refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (HeadError::UnsupportedVersion, 505)
    );
}

#[test]
fn lines_end_in_crlf_and_nothing_else() {
    for (text, error) in [
        ("GET / HTTP/1.1\nHost: a\n\n", HeadError::BareLineFeed),
        ("\nGET / HTTP/1.1\r\n", HeadError::MalformedRequestLine),
        (
            &with("X: a\nTransfer-Encoding: chunked\r\n"),
            HeadError::BareLineFeed,
        ),
        (&with("X: a\r\n\n"), HeadError::BareLineFeed),
        (&with("X: a\rb\r\n"), HeadError::MalformedHeaderValue),
        (&with("X: a\r\r\n"), HeadError::MalformedHeaderValue),
        (&with("\rX: a\r\n"), HeadError::BareCarriageReturn),
        (&with("X\r: a\r\n"), HeadError::MalformedHeaderName),
        (
            "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
            HeadError::BareCarriageReturn,
        ),
        (
            "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            HeadError::BareCarriageReturn,
        ),
    ] {
        assert_eq!(refused(text), (error, 400), "{text:?}");
    }
}

#[test]
fn malformed_headers_are_refused() {
    for line in [
        "X : a",
        "X\t: a",
        ": a",
        "X",
        " folded",
        "\tfolded",
        "X Y: a",
        "X\u{e9}: a",
        "X(: a",
    ] {
        let outcome = refused(&with(&format!("{line}\r\n")));
        assert_eq!(outcome, (HeadError::MalformedHeaderName, 400), "{line}");
        let outcome = refused(&format!("GET / HTTP/1.1\r\n{line}\r\nHost: a\r\n\r\n"));
        assert_eq!(outcome, (HeadError::MalformedHeaderName, 400), "{line} first");
    }
    for value in ["a\0b", "a\u{7f}", "\u{1}"] {
        let outcome = refused(&with(&format!("X: {value}\r\n")));
        assert_eq!(outcome, (HeadError::MalformedHeaderValue, 400), "{value:?}");
    }
}

#[test]
fn exactly_one_host_is_required() {
    assert_eq!(refused("GET / HTTP/1.1\r\n\r\n"), (HeadError::MissingHost, 400));
    assert_eq!(refused(&with("host: a\r\n")), (HeadError::RepeatedHost, 400));
    assert!(decode("GET / HTTP/1.0\r\n\r\n").unwrap().is_some());
    assert!(decode("GET / HTTP/1.1\r\nHost:\r\n\r\n").unwrap().is_some());
    assert_eq!(
        refused("GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n"),
        (HeadError::RepeatedHost, 400)
    );
}

#[test]
fn a_body_has_one_length() {
    for (lines, length) in [
        ("", BodyLength::None),
        ("Content-Length: 0\r\n", BodyLength::Length(0)),
        (
            "Content-Length: 18446744073709551615\r\n",
            BodyLength::Length(u64::MAX),
        ),
        (
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            BodyLength::Length(3),
        ),
        ("Transfer-Encoding: Chunked\r\n", BodyLength::Chunked),
    ] {
        assert_eq!(head(&with(lines)).body_length(), length, "{lines:?}");
    }
}

#[test]
fn ambiguous_lengths_are_taken_for_smuggling() {
    for (lines, error) in [
        (
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            HeadError::LengthAndTransferEncoding,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
            HeadError::LengthAndTransferEncoding,
        ),
        (
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            HeadError::ConflictingContentLengths,
        ),
    ] {
        assert_eq!(refused(&with(lines)), (error, 400), "{lines:?}");
    }
    for value in [
        "",
        "-1",
        "+1",
        "1 2",
        "1,1",
        "0x1",
        "1.0",
        "18446744073709551616",
        "\u{661}",
        "1;",
    ] {
        let outcome = refused(&with(&format!("Content-Length: {value}\r\n")));
        assert_eq!(outcome, (HeadError::InvalidContentLength, 400), "{value:?}");
    }
    for value in [
        "",
        "gzip",
        "identity",
        "gzip, chunked",
        "chunked, gzip",
        "chunked,chunked",
        "xchunked",
    ] {
        let outcome = refused(&with(&format!("Transfer-Encoding: {value}\r\n")));
        assert_eq!(outcome, (HeadError::UnknownTransferEncoding, 501), "{value:?}");
    }
    let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n";
    assert_eq!(refused(&with(twice)), (HeadError::UnknownTransferEncoding, 501));
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(refused(old), (HeadError::TransferEncodingInHttp10, 400));
}

#[test]
fn limits_hold_to_the_byte() {
    let limits = HeadLimits {
        head_bytes: 64,
        headers: 2,
        target_bytes: 16,
    };
    let decode = |text: &str| {
        let mut input = BytesMut::from(text);
        HeadDecoder::new(&limits)
            .poll_head(&mut input)
            .map(|head| head.is_some())
    };
    let padded = |bytes: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(bytes - start.len() - 4))
    };
    assert_eq!(decode(&padded(64)), Ok(true));
    assert_eq!(decode(&padded(65)), Err(HeadError::HeadTooLarge));
    assert_eq!(decode(&padded(65)[..64]), Ok(false));
    assert_eq!(decode(&padded(90)[..65]), Err(HeadError::HeadTooLarge));
    assert_eq!(decode(&format!("\r\n{}", padded(64))), Ok(true));
    assert_eq!(
        decode("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n"),
        Err(HeadError::TooManyHeaders)
    );
    let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(bytes - 1));
    assert_eq!(decode(&target(16)), Ok(true));
    assert_eq!(decode(&target(17)), Err(HeadError::TargetTooLong));
    assert_eq!(decode(&"G".repeat(65)), Err(HeadError::TargetTooLong));
    assert_eq!(decode(&"\r\n".repeat(33)), Err(HeadError::HeadTooLarge));
    assert_eq!(HeadError::HeadTooLarge.status().as_u16(), 431);
    assert_eq!(HeadError::TooManyHeaders.status().as_u16(), 431);
    assert_eq!(HeadError::TargetTooLong.status().as_u16(), 414);
}

#[test]
fn limits_beyond_what_a_head_can_be_are_cut() {
    let limits = HeadLimits {
        head_bytes: usize::MAX,
        headers: usize::MAX,
        target_bytes: usize::MAX,
    };
    let long = with(&format!("X: {}\r\n", "x".repeat(70_000)));
    let outcome = HeadDecoder::new(&limits).poll_head(&mut BytesMut::from(&long[..]));
    assert_eq!(outcome.unwrap_err(), HeadError::HeadTooLarge);
    let many = with(&"X: y\r\n".repeat(300));
    let outcome = HeadDecoder::new(&limits).poll_head(&mut BytesMut::from(&many[..]));
    assert_eq!(outcome.unwrap_err(), HeadError::TooManyHeaders);
}

#[test]
fn an_error_is_final() {
    let mut decoder = HeadDecoder::new(&HeadLimits::default());
    assert!(decoder.poll_head(&mut BytesMut::from("\u{16}")).is_err());
    let mut sound = BytesMut::from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        decoder.poll_head(&mut sound).unwrap_err(),
        HeadError::MalformedRequestLine
    );
}

#[test]
fn a_websocket_handshake_is_recognised() {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    assert_eq!(head(HANDSHAKE).websocket(), WebSocketRequest::Upgrade { key });
    for (from, to) in [
        ("connection: keep-alive, Upgrade\r\n", ""),
        ("upgrade: WebSocket\r\n", ""),
        ("WebSocket\r\n", "h2c\r\n"),
        ("HTTP/1.1", "HTTP/1.0"),
    ] {
        assert_eq!(
            head(&HANDSHAKE.replace(from, to)).websocket(),
            WebSocketRequest::NotUpgrade,
            "{from}"
        );
    }
}

#[test]
fn a_malformed_websocket_handshake_says_why() {
    let twice = "Host: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (from, to, refusal, status) in [
        ("GET", "POST", WebSocketRefusal::MethodNotGet, 405),
        (": 13", ": 8", WebSocketRefusal::UnsupportedVersion, 426),
        (
            "Sec-WebSocket-Version: 13\r\n",
            "",
            WebSocketRefusal::UnsupportedVersion,
            426,
        ),
        ("ZQ==", "Z===", WebSocketRefusal::InvalidKey, 400),
        ("Sec-WebSocket-Key", "X", WebSocketRefusal::InvalidKey, 400),
        ("Host: a\r\n", twice, WebSocketRefusal::InvalidKey, 400),
        (
            "Host: a\r\n",
            "Host: a\r\nContent-Length: 1\r\n",
            WebSocketRefusal::HasBody,
            400,
        ),
    ] {
        let head = head(&HANDSHAKE.replacen(from, to, 1));
        assert_eq!(head.websocket(), WebSocketRequest::Malformed(refusal), "{from}");
        assert_eq!(refusal.response().status().as_u16(), status);
    }
}

#[test]
fn a_refused_version_is_told_the_right_one() {
    let response = WebSocketRefusal::UnsupportedVersion.response();
    assert_eq!(response.headers().get("sec-websocket-version"), Some(&b"13"[..]));
    assert_eq!(
        WebSocketRefusal::MethodNotGet.response().headers().get("allow"),
        Some(&b"GET"[..])
    );
    assert_eq!(WebSocketRefusal::InvalidKey.response().body().len(), 43);
}

#[test]
fn a_host_builds_the_same_head_from_its_parts() {
    let wire = head("POST /a?b=c HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nx-a: \u{e9}\r\n\r\n");
    let built = RequestHead::from_parts("POST", "/a?b=c", wire.headers()).unwrap();
    assert_eq!(built.raw(), wire.raw());
    assert_eq!(built.body_length(), wire.body_length());
    assert!(
        RequestHead::from_parts("GET", "/", []).is_ok(),
        "HTTP/2 has no Host header"
    );
}

#[test]
fn parts_cannot_smuggle_lines() {
    let build = |method: &str, target: &str, name: &str, value: &[u8]| {
        RequestHead::from_parts(method, target, [(name, value)]).unwrap_err()
    };
    for bad in ["a\r\nb", "a\nb", "a\rb", "a\0b"] {
        assert_eq!(build(bad, "/", "x", b"y"), HeadError::LineBreakInPart);
        assert_eq!(build("GET", bad, "x", b"y"), HeadError::LineBreakInPart);
        assert_eq!(build("GET", "/", bad, b"y"), HeadError::LineBreakInPart);
        assert_eq!(build("GET", "/", "x", bad.as_bytes()), HeadError::LineBreakInPart);
    }
    assert_eq!(build("GET", "/a b", "x", b"y"), HeadError::MalformedRequestLine);
    assert_eq!(build("GET", "", "x", b"y"), HeadError::MalformedRequestLine);
    assert_eq!(build("G T", "/", "x", b"y"), HeadError::MalformedRequestLine);
    assert_eq!(build("GET", "/", "x: z", b"y"), HeadError::MalformedHeaderName);
    assert_eq!(build("GET", "/", "x", &[b'y'; 70_000]), HeadError::HeadTooLarge);
}
