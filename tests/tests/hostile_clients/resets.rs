//! Connections that are reset at every stage of a request, a session and a WebSocket.

use socketio_tests::kit::Frame;

use crate::raw_connection::{RawConnection, get, handshake, join, post, text, upgrade};
use crate::server_under_attack::{AttackContext, attacks};

attacks![
    requests_that_are_reset_leave_nothing,
    polls_that_are_reset_leave_nothing,
    websockets_that_are_reset_leave_nothing,
];

fn requests_that_are_reset_leave_nothing(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
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
            let mut connection = RawConnection::open(target);
            connection.write_some(stage);
            connection.reset();
        }
    }
    Vec::new()
}

fn polls_that_are_reset_leave_nothing(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for _ in 0..20 {
        // Parked, in the middle of a post, after the handshake, and in the middle of a probe.
        let (mut polls, sid) = handshake(target);
        let mut posts = RawConnection::open(target);
        polls.write_some(get(&format!("&sid={sid}")));
        posts.write_some(&post(&sid, "40\x1e42[\"echo\",1]")[..150]);
        posts.reset();
        polls.reset();
        handshake(target).0.reset();
        let (polls, sid) = handshake(target);
        let mut probe = RawConnection::open(target);
        probe.write_some(upgrade(&format!("&sid={sid}")));
        probe.write_some(text("2probe"));
        polls.reset();
        probe.reset();
    }
    Vec::new()
}

fn websockets_that_are_reset_leave_nothing(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for _ in 0..12 {
        let mut connection = RawConnection::open(target);
        connection.write_some(upgrade(""));
        connection.reset();
        join(target).reset();
        // In the middle of a frame, of a message, of a packet; while answers are being sent.
        for bytes in [
            text("42[\"echo\",1]")[..5].to_vec(),
            Frame::text("42[").unfinished().encode(),
            text("452-[\"echo\",{\"_placeholder\":true,\"num\":0}]"),
            text(&format!("42[\"echo\",\"{}\"]", "x".repeat(50_000))),
            text("42[\"ask-briefly\",1]").repeat(10),
            text("42[\"join\",\"a room\"]"),
            Frame::new(8, []).encode(),
        ] {
            let mut connection = join(target);
            connection.write_some(bytes);
            connection.reset();
        }
    }
    Vec::new()
}
