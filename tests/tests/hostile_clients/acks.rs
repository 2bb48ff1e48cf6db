//! Promises that the peer does not keep.

use socketio_tests::kit::Frame;

use crate::fortress::{Siege, SiegeLimits, attacks};
use crate::line::{Line, join, text};

attacks![
    attachments_that_never_come_are_not_waited_for_for_ever,
    acks_that_nobody_asked_for_mean_nothing,
    ten_thousand_questions_that_nobody_answers_are_forgotten,
];

fn attachments_that_never_come_are_not_waited_for_for_ever(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines = Vec::new();
    for number in 0..40 {
        let mut line = join(target);
        let places: Vec<_> = (0..10)
            .map(|place| format!("{{\"_placeholder\":true,\"num\":{place}}}"))
            .collect();
        line.offer(text(&format!("4510-[\"echo\",{}]", places.join(","))));
        for _ in 0..number % 10 {
            line.offer(Frame::new(2, vec![0; 20_000]).encode());
        }
        if number % 3 == 0 {
            // Something else instead, which ends the session.
            line.offer(text("42[\"echo\",1]"));
        }
        lines.push(line);
    }
    lines
}

fn acks_that_nobody_asked_for_mean_nothing(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut line = join(target);
    let acks: Vec<u8> = (0..10_000_u64)
        .flat_map(|number| text(&format!("43{}[{number}]", number * 1_000_003)))
        .collect();
    line.exchange(&acks);
    line.exchange(text("42[\"echo\",\"and after\"]"));
    line.hear_bytes("and after");
    vec![line]
}

fn ten_thousand_questions_that_nobody_answers_are_forgotten(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let mut lines: Vec<_> = (0..5).map(|_| join(target)).collect();
    // Each client's handlers wait for so many at a time; the event loop's server knows no other event.
    for line in &mut lines {
        line.offer(text("42[\"ask-briefly\",1]").repeat(100));
    }
    if siege.limits == SiegeLimits::Short {
        let mut line = join(target);
        line.offer(text("42[\"ask-often\",10000]"));
        line.hear_bytes("[\"question\",9999]");
        // That took some time, in which a heartbeat may have been missed.
        line.offer(text("3"));
        lines.push(line);
    }
    for line in &mut lines {
        line.hear_bytes("no-answer");
    }
    lines
}
