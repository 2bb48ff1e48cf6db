//! Announced attachments and acknowledgements that the peer never sends.

use socketio_tests::kit::Frame;

use crate::raw_connection::{RawConnection, join, text};
use crate::server_under_attack::{AttackContext, ServerLimits, attacks};

attacks![
    missing_attachments_leave_nothing,
    unexpected_acks_are_ignored,
    ten_thousand_unanswered_calls_time_out,
];

fn missing_attachments_leave_nothing(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections = Vec::new();
    for number in 0..40 {
        let mut connection = join(target);
        let places: Vec<_> = (0..10)
            .map(|place| format!("{{\"_placeholder\":true,\"num\":{place}}}"))
            .collect();
        connection.write_some(text(&format!("4510-[\"echo\",{}]", places.join(","))));
        for _ in 0..number % 10 {
            connection.write_some(Frame::new(2, vec![0; 20_000]).encode());
        }
        if number % 3 == 0 {
            // Something else instead, which ends the session.
            connection.write_some(text("42[\"echo\",1]"));
        }
        connections.push(connection);
    }
    connections
}

fn unexpected_acks_are_ignored(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connection = join(target);
    let acks: Vec<u8> = (0..10_000_u64)
        .flat_map(|number| text(&format!("43{}[{number}]", number * 1_000_003)))
        .collect();
    connection.write_all(&acks);
    connection.write_all(text("42[\"echo\",\"and after\"]"));
    connection.read_until("and after");
    vec![connection]
}

fn ten_thousand_unanswered_calls_time_out(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let mut connections: Vec<_> = (0..5).map(|_| join(target)).collect();
    // As many as the handlers of a client may wait for at a time; the event loop's server has no other event.
    for connection in &mut connections {
        connection.write_some(text("42[\"ask-briefly\",1]").repeat(100));
    }
    if context.limits == ServerLimits::Short {
        let mut connection = join(target);
        connection.write_some(text("42[\"ask-often\",10000]"));
        connection.read_until("[\"question\",9999]");
        // That took some time, in which a heartbeat may have been missed.
        connection.write_some(text("3"));
        connections.push(connection);
    }
    for connection in &mut connections {
        connection.read_until("no-answer");
    }
    connections
}
