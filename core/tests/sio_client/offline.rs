//! Emitting while the namespace is not joined, and while the server does not read.

use crate::pair::{NOTHING, Pair, SECOND};
use crate::raw::Raw;
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::Delivery;
use socketio_core::sio::client::{EmitError, Offline};

fn buffer(packets: usize, bytes: usize) -> Offline {
    Offline::Buffer { packets, bytes }
}

#[test]
fn events_are_refused_dropped_or_wait_as_configured() {
    for (offline, expected) in [
        (Offline::Refuse, Err(EmitError::NotConnected)),
        (Offline::Drop, Err(EmitError::Dropped)),
        (buffer(1, 1_000), Ok(())),
    ] {
        let mut pair = Pair::with(|config| config.offline = offline);
        assert_eq!(pair.emit("/", "a", &()), expected);
        pair.connect();
        pair.lose_all();
        pair.server_events.clear();
        assert_eq!(pair.emit("/", "b", &()), expected);
        let asked = pair.emit_with_ack("/", "c", &(), SECOND).map(|_| ());
        // There is room for one.
        assert_eq!(asked, expected.and(Err(EmitError::BufferFull)));
        pair.wait(2 * SECOND);
        let mut received = pair.server_texts();
        received.retain(|text| !text.starts_with("disconnected"));
        assert_eq!(received.len(), usize::from(expected.is_ok()), "{received:?}");
    }
}

#[test]
fn volatile_events_never_wait() {
    let mut pair = Pair::with(|config| config.offline = buffer(10, 10_000));
    let packet = pair.encode("/", "a", &());
    let main = pair.main();
    let outcome = pair.client.emit(pair.now, main, &packet, Delivery::Volatile);
    assert_eq!(outcome, Err(EmitError::Dropped));
    pair.connect();
    assert!(pair.client.is_writable());
    for expected in [Ok(()), Err(EmitError::Dropped)] {
        let outcome = pair.client.emit(pair.now, main, &packet, Delivery::Volatile);
        assert_eq!(outcome, expected);
    }
    assert_eq!(pair.server_texts(), ["\"a\" () 0"]);
}

#[test]
fn what_waits_is_bounded_in_packets_and_bytes_for_each_namespace() {
    let mut pair = Pair::with(|config| config.offline = buffer(3, 1_000));
    let chat = pair.client.add_namespace(pair.now, "/chat").unwrap();
    assert_eq!(pair.emit("/", "a", &"x".repeat(900)), Ok(()));
    assert_eq!(pair.emit("/", "a", &"x".repeat(100)), Err(EmitError::BufferFull));
    assert_eq!(pair.emit("/", "b", &()), Ok(()));
    assert_eq!(pair.emit("/", "c", &()), Ok(()));
    assert_eq!(pair.emit("/", "d", &()), Err(EmitError::BufferFull));
    assert_eq!(pair.emit("/chat", "e", &()), Ok(()));
    assert_eq!(pair.client.buffered_packets(pair.main()), 3);
    assert_eq!(pair.client.buffered_packets(chat), 1);
    pair.connect();
    assert_eq!(pair.client.buffered_packets(chat), 0);
    assert_eq!(pair.server_texts().len(), 4);
    assert_eq!(pair.emit("/", "a", &"x".repeat(100)), Ok(()));
}

#[test]
fn what_waited_is_sent_before_anything_later_and_with_its_attachments() {
    let mut raw = Raw::unconnected(|config| config.offline = buffer(100, 10_000));
    let main = raw.main();
    let data = bytes::Bytes::from_static(&[7]);
    let wait = raw.now + 100 * SECOND;
    for packet in [raw.encode("/", "a", &1), raw.encode("/", "b", &data)] {
        raw.client
            .emit(raw.now, main, &packet, Delivery::Reliable)
            .unwrap();
    }
    let packet = raw.encode("/", "c", &data);
    raw.client.emit_with_ack(raw.now, main, &packet, wait).unwrap();
    raw.client.connect(raw.now);
    assert_eq!(raw.received(), [r#"0{"token":1}"#]);
    // In the same breath as the answer.
    raw.send_packet(r#"0{"sid":"abc"}"#);
    let packet = raw.encode("/", "d", &4);
    raw.client
        .emit(raw.now, main, &packet, Delivery::Reliable)
        .unwrap();
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    assert_eq!(
        raw.received(),
        [
            "2[\"a\",1]",
            &format!("51-[\"b\",{placeholder}]"),
            "[7]",
            &format!("51-0[\"c\",{placeholder}]"),
            "[7]",
            "2[\"d\",4]",
        ]
    );
}

#[test]
fn a_full_queue_refuses_and_goes_on() {
    for transports in [TransportOrder::WebSocket, TransportOrder::Polling] {
        let mut pair = Pair::joined_with(|config| {
            config.engine.transports = transports;
            config.engine.limits.queued_bytes = 10_000;
        });
        pair.server_is_running = false;
        let mut accepted = 0;
        let outcome = loop {
            match pair.emit("/", "a", &"x".repeat(1_000)) {
                Ok(()) => accepted += 1,
                Err(error) => break error,
            }
            assert!(accepted < 1_000);
        };
        assert_eq!(outcome, EmitError::QueueFull);
        assert!(pair.client.queued_bytes() <= 10_000);
        let asked = pair.emit_with_ack("/", "b", &"x".repeat(1_000), SECOND);
        assert_eq!(asked, Err(EmitError::QueueFull));
        assert_eq!(pair.client.pending_acks(), 0);
        pair.server_is_running = true;
        assert_eq!(pair.server_texts().len(), accepted);
        assert_eq!(pair.emit("/", "c", &()), Ok(()));
        assert_eq!(pair.server_texts(), ["\"c\" () 0"]);
    }
}

#[test]
fn more_may_wait_than_fits_the_queue() {
    for transports in [TransportOrder::WebSocket, TransportOrder::Polling] {
        let mut pair = Pair::with(|config| {
            config.engine.transports = transports;
            config.engine.limits.queued_bytes = 2_000;
            config.offline = buffer(1_000, 1_000_000);
        });
        for number in 0..100 {
            pair.emit("/", "a", &(number, "x".repeat(500))).unwrap();
        }
        pair.emit_with_ack("/", "asked", &(), 100 * SECOND).unwrap();
        // Larger than the queue altogether.
        pair.emit("/", "large", &"x".repeat(5_000)).unwrap();
        pair.connect();
        let received = pair.server_events.drain(..).filter_map(|event| match event {
            socketio_core::sio::Event::Event { name, arguments, .. } => {
                let number = arguments.text().split(',').next().unwrap_or_default().to_owned();
                Some((name.as_str().to_owned(), number))
            }
            _ => None,
        });
        let received = received.collect::<Vec<_>>();
        assert_eq!(received.len(), 102, "{transports:?}");
        for (number, (name, text)) in received.iter().take(100).enumerate() {
            assert_eq!((name.as_str(), text.as_str()), ("a", number.to_string().as_str()));
        }
        assert_eq!(
            (received[100].0.as_str(), received[101].0.as_str()),
            ("asked", "large")
        );
        assert_eq!(pair.client.buffered_packets(pair.main()), 0);
        assert!(
            !pair
                .client_texts()
                .iter()
                .any(|text| text.starts_with("undeliverable"))
        );
    }
}

#[test]
fn what_the_server_does_not_take_is_refused_or_told_later() {
    let mut pair = Pair::with(|config| config.offline = buffer(10, 10_000_000));
    let large = "x".repeat(1_500_000);
    pair.emit("/", "plain", &large).unwrap();
    pair.emit_with_ack("/", "asking", &large, 100 * SECOND).unwrap();
    pair.emit("/", "small", &()).unwrap();
    pair.connect();
    let texts = pair.client_texts();
    assert_eq!(texts[3], "joined /");
    assert_eq!(texts[4], "undeliverable /: TooLarge { limit: 1000000 }");
    assert_eq!(texts[5], "undeliverable /: TooLarge { limit: 1000000 }");
    assert!(texts[6].starts_with("ack failed: the event could not be sent"));
    assert_eq!(texts.len(), 7);
    assert_eq!(pair.server_texts(), ["\"small\" () 0"]);
    assert_eq!(
        pair.emit("/", "plain", &large),
        Err(EmitError::TooLarge { limit: 1_000_000 })
    );
    assert_eq!(pair.client_texts(), NOTHING);
}
