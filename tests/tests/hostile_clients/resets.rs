//! Connections that are reset, at every stage.

use socketio_tests::binding::Binding;
use socketio_tests::kit::Frame;
use socketio_tests::on_every_server;
use socketio_tests::testbed::Target;

use crate::fortress::Fortress;
use crate::line::{Line, get, handshake, join, post, text, upgrade};

on_every_server![
    requests_that_are_reset_leave_nothing,
    polls_that_are_reset_leave_nothing,
    websockets_that_are_reset_leave_nothing,
];

fn requests_that_are_reset_leave_nothing(binding: Binding) {
    Fortress::of(binding).withstand(|target: &Target| {
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
        for _ in 0..60 {
            for stage in stages {
                let mut line = Line::open(target);
                line.offer(stage);
                line.reset();
            }
        }
    });
}

fn polls_that_are_reset_leave_nothing(binding: Binding) {
    Fortress::of(binding).withstand(|target: &Target| {
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
    });
}

fn websockets_that_are_reset_leave_nothing(binding: Binding) {
    Fortress::of(binding).withstand(|target: &Target| {
        for _ in 0..40 {
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
    });
}
