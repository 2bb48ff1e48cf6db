//! Pipelined requests and garbage, without waiting for a response.

use crate::raw_connection::{RawConnection, get, handshake, join, post};
use crate::server_under_attack::{AttackContext, attacks};

attacks![
    garbage_ends_the_connection,
    thousands_of_pipelined_requests_are_all_answered,
    requests_behind_a_parked_poll_wait_for_it,
    garbage_after_an_upgrade_ends_the_websocket,
];

fn garbage_ends_the_connection(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let kinds: [&[u8]; 6] = [
        b"\r\n",
        b"\0",
        b"\xff\xfe",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"GET\r\n",
        b"POST / HTTP/1.1\r\n: \r\n\r\n",
    ];
    for number in 0..30 {
        let mut connection = RawConnection::open(target);
        let kind = kinds[number % kinds.len()];
        connection.write_some(kind.repeat(64 * 1024 / kind.len()));
        connection.shut_down_write();
        let received = connection.read_to_end();
        assert!(
            !received.contains("HTTP/1.1 2"),
            "{kind:?} is answered by {received:?}"
        );
    }
    Vec::new()
}

fn thousands_of_pipelined_requests_are_all_answered(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let requests = [
        get("&sid=nobody"),
        "OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "HEAD /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
    ];
    let mut connection = RawConnection::open(target);
    connection.write_all(requests.concat().repeat(500));
    connection.read_count("HTTP/1.1 ", 2_000);
    Vec::new()
}

/// A parked poll, which the first ping answers, and requests behind it, as many as the server takes.
fn requests_behind_a_parked_poll_wait_for_it(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections = Vec::new();
    for _ in 0..20 {
        let (mut connection, sid) = handshake(target);
        let poll = get(&format!("&sid={sid}"));
        let requests = [poll.clone(), post(&sid, "42[\"echo\",1]"), poll];
        let taken = connection.write_some(requests.concat().repeat(400));
        assert!(taken > 0);
        connections.push(connection);
    }
    for connection in &mut connections {
        let answer = connection.read_through("\r\n\r\n2");
        assert_eq!(
            answer.matches("HTTP/1.1").count(),
            1,
            "the poll comes first: {answer:?}"
        );
    }
    connections
}

fn garbage_after_an_upgrade_ends_the_websocket(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for kind in [
        get("").into_bytes(),
        vec![0xff; 32],
        vec![0; 32],
        b"\x16\x03\x01".to_vec(),
    ] {
        for _ in 0..10 {
            let mut connection = join(target);
            connection.write_some(kind.repeat(1_000));
            connection.read_to_end();
        }
    }
    Vec::new()
}
