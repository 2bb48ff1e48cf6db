//! The end: asked for by the application.

use crate::pair::{Answers, NOTHING, Network, Pair, SECOND};
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::client::{EmitError, Initial, Offline};

/// The events of a client that is joined in `/` and closes.
const CLOSED: [&str; 2] = [
    "left /: io client disconnect, Never",
    "closed: io client disconnect",
];

/// A client that buffers what is emitted while it is offline.
fn joined_with_buffer() -> Pair {
    Pair::joined_with(|config| {
        config.offline = Offline::Buffer {
            packets: 10,
            bytes: 10_000,
        };
    })
}

#[test]
fn closing_flushes_disconnects_and_stays_closed() {
    for transports in [
        TransportOrder::WebSocket,
        TransportOrder::PollingFirst,
        TransportOrder::Polling,
    ] {
        let mut pair = Pair::joined_with(|config| config.engine.transports = transports);
        let packet = pair.encode("/", "last", &"x".repeat(50_000));
        let main = pair.main();
        for _ in 0..10 {
            pair.client
                .emit(pair.now, main, &packet, Default::default())
                .unwrap();
        }
        pair.client.close(pair.now);
        let texts = pair.client_texts();
        assert_eq!(texts, CLOSED, "{transports:?}");
        let received = pair.server_texts();
        assert_eq!(received.len(), 11);
        assert_eq!(received[10], "disconnected: client namespace disconnect");
        pair.wait(100 * SECOND);
        assert_eq!(pair.client_texts(), NOTHING);
        assert!(pair.connections.is_empty(), "{transports:?}");
        assert_eq!(pair.client.poll_timeout(), None);
        assert_eq!(pair.emit("/", "a", &()), Err(EmitError::NotConnected));
    }
}

#[test]
fn acknowledgements_may_still_come_while_the_queue_leaves() {
    let mut pair = Pair::joined_with(|config| config.engine.transports = TransportOrder::Polling);
    let answered = pair.emit_with_ack("/", "a", &1, SECOND).unwrap();
    pair.server_is_running = false;
    pair.emit_with_ack("/", "b", &2, 100 * SECOND).unwrap();
    pair.client.close(pair.now);
    assert_eq!(pair.client_texts(), ["left /: io client disconnect, Never"]);
    // Both are on their way; the server answers the first before it reads the second.
    pair.server_is_running = true;
    pair.acknowledge_all();
    let texts = pair.client_texts();
    assert_eq!(texts.last().unwrap(), "closed: io client disconnect");
    assert_eq!(
        texts.iter().filter(|text| text.contains("ack")).count(),
        2,
        "{texts:?}"
    );
    assert!(texts.contains(&"ack failed: socket has been disconnected".to_owned()));
    assert_eq!(pair.client.pending_acks(), 0);
    pair.client.forget_ack(answered);
}

#[test]
fn a_server_that_does_not_read_is_waited_for_only_so_long() {
    let mut pair = Pair::joined();
    pair.server_is_running = false;
    pair.emit_with_ack("/", "a", &(), 100 * SECOND).unwrap();
    pair.client.close(pair.now);
    pair.wait(5 * SECOND - SECOND / 1_000);
    assert_eq!(pair.client_texts(), ["left /: io client disconnect, Never"]);
    pair.wait(SECOND / 1_000);
    assert_eq!(
        pair.client_texts(),
        [
            "ack failed: socket has been disconnected",
            "closed: io client disconnect"
        ]
    );
}

#[test]
fn it_closes_in_every_state() {
    // Nothing to close.
    let mut pair = Pair::new();
    pair.client.close(pair.now);
    assert_eq!(pair.client_texts(), NOTHING);
    // Asking.
    pair.answers = Answers::LeftToTheTest;
    pair.connect();
    pair.client.close(pair.now);
    assert_eq!(pair.client_texts(), ["attempt 0", "closed: io client disconnect"]);
    pair.client.proceed(pair.now, crate::pair::target());
    assert_eq!(pair.client_texts(), NOTHING);
    // Opening.
    pair.network = Network::Silent;
    pair.answers = Answers::Given;
    pair.connect();
    pair.client.close(pair.now);
    assert_eq!(pair.client_texts(), ["attempt 0", "closed: io client disconnect"]);
    // Waiting.
    let mut pair = Pair::with(|config| config.reconnection.initial = Initial::Retry);
    pair.network = Network::Down;
    pair.connect();
    pair.client_texts();
    pair.client.close(pair.now);
    assert_eq!(pair.client_texts(), ["closed: io client disconnect"]);
    // Asked, and not answered.
    let mut pair = Pair::new();
    pair.answers = Answers::LeftToTheTest;
    pair.connect();
    pair.client.proceed(pair.now, crate::pair::target());
    pair.pump();
    pair.join(pair.main());
    pair.pump();
    pair.client_events.clear();
    pair.client.close(pair.now);
    assert_eq!(pair.client_texts(), ["closed: io client disconnect"]);
    // Closing already.
    let mut pair = Pair::joined();
    pair.client.close(pair.now);
    pair.client.close(pair.now);
    assert_eq!(pair.client_texts(), CLOSED);
}

#[test]
fn connecting_again_while_it_closes_follows_the_end() {
    let mut pair = joined_with_buffer();
    pair.client.close(pair.now);
    pair.client.connect(pair.now);
    // What is emitted for the next connection waits for it.
    pair.emit_with_ack("/", "next", &(), 100 * SECOND).unwrap();
    assert_eq!(
        pair.client_texts(),
        [
            "left /: io client disconnect, Never",
            "closed: io client disconnect",
            "attempt 0",
            "opened",
            "joining /",
            "joined /",
        ]
    );
    assert_eq!(pair.acknowledge_all(), 1);
    assert_eq!(pair.client_texts(), ["acked () 0"]);
    pair.client.close(pair.now);
    pair.client.connect(pair.now);
    pair.client.close(pair.now);
    assert_eq!(pair.client_texts(), CLOSED);
}

#[test]
fn what_waits_ends_with_the_connection() {
    let mut pair = joined_with_buffer();
    pair.lose_all();
    pair.emit("/", "plain", &()).unwrap();
    pair.emit_with_ack("/", "asking", &(), 100 * SECOND).unwrap();
    pair.client_texts();
    pair.client.close(pair.now);
    assert_eq!(
        pair.client_texts(),
        [
            "undeliverable /: NotConnected",
            "ack failed: socket has been disconnected",
            "closed: io client disconnect",
        ]
    );
}

#[test]
fn a_client_that_has_left_everything_is_told_that_there_is_nothing_to_connect_for() {
    let mut pair = Pair::joined_with(|_| ());
    let main = pair.main();
    pair.client.leave(pair.now, main);
    let _ = pair.client_texts();
    pair.client.connect(pair.now);
    assert_eq!(pair.client_texts(), ["closed: io client disconnect"]);
    assert!(pair.connections.is_empty());
    pair.client.enter(pair.now, main);
    assert!(pair.client_texts().last().unwrap().starts_with("joined /"));
}
