//! Connections that are reset, at every stage.

use socketio_tests::kit::Frame;

use crate::fortress::{Siege, attacks};
use crate::line::{Line, get, handshake, join, post, text, upgrade};

attacks![
    requests_that_are_reset_leave_nothing,
    polls_that_are_reset_leave_nothing,
    websockets_that_are_reset_leave_nothing,
];

fn requests_that_are_reset_leave_nothing(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let body = post("nobody", &"x".repeat(1_000));
    let stages = [
        "",
        "G",
        "GET /socket.io/?EIO=4",
        &get("&sid=nobody"),
        &body[..body.len() - 1_000],
        &body[..body.len() - 1],
        &body,
        &get("&sid=nobody").repeat(50),
    ];
    for _ in 0..30 {
        for stage in stages {
            let mut line = Line::open(target);
            line.offer(stage);
            line.reset();
        }
    }
    Vec::new()
}

fn polls_that_are_reset_leave_nothing(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for _ in 0..20 {
        // Parked, in the middle of a post, after the handshake, and in the middle of a probe.
        let (mut polls, sid) = handshake(target);
        let mut posts = Line::open(target);
        polls.offer(get(&format!("&sid={sid}")));
        posts.offer(&post(&sid, "40\x1e42[\"echo\",1]")[..150]);
        posts.reset();
        polls.reset();
        handshake(target).0.reset();
        let (polls, sid) = handshake(target);
        let mut probe = Line::open(target);
        probe.offer(upgrade(&format!("&sid={sid}")));
        probe.offer(text("2probe"));
        polls.reset();
        probe.reset();
    }
    Vec::new()
}

fn websockets_that_are_reset_leave_nothing(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for _ in 0..12 {
        let mut line = Line::open(target);
        line.offer(upgrade(""));
        line.reset();
        join(target).reset();
        // In the middle of a frame, of a message, of a packet; with answers on their way.
        for bytes in [
            text("42[\"echo\",1]")[..5].to_vec(),
            Frame::text("42[").unfinished().encode(),
            text("452-[\"echo\",{\"_placeholder\":true,\"num\":0}]"),
            text(&format!("42[\"echo\",\"{}\"]", "x".repeat(50_000))),
            text("42[\"ask-briefly\",1]").repeat(10),
            text("42[\"join\",\"a room\"]"),
            Frame::new(8, []).encode(),
        ] {
            let mut line = join(target);
            line.offer(bytes);
            line.reset();
        }
    }
    Vec::new()
}
