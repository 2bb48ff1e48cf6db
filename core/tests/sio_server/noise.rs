//! Nothing a client sends breaks the server or leaves anything behind.

use crate::client::Packet;
use crate::pair::Pair;
use core::time::Duration;
use proptest::prelude::*;
use socketio_core::sio::Event;

fn packets() -> impl Strategy<Value = Vec<Option<String>>> {
    let kind = prop::sample::select(vec!["0", "1", "2", "3", "4", "51-", "52-", "61-", "6", "7", ""]);
    let namespace = prop::sample::select(vec!["", "", "", "/chat,", "/chat", "/,", "/none,", "/"]);
    let number = prop::sample::select(vec!["", "", "0", "1", "007", "99999999999999999999"]);
    let payload = prop::sample::select(vec![
        "",
        "[]",
        "{}",
        "[\"a\"]",
        "[\"a\",{\"_placeholder\":true,\"num\":0}]",
        "[1,{\"_placeholder\":true,\"num\":1}]",
        "[\"connect\"]",
        "[\"\\ud800\",1e999]",
        "[[[",
        "\"x\"",
    ]);
    let packet = (kind, namespace, number, payload)
        .prop_map(|(kind, namespace, number, payload)| format!("4{kind}{namespace}{number}{payload}"));
    let step = prop_oneof![
        6 => packet.prop_map(Some),
        2 => Just(Some("40".to_owned())),
        2 => Just(Some("42[\"a\"]".to_owned())),
        1 => Just(None),
    ];
    prop::collection::vec(step, 0..12)
}

proptest! {
    #[test]
    fn any_packets_end_in_order_or_in_a_closed_session(packets in packets(), on_websocket: bool) {
        let mut pair = Pair::new();
        let client = if on_websocket { pair.websocket() } else { pair.polling() };
        let (mut accepted, mut ended) = (0, 0);
        for packet in packets {
            match packet {
                Some(packet) => pair.send(client, &packet),
                None => pair.send_binary(client, b"data"),
            }
            for event in pair.events() {
                match event {
                    Event::Connect { socket, .. } => accepted += usize::from(pair.server.accept(pair.now, socket)),
                    Event::Event { ack: Some(token), namespace, arguments, .. } => {
                        let name = pair.server.namespace_name(namespace).unwrap().clone();
                        let reply = pair.encoder.ack(name.as_str(), token.id(), &arguments).unwrap();
                        pair.server.ack(pair.now, token, &reply).ok();
                    }
                    Event::Disconnected { .. } => ended += 1,
                    _ => {}
                }
            }
            for received in pair.receive(client) {
                prop_assert!(matches!(received, Packet::Closed | Packet::Binary(_) | Packet::Refused(400) | Packet::Text(_)));
            }
        }
        pair.poll(client);
        pair.lose(client);
        pair.wait(Duration::from_secs(60));
        ended += pair.events().iter().filter(|event| matches!(event, Event::Disconnected { .. })).count();
        prop_assert_eq!(accepted, ended);
        prop_assert_eq!(pair.server.counts(), Default::default());
    }
}
