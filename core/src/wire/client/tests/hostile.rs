use super::support::*;
use crate::http::RequestKind;
use crate::wire::{ClientWire, Flow, Plain};
use crate::ws::{CloseCode, Decoder, Message, OpCode, Role};
use bytes::BytesMut;

/// What a polling wire makes of an answer.
fn polled(answer: &str) -> Vec<String> {
    read(&mut asking(RequestKind::Poll), answer.as_bytes())
}

#[test]
fn what_is_no_http_fails() {
    for kind in [RequestKind::Poll, RequestKind::Post("4".into())] {
        let mut wire = asking(kind);
        assert_eq!(
            read(&mut wire, b"\x16\x03"),
            ["Failed(Head(MalformedStatusLine))"]
        );
        assert_eq!(flow(&mut wire), Flow::Closing);
        assert!(read(&mut wire, b"more").is_empty());
        assert_eq!(wire.buffered(), 0);
    }
}

#[test]
fn a_broken_coding_fails() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n4a\r\nx";
    assert_eq!(polled(answer), ["200 OK", "Failed(Body(InvalidChunkSize))"]);
}

#[test]
fn a_body_that_is_too_large_fails_before_it_is_read_or_where_it_becomes_so() {
    let too_large = ["200 OK", "Failed(BodyTooLarge)"];
    assert_eq!(
        polled("HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n"),
        too_large
    );
    let mut wire = asking(RequestKind::Post("4".into()));
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n";
    assert_eq!(read(&mut wire, answer.as_bytes()), too_large);
    let chunk = format!("400\r\n{}\r\n", "4".repeat(1024));
    for framing in ["Transfer-Encoding: chunked\r\n\r\n", "\r\n"] {
        let mut wire = asking(RequestKind::Poll);
        read(&mut wire, format!("HTTP/1.1 200 OK\r\n{framing}").as_bytes());
        let told: Vec<_> = (0..5).flat_map(|_| read(&mut wire, chunk.as_bytes())).collect();
        assert_eq!(told, ["Failed(BodyTooLarge)"]);
        assert_eq!(flow(&mut wire), Flow::Closing);
    }
}

#[test]
fn an_answer_that_is_cut_off_fails() {
    for (answer, told) in [
        ("HTTP/1.1 2", &["Failed(Truncated)"][..]),
        ("HTTP/1.1 100 Continue\r\n\r\n", &["Failed(Truncated)"]),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n4a",
            &["200 OK", "Failed(Truncated)"],
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n4a\r\n",
            &["200 OK", "Failed(Truncated)"],
        ),
    ] {
        let mut wire = asking(RequestKind::Poll);
        let mut all = read(&mut wire, answer.as_bytes());
        all.extend(end(&mut wire));
        assert_eq!(all, told, "{answer:?}");
        assert_eq!(flow(&mut wire), Flow::Closing);
    }
}

#[test]
fn bytes_nobody_asked_for_fail_and_are_no_answer_to_the_next_request() {
    let mut fresh = wire();
    assert_eq!(read(&mut fresh, b"HTTP/1.1 200 OK\r\n\r\n"), ["Failed(Unasked)"]);
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n4a";
    let mut wire = asking(RequestKind::Poll);
    wire.handle_input(&mut BytesMut::from(ok.repeat(2).as_bytes()));
    for _ in 0..3 {
        assert!(wire.poll_item().is_some());
    }
    wire.request(request(RequestKind::Poll));
    assert!(output(&mut wire).is_empty());
    assert_eq!(read(&mut wire, b""), ["Failed(Unasked)"]);
}

#[test]
fn a_compressed_payload_fails_and_a_compressed_refusal_is_not_shown() {
    for coding in ["gzip", "identity, br"] {
        let head = format!("Content-Length: 2\r\nContent-Encoding: {coding}\r\n\r\n");
        let payload = format!("HTTP/1.1 200 OK\r\n{head}xx");
        assert_eq!(polled(&payload), ["200 OK", "Failed(ContentEncoding)"]);
        let refusal = format!("HTTP/1.1 400 Bad Request\r\n{head}xx");
        assert_eq!(polled(&refusal), ["400 Bad Request", "End"]);
    }
    let identity = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: Identity\r\n\r\n4a";
    assert_eq!(polled(identity), ["200 OK", "Message(Text(\"a\"))", "End"]);
}

#[test]
fn a_payload_that_can_not_be_read_is_malformed_behind_what_could() {
    let payload = |body: &str| {
        polled(&format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    assert_eq!(payload(""), ["200 OK", "Malformed(EmptyPacket)", "End"]);
    assert_eq!(
        payload("4a\x1ex"),
        ["200 OK", "Message(Text(\"a\"))", "Malformed(UnknownType)", "End"]
    );
    let told = payload(&["6"; 9].join("\x1e"));
    assert_eq!(told[8..], ["Noop", "Malformed(TooManyPackets)", "End"]);
}

#[test]
fn only_the_beginning_of_a_refusal_is_kept() {
    let mut wire = asking(RequestKind::Poll);
    let head = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2100\r\n\r\n";
    assert_eq!(read(&mut wire, head.as_bytes()), ["502 Bad Gateway"]);
    assert!(read(&mut wire, &[b'x'; 1000]).is_empty());
    let shown = read(&mut wire, &[b'x'; 1000]);
    assert_eq!(shown, [format!("ErrorBody(b\"{}\")", "x".repeat(1024))]);
    assert_eq!(read(&mut wire, &[b'x'; 100]), ["End"]);
    assert_eq!(
        polled("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        ["404 Not Found", "End"]
    );
    assert_eq!(
        polled("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"),
        ["400 Bad Request", "ErrorBody(b\"{}\")", "End"]
    );
}

#[test]
fn endless_informational_answers_hold_no_memory() {
    let mut wire = asking(RequestKind::Poll);
    for _ in 0..1_000 {
        assert!(read(&mut wire, b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n").is_empty());
        assert_eq!(wire.buffered(), 0);
    }
    assert_eq!(
        read(&mut wire, b"HTTP/1.1 204 No Content\r\n\r\n"),
        ["204 No Content", "End"]
    );
}

#[test]
fn a_handshake_is_refused_unless_it_is_accepted_to_the_letter() {
    type Change = fn(String) -> String;
    let changes: [(&str, Change); 9] = [
        ("wrong accept", |head| {
            head.replace("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x")
        }),
        ("no accept", |head| head.replace("Sec-WebSocket-Accept", "X")),
        ("two accepts", |head| {
            head.replace("\r\n\r\n", "\r\nSec-WebSocket-Accept: x\r\n\r\n")
        }),
        ("no upgrade", |head| {
            head.replace("Upgrade: WebSocket", "Upgrade: h2c")
        }),
        ("no connection", |head| {
            head.replace("Connection: keep-alive, upgrade", "Connection: keep-alive")
        }),
        ("HTTP/1.0", |head| head.replace("HTTP/1.1", "HTTP/1.0")),
        ("extension", |head| {
            head.replace(
                "\r\n\r\n",
                "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            )
        }),
        ("protocol", |head| {
            head.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: c\r\n\r\n")
        }),
        ("protocols", |head| {
            head.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: a, b\r\n\r\n")
        }),
    ];
    for (name, change) in changes {
        let mut wire = wire();
        wire.request(websocket(&["a", "b"]));
        let answer = accept(&output(&mut wire), "");
        assert_eq!(
            read(&mut wire, change(answer).as_bytes()),
            ["Failed(Handshake)"],
            "{name}"
        );
        assert_eq!(flow(&mut wire), Flow::Closing);
    }
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n";
    assert_eq!(polled(upgrade), ["Failed(Handshake)"]);
}

#[test]
fn a_frame_no_server_may_send_fails_and_is_answered_with_the_code_for_it() {
    for (bytes, error, code) in [
        (
            &[0x81, 0x81, 0, 0, 0, 0, b'4'][..],
            "Masked",
            CloseCode::PROTOCOL_ERROR,
        ),
        (&[0xc1, 0x01, b'4'], "ReservedBits", CloseCode::PROTOCOL_ERROR),
        (&[0x81, 0x01, 0xff], "InvalidUtf8", CloseCode::INVALID_PAYLOAD),
        (&[0x82, 126, 0x10, 0x01], "TooLarge", CloseCode::TOO_LARGE),
    ] {
        let mut wire = open();
        assert_eq!(read(&mut wire, bytes), [format!("Failed(Frame({error}))")]);
        let mut written = BytesMut::from(&output(&mut wire)[..]);
        let close = Decoder::new(Role::Server, 9).poll_message(&mut written).unwrap();
        assert_eq!(close, Some(Message::Close(Some(code), Default::default())));
        assert_eq!(flow(&mut wire), Flow::Closing);
        assert!(read(&mut wire, &frame(OpCode::Text, b"4late")).is_empty());
    }
}

#[test]
fn a_request_that_would_break_its_head_is_not_sent() {
    let mut wire = wire();
    wire.request(crate::http::Request {
        target: "/\r\n".into(),
        ..request(RequestKind::Poll)
    });
    assert!(output(&mut wire).is_empty());
    assert_eq!(read(&mut wire, b""), ["Failed(Request(InvalidValue))"]);
    assert_eq!(flow(&mut wire), Flow::Closing);
}

#[test]
fn what_is_not_kept_of_a_body_costs_no_memory() {
    let mut config = CONFIG;
    config.max_payload = usize::MAX;
    let piece = [b'x'; 4096];
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400000\r\n";
    for (kind, status) in [(RequestKind::Post("4".into()), "200"), (RequestKind::Poll, "502")] {
        let mut wire = ClientWire::new(config, Plain, [1; 32]);
        wire.request(request(kind));
        output(&mut wire);
        read(&mut wire, head.replace("200", status).as_bytes());
        let memory = allocation_counter::measure(|| {
            for _ in 0..1024 {
                read(&mut wire, &piece);
            }
        });
        assert!(memory.bytes_max < 32 * 1024, "{memory:?}");
        assert_eq!(read(&mut wire, b"\r\n0\r\n\r\n"), ["End"]);
    }
}
