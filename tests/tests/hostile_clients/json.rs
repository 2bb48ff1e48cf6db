//! JSON that costs more than it says.

use socketio_tests::binding::Binding;
use socketio_tests::on_every_server;
use socketio_tests::testbed::Target;

use crate::fortress::Fortress;
use crate::line::{join, text};

on_every_server![json_bombs_do_no_harm];

fn json_bombs_do_no_harm(binding: Binding) {
    let keys: Vec<_> = (0..50_000).map(|number| format!("\"k{number}\":0")).collect();
    let values = [
        "[".repeat(400_000),
        format!("{}{}", "[".repeat(1_000), "]".repeat(1_000)),
        format!("{}1{}", "{\"a\":".repeat(1_000), "}".repeat(1_000)),
        "9".repeat(800_000),
        format!("1e{}", "9".repeat(100_000)),
        format!("-0.{}", "0".repeat(800_000)),
        format!("{{{}}}", keys.join(",")),
        format!("{{{}\"\":0}}", "\"\":0,".repeat(150_000)),
        format!("[{}0]", "0,".repeat(400_000)),
        format!("\"{}\"", "\\u0000".repeat(130_000)),
        format!("\"{}\"", "\\ud83d\\ude00".repeat(60_000)),
        format!("\"{}\"", "\\".repeat(800_000)),
        " ".repeat(900_000),
        format!("{{\"_placeholder\":true,\"num\":{}}}", "9".repeat(1_000)),
    ];
    Fortress::of(binding).withstand(|target: &Target| {
        for value in &values {
            for packet in [
                format!("42[\"echo-ack\",{value}]"),
                format!("421[\"join\",{value}]"),
                format!("40/custom,{value}"),
                format!("431{value}"),
            ] {
                // Some are right, some end the session; none ends more.
                let mut line = join(target);
                line.offer(text(&packet));
                line.finish();
                line.hear_out();
            }
        }
    });
}
