//! Whatever happens in whatever order, the client keeps its promises.

use super::bytes_on_the_wire::{HANDSHAKE, OFFER, text};
use super::world::{LinkState, World, ms, target};
use proptest::prelude::*;
use socketio_core::eio::client::{Event, State};

fn server_answers() -> Vec<Vec<u8>> {
    let ok =
        |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    vec![
        ok(HANDSHAKE),
        ok(OFFER),
        ok("ok"),
        ok("6"),
        ok("4a\u{1e}2\u{1e}4b"),
        ok("1"),
        ok("x"),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n4a".to_vec(),
        b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno".to_vec(),
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_vec(),
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-".to_vec(),
        text(HANDSHAKE),
        text("3probe"),
        text("2"),
        b"\x88\x00".to_vec(),
        b"\xff\xff".to_vec(),
    ]
}

/// A WebSocket can only be accepted with the key that was sent.
fn accept(world: &mut World, link: usize) {
    let bytes = world.sent_bytes(link);
    let text = String::from_utf8_lossy(&bytes);
    let key = text
        .split_once("Sec-WebSocket-Key: ")
        .and_then(|(_, rest)| rest.split_once("\r\n"));
    let Some((key, _)) = key else { return };
    let accept = socketio_core::ws::accept_key(key.as_bytes());
    let accept = core::str::from_utf8(&accept).unwrap();
    world.receive(
        link,
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn every_attempt_ends_once_and_no_deadline_is_ever_late(
        steps in prop::collection::vec((0_u8..24, any::<usize>(), 0_u64..6_000), 1..120),
    ) {
        let mut world = World::scripted();
        let said = server_answers();
        let (mut connects, mut closes) = (0, 0);
        let mut opened = 0;
        for (kind, choice, delay) in steps {
            let open: Vec<usize> = (0..world.links.len())
                .filter(|index| world.links[*index].state == LinkState::Open)
                .collect();
            let link = open.get(choice % open.len().max(1)).copied();
            match (kind, link) {
                (0..2, _) => {
                    connects += i32::from(world.client.connect(world.now, target()));
                    world.settle();
                }
                (2, _) => world.close(),
                (3..5, _) => {
                    let _ = world.send("message");
                    world.settle();
                }
                (5..7, _) => world.wait(ms(delay)),
                (7, Some(link)) => world.cut(link),
                (8, Some(link)) => world.end(link),
                (9, _) => {
                    if let Some(link) = world.links.get(choice % world.links.len().max(1)) {
                        // Of a connection that may be long gone.
                        let id = link.id;
                        if link.state == LinkState::Gone {
                            world.client.handle_lost(world.now, id);
                        }
                    }
                }
                (10..14, Some(link)) => accept(&mut world, link),
                (_, Some(link)) => world.receive(link, &said[choice / 7 % said.len()]),
                (_, None) => {}
            }
            world.settle();
            for event in world.events.drain(..) {
                match event {
                    Event::Closed { .. } => closes += 1,
                    Event::Opened { .. } => opened += 1,
                    _ => {}
                }
            }
            prop_assert!(opened <= connects);
            prop_assert_eq!(closes, connects - i32::from(world.client.state() != State::Idle));
            world.client.handle_timeout(world.now);
            prop_assert!(world.client.poll_timeout().is_none_or(|deadline| deadline > world.now));
            prop_assert_eq!(world.client.poll_timeout().is_none(), world.client.state() == State::Idle);
            let open = world.links.iter().filter(|link| world.client.is_wanted(link.id)).count();
            prop_assert!(open <= 3, "{} connections", open);
        }
        world.close();
        world.wait(ms(5_000));
        world.assert_idle();
        for link in 0..world.links.len() {
            world.lose(link);
        }
        world.assert_empty();
    }
}
