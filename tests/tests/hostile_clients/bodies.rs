//! Compressed and chunked bodies that break rules.

use socketio_tests::kit::{Frame, Request};
use socketio_tests::testbed::Target;

use crate::raw_connection::{RawConnection, handshake, join};
use crate::server_under_attack::{AttackContext, attacks};

attacks![
    compressed_bodies_are_not_expanded,
    bodies_of_two_lengths_end_the_connection,
    malformed_chunks_do_no_harm,
    endless_chunks_are_cut_off,
    compressed_frames_without_an_extension_end_the_websocket,
];

/// The beginning of a gzip member that would expand to much more.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xed\xc1\x01\x01\x00\x00\x00\x80";

/// `POST` to a new session with these headers.
fn head(sid: &str, headers: &str) -> String {
    format!("POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// The response to a body with these headers, when nothing follows it.
#[track_caller]
fn response(target: &Target, headers: &str, body: &[u8]) -> String {
    let (mut connection, sid) = handshake(target);
    connection.write_some(head(&sid, headers));
    connection.write_some(body);
    connection.shut_down_write();
    connection.read_to_end()
}

fn compressed_bodies_are_not_expanded(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for coding in ["gzip", "deflate", "br", "gzip, gzip, gzip", "x-unknown"] {
        for _ in 0..10 {
            let body = GZIP.repeat(1_000);
            let headers = format!("Content-Encoding: {coding}\r\nContent-Length: {}\r\n", body.len());
            let received = response(target, &headers, &body);
            assert!(!received.contains("HTTP/1.1 5"), "{coding}: {received}");
        }
    }
    Vec::new()
}

fn bodies_of_two_lengths_end_the_connection(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 99999999999999999999999999\r\n",
        "X-Folded: a\r\n b\r\nContent-Length: 5\r\n",
    ] {
        for _ in 0..5 {
            let smuggled =
                b"0\r\n\r\nGET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n";
            let received = response(target, headers, smuggled);
            assert!(
                !received.contains("HTTP/1.1 200"),
                "{headers:?} is answered by {received:?}"
            );
        }
    }
    Vec::new()
}

fn malformed_chunks_do_no_harm(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let extension = format!("1;{}=\"x\"\r\n4\r\n0\r\n\r\n", "e".repeat(100_000));
    let extensions = format!("{}0\r\n\r\n", "1;a=b;c\r\n4\r\n".repeat(20_000));
    let trailers = format!("1\r\n4\r\n0\r\n{}\r\n", "X-Trailer: x\r\n".repeat(20_000));
    let bodies = [
        "ffffffffffffffff\r\n4",
        "10000000000000000\r\n4",
        "7fffffffffffffff\r\n4",
        "-1\r\n4\r\n0\r\n\r\n",
        "0x1\r\n4\r\n0\r\n\r\n",
        " 1\r\n4\r\n0\r\n\r\n",
        "1\n4\n0\n\n",
        "1\r\n4x\r\n0\r\n\r\n",
        "1\r\n4\r\n0\r\nContent-Length: 99\r\nHost: elsewhere\r\n\r\n",
        &"0".repeat(100_000),
        &extension,
        &extensions,
        &trailers,
    ];
    for body in bodies {
        for _ in 0..3 {
            let received = response(target, "Transfer-Encoding: chunked\r\n", body.as_bytes());
            assert!(!received.contains("HTTP/1.1 5"), "{received}");
        }
    }
    Vec::new()
}

fn endless_chunks_are_cut_off(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for piece in ["ffff\r\n", "1;a\r\nx\r\n"] {
        let (mut connection, sid) = handshake(target);
        connection.write_some(head(&sid, "Transfer-Encoding: chunked\r\n"));
        let chunk = match piece {
            "ffff\r\n" => format!("{piece}{}\r\n", "x".repeat(0xffff)),
            piece => piece.repeat(10_000),
        };
        // Far more than a body may have; the server stops reading.
        let taken: usize = (0..400)
            .map(|_| connection.write_some(&chunk))
            .take_while(|taken| *taken == chunk.len())
            .sum();
        assert!(taken < 400 * chunk.len(), "all of {taken} bytes is taken");
    }
    Vec::new()
}

fn compressed_frames_without_an_extension_end_the_websocket(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for number in 0..50 {
        let mut connection = match number % 2 {
            0 => join(target),
            _ => {
                let mut connection = RawConnection::open(target);
                let offer = "permessage-deflate; client_max_window_bits; server_no_context_takeover, x-unknown; a=\"b\"";
                let request = Request::upgrade("/socket.io/?EIO=4&transport=websocket");
                connection.write_some(request.header("Sec-WebSocket-Extensions", offer).render());
                connection.read_until("\"maxPayload\":1000000}");
                connection
            }
        };
        connection.write_some(Frame::new(1, GZIP).reserved(0x40).encode());
        connection.read_to_end();
    }
    Vec::new()
}
