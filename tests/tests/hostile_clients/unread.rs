//! Clients that do not read.

use socketio_tests::kit::Frame;
use socketio_tests::resource_usage::ResourceUsage;

use crate::raw_connection::{RawConnection, get, handshake, join, post, text};
use crate::server_under_attack::{AttackContext, QUEUED_BYTES, attacks};

attacks![
    unread_echoes_stop_reading,
    unread_polls_do_no_harm,
    unread_pongs_are_not_queued,
    unread_responses_stop_reading,
];

const CONNECTIONS: usize = 6;
/// Bytes of an echo, more than the capacity that a thread's encoder keeps.
const LARGE: usize = 300_000;

/// What a server may have taken from a client that reads nothing: what it may queue for it, and what the kernel buffers on
/// either side.
const TAKEN: usize = QUEUED_BYTES + 16 * 1024 * 1024;
/// What the pongs may cost; the pings are ten times as many bytes.
const QUEUED_PONGS: usize = 4 * 1024 * 1024;

fn unread_echoes_stop_reading(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let echo = text(&format!("42[\"echo\",\"{}\"]", "x".repeat(LARGE)));
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| join(target)).collect();
    for connection in &mut connections {
        let taken: usize = (0..100)
            .map(|_| connection.write_some(&echo))
            .take_while(|taken| *taken == echo.len())
            .sum();
        assert!(taken < TAKEN, "{taken} bytes are taken");
    }
    connections
}

fn unread_polls_do_no_harm(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let (mut polls, sid) = handshake(target);
        let mut posts = RawConnection::open(target);
        posts.write_all(post(&sid, "40"));
        posts.read_until("ok");
        polls.write_some(get(&format!("&sid={sid}")).repeat(3));
        let echo = post(&sid, &format!("42[\"echo\",\"{}\"]", "x".repeat(LARGE)));
        for _ in 0..8 {
            posts.write_some(&echo);
        }
        connections.extend([polls, posts]);
    }
    connections
}

/// Pings are read without end, and most of them are not answered: what is kept for one client stays small meanwhile.
fn unread_pongs_are_not_queued(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let pings = Frame::new(9, [b'p'; 125]).encode().repeat(1_000);
    let mut connections: Vec<_> = (0..CONNECTIONS / 2).map(|_| join(target)).collect();
    let before = ResourceUsage::measure().bytes;
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

fn unread_responses_stop_reading(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let requests = get("&sid=nobody").repeat(1_000);
    let mut connections: Vec<_> = (0..CONNECTIONS / 2)
        .map(|_| RawConnection::open(target))
        .collect();
    for connection in &mut connections {
        let taken: usize = (0..500)
            .map(|_| connection.write_some(&requests))
            .take_while(|taken| *taken == requests.len())
            .sum();
        assert!(taken < TAKEN, "{taken} bytes are taken");
    }
    connections
}
