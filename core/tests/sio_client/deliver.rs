//! Delivery at least once.

use crate::pair::{NOTHING, Pair, SECOND};
use crate::raw::Raw;
use socketio_core::sio::AckId;
use socketio_core::sio::client::{Config, EmitError, Retry};

const RETRY: Retry = Retry {
    ack_timeout: SECOND,
    retries: 2,
};

fn deliver(raw: &mut Raw, name: &str) -> AckId {
    let packet = raw.encode("/", name, &());
    let main = raw.main();
    raw.client.deliver(raw.now, main, &packet, RETRY).unwrap()
}

fn rejoin_main(raw: &mut Raw) {
    raw.wait(5 * SECOND);
    raw.received();
    raw.send_packet(r#"0{"sid":"again"}"#);
}

#[test]
fn one_is_under_way_at_a_time_in_order() {
    let mut raw = Raw::joined_main();
    for name in ["a", "b", "c"] {
        deliver(&mut raw, name);
    }
    assert_eq!(raw.received(), ["20[\"a\"]"]);
    raw.send_packet("30[1]");
    assert_eq!(raw.client_texts(), ["acked (1) 0"]);
    assert_eq!(raw.received(), ["21[\"b\"]"]);
    // Others need not wait for them.
    let packet = raw.encode("/", "now", &());
    let main = raw.main();
    raw.client
        .emit(raw.now, main, &packet, Default::default())
        .unwrap();
    assert_eq!(raw.received(), ["2[\"now\"]"]);
    raw.send_packet("31[2]");
    assert_eq!(raw.received(), ["22[\"c\"]"]);
    raw.send_packet("32[3]");
    assert_eq!(raw.client_texts(), ["acked (2) 0", "acked (3) 0"]);
    assert_eq!(raw.client.pending_acks(), 0);
}

#[test]
fn it_is_sent_again_with_a_new_number_until_the_retries_are_used_up() {
    let mut raw = Raw::joined_main();
    deliver(&mut raw, "a");
    deliver(&mut raw, "b");
    assert_eq!(raw.received(), ["20[\"a\"]"]);
    for number in 1..=2 {
        raw.wait(SECOND);
        assert_eq!(raw.received(), [format!("2{number}[\"a\"]")]);
        assert_eq!(raw.client_texts(), NOTHING);
    }
    // Nobody waits for the sendings before.
    raw.send_packet("30[]");
    assert_eq!(raw.client_texts(), NOTHING);
    raw.wait(SECOND);
    assert_eq!(raw.client_texts(), ["ack failed: operation has timed out"]);
    assert_eq!(raw.received(), ["23[\"b\"]"]);
    raw.wait(SECOND);
    assert_eq!(raw.received(), ["24[\"b\"]"]);
    raw.send_packet("34[1]");
    assert_eq!(raw.client_texts(), ["acked (1) 0"]);
}

#[test]
fn a_lost_connection_counts_as_a_sending_without_answer() {
    let mut raw = Raw::joined_main();
    deliver(&mut raw, "a");
    assert_eq!(raw.received(), ["20[\"a\"]"]);
    for number in 1..=2 {
        raw.lose_all();
        rejoin_main(&mut raw);
        assert_eq!(raw.received(), [format!("2{number}[\"a\"]")]);
    }
    raw.client_events.clear();
    raw.lose_all();
    assert_eq!(raw.client_texts()[0], "ack failed: socket has been disconnected");
    rejoin_main(&mut raw);
    assert_eq!(raw.received(), NOTHING);
}

#[test]
fn while_nothing_is_joined_nothing_counts() {
    let mut raw = Raw::joined_main();
    raw.lose_all();
    let first = deliver(&mut raw, "a");
    let forgotten = deliver(&mut raw, "b");
    deliver(&mut raw, "c");
    raw.client.forget_ack(forgotten);
    raw.network = crate::pair::Network::Down;
    raw.wait(1_000 * SECOND);
    assert!(!raw.client_texts().iter().any(|text| text.contains("ack")));
    raw.network = crate::pair::Network::Up;
    rejoin_main(&mut raw);
    assert_eq!(raw.received(), ["20[\"a\"]"]);
    raw.client.forget_ack(first);
    assert_eq!(raw.received(), ["21[\"c\"]"]);
}

#[test]
fn what_waited_before_it_goes_before_it() {
    let mut raw = Raw::joined_main_with(|config: &mut Config| {
        config.offline = socketio_core::sio::client::Offline::Buffer {
            packets: 10,
            bytes: 10_000,
        };
    });
    raw.lose_all();
    raw.run();
    deliver(&mut raw, "delivery");
    let packet = raw.encode("/", "plain", &());
    let main = raw.main();
    raw.client
        .emit(raw.now, main, &packet, Default::default())
        .unwrap();
    rejoin_main(&mut raw);
    assert_eq!(raw.received(), ["2[\"plain\"]", "20[\"delivery\"]"]);
}

#[test]
fn it_ends_when_the_namespace_does() {
    for how in ["left", "expelled", "closed"] {
        let mut raw = Raw::joined_main();
        deliver(&mut raw, "a");
        deliver(&mut raw, "b");
        raw.run();
        let main = raw.main();
        match how {
            "left" => raw.client.leave(raw.now, main),
            "expelled" => raw.send_packet("1"),
            _ => raw.client.close(raw.now),
        }
        raw.wait(10 * SECOND);
        let texts = raw.client_texts();
        let ended = texts
            .iter()
            .filter(|text| *text == "ack failed: socket has been disconnected");
        let timed_out = texts
            .iter()
            .filter(|text| *text == "ack failed: operation has timed out");
        assert_eq!((ended.count(), timed_out.count()), (2, 0), "{how} {texts:?}");
        let packet = raw.encode("/", "c", &());
        assert_eq!(
            raw.client.deliver(raw.now, main, &packet, RETRY),
            Err(EmitError::NotConnected)
        );
    }
}

#[test]
fn only_so_many_wait() {
    let mut raw = Raw::joined_main_with(|config| config.engine.limits.pending_acks = 3);
    for _ in 0..3 {
        deliver(&mut raw, "a");
    }
    let packet = raw.encode("/", "a", &());
    let (main, wait) = (raw.main(), raw.now + SECOND);
    assert_eq!(
        raw.client.deliver(raw.now, main, &packet, RETRY),
        Err(EmitError::TooManyAcks)
    );
    assert_eq!(
        raw.client.emit_with_ack(raw.now, main, &packet, wait),
        Err(EmitError::TooManyAcks)
    );
}

#[test]
fn what_the_server_does_not_take_is_told() {
    let mut raw = Raw::unconnected(|_| {});
    raw.client.connect(raw.now);
    raw.received();
    raw.send_packet(r#"0{"sid":"abc"}"#);
    raw.client_events.clear();
    let packet = raw.encode("/", "a", &"x".repeat(2_000_000));
    let main = raw.main();
    raw.client.deliver(raw.now, main, &packet, RETRY).unwrap();
    deliver(&mut raw, "b");
    let texts = raw.client_texts();
    assert_eq!(texts[0], "undeliverable /: TooLarge { limit: 1000000 }");
    assert!(texts[1].starts_with("ack failed: the event could not be sent"));
    assert_eq!(raw.received(), ["20[\"b\"]"]);
}

#[test]
fn lost_acknowledgements_make_duplicates_and_nothing_is_missing() {
    let mut pair = Pair::joined();
    let main = pair.main();
    let mut received = Vec::new();
    let mut acked = 0;
    for number in 0..30 {
        let packet = pair.encode("/", "order", &number);
        let retry = Retry {
            ack_timeout: SECOND,
            retries: 50,
        };
        pair.client.deliver(pair.now, main, &packet, retry).unwrap();
    }
    for round in 0..200 {
        pair.pump();
        for event in pair.server_events.iter() {
            if let socketio_core::sio::Event::Event { arguments, .. } = event {
                received.push(arguments.parse::<(u32,)>().unwrap().0);
            }
        }
        match round % 3 {
            // The connection is lost before the answer.
            0 => {
                pair.server_events.clear();
                pair.lose_all();
            }
            // The answer is never given.
            1 => pair.server_events.clear(),
            _ => {
                pair.acknowledge_all();
            }
        }
        pair.wait(SECOND);
        acked += pair
            .client_texts()
            .iter()
            .filter(|text| text.starts_with("acked"))
            .count();
    }
    assert_eq!(acked, 30);
    assert!(received.is_sorted());
    assert!(received.len() > 30);
    received.dedup();
    assert_eq!(received, (0..30).collect::<Vec<_>>());
}
