//! Sending to many (protocol section 5.3).

use crate::client::{ClientId, Packet, Reads, text};
use crate::pair::Pair;
use bytes::Bytes;
use core::time::Duration;
use socketio_core::eio::Delivery;
use socketio_core::sio::{EmitError, SocketId, Target};

const NOTHING: [Packet; 0] = [];

fn target(rooms: &[&str], except: &[&str], skip: Option<SocketId>) -> Target {
    Target {
        rooms: rooms.iter().map(|room| (*room).into()).collect(),
        except: except.iter().map(|room| (*room).into()).collect(),
        skip,
    }
}

/// Four clients, in the rooms `a`; `a` and `b`; `b`; none.
fn four(pair: &mut Pair) -> ([ClientId; 4], [SocketId; 4]) {
    let members = [0; 4].map(|_| pair.member("/"));
    let sockets = members.map(|(_, socket)| socket);
    for (index, room) in [(0, "a"), (1, "a"), (1, "b"), (2, "b")] {
        pair.server.join(sockets[index], room).unwrap();
    }
    (members.map(|(client, _)| client), sockets)
}

/// Which of the clients received exactly one `hello`.
fn received(pair: &mut Pair, clients: &[ClientId]) -> Vec<usize> {
    let mut recipients = Vec::new();
    for (index, client) in clients.iter().enumerate() {
        let received = pair.receive(*client);
        if received == [text("42[\"hello\"]")] {
            recipients.push(index);
        } else {
            assert_eq!(received, NOTHING);
        }
    }
    recipients
}

#[test]
fn each_recipient_receives_it_once() {
    let mut pair = Pair::new();
    let (clients, sockets) = four(&mut pair);
    let outsider = pair.member("/chat").0;
    let ids = sockets.map(|socket| pair.server.sid(socket).unwrap().to_string());
    let [first, second, _, fourth] = ids.each_ref().map(String::as_str);
    for (target, expected) in [
        (target(&[], &[], None), &[0, 1, 2, 3][..]),
        (target(&["a"], &[], None), &[0, 1]),
        (target(&["a", "b"], &[], None), &[0, 1, 2]),
        (target(&["a", "a", first, second], &[], None), &[0, 1]),
        (target(&[fourth], &[], None), &[3]),
        (target(&[fourth, "b"], &[], None), &[1, 2, 3]),
        (target(&["nobody"], &[], None), &[]),
        (target(&[], &["a"], None), &[2, 3]),
        (target(&[], &["a", "b"], None), &[3]),
        (target(&[], &[second, "nobody"], None), &[0, 2, 3]),
        (target(&["a"], &["b"], None), &[0]),
        (target(&["a"], &["a"], None), &[]),
        (target(&[second], &["a"], None), &[]),
        (target(&[], &[], Some(sockets[0])), &[1, 2, 3]),
        (target(&["a", "b"], &[], Some(sockets[1])), &[0, 2]),
        (target(&["a"], &["b"], Some(sockets[0])), &[]),
    ] {
        let count = pair.broadcast("/", &target, "hello");
        assert_eq!(received(&mut pair, &clients), expected, "{target:?}");
        assert_eq!(count, expected.len(), "{target:?}");
    }
    assert_eq!(pair.receive(outsider), NOTHING);
}

#[test]
fn a_stale_or_foreign_socket_to_skip_skips_nobody() {
    let mut pair = Pair::new();
    let (clients, _) = four(&mut pair);
    let (gone, stale) = pair.member("/");
    pair.lose(gone);
    let (_, foreign) = pair.member("/chat");
    for socket in [stale, foreign] {
        assert_eq!(pair.broadcast("/", &target(&[], &[], Some(socket)), "hello"), 4);
        assert_eq!(received(&mut pair, &clients), [0, 1, 2, 3]);
    }
}

#[test]
fn newcomers_receive_only_what_comes_after_them() {
    let mut pair = Pair::new();
    pair.broadcast("/", &Target::default(), "before");
    let (client, socket) = pair.member("/");
    assert_eq!(pair.receive(client), NOTHING);
    pair.server.join(socket, "room").unwrap();
    pair.broadcast("/", &target(&["room"], &[], None), "after");
    assert_eq!(pair.receive(client), [text("42[\"after\"]")]);
}

#[test]
fn large_packets_and_attachments_reach_all_members_whole() {
    let mut pair = Pair::new();
    let (clients, _) = four(&mut pair);
    let (polling, _) = pair.polling_member("/");
    let filler = "x".repeat(100_000);
    let packet = pair.encode("/", "big", &(&filler, Bytes::from(vec![1; 2_000]), Bytes::new()));
    let namespace = pair.namespace("/");
    for delivery in [Delivery::Reliable, Delivery::Reliable] {
        let count = pair
            .server
            .broadcast(pair.now, namespace, &Target::default(), &packet, delivery);
        assert_eq!(count, 5);
    }
    let header = format!(
        "452-[\"big\",\"{filler}\",{}]",
        r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#
    );
    let once = [
        text(&header),
        Packet::Binary(vec![1; 2_000]),
        Packet::Binary(Vec::new()),
    ];
    let twice = [once.clone(), once].concat();
    for client in clients.into_iter().chain([polling]) {
        assert_eq!(pair.receive(client), twice);
    }
}

#[test]
fn volatile_reaches_those_who_can_take_it_at_once() {
    let mut pair = Pair::new();
    let (clients, sockets) = four(&mut pair);
    let (waiting, _) = pair.polling_member("/");
    let (absent, away) = pair.polling_member("/");
    pair.poll(waiting);
    let packet = pair.encode("/", "now", &());
    let reliable = pair.encode("/", "first", &());
    pair.server
        .emit(pair.now, sockets[0], &reliable, Delivery::Reliable)
        .unwrap();
    let namespace = pair.namespace("/");
    let count = pair.server.broadcast(
        pair.now,
        namespace,
        &Target::default(),
        &packet,
        Delivery::Volatile,
    );
    assert_eq!(count, 4);
    assert_eq!(
        pair.server.emit(pair.now, away, &packet, Delivery::Volatile),
        Err(EmitError::Dropped)
    );
    assert_eq!(pair.receive(clients[0]), [text("42[\"first\"]")]);
    for client in &clients[1..] {
        assert_eq!(pair.receive(*client), [text("42[\"now\"]")]);
    }
    assert_eq!(pair.unread(waiting), [text("42[\"now\"]")]);
    assert_eq!(pair.receive(absent), NOTHING);
}

#[test]
fn one_who_does_not_read_is_closed_and_the_others_receive_it() {
    let mut pair = Pair::with(|config| config.engine.limits.queued_bytes = 100_000);
    let (clients, sockets) = four(&mut pair);
    pair.server.join(sockets[1], "own").unwrap();
    pair.set_reads(clients[1], Reads::Nothing);
    let filler = "x".repeat(90_000);
    let packet = pair.encode("/", "big", &filler);
    let namespace = pair.namespace("/");
    let mut counts = Vec::new();
    for _ in 0..6 {
        let all = Target::default();
        counts.push(
            pair.server
                .broadcast(pair.now, namespace, &all, &packet, Delivery::Reliable),
        );
        pair.pump();
    }
    let closed_at = counts.iter().position(|count| *count == 3).unwrap();
    assert!(counts[..closed_at].iter().all(|count| *count == 4));
    assert!(counts[closed_at..].iter().all(|count| *count == 3));
    assert_eq!(
        pair.texts(),
        [
            "disconnected: transport error (the client does not read what is sent to it: wait for ready() before, use volatile(), or raise Limits::queued_bytes)"
        ]
    );
    assert_eq!(pair.server.counts().rooms, 2);
    for index in [0, 2, 3] {
        assert_eq!(pair.receive(clients[index]).len(), 6);
    }
}

#[test]
fn nobody_is_in_a_namespace_that_is_not_there() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    let mut other = Pair::new();
    let foreign = other.server.add_namespace("/third").unwrap();
    let packet = pair.encode("/", "a", &());
    let count = pair
        .server
        .broadcast(pair.now, foreign, &Target::default(), &packet, Delivery::Reliable);
    assert_eq!(count, 0);
    assert_eq!(pair.server.members(foreign, "a"), []);
    assert_eq!(pair.server.sockets(foreign), []);
    assert_eq!(pair.server.namespace_name(foreign), None);
    pair.server.close_room(foreign, "a");
    assert_eq!(pair.receive(client), NOTHING);
}

#[test]
fn the_time_a_connection_may_rest_counts_from_what_was_sent_on_it() {
    let mut pair = Pair::new();
    let (client, socket) = pair.polling_member("/");
    pair.poll(client);
    let packet = pair.encode("/", "a", &());
    for _ in 0..3 {
        pair.now += Duration::from_secs(40);
        pair.server
            .emit(pair.now, socket, &packet, Delivery::Reliable)
            .unwrap();
        assert_eq!(pair.receive(client), [text("42[\"a\"]")]);
        pair.wait(Duration::from_secs(59));
        pair.poll(client);
    }
}
