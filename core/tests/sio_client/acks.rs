//! Acknowledgements, both ways.

use crate::pair::{NOTHING, Pair, SECOND};
use crate::raw::Raw;
use socketio_core::sio::client::{AckToken, EmitError, Event, Offline};
use socketio_core::sio::{AckError, AckId};
use std::time::Duration;

fn outcome(event: Option<Event>) -> (AckId, Result<String, AckError>) {
    match event {
        Some(Event::Acked { ack, outcome }) => (ack, outcome.map(|arguments| arguments.text().to_owned())),
        other => panic!("{other:?}"),
    }
}

/// The token of the event that the server sends with this number.
fn token(raw: &mut Raw, number: u64) -> AckToken {
    raw.send_packet(&format!("2{number}[\"ask\"]"));
    match raw.client_events.pop_back() {
        Some(Event::Event { ack: Some(token), .. }) => token,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_server_answers() {
    let mut pair = Pair::joined();
    let first = pair.emit_with_ack("/", "one", &1, SECOND).unwrap();
    let second = pair.emit_with_ack("/", "two", &(2, "b"), SECOND).unwrap();
    assert_eq!(pair.client.pending_acks(), 2);
    assert_eq!(pair.acknowledge_all(), 2);
    assert_eq!(
        outcome(pair.client_events.pop_front()),
        (first, Ok("1".to_owned()))
    );
    assert_eq!(
        outcome(pair.client_events.pop_front()),
        (second, Ok("2,\"b\"".to_owned()))
    );
    assert_eq!(pair.client.pending_acks(), 0);
    pair.wait(2 * SECOND);
    assert_eq!(pair.client_texts(), NOTHING);
}

#[test]
fn numbers_count_up_for_each_namespace_and_across_connections() {
    let mut raw = Raw::joined_main();
    raw.client.add_namespace(raw.now, "/chat").unwrap();
    raw.send_packet(r#"0/chat,{"sid":"def"}"#);
    raw.received();
    let wait = raw.now + SECOND;
    for (namespace, expected) in [("/", "20"), ("/", "21"), ("/chat", "2/chat,0"), ("/", "22")] {
        let packet = raw.encode(namespace, "a", &());
        let id = raw.client.namespace(namespace).unwrap();
        raw.client.emit_with_ack(raw.now, id, &packet, wait).unwrap();
        assert_eq!(raw.received(), [format!("{expected}[\"a\"]")]);
    }
    raw.lose_all();
    raw.wait(2 * SECOND);
    raw.received();
    raw.send_packet(r#"0{"sid":"ghi"}"#);
    let packet = raw.encode("/", "a", &());
    let (main, wait) = (raw.main(), raw.now + SECOND);
    raw.client.emit_with_ack(raw.now, main, &packet, wait).unwrap();
    assert_eq!(raw.received(), ["23[\"a\"]"]);
}

#[test]
fn it_times_out_to_the_nanosecond_and_a_late_answer_is_ignored() {
    let mut raw = Raw::joined_main();
    let packet = raw.encode("/", "a", &());
    let (main, wait) = (raw.main(), raw.now + SECOND);
    let ack = raw.client.emit_with_ack(raw.now, main, &packet, wait).unwrap();
    raw.wait(SECOND - Duration::from_nanos(1));
    assert!(raw.client_events.is_empty());
    raw.wait(Duration::from_nanos(1));
    assert_eq!(
        outcome(raw.client_events.pop_front()),
        (ack, Err(AckError::TimedOut))
    );
    raw.send_packet("30[]");
    raw.send_packet("399[]");
    raw.send_packet("3");
    raw.send_packet("3[]");
    assert_eq!(raw.client_texts(), NOTHING);
}

#[test]
fn those_sent_end_with_the_connection_and_those_that_wait_do_not() {
    let mut pair = Pair::joined_with(|config| {
        config.offline = Offline::Buffer {
            packets: 10,
            bytes: 10_000,
        };
    });
    let sent = pair.emit_with_ack("/", "sent", &(), 100 * SECOND).unwrap();
    pair.lose_all();
    let waiting = pair.emit_with_ack("/", "waiting", &(), 100 * SECOND).unwrap();
    assert_eq!(pair.client.buffered_packets(pair.main()), 1);
    assert_eq!(
        outcome(pair.client_events.pop_front()),
        (sent, Err(AckError::Disconnected))
    );
    pair.server_events.clear();
    pair.wait(2 * SECOND);
    pair.client_events.clear();
    assert_eq!(pair.acknowledge_all(), 1);
    assert_eq!(
        outcome(pair.client_events.pop_front()),
        (waiting, Ok(String::new()))
    );
}

#[test]
fn one_that_times_out_or_is_forgotten_while_it_waits_is_never_sent() {
    let mut pair = Pair::joined_with(|config| {
        config.offline = Offline::Buffer {
            packets: 10,
            bytes: 10_000,
        };
    });
    pair.lose_all();
    pair.emit_with_ack("/", "late", &(), SECOND / 10).unwrap();
    let forgotten = pair.emit_with_ack("/", "forgotten", &(), SECOND).unwrap();
    pair.emit("/", "plain", &()).unwrap();
    pair.client.forget_ack(forgotten);
    assert_eq!(pair.client.buffered_packets(pair.main()), 2);
    pair.server_events.clear();
    pair.wait(2 * SECOND);
    let texts = pair.client_texts();
    assert_eq!(texts.iter().filter(|text| text.contains("ack")).count(), 1);
    assert!(texts.contains(&"ack failed: operation has timed out".to_owned()));
    assert_eq!(pair.server_texts(), ["\"plain\" () 0"]);
}

#[test]
fn a_forgotten_acknowledgement_has_no_event() {
    let mut pair = Pair::joined();
    let ack = pair.emit_with_ack("/", "a", &(), SECOND).unwrap();
    pair.client.forget_ack(ack);
    pair.client.forget_ack(ack);
    assert_eq!(pair.client.pending_acks(), 0);
    assert_eq!(pair.acknowledge_all(), 1);
    pair.wait(2 * SECOND);
    assert_eq!(pair.client_texts(), NOTHING);
}

#[test]
fn only_so_many_are_owed() {
    let mut pair = Pair::joined_with(|config| config.engine.limits.pending_acks = 2);
    pair.client.add_namespace(pair.now, "/chat").unwrap();
    pair.pump();
    let first = pair.emit_with_ack("/", "a", &(), SECOND).unwrap();
    pair.emit_with_ack("/", "b", &(), SECOND).unwrap();
    assert_eq!(
        pair.emit_with_ack("/", "c", &(), SECOND),
        Err(EmitError::TooManyAcks)
    );
    pair.emit_with_ack("/chat", "d", &(), SECOND).unwrap();
    pair.client.forget_ack(first);
    pair.emit_with_ack("/", "e", &(), SECOND).unwrap();
    assert_eq!(
        pair.emit_with_ack("/", "f", &(), SECOND),
        Err(EmitError::TooManyAcks)
    );
}

#[test]
fn a_packet_with_a_number_is_given_no_second_one() {
    let mut pair = Pair::joined();
    let packet = pair.encoder.event_with_ack("/", 5, "a", &()).unwrap();
    let (main, wait) = (pair.main(), pair.now + SECOND);
    assert_eq!(
        pair.client.emit_with_ack(pair.now, main, &packet, wait),
        Err(EmitError::AlreadyNumbered)
    );
    assert_eq!(pair.client.pending_acks(), 0);
}

#[test]
fn the_client_answers() {
    let mut pair = Pair::joined();
    let socket = pair.socket("/");
    let packet = pair.encode("/", "question", &"?");
    let deadline = pair.now + SECOND;
    pair.server
        .emit_with_ack(pair.now, socket, &packet, deadline)
        .unwrap();
    pair.pump();
    let Some(Event::Event { ack: Some(token), .. }) = pair.client_events.pop_front() else {
        panic!("no event");
    };
    assert_eq!(token.namespace(), pair.main());
    let answer = pair.encoder.ack("/", token.id(), &(42, "!")).unwrap();
    pair.client.ack(pair.now, token, &answer).unwrap();
    assert_eq!(pair.server_texts(), ["acked (42,\"!\") 0"]);
}

#[test]
fn a_token_is_stale_after_its_join() {
    for how in ["lost", "left", "expelled"] {
        let mut raw = Raw::joined_main();
        // Another namespace keeps the connection.
        raw.client.add_namespace(raw.now, "/chat").unwrap();
        raw.send_packet(r#"0/chat,{"sid":"def"}"#);
        let token = token(&mut raw, 3);
        let answer = raw.encoder.ack("/", token.id(), &()).unwrap();
        let main = raw.main();
        match how {
            "lost" => {
                raw.lose_all();
                raw.wait(2 * SECOND);
            }
            "left" => {
                raw.client.leave(raw.now, main);
                raw.client.enter(raw.now, main);
            }
            _ => {
                raw.send_packet("1");
                raw.client.enter(raw.now, main);
            }
        }
        raw.received();
        raw.send_packet(r#"0{"sid":"new"}"#);
        assert!(raw.client.is_joined(main), "{how}");
        assert_eq!(
            raw.client.ack(raw.now, token, &answer),
            Err(EmitError::NotConnected)
        );
        assert_eq!(raw.received(), NOTHING);
    }
}

#[test]
fn nobody_answers_for_another_namespace() {
    let mut raw = Raw::joined_main();
    raw.client.add_namespace(raw.now, "/chat").unwrap();
    raw.send_packet(r#"0/chat,{"sid":"def"}"#);
    let packet = raw.encode("/", "a", &());
    let (main, wait) = (raw.main(), raw.now + SECOND);
    let ack = raw.client.emit_with_ack(raw.now, main, &packet, wait).unwrap();
    raw.run();
    raw.client_events.clear();
    raw.send_packet("3/chat,0[1]");
    raw.send_packet("3/unknown,0[1]");
    assert!(raw.client_events.is_empty());
    raw.send_packet("3000[2]");
    assert_eq!(outcome(raw.client_events.pop_front()), (ack, Ok("2".to_owned())));
}
