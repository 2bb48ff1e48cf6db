//! How bytes are cut into reads changes nothing, and no bytes break the wire.

use super::support::*;
use crate::http::RequestKind;
use crate::wire::ClientWire;
use crate::ws::OpCode;
use proptest::prelude::*;

/// What a wire tells of `bytes` that come in pieces of these sizes, then end; the last size repeats.
fn told(mut wire: ClientWire, bytes: &[u8], sizes: &[usize]) -> Vec<String> {
    let mut all = Vec::new();
    let mut sizes = sizes
        .iter()
        .copied()
        .chain(core::iter::repeat(sizes.last().copied().unwrap_or(1)));
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
        all.extend(read(&mut wire, piece));
        assert_eq!(
            wire.buffered(),
            0,
            "whatever waits for more has taken all there is"
        );
        rest = after;
    }
    all.extend(end(&mut wire));
    all
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let packet = prop_oneof!["4[a-z]{0,9}", "b[A-Za-z0-9]{0,8}", "[0-6x]", Just(String::new())];
    prop::collection::vec(packet, 0..10).prop_map(|packets| packets.join("\x1e").into_bytes())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![payload(), prop::collection::vec(any::<u8>(), 0..5000)]
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend(format!("{:x};e=1\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\nT: x\r\n\r\n");
    bytes
}

fn answer() -> impl Strategy<Value = Vec<u8>> {
    let status =
        prop_oneof![5 => Just(200_u16), 1 => Just(204), 1 => Just(400), 1 => Just(502), 1 => Just(101)];
    let more = prop_oneof![
        3 => Just(""),
        1 => Just("Connection: close\r\n"),
        1 => Just("Content-Encoding: gzip\r\n"),
        1 => Just("bad header\r\n"),
    ];
    let informational = prop_oneof![Just(""), Just("HTTP/1.1 100 Continue\r\n\r\n")];
    let trailing = prop_oneof![3 => Just(&b""[..]), 1 => Just(&b"HTTP"[..])];
    (
        informational,
        status,
        more,
        body(),
        0_usize..4,
        1_usize..600,
        trailing,
    )
        .prop_map(|(informational, status, more, body, framing, size, trailing)| {
            let (line, body) = match framing {
                0 => (String::new(), body),
                1 => ("Transfer-Encoding: chunked\r\n".into(), chunked(&body, size)),
                2 => (format!("Content-Length: {}\r\n", body.len()), body),
                _ => (
                    format!("Content-Length: {}\r\n", body.len().saturating_add(1)),
                    body,
                ),
            };
            let head = format!("{informational}HTTP/1.1 {status} X\r\n{line}{more}\r\n");
            [head.as_bytes(), &body, trailing].concat()
        })
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let data = || prop::collection::vec(any::<u8>(), 0..300);
    let sound = prop_oneof![
        payload().prop_map(|body| frame(OpCode::Text, &body)),
        data().prop_map(|data| frame(OpCode::Binary, &data)),
        data().prop_map(|data| frame(OpCode::Ping, &data[..data.len().min(125)])),
        Just(vec![0x01, 1, b'4', 0x89, 0, 0x80, 1, b'x']),
    ];
    let any =
        prop_oneof![8 => sound, 1 => prop::collection::vec(any::<u8>(), 0..9), 1 => Just(vec![0x88, 0])];
    prop::collection::vec(any, 0..8).prop_map(|frames| frames.concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![1]), prop::collection::vec(1_usize..700, 1..20)]
}

fn kind() -> impl Strategy<Value = RequestKind> {
    prop_oneof![
        Just(RequestKind::Poll),
        Just(RequestKind::Post("4a".into())),
        Just(RequestKind::WebSocket {
            protocols: Vec::new()
        }),
    ]
}

proptest! {
    #[test]
    fn segmentation_changes_nothing_of_an_answer(kind in kind(), answer in answer(), sizes in sizes()) {
        let whole = told(asking(kind.clone()), &answer, &[usize::MAX]);
        prop_assert_eq!(told(asking(kind), &answer, &sizes), whole);
    }

    #[test]
    fn segmentation_changes_nothing_of_a_websocket(frames in frames(), sizes in sizes()) {
        let whole = told(open(), &frames, &[usize::MAX]);
        prop_assert_eq!(told(open(), &frames, &sizes), whole);
    }

    #[test]
    fn any_bytes_are_an_answer_or_fail(kind in kind(), bytes in body(), sizes in sizes()) {
        let items = told(asking(kind), &[b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat(), &sizes);
        let failures = items.iter().filter(|item| item.starts_with("Failed")).count();
        prop_assert!(failures <= 1 && (failures == 0 || items.last().is_some_and(|item| item.starts_with("Failed"))));
    }
}
