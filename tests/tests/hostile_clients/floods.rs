//! Many connections that do nothing, or are closed at once.

use crate::raw_connection::{RawConnection, get, handshake, join, post, text, upgrade};
use crate::server_under_attack::{AttackContext, attacks};

attacks![
    silent_connections_delay_nobody,
    connections_that_are_closed_at_once_leave_nothing,
    sessions_without_polls_end,
    websockets_that_are_closed_at_once_leave_nothing,
    upgrades_that_are_never_finished_leave_nothing,
    overlapping_polls_and_posts_end_their_sessions,
    packets_for_unknown_sessions_are_refused,
];

fn silent_connections_delay_nobody(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    (0..200).map(|_| RawConnection::open(target)).collect()
}

fn connections_that_are_closed_at_once_leave_nothing(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for number in 0..300 {
        let mut connection = RawConnection::open(target);
        if number % 2 == 0 {
            connection.write_some("GET /socket.io/");
        }
    }
    Vec::new()
}

fn sessions_without_polls_end(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connection = RawConnection::open(target);
    for _ in 0..5 {
        let many = get("").repeat(100);
        connection.write_all(&many);
        connection.read_count("\"sid\"", 100);
        connection.take_received();
    }
    Vec::new()
}

fn websockets_that_are_closed_at_once_leave_nothing(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for number in 0..120 {
        match number % 3 {
            0 => drop(join(target)),
            1 => {
                let mut connection = RawConnection::open(target);
                connection.write_some(upgrade(""));
                connection.write_some(text("40"));
            }
            _ => {
                let mut connection = join(target);
                connection.write_some(text("42[\"echo\",1]").repeat(20));
            }
        }
    }
    Vec::new()
}

fn upgrades_that_are_never_finished_leave_nothing(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections = Vec::new();
    for _ in 0..60 {
        let (polls, sid) = handshake(target);
        // Only one of them can become the session's transport.
        for _ in 0..3 {
            let mut probe = RawConnection::open(target);
            probe.write_some(upgrade(&format!("&sid={sid}")));
            probe.write_some(text("2probe"));
            connections.push(probe);
        }
        connections.push(polls);
    }
    connections
}

fn overlapping_polls_and_posts_end_their_sessions(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections = Vec::new();
    for _ in 0..60 {
        let (mut first, sid) = handshake(target);
        let poll = get(&format!("&sid={sid}"));
        let head = format!(
            "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: localhost\r\n\
                 Content-Length: 10\r\n\r\n4"
        );
        first.write_some(&poll);
        for request in [&poll, &head, &head, &poll] {
            let mut other = RawConnection::open(target);
            other.write_some(request);
            connections.push(other);
        }
        connections.push(first);
    }
    connections
}

fn packets_for_unknown_sessions_are_refused(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connection = RawConnection::open(target);
    let polls: String = (0..300).map(|sid| get(&format!("&sid={sid:020}"))).collect();
    connection.write_all(&polls);
    connection.read_count("Session ID unknown", 300);
    for sid in 0..30 {
        let mut connection = RawConnection::open(target);
        connection.write_some(post(&format!("{sid:020}"), "42[\"echo\",1]"));
        assert!(connection.read_to_end().contains("Session ID unknown"));
    }
    let mut socket = RawConnection::open(target);
    socket.write_some(upgrade("&sid=00000000000000000000"));
    socket.read_count("Session ID unknown", 1);
    Vec::new()
}
