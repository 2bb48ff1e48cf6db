//! Many who come and do nothing, or come and go.

use crate::fortress::{Siege, attacks};
use crate::line::{Line, get, handshake, join, post, text, upgrade};

attacks![
    connections_that_say_nothing_hold_nobody_up,
    connections_that_come_and_go_leave_nothing,
    sessions_that_nobody_comes_back_to_end,
    websockets_that_come_and_go_leave_nothing,
    upgrades_that_are_never_finished_leave_nothing,
    overlapping_polls_and_posts_end_their_sessions,
    packets_for_foreign_sessions_reach_nobody,
];

fn connections_that_say_nothing_hold_nobody_up(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let lines: Vec<_> = (0..200).map(|_| Line::open(target)).collect();
    lines
}

fn connections_that_come_and_go_leave_nothing(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for number in 0..300 {
        let mut line = Line::open(target);
        if number % 2 == 0 {
            line.offer("GET /socket.io/");
        }
    }
    Vec::new()
}

fn sessions_that_nobody_comes_back_to_end(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut line = Line::open(target);
    for _ in 0..5 {
        let many = get("").repeat(100);
        line.exchange(&many);
        line.hear_times("\"sid\"", 100);
        line.take_heard();
    }
    Vec::new()
}

fn websockets_that_come_and_go_leave_nothing(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for number in 0..120 {
        match number % 3 {
            0 => drop(join(target)),
            1 => {
                let mut line = Line::open(target);
                line.offer(upgrade(""));
                line.offer(text("40"));
            }
            _ => {
                let mut line = join(target);
                line.offer(text("42[\"echo\",1]").repeat(20));
            }
        }
    }
    Vec::new()
}

fn upgrades_that_are_never_finished_leave_nothing(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines = Vec::new();
    for _ in 0..60 {
        let (polls, sid) = handshake(target);
        // Only one of them can be the one.
        for _ in 0..3 {
            let mut probe = Line::open(target);
            probe.offer(upgrade(&format!("&sid={sid}")));
            probe.offer(text("2probe"));
            lines.push(probe);
        }
        lines.push(polls);
    }
    lines
}

fn overlapping_polls_and_posts_end_their_sessions(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines = Vec::new();
    for _ in 0..60 {
        let (mut first, sid) = handshake(target);
        let poll = get(&format!("&sid={sid}"));
        let head = format!(
            "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: localhost\r\n\
                 Content-Length: 10\r\n\r\n4"
        );
        first.offer(&poll);
        for request in [&poll, &head, &head, &poll] {
            let mut other = Line::open(target);
            other.offer(request);
            lines.push(other);
        }
        lines.push(first);
    }
    lines
}

fn packets_for_foreign_sessions_reach_nobody(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut line = Line::open(target);
    let polls: String = (0..300).map(|sid| get(&format!("&sid={sid:020}"))).collect();
    line.exchange(&polls);
    line.hear_times("Session ID unknown", 300);
    for sid in 0..30 {
        let mut line = Line::open(target);
        line.offer(post(&format!("{sid:020}"), "42[\"echo\",1]"));
        assert!(line.hear_out().contains("Session ID unknown"));
    }
    let mut socket = Line::open(target);
    socket.offer(upgrade("&sid=00000000000000000000"));
    socket.hear_times("Session ID unknown", 1);
    Vec::new()
}
