use super::head;
use crate::http::{BodyLength, HeadError, HeadLimits, ResponseDecoder, StatusCode, Version};
use bytes::BytesMut;
use core::time::Duration;

fn with(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{lines}\r\n")
}

#[test]
fn a_head_tells_its_status_version_and_headers() {
    let head = head(
        "HTTP/1.0 302 Moved over there\r\nLocation: /x\r\nKEEP-alive: max=7, Timeout=5\r\nconnection: Keep-Alive\r\n\
         Content-Length: 0\r\nX: 1\r\nx: 2\r\n\r\n",
    )
    .unwrap();
    assert_eq!(head.status(), StatusCode::FOUND);
    assert_eq!(head.version(), Version::Http10);
    assert_eq!(head.location(), Some("/x"));
    assert_eq!(head.keep_alive_timeout(), Some(Duration::from_secs(5)));
    assert!(head.keep_alive());
    assert_eq!(head.header("X"), Some(&b"1"[..]));
    assert_eq!(head.headers().count(), 6);
    assert_eq!(format!("{head:?}"), "ResponseHead(302 Found)");
}

#[test]
fn a_status_needs_no_reason() {
    for line in [
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 200 \r\n\r\n",
        "HTTP/1.1 200 \u{e9}\r\n\r\n",
    ] {
        assert_eq!(
            head(line).map(|head| head.status()),
            Ok(StatusCode::OK),
            "{line:?}"
        );
    }
}

#[test]
fn a_connection_stays_unless_either_side_of_the_head_says_otherwise() {
    for (text, stays) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\n\r\n", false),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n",
            false,
        ),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
    ] {
        assert_eq!(head(text).unwrap().keep_alive(), stays, "{text:?}");
    }
    for value in [
        "",
        "timeout",
        "timeout=",
        "timeout=-1",
        "timeout=99999999999999999999",
    ] {
        let head = head(&with(&format!("Keep-Alive: {value}\r\n"))).unwrap();
        assert_eq!(head.keep_alive_timeout(), None, "{value:?}");
    }
}

#[test]
fn the_length_of_a_body_follows_the_order_of_the_rfc() {
    for (text, length) in [
        ("HTTP/1.1 200 OK\r\n\r\n", BodyLength::UntilClose),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
            BodyLength::Length(3),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            BodyLength::Length(3),
        ),
        (
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n",
            BodyLength::Chunked,
        ),
        (
            "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
            BodyLength::None,
        ),
        (
            "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
            BodyLength::None,
        ),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
            BodyLength::None,
        ),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", BodyLength::None),
    ] {
        assert_eq!(head(text).unwrap().body_length(), length, "{text:?}");
    }
}

#[test]
fn every_fault_has_its_error() {
    for (text, error) in [
        (
            "\r\nHTTP/1.1 200 OK\r\n\r\n".into(),
            HeadError::MalformedStatusLine,
        ),
        ("\x16\x03\x01\r\n\r\n".into(), HeadError::MalformedStatusLine),
        ("HTTP\r\n\r\n".into(), HeadError::MalformedStatusLine),
        ("HTTP/1.1 20 OK\r\n\r\n".into(), HeadError::MalformedStatusLine),
        ("HTTP/1.1 099 OK\r\n\r\n".into(), HeadError::MalformedStatusLine),
        ("HTTP/1.1 2000 OK\r\n\r\n".into(), HeadError::MalformedStatusLine),
        ("HTTP/2.0 200 OK\r\n\r\n".into(), HeadError::UnsupportedVersion),
        ("HTTP/1.1 200 OK\n\n".into(), HeadError::BareLineFeed),
        (
            "HTTP/1.1 200 OK\rX: y\r\n\r\n".into(),
            HeadError::MalformedStatusLine,
        ),
        (with("A : b\r\n"), HeadError::MalformedHeaderName),
        (with(" folded\r\n"), HeadError::MalformedHeaderName),
        (with("A: \x00\r\n"), HeadError::MalformedHeaderValue),
        (
            with("Content-Length: 1\r\nContent-Length: 2\r\n"),
            HeadError::ConflictingContentLengths,
        ),
        (with("Content-Length: 1, 1\r\n"), HeadError::InvalidContentLength),
        (
            with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
            HeadError::LengthAndTransferEncoding,
        ),
        (
            with("Transfer-Encoding: gzip, chunked\r\n"),
            HeadError::UnknownTransferEncoding,
        ),
        (with(&"A: b\r\n".repeat(101)), HeadError::TooManyHeaders),
        (
            with(&format!("A: {}\r\n", "b".repeat(16 * 1024))),
            HeadError::HeadTooLarge,
        ),
        (
            format!("HTTP/1.1 200 {}", "b".repeat(16 * 1024)),
            HeadError::HeadTooLarge,
        ),
        (
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
            HeadError::TransferEncodingInHttp10,
        ),
    ] {
        let start: String = text.chars().take(60).collect();
        assert_eq!(head(&text).map(|head| head.status()), Err(error), "{start:?}");
    }
}

#[test]
fn what_only_a_request_means_is_no_fault_in_a_response() {
    assert!(head(&with("Expect: anything\r\nHost: a\r\nHost: b\r\n")).is_ok());
}

#[test]
fn informational_responses_are_skipped_and_count_as_part_of_the_answer() {
    let mut decoder = ResponseDecoder::new(&HeadLimits::default());
    let mut input = BytesMut::from(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest",
    );
    let mut later = input.split_off(25);
    assert!(!decoder.is_mid_head());
    assert!(decoder.poll_head(&mut input).unwrap().is_none());
    assert!(decoder.is_mid_head());
    let head = decoder.poll_head(&mut later).unwrap().unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(&later[..], b"rest");
    assert!(!decoder.is_mid_head());
}
