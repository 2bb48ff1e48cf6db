//! Clients that do not read.

use std::thread::sleep;
use std::time::Duration;

use socketio_tests::kit::{Frame, wait_until};
use socketio_tests::resource_usage::ResourceUsage;
use socketio_tokio::Limits;

use crate::raw_connection::{RawConnection, get, handshake, join, post, text, write_some_on_all};
use crate::server_under_attack::{AttackContext, QUEUED_BYTES, ServerLimits, attacks};

attacks![
    unread_echoes_stop_reading,
    unread_polls_are_kept_within_limits,
    unread_pongs_are_not_queued,
    unread_responses_stop_reading,
];

const CONNECTIONS: usize = 6;
/// Bytes of an echo, more than the capacity that a thread's encoder keeps.
const LARGE: usize = 300_000;

/// How many are asked for by a client that does not poll: several times what may be queued for it.
const ECHOES: usize = 16;
/// What is kept of a client besides: the payload that is being read, and the one that is being written.
const PAYLOAD: usize = 1024 * 1024;

/// What a server may have taken from a client that reads nothing: what it may queue for it, and what the kernel buffers on
/// either side.
const TAKEN: usize = QUEUED_BYTES + 16 * 1024 * 1024;
/// What the pongs may cost; the pings are ten times as many bytes.
const QUEUED_PONGS: usize = 4 * 1024 * 1024;

fn unread_echoes_stop_reading(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let echo = text(&format!("42[\"echo\",\"{}\"]", "x".repeat(LARGE)));
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| join(target)).collect();
    for taken in write_some_on_all(&mut connections, &echo, 100) {
        assert!(taken < TAKEN, "{taken} bytes are taken");
    }
    connections
}

fn unread_polls_are_kept_within_limits(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let queued_bytes = match context.limits {
        ServerLimits::Short => QUEUED_BYTES,
        ServerLimits::Default => Limits::default().queued_bytes,
    };
    let (mut connections, mut most) = (Vec::new(), 0);
    let before = bytes_at_rest();
    for _ in 0..CONNECTIONS {
        let (mut polls, sid) = handshake(target);
        let mut posts = RawConnection::open(target);
        posts.write_all(post(&sid, "40"));
        posts.read_until("ok");
        polls.write_some(get(&format!("&sid={sid}")).repeat(3));
        let echo = post(&sid, &format!("42[\"echo\",\"{}\"]", "x".repeat(LARGE)));
        for _ in 0..ECHOES {
            if posts.write_some(&echo) < echo.len() {
                break;
            }
            most = most.max(ResourceUsage::measure().bytes);
        }
        connections.extend([polls, posts]);
    }
    let kept = most.saturating_sub(before);
    assert!(
        kept < CONNECTIONS * (queued_bytes + PAYLOAD),
        "{kept} bytes are kept"
    );
    connections
}

/// Pings are read without end, and most of them are not answered: what is kept for one client stays small meanwhile.
fn unread_pongs_are_not_queued(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let pings = Frame::new(9, [b'p'; 125]).encode().repeat(1_000);
    let mut connections: Vec<_> = (0..CONNECTIONS / 2).map(|_| join(target)).collect();
    let before = bytes_at_rest();
    for connection in &mut connections {
        for _ in 0..100 {
            if connection.write_some(&pings) < pings.len() {
                break;
            }
        }
    }
    let kept = ResourceUsage::measure().bytes.saturating_sub(before);
    assert!(kept < QUEUED_PONGS, "{kept} bytes are kept");
    connections
}

/// Bytes of heap once they hardly change: the server may still be busy with what the attack before this one sent.
fn bytes_at_rest() -> usize {
    let mut before = ResourceUsage::measure().bytes;
    wait_until("memory hardly changes", || {
        sleep(Duration::from_millis(100));
        let last = std::mem::replace(&mut before, ResourceUsage::measure().bytes);
        last.abs_diff(before) < 256 * 1024
    });
    before
}

fn unread_responses_stop_reading(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let requests = get("&sid=nobody").repeat(1_000);
    let mut connections: Vec<_> = (0..CONNECTIONS / 2)
        .map(|_| RawConnection::open(target))
        .collect();
    for taken in write_some_on_all(&mut connections, requests.as_bytes(), 500) {
        assert!(taken < TAKEN, "{taken} bytes are taken");
    }
    connections
}
