//! JSON that costs more than it says.

use crate::fortress::{Siege, attacks};
use crate::line::{Line, join, text};

attacks![json_bombs_do_no_harm];

fn json_bombs_do_no_harm(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let keys: Vec<_> = (0..2_000).map(|number| format!("\"k{number}\":0")).collect();
    let values = [
        "[".repeat(30_000),
        format!("{}{}", "[".repeat(1_000), "]".repeat(1_000)),
        format!("{}1{}", "{\"a\":".repeat(1_000), "}".repeat(1_000)),
        "9".repeat(30_000),
        format!("1e{}", "9".repeat(30_000)),
        format!("-0.{}", "0".repeat(30_000)),
        format!("{{{}}}", keys.join(",")),
        format!("{{{}\"\":0}}", "\"\":0,".repeat(12_000)),
        format!("[{}0]", "0,".repeat(15_000)),
        format!("\"{}\"", "\\u0000".repeat(6_000)),
        format!("\"{}\"", "\\ud83d\\ude00".repeat(6_000)),
        format!("\"{}\"", "\\".repeat(30_000)),
        " ".repeat(30_000),
        format!("{{\"_placeholder\":true,\"num\":{}}}", "9".repeat(1_000)),
    ];
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
    Vec::new()
}
