//! Many namespaces on one connection.

use crate::pair::Answers;
use crate::raw::Raw;
use socketio_core::sio::client::Retry;
use std::time::Duration;

const MANY: usize = 4_000;

/// Without an assertion about time: looking at all that wait in each call would take this test minutes.
#[test]
fn namespaces_that_wait_for_room_cost_nothing_and_are_served_in_order() {
    let mut raw = Raw::joined_main_with(|config| config.engine.limits.queued_bytes = 1_000);
    raw.answers = Answers::LeftToTheTest;
    for number in 0..MANY {
        let namespace = raw.client.add_namespace(raw.now, &format!("/{number}")).unwrap();
        raw.join(namespace);
    }
    raw.received();
    for number in 0..MANY {
        raw.send_packet(&format!(r#"0/{number},{{"sid":"a"}}"#));
    }
    raw.server_is_running = false;
    let retry = Retry {
        ack_timeout: Duration::from_secs(1),
        retries: 0,
    };
    for number in 0..MANY {
        let name = format!("/{number}");
        let packet = raw.encode(&name, "x", "");
        let namespace = raw.client.namespace(&name).unwrap();
        raw.client.deliver(raw.now, namespace, &packet, retry).unwrap();
    }
    assert!(raw.client.queued_bytes() <= 1_000);
    for _ in 0..MANY {
        raw.client.handle_timeout(raw.now);
    }
    raw.server_is_running = true;
    let sent: Vec<String> = (0..MANY)
        .map(|number| format!(r#"2/{number},0["x",""]"#))
        .collect();
    assert_eq!(raw.received(), sent);
}
