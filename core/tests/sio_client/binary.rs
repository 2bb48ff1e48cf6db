//! Attachments, both ways.

use crate::pair::{NOTHING, Pair, SECOND};
use crate::raw::Raw;
use bytes::Bytes;
use socketio_core::eio::Message;
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::client::Event;
use socketio_core::sio::{self};

fn noise(length: usize, seed: u8) -> Bytes {
    let mut state = u32::from(seed) + 1;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(next).collect()
}

#[test]
fn attachments_arrive_intact_both_ways_on_every_transport() {
    for transports in [
        TransportOrder::WebSocket,
        TransportOrder::PollingFirst,
        TransportOrder::Polling,
    ] {
        let mut pair = Pair::joined_with(|config| config.engine.transports = transports);
        for round in 0..40_u8 {
            let data = [
                noise(usize::from(round) * 1_700, round),
                noise(usize::from(round % 3), round),
            ];
            pair.emit("/", "up", &(round, &data[0], &data[1])).unwrap();
            let received = pair.server_events.drain(..).find_map(|event| match event {
                sio::Event::Event { arguments, .. } => Some(arguments),
                _ => None,
            });
            assert_eq!(received.unwrap().attachments(), data);
            pair.server_emit("/", "down", &(round, &data[0], &data[1]));
            let texts = pair.client_events.drain(..).find_map(|event| match event {
                Event::Event { arguments, .. } => Some(arguments),
                _ => None,
            });
            assert_eq!(texts.unwrap().attachments(), data);
        }
    }
}

#[test]
fn acknowledgements_carry_attachments_both_ways() {
    let mut pair = Pair::joined();
    let data = noise(20_000, 1);
    pair.emit_with_ack("/", "up", &(&data, &data), SECOND).unwrap();
    assert_eq!(pair.acknowledge_all(), 1);
    match pair.client_events.pop_front() {
        Some(Event::Acked {
            outcome: Ok(arguments),
            ..
        }) => {
            assert_eq!(arguments.attachments(), [data.clone(), data.clone()]);
        }
        other => panic!("{other:?}"),
    }
    let socket = pair.socket("/");
    let packet = pair.encode("/", "down", &data);
    let deadline = pair.now + SECOND;
    pair.server
        .emit_with_ack(pair.now, socket, &packet, deadline)
        .unwrap();
    pair.pump();
    let Some(Event::Event {
        ack: Some(token),
        arguments,
        ..
    }) = pair.client_events.pop_front()
    else {
        panic!("no event");
    };
    let answer = pair.encoder.ack("/", token.id(), &arguments).unwrap();
    pair.client.ack(pair.now, token, &answer).unwrap();
    let received = pair.server_texts();
    assert_eq!(received, ["acked ({\"_placeholder\":true,\"num\":0}) 1"]);
}

#[test]
fn the_number_stands_before_the_attachments() {
    let mut raw = Raw::joined_main();
    let data = Bytes::from_static(&[1, 2]);
    let packet = raw.encode("/", "a", &data);
    let (main, wait) = (raw.main(), raw.now + SECOND);
    for number in 0..11 {
        raw.client.emit_with_ack(raw.now, main, &packet, wait).unwrap();
        let text = format!("51-{number}[\"a\",{{\"_placeholder\":true,\"num\":0}}]");
        assert_eq!(raw.received(), [text, "[1, 2]".to_owned()]);
    }
}

#[test]
fn limits_of_the_configuration_hold() {
    for packet in [
        "53-[\"a\"]".to_owned(),
        format!("2[\"a\",{}{}]", "[".repeat(20), "]".repeat(20)),
    ] {
        let mut raw = Raw::joined_main_with(|config| {
            config.engine.limits.attachments = 2;
            config.engine.limits.json_depth = 10;
        });
        raw.send_packet(&packet);
        let texts = raw.client_texts();
        assert_eq!(texts[1], "failed None: parse error", "{packet}");
    }
    let mut raw = Raw::joined_main();
    raw.send_packet("51-[\"a\",{\"_placeholder\":true,\"num\":0}]");
    raw.send(Message::Binary(Bytes::new()));
    assert_eq!(
        raw.client_texts(),
        ["event / \"a\" ({\"_placeholder\":true,\"num\":0}) 1"]
    );
    assert_eq!(raw.client_texts(), NOTHING);
}

#[test]
fn an_unfinished_packet_ends_with_its_connection() {
    let mut raw = Raw::joined_main();
    raw.send_packet("51-[\"a\",{\"_placeholder\":true,\"num\":0}]");
    raw.lose_all();
    raw.wait(2 * SECOND);
    raw.received();
    raw.send_packet(r#"0{"sid":"again"}"#);
    raw.client_events.clear();
    raw.send_packet("2[\"b\"]");
    assert_eq!(raw.client_texts(), ["event / \"b\" () 0"]);
}
