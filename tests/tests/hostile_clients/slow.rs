//! Everything byte by byte.

use std::thread::sleep;
use std::time::{Duration, Instant};

use socketio_tests::kit::DEADLINE;

use crate::fortress::{HEAD_TIMEOUT, Siege, SiegeLimits, attacks};
use crate::line::{Line, get, handshake, join, post, text};

attacks![
    heads_byte_by_byte_are_cut_off,
    bodies_byte_by_byte_are_cut_off,
    frames_byte_by_byte_are_heard,
    tls_records_are_no_head,
];

const LINES: usize = 60;

/// Sends these bytes on all lines, one byte each in turn, in more time than a head or body has; waits for the end of the
/// lines if that is due.
#[track_caller]
fn drip(lines: &mut Vec<Line>, bytes: &[u8], limits: SiegeLimits) {
    let pause = HEAD_TIMEOUT * 3 / 2 / u32::try_from(bytes.len()).expect("they are few");
    for byte in bytes {
        for line in &mut *lines {
            line.offer([*byte]);
        }
        sleep(pause);
    }
    let started = Instant::now();
    while limits == SiegeLimits::Short && !lines.is_empty() {
        lines.retain_mut(|line| !line.is_over());
        assert!(
            started.elapsed() < DEADLINE,
            "{} slow connections are left",
            lines.len()
        );
        sleep(Duration::from_millis(2));
    }
}

fn heads_byte_by_byte_are_cut_off(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines: Vec<_> = (0..LINES).map(|_| Line::open(target)).collect();
    let head = get("&slow=1");
    drip(&mut lines, &head.as_bytes()[..head.len() - 1], siege.limits);
    lines
}

fn bodies_byte_by_byte_are_cut_off(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let (mut lines, sids): (Vec<_>, Vec<_>) = (0..LINES / 3).map(|_| handshake(target)).unzip();
    let body = format!("4{}", "x".repeat(100));
    for (line, sid) in lines.iter_mut().zip(&sids) {
        let request = post(sid, &body);
        line.offer(&request[..request.len() - body.len()]);
    }
    drip(&mut lines, &body.as_bytes()[1..], siege.limits);
    lines
}

/// Slow frames are legal: who is heard is who answers heartbeats.
fn frames_byte_by_byte_are_heard(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines: Vec<_> = (0..LINES).map(|_| join(target)).collect();
    let echo = "42[\"echo\",\"slow\"]";
    for byte in text(echo) {
        for line in &mut lines {
            line.offer([byte]);
        }
    }
    for line in &mut lines {
        line.hear_bytes(echo);
    }
    lines
}

fn tls_records_are_no_head(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines: Vec<_> = (0..LINES).map(|_| Line::open(target)).collect();
    for line in &mut lines {
        line.offer(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
        line.offer([0; 64]);
    }
    for line in &mut lines {
        line.hear_out();
    }
    Vec::new()
}
