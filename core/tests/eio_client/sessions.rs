//! Sessions with our own server.

use super::bytes_on_the_wire::HANDSHAKE;
use super::world::{World, ms, target};
use proptest::prelude::*;
use socketio_core::eio::client::{CloseReason, Fallback, Remembered, State, TransportOrder};
use socketio_core::eio::{Delivery, Message, Transport, Upgrades};
use socketio_core::http::{Cookie, StatusCode};

fn world(order: TransportOrder) -> World {
    World::with(|config, _| {
        config.transports = order;
        config.upgrades = Upgrades::Refused;
    })
}

#[test]
fn messages_go_both_ways_on_every_transport() {
    for (order, transport) in [
        (TransportOrder::Polling, Transport::Polling),
        (TransportOrder::WebSocket, Transport::WebSocket),
        (TransportOrder::PollingFirst, Transport::Polling),
        (TransportOrder::WebSocketFirst, Transport::WebSocket),
    ] {
        for read_size in [1, 7, usize::MAX] {
            let mut world = world(order);
            world.read_size = read_size;
            world.connect();
            assert_eq!(world.client.state(), State::Open);
            assert_eq!(world.client.transport(), Some(transport));
            assert_eq!(world.client.max_payload(), Some(1_000_000));
            for text in ["a", "", "\u{1f600}", &"x".repeat(10_000)] {
                world.send(text).unwrap();
                world.server_send(text);
                world.settle();
            }
            let binary = Message::Binary(vec![0, 1, 255].into());
            world.client.send(world.now, &binary, Delivery::Reliable).unwrap();
            world.settle();
            let long = "x".repeat(10_000);
            let texts = ["a", "", "\u{1f600}", &long];
            let opened = format!("Opened {}", transport.as_str());
            assert_eq!(world.client_texts(), [&[opened.as_str()], &texts[..]].concat());
            let expected = [&["Opened"], &texts[..], &[r#"b"\0\x01\xff""#]].concat();
            assert_eq!(world.server_texts(), expected);
        }
    }
}

#[test]
fn a_polling_session_needs_two_connections() {
    let mut world = world(TransportOrder::Polling);
    world.connect();
    for number in 0..20 {
        world.send(&number.to_string()).unwrap();
        world.settle();
        world.server_send(&number.to_string());
        world.wait(ms(3_000));
    }
    assert_eq!(world.links.len(), 2);
    assert_eq!(world.client.state(), State::Open);
}

#[test]
fn a_post_does_not_go_out_on_a_connection_that_rested_long() {
    let mut world = world(TransportOrder::Polling);
    world.connect();
    world.send("a").unwrap();
    world.wait(ms(4_001));
    world.send("b").unwrap();
    world.settle();
    assert_eq!(world.links.len(), 3);
    assert!(world.is_closed(1));
    assert_eq!(world.server_texts(), ["Opened", "a", "b"]);
    assert_eq!(world.client.connection_count(), 2);
}

#[test]
fn packets_wait_for_the_post_under_way_and_leave_in_bodies_the_server_takes() {
    let mut world = World::with(|config, server| {
        config.transports = TransportOrder::Polling;
        server.max_payload = 100;
    });
    world.connect();
    let texts: Vec<String> = (0..50).map(|number| format!("{number:030}")).collect();
    for text in &texts {
        world.send(text).unwrap();
    }
    world.settle();
    assert_eq!(world.server_texts()[1..], texts);
    assert_eq!(world.client.state(), State::Open);
}

#[test]
fn many_small_packets_are_no_body_that_the_server_refuses() {
    let mut world = world(TransportOrder::Polling);
    world.connect();
    for _ in 0..40_000 {
        world.send("x").unwrap();
    }
    world.settle();
    assert_eq!(world.server_texts().len(), 40_001);
    assert_eq!(world.client.state(), State::Open);
}

#[test]
fn a_session_moves_to_websocket_and_is_remembered() {
    let mut world = World::with(|config, _| config.remembered = Remembered::Upgrade);
    world.connect();
    assert_eq!(world.client_texts(), ["Opened polling"]);
    world.wait(ms(200));
    assert_eq!(world.client_texts(), ["Upgraded"]);
    world.close();
    world.connect();
    assert_eq!(world.client_texts(), ["Closed ForcedClose", "Opened websocket"]);
    // Until WebSocket fails.
    world.close();
    world.server.as_mut().unwrap().shutdown(world.now);
    world.client_texts();
    world.connect();
    let (reason, _) = world.closed();
    assert_eq!(reason, CloseReason::Refused(StatusCode::SERVICE_UNAVAILABLE));
    assert!(world.client.connect(world.now, target()));
    world.pump();
    assert_eq!(world.links.last().unwrap().transport, Transport::Polling);
}

#[test]
fn what_the_server_does_not_speak_is_tried_in_vain_and_the_next_is_tried() {
    let mut world = World::with(|config, server| {
        config.transports = TransportOrder::WebSocketFirst;
        server.transports = socketio_core::eio::Transports::Polling;
    });
    world.connect();
    assert_eq!(world.client_texts(), ["Opened polling"]);
    assert_eq!(world.dialled()[..2], [Transport::WebSocket, Transport::Polling]);
    let mut world = World::with(|config, server| {
        config.transports = TransportOrder::WebSocketFirst;
        config.fallback = Fallback::None;
        server.transports = socketio_core::eio::Transports::Polling;
    });
    world.connect();
    let (reason, detail) = world.closed();
    assert_eq!(reason, CloseReason::Refused(StatusCode::BAD_REQUEST));
    assert_eq!(
        detail.as_deref(),
        Some(r#"{"code":0,"message":"Transport unknown"}"#)
    );
    world.assert_empty();
}

#[test]
fn cookies_are_sent_back_on_every_transport_and_after_a_reconnect() {
    let mut world = World::with(|_, server| {
        server.cookie = Some(Cookie::builder().build().unwrap());
    });
    world.connect();
    world.wait(ms(200));
    let sid = world.client.sid().unwrap().as_str().to_owned();
    world.close();
    world.connect();
    let session = world.session();
    let head = world.server.as_ref().unwrap().head(session).unwrap().clone();
    assert_eq!(head.header("cookie"), Some(format!("io={sid}").as_bytes()));
    world.close();
    // Another server is told nothing.
    let mut elsewhere = target();
    elsewhere.authority = "b".to_owned();
    world.connect_to(elsewhere);
    let session = world.session();
    let head = world.server.as_ref().unwrap().head(session).unwrap().clone();
    assert_eq!(head.header("cookie"), None);
}

#[test]
fn a_session_after_a_session_leaves_nothing_behind() {
    let mut world = World::new();
    for round in 0..50 {
        world.connect();
        world.send("a").unwrap();
        world.wait(ms(round * 10));
        world.close();
        let (reason, _) = world.closed();
        assert_eq!(reason, CloseReason::ForcedClose);
        world.assert_empty();
    }
    assert!(world.links.iter().all(|link| link.id.index() < 8));
}

#[test]
fn a_client_that_is_not_idle_does_not_connect() {
    let mut world = World::new();
    world.connect();
    assert!(!world.client.connect(world.now, target()));
    world.client.close(world.now);
    assert!(!world.client.connect(world.now, target()));
    world.settle();
    assert!(world.client.connect(world.now, target()));
    assert!(!world.client.connect(world.now, target()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_the_connections_do_all_messages_arrive_once_and_in_order(
        steps in prop::collection::vec((any::<usize>(), 1_usize..600, 0_u8..100), 50..600),
        order in prop_oneof![
            3 => Just(TransportOrder::PollingFirst),
            1 => Just(TransportOrder::Polling),
            1 => Just(TransportOrder::WebSocket),
        ],
        max_payload in prop_oneof![Just(60_usize), Just(1_000_000)],
    ) {
        let mut world = World::with(|config, server| {
            config.transports = order;
            server.max_payload = max_payload;
        });
        prop_assert!(world.client.connect(world.now, target()));
        let (mut up, mut down) = (0, 0);
        for (choice, size, kind) in steps {
            match kind {
                // A driver that is woken for nothing.
                0..3 => world.client.handle_timeout(world.now),
                3..15 if world.client.state() == State::Open => {
                    world.send(&format!("up {up} {}", "x".repeat(size % 40))).unwrap();
                    up += 1;
                }
                15..27 if world.client.state() == State::Open => {
                    world.server_send(&format!("down {down} {}", "y".repeat(size % 90)));
                    down += 1;
                }
                27..33 => {
                    world.now += ms(size as u64 % 20);
                    world.fire();
                }
                // The probe is lost before anything depends on it.
                33..34 if world.client.transport() == Some(Transport::Polling) => {
                    let probe = world.links.iter().position(|link| {
                        link.transport == Transport::WebSocket && world.client.is_wanted(link.id)
                    });
                    if let Some(index) = probe {
                        world.cut(index);
                    }
                }
                _ => {
                    world.step(choice, size);
                }
            }
        }
        world.wait(ms(1_000));
        prop_assert_eq!(world.client.state(), State::Open);
        let number = |text: &String, prefix: &str| text.strip_prefix(prefix).map(|rest| {
            rest.split(' ').next().unwrap().parse::<i32>().unwrap()
        });
        let received: Vec<_> = world.client_texts().iter().filter_map(|text| number(text, "down ")).collect();
        prop_assert_eq!(received, (0..down).collect::<Vec<_>>());
        let received: Vec<_> = world.server_texts().iter().filter_map(|text| number(text, "up ")).collect();
        prop_assert_eq!(received, (0..up).collect::<Vec<_>>());
        world.close();
        world.assert_empty();
        let server = world.server.as_ref().unwrap();
        prop_assert_eq!(server.connection_count(), 0);
        prop_assert_eq!(server.session_count(), 0);
    }
}

#[test]
fn a_post_that_was_not_written_when_its_connection_went_away_goes_out_on_another() {
    let mut world = World::scripted_with(|config| config.transports = TransportOrder::Polling);
    world.connect();
    world.answer(0, HANDSHAKE);
    world.send("a").unwrap();
    world.settle();
    world.answer(1, "ok");
    world.sent(1);
    // The server closes the connection at rest in the moment in which the application sends.
    let again = Message::Text("b".into());
    world.client.send(world.now, &again, Delivery::Reliable).unwrap();
    world.lose(1);
    world.settle();
    assert_eq!(world.client.state(), State::Open);
    assert!(world.sent(2).ends_with("\r\n\r\n4b"));
    assert_eq!(world.links.len(), 3);
}
