//! Tiny frames by the ten thousand, in one segment.

use socketio_tests::kit::Frame;

use crate::fortress::{Siege, attacks};
use crate::line::{Line, join, text};

attacks![
    ten_thousand_echoes_come_back,
    ten_thousand_pings_are_answered,
    ten_thousand_pongs_mean_nothing,
    ten_thousand_fragments_are_one_message,
    ten_thousand_heartbeats_do_no_harm,
    ten_thousand_frames_after_a_wrong_one_are_not_heard,
];

const MANY: usize = 10_000;

fn ten_thousand_echoes_come_back(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut line = join(target);
    line.exchange(text("42[\"echo\"]").repeat(MANY));
    line.hear_times("42[\"echo\"]", MANY);
    Vec::new()
}

fn ten_thousand_pings_are_answered(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    for payload in ["", "ping"] {
        let mut line = join(target);
        line.exchange(Frame::new(9, payload).encode().repeat(MANY));
        let pong = Frame::new(10, payload).unmasked().encode();
        // RFC 6455 section 5.5.3: only the latest ping needs an answer.
        line.hear_bytes(&pong);
        line.exchange(text("42[\"echo\",\"and after\"]"));
        line.hear_bytes("and after");
    }
    Vec::new()
}

fn ten_thousand_pongs_mean_nothing(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut line = join(target);
    line.exchange(Frame::new(10, "unasked").encode().repeat(MANY));
    line.exchange(Frame::new(10, "").encode().repeat(MANY));
    line.exchange(text("42[\"echo\",\"and after\"]"));
    line.hear_bytes("and after");
    Vec::new()
}

fn ten_thousand_fragments_are_one_message(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut line = join(target);
    let mut bytes = Frame::text("42[\"echo\",\"").unfinished().encode();
    for _ in 0..MANY / 3 {
        bytes.extend(Frame::new(0, "x").unfinished().encode());
        bytes.extend(Frame::new(0, "").unfinished().encode());
        bytes.extend(Frame::new(9, "").encode());
    }
    bytes.extend(Frame::new(0, "\"]").encode());
    line.exchange(&bytes);
    line.hear_bytes("x\"]");
    // One that never ends.
    line.exchange(Frame::text("42[").unfinished().encode());
    line.exchange(Frame::new(0, "1").unfinished().encode().repeat(MANY));
    vec![line]
}

fn ten_thousand_heartbeats_do_no_harm(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut line = join(target);
    line.exchange(text("3").repeat(MANY));
    line.exchange(text("42[\"echo\",\"and after\"]"));
    line.hear_bytes("and after");
    // Of a server's words, and of none.
    for packet in ["2", "6", "", "0{}"] {
        let mut line = join(target);
        line.offer(text(packet).repeat(MANY));
        line.finish();
        line.hear_out();
    }
    Vec::new()
}

fn ten_thousand_frames_after_a_wrong_one_are_not_heard(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let wrong = [
        Frame::new(0, "x"),
        Frame::text("4x").unmasked(),
        Frame::new(3, "x"),
        Frame::new(8, [0x03, 0xe8]),
    ];
    for frame in wrong {
        let mut line = join(target);
        line.offer(frame.encode());
        line.offer(text("42[\"echo\",\"after the end\"]").repeat(MANY));
        line.finish();
        let heard = line.hear_out();
        assert!(
            !heard.contains("after the end"),
            "{frame:?} is followed by an echo"
        );
    }
    Vec::new()
}
