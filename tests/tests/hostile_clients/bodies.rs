//! Compressed and chunked tricks.

use socketio_tests::kit::{Frame, Request};
use socketio_tests::testbed::Target;

use crate::fortress::{Siege, attacks};
use crate::line::{Line, handshake, join};

attacks![
    compressed_bodies_are_not_expanded,
    bodies_of_two_lengths_end_the_connection,
    chunks_with_tricks_do_no_harm,
    endless_chunks_are_cut_off,
    compressed_frames_that_nobody_offered_end_the_websocket,
];

/// A gzip member that begins like a bomb.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xed\xc1\x01\x01\x00\x00\x00\x80";

/// `POST` to a new session with these headers.
fn head(sid: &str, headers: &str) -> String {
    format!("POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// What is answered to a body after these headers, when nothing follows it.
#[track_caller]
fn answer(target: &Target, headers: &str, body: &[u8]) -> String {
    let (mut line, sid) = handshake(target);
    line.offer(head(&sid, headers));
    line.offer(body);
    line.finish();
    line.hear_out()
}

fn compressed_bodies_are_not_expanded(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for coding in ["gzip", "deflate", "br", "gzip, gzip, gzip", "x-unknown"] {
        for _ in 0..10 {
            let body = GZIP.repeat(1_000);
            let headers = format!("Content-Encoding: {coding}\r\nContent-Length: {}\r\n", body.len());
            let heard = answer(target, &headers, &body);
            assert!(!heard.contains("HTTP/1.1 5"), "{coding}: {heard}");
        }
    }
    Vec::new()
}

fn bodies_of_two_lengths_end_the_connection(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
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
            let heard = answer(target, headers, smuggled);
            assert!(
                !heard.contains("HTTP/1.1 200"),
                "{headers:?} is answered by {heard:?}"
            );
        }
    }
    Vec::new()
}

fn chunks_with_tricks_do_no_harm(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
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
            let heard = answer(target, "Transfer-Encoding: chunked\r\n", body.as_bytes());
            assert!(!heard.contains("HTTP/1.1 5"), "{heard}");
        }
    }
    Vec::new()
}

fn endless_chunks_are_cut_off(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for piece in ["ffff\r\n", "1;a\r\nx\r\n"] {
        let (mut line, sid) = handshake(target);
        line.offer(head(&sid, "Transfer-Encoding: chunked\r\n"));
        let chunk = match piece {
            "ffff\r\n" => format!("{piece}{}\r\n", "x".repeat(0xffff)),
            piece => piece.repeat(10_000),
        };
        // Far more than a body may have; what nobody reads any more fails.
        let taken: usize = (0..400)
            .map(|_| line.offer(&chunk))
            .take_while(|taken| *taken == chunk.len())
            .sum();
        assert!(taken < 400 * chunk.len(), "all of {taken} bytes is taken");
    }
    Vec::new()
}

fn compressed_frames_that_nobody_offered_end_the_websocket(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for number in 0..50 {
        let mut line = match number % 2 {
            0 => join(target),
            _ => {
                let mut line = Line::open(target);
                let offer = "permessage-deflate; client_max_window_bits; server_no_context_takeover, x-unknown; a=\"b\"";
                let request = Request::upgrade("/socket.io/?EIO=4&transport=websocket");
                line.offer(request.header("Sec-WebSocket-Extensions", offer).render());
                line.hear_bytes("\"maxPayload\":1000000}");
                line
            }
        };
        line.offer(Frame::new(1, GZIP).reserved(0x40).encode());
        line.hear_out();
    }
    Vec::new()
}
