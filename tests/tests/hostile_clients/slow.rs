//! Requests and frames byte by byte.

use std::thread::sleep;
use std::time::{Duration, Instant};

use socketio_tests::kit::DEADLINE;

use crate::raw_connection::{RawConnection, get, handshake, join, post, text};
use crate::server_under_attack::{AttackContext, HEAD_TIMEOUT, ServerLimits, attacks};

attacks![
    heads_byte_by_byte_are_cut_off,
    bodies_byte_by_byte_are_cut_off,
    frames_byte_by_byte_are_handled,
    tls_records_are_no_request,
];

const CONNECTIONS: usize = 60;

/// Sends these bytes on all connections, one byte each in turn. A server with short limits gets more time than a head or
/// body may take, and must close them.
#[track_caller]
fn send_slowly(connections: &mut Vec<RawConnection>, bytes: &[u8], limits: ServerLimits) {
    let duration = match limits {
        ServerLimits::Short => HEAD_TIMEOUT * 3 / 2,
        ServerLimits::Default => HEAD_TIMEOUT / 4,
    };
    let pause = duration / u32::try_from(bytes.len()).expect("they are few");
    let forget_closed = |connections: &mut Vec<RawConnection>| {
        connections.retain_mut(|connection| limits == ServerLimits::Default || !connection.is_closed());
    };
    for byte in bytes {
        for connection in &mut *connections {
            connection.write_some([*byte]);
        }
        sleep(pause);
        forget_closed(connections);
        if connections.is_empty() {
            return;
        }
    }
    let started = Instant::now();
    while limits == ServerLimits::Short && !connections.is_empty() {
        forget_closed(connections);
        assert!(
            started.elapsed() < DEADLINE,
            "{} slow connections are left",
            connections.len()
        );
        sleep(Duration::from_millis(2));
    }
}

fn heads_byte_by_byte_are_cut_off(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| RawConnection::open(target)).collect();
    let head = get("&slow=1");
    send_slowly(
        &mut connections,
        &head.as_bytes()[..head.len() - 1],
        context.limits,
    );
    connections
}

fn bodies_byte_by_byte_are_cut_off(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let (mut connections, sids): (Vec<_>, Vec<_>) = (0..CONNECTIONS / 3).map(|_| handshake(target)).unzip();
    let body = format!("4{}", "x".repeat(100));
    for (connection, sid) in connections.iter_mut().zip(&sids) {
        let request = post(sid, &body);
        connection.write_some(&request[..request.len() - body.len()]);
    }
    send_slowly(&mut connections, &body.as_bytes()[1..], context.limits);
    connections
}

/// Slow frames are legal: a client stays as long as it answers heartbeats.
fn frames_byte_by_byte_are_handled(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| join(target)).collect();
    let echo = "42[\"echo\",\"slow\"]";
    for byte in text(echo) {
        for connection in &mut connections {
            connection.write_some([byte]);
        }
    }
    for connection in &mut connections {
        connection.read_until(echo);
    }
    connections
}

fn tls_records_are_no_request(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| RawConnection::open(target)).collect();
    for connection in &mut connections {
        connection.write_some(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
        connection.write_some([0; 64]);
    }
    for connection in &mut connections {
        connection.read_to_end();
    }
    Vec::new()
}
