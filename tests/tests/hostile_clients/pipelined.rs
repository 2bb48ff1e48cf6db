//! Requests and garbage in a row, without waiting for an answer.

use crate::fortress::{Siege, attacks};
use crate::line::{Line, get, handshake, join, post};

attacks![
    garbage_in_a_row_ends_the_connection,
    thousands_of_requests_in_a_row_are_all_answered,
    requests_behind_a_parked_poll_wait_for_it,
    garbage_after_an_upgrade_ends_the_websocket,
];

fn garbage_in_a_row_ends_the_connection(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let kinds: [&[u8]; 6] = [
        b"\r\n",
        b"\0",
        b"\xff\xfe",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"GET\r\n",
        b"POST / HTTP/1.1\r\n: \r\n\r\n",
    ];
    for number in 0..30 {
        let mut line = Line::open(target);
        let kind = kinds[number % kinds.len()];
        line.offer(kind.repeat(64 * 1024 / kind.len()));
        line.finish();
        let heard = line.hear_out();
        assert!(!heard.contains("HTTP/1.1 2"), "{kind:?} is answered by {heard:?}");
    }
    Vec::new()
}

fn thousands_of_requests_in_a_row_are_all_answered(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let requests = [
        get("&sid=nobody"),
        "OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "HEAD /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
    ];
    let mut line = Line::open(target);
    line.exchange(requests.concat().repeat(500));
    line.hear_times("HTTP/1.1 ", 2_000);
    Vec::new()
}

/// A parked poll and what is behind it, as much as is taken; all of it goes with the connection.
fn requests_behind_a_parked_poll_wait_for_it(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines = Vec::new();
    for _ in 0..20 {
        let (mut line, sid) = handshake(target);
        let poll = get(&format!("&sid={sid}"));
        let requests = [poll.clone(), post(&sid, "42[\"echo\",1]"), poll];
        let taken = line.offer(requests.concat().repeat(400));
        assert!(taken > 0);
        lines.push(line);
    }
    lines
}

fn garbage_after_an_upgrade_ends_the_websocket(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for kind in [
        get("").into_bytes(),
        vec![0xff; 32],
        vec![0; 32],
        b"\x16\x03\x01".to_vec(),
    ] {
        for _ in 0..10 {
            let mut line = join(target);
            line.offer(kind.repeat(1_000));
            line.finish();
            line.hear_out();
        }
    }
    Vec::new()
}
