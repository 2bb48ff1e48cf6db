//! Sockets that nobody reads.

use socketio_tests::belongings::Belongings;
use socketio_tests::kit::Frame;

use crate::fortress::{QUEUED_BYTES, Siege, attacks};
use crate::line::{Line, get, handshake, join, post, text};

attacks![
    large_echoes_that_nobody_reads_stop_the_reader,
    polls_that_nobody_reads_are_kept_within_limits,
    pongs_that_nobody_reads_are_not_collected,
    answers_that_nobody_reads_stop_the_reader,
];

const LINES: usize = 6;
/// Bytes of an echo, more than a thread's encoder keeps room for.
const LARGE: usize = 300_000;

/// What a server may have taken from a client that reads nothing: what it may queue for it, and what systems buffer on
/// either side.
const TAKEN: usize = QUEUED_BYTES + 16 * 1024 * 1024;
/// What pongs may cost, of which the pings are ten times as many bytes.
const COLLECTED: usize = 4 * 1024 * 1024;

fn large_echoes_that_nobody_reads_stop_the_reader(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let echo = text(&format!("42[\"echo\",\"{}\"]", "x".repeat(LARGE)));
    let mut lines: Vec<_> = (0..LINES).map(|_| join(target)).collect();
    for line in &mut lines {
        let taken: usize = (0..100)
            .map(|_| line.offer(&echo))
            .take_while(|taken| *taken == echo.len())
            .sum();
        assert!(taken < TAKEN, "{taken} bytes are taken");
    }
    lines
}

fn polls_that_nobody_reads_are_kept_within_limits(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines = Vec::new();
    for _ in 0..LINES {
        let (mut polls, sid) = handshake(target);
        let mut posts = Line::open(target);
        posts.exchange(post(&sid, "40"));
        posts.hear_bytes("ok");
        polls.offer(get(&format!("&sid={sid}")).repeat(3));
        let echo = post(&sid, &format!("42[\"echo\",\"{}\"]", "x".repeat(LARGE)));
        for _ in 0..8 {
            posts.offer(&echo);
        }
        lines.extend([polls, posts]);
    }
    lines
}

/// Pings are read for ever, and most of them answered by nothing: what is kept for one client stays small meanwhile.
fn pongs_that_nobody_reads_are_not_collected(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let pings = Frame::new(9, [b'p'; 125]).encode().repeat(1_000);
    let mut lines: Vec<_> = (0..LINES / 2).map(|_| join(target)).collect();
    let before = Belongings::count().bytes;
    for line in &mut lines {
        for _ in 0..100 {
            if line.offer(&pings) < pings.len() {
                break;
            }
        }
    }
    let kept = Belongings::count().bytes.saturating_sub(before);
    assert!(kept < COLLECTED, "{kept} bytes are kept");
    lines
}

fn answers_that_nobody_reads_stop_the_reader(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let requests = get("&sid=nobody").repeat(1_000);
    let mut lines: Vec<_> = (0..LINES / 2).map(|_| Line::open(target)).collect();
    for line in &mut lines {
        let taken: usize = (0..500)
            .map(|_| line.offer(&requests))
            .take_while(|taken| *taken == requests.len())
            .sum();
        assert!(taken < TAKEN, "{taken} bytes are taken");
    }
    lines
}
