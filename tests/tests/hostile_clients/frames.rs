//! Tiny frames by the ten thousand, in one segment.

use socketio_tests::kit::Frame;

use crate::raw_connection::{RawConnection, join, text};
use crate::server_under_attack::{AttackContext, attacks};

attacks![
    ten_thousand_echoes_come_back,
    ten_thousand_pings_are_answered,
    ten_thousand_pongs_are_ignored,
    ten_thousand_fragments_are_one_message,
    ten_thousand_heartbeats_do_no_harm,
    ten_thousand_frames_after_a_wrong_one_are_ignored,
];

const MANY: usize = 10_000;

fn ten_thousand_echoes_come_back(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connection = join(target);
    connection.write_all(text("42[\"echo\"]").repeat(MANY));
    connection.read_count("42[\"echo\"]", MANY);
    Vec::new()
}

fn ten_thousand_pings_are_answered(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    for payload in ["", "ping"] {
        let mut connection = join(target);
        connection.write_all(Frame::new(9, payload).encode().repeat(MANY));
        let pong = Frame::new(10, payload).unmasked().encode();
        // RFC 6455 section 5.5.3: only the latest ping needs an answer.
        connection.read_until(&pong);
        connection.write_all(text("42[\"echo\",\"and after\"]"));
        connection.read_until("and after");
    }
    Vec::new()
}

fn ten_thousand_pongs_are_ignored(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connection = join(target);
    connection.write_all(Frame::new(10, "unasked").encode().repeat(MANY));
    connection.write_all(Frame::new(10, "").encode().repeat(MANY));
    connection.write_all(text("42[\"echo\",\"and after\"]"));
    connection.read_until("and after");
    Vec::new()
}

fn ten_thousand_fragments_are_one_message(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connection = join(target);
    let mut bytes = Frame::text("42[\"echo\",\"").unfinished().encode();
    for _ in 0..MANY / 3 {
        bytes.extend(Frame::new(0, "x").unfinished().encode());
        bytes.extend(Frame::new(0, "").unfinished().encode());
        bytes.extend(Frame::new(9, "").encode());
    }
    bytes.extend(Frame::new(0, "\"]").encode());
    connection.write_all(&bytes);
    connection.read_until("x\"]");
    // A message that never ends.
    connection.write_all(Frame::text("42[").unfinished().encode());
    connection.write_all(Frame::new(0, "1").unfinished().encode().repeat(MANY));
    vec![connection]
}

fn ten_thousand_heartbeats_do_no_harm(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connection = join(target);
    connection.write_all(text("3").repeat(MANY));
    connection.write_all(text("42[\"echo\",\"and after\"]"));
    connection.read_until("and after");
    // Packets that only servers send, and none at all.
    for packet in ["2", "6", "", "0{}"] {
        let mut connection = join(target);
        connection.write_some(text(packet).repeat(MANY));
        connection.shut_down_write();
        connection.read_to_end();
    }
    Vec::new()
}

fn ten_thousand_frames_after_a_wrong_one_are_ignored(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let wrong = [
        Frame::new(0, "x"),
        Frame::text("4x").unmasked(),
        Frame::new(3, "x"),
        Frame::new(8, [0x03, 0xe8]),
    ];
    for frame in wrong {
        let mut connection = join(target);
        connection.write_some(frame.encode());
        connection.write_some(text("42[\"echo\",\"after the end\"]").repeat(MANY));
        connection.shut_down_write();
        let received = connection.read_to_end();
        assert!(
            !received.contains("after the end"),
            "{frame:?} is followed by an echo"
        );
    }
    Vec::new()
}
