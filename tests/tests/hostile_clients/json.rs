//! JSON that costs more to read than to send.

use crate::raw_connection::{RawConnection, join, text};
use crate::server_under_attack::{AttackContext, attacks};

attacks![json_bombs_do_no_harm];

fn json_bombs_do_no_harm(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
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
            // Some are valid, some end the session; none ends another session.
            let mut connection = join(target);
            connection.write_some(text(&packet));
            connection.shut_down_write();
            connection.read_to_end();
        }
    }
    Vec::new()
}
