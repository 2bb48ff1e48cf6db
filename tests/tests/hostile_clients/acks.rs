//! Promises that the peer does not keep.

use socketio_tests::binding::Binding;
use socketio_tests::kit::Frame;
use socketio_tests::on_every_server;
use socketio_tests::testbed::Target;

use crate::fortress::Fortress;
use crate::line::{join, text};

on_every_server![
    attachments_that_never_come_are_not_waited_for_for_ever,
    acks_that_nobody_asked_for_mean_nothing,
    ten_thousand_questions_that_nobody_answers_are_forgotten,
];

fn attachments_that_never_come_are_not_waited_for_for_ever(binding: Binding) {
    Fortress::of(binding).withstand(|target: &Target| {
        let mut lines = Vec::new();
        for number in 0..100 {
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
    });
}

fn acks_that_nobody_asked_for_mean_nothing(binding: Binding) {
    Fortress::of(binding).withstand(|target: &Target| {
        let mut line = join(target);
        let acks: Vec<u8> = (0..10_000_u64)
            .flat_map(|number| text(&format!("43{}[{number}]", number * 1_000_003)))
            .collect();
        line.exchange(&acks);
        line.exchange(text("42[\"echo\",\"and after\"]"));
        line.hear_bytes("and after");
        line
    });
}

fn ten_thousand_questions_that_nobody_answers_are_forgotten(binding: Binding) {
    Fortress::of(binding).withstand(|target: &Target| {
        let mut lines: Vec<_> = (0..10).map(|_| join(target)).collect();
        let questions = text("42[\"ask-briefly\",1]").repeat(1_000);
        for line in &mut lines {
            line.offer(&questions);
        }
        for line in &mut lines {
            line.hear_bytes("no-answer");
        }
        lines
    });
}
