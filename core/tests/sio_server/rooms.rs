//! Rooms (protocol section 5.2).

use crate::pair::Pair;
use core::time::Duration;
use socketio_core::sio::{RoomError, SocketId, Target};

fn members(pair: &Pair, room: &str) -> Vec<SocketId> {
    let mut members = pair.server.members(pair.namespace("/"), room);
    members.sort_unstable();
    members
}

#[test]
fn a_room_is_there_from_its_first_member_to_its_last() {
    let mut pair = Pair::new();
    let ((_, one), (_, two)) = (pair.member("/"), pair.member("/"));
    assert_eq!(pair.server.counts().rooms, 0);
    pair.server.join(one, "room").unwrap();
    pair.server.join(one, "room").unwrap();
    pair.server.join(two, "room").unwrap();
    pair.server.join(two, "").unwrap();
    assert_eq!(pair.server.counts().rooms, 2);
    assert_eq!(members(&pair, "room"), [one, two]);
    pair.server.leave(one, "room");
    pair.server.leave(one, "room");
    pair.server.leave(one, "unknown");
    pair.server.leave(one, "");
    assert_eq!(members(&pair, "room"), [two]);
    assert_eq!(members(&pair, ""), [two]);
    pair.server.leave(two, "room");
    assert_eq!(pair.server.counts().rooms, 1);
    assert_eq!(members(&pair, "room"), []);
    pair.server.join(one, "room").unwrap();
    assert_eq!(members(&pair, "room"), [one]);
}

#[test]
fn a_socket_is_always_in_the_room_of_its_id() {
    let mut pair = Pair::new();
    let (_, socket) = pair.member("/");
    let sid = pair.server.sid(socket).unwrap().to_string();
    pair.server.join(socket, "room").unwrap();
    pair.server.join(socket, &sid).unwrap();
    assert_eq!(pair.server.rooms(socket), [sid.as_str(), "room"]);
    pair.server.leave(socket, &sid);
    pair.server.close_room(pair.namespace("/"), &sid);
    assert_eq!(members(&pair, &sid), [socket]);
    assert_eq!(pair.server.counts().rooms, 1);
}

#[test]
fn the_room_of_anothers_id_is_private() {
    let mut pair = Pair::new();
    let ((_, one), (client, two)) = (pair.member("/"), pair.member("/"));
    let sid = pair.server.sid(two).unwrap().to_string();
    assert_eq!(pair.server.join(one, &sid), Err(RoomError::Private));
    let asking = pair.request_connection(client, "/chat");
    let asking_sid = pair.server.sid(asking).unwrap().to_string();
    let (_, other) = pair.member("/chat");
    assert_eq!(pair.server.join(other, &asking_sid), Err(RoomError::Private));

    pair.lose(client);
    pair.server.join(one, &sid).unwrap();
    assert_eq!(members(&pair, &sid), [one]);
}

#[test]
fn an_id_of_another_namespace_is_a_name_like_any_other() {
    let mut pair = Pair::new();
    let (client, root) = pair.member("/");
    let chat = pair.join(client, "/chat");
    let (_, other) = pair.member("/chat");
    let sid = pair.server.sid(root).unwrap().to_string();
    pair.server.join(chat, &sid).unwrap();
    pair.server.join(other, &sid).unwrap();
    assert_eq!(pair.server.members(pair.namespace("/chat"), &sid), [chat, other]);
    assert_eq!(members(&pair, &sid), [root]);
    let target = Target {
        rooms: vec![sid.into()],
        ..Target::default()
    };
    assert_eq!(pair.broadcast("/chat", &target, "a"), 2);
    assert_eq!(pair.broadcast("/", &target, "a"), 1);
}

#[test]
fn a_socket_is_in_only_so_many_rooms() {
    let mut pair = Pair::with(|config| config.engine.limits.rooms_per_socket = 2);
    let (_, socket) = pair.member("/");
    let sid = pair.server.sid(socket).unwrap().to_string();
    pair.server.join(socket, "a").unwrap();
    pair.server.join(socket, "b").unwrap();
    pair.server.join(socket, "b").unwrap();
    pair.server.join(socket, &sid).unwrap();
    assert_eq!(pair.server.join(socket, "c"), Err(RoomError::TooManyRooms));
    assert_eq!(pair.server.counts().rooms, 2);
    pair.server.leave(socket, "a");
    pair.server.join(socket, "c").unwrap();
}

#[test]
fn a_room_has_a_name_of_bounded_length() {
    let mut pair = Pair::with(|config| config.engine.limits.room_name_bytes = 8);
    let (_, socket) = pair.member("/");
    let sid = pair.server.sid(socket).unwrap().to_string();
    assert_eq!(pair.server.join(socket, "123456789"), Err(RoomError::NameTooLong));
    pair.server.join(socket, "12345678").unwrap();
    pair.server.join(socket, &sid).unwrap();
    assert_eq!(pair.server.counts().rooms, 1);
}

#[test]
fn rooms_of_the_same_name_in_two_namespaces_are_two() {
    let mut pair = Pair::new();
    let (client, root) = pair.member("/");
    let chat = pair.join(client, "/chat");
    pair.server.join(root, "room").unwrap();
    pair.server.join(chat, "room").unwrap();
    assert_eq!(pair.server.counts().rooms, 2);
    assert_eq!(members(&pair, "room"), [root]);
    assert_eq!(pair.server.members(pair.namespace("/chat"), "room"), [chat]);
    pair.server.close_room(pair.namespace("/chat"), "room");
    assert_eq!(members(&pair, "room"), [root]);
    assert_eq!(pair.server.rooms(chat).len(), 1);
}

#[test]
fn a_closed_room_has_nobody_in_it() {
    let mut pair = Pair::new();
    let sockets = [0; 5].map(|_| pair.member("/").1);
    for socket in sockets {
        pair.server.join(socket, "before").unwrap();
        pair.server.join(socket, "room").unwrap();
        pair.server.join(socket, "after").unwrap();
    }
    pair.server.close_room(pair.namespace("/"), "room");
    pair.server.close_room(pair.namespace("/"), "unknown");
    assert_eq!(members(&pair, "room"), []);
    assert_eq!(members(&pair, "before"), sockets);
    assert_eq!(members(&pair, "after"), sockets);
    assert_eq!(pair.server.counts().rooms, 2);
}

#[test]
fn everything_is_left_with_the_namespace_however_it_is_left() {
    for how in ["41", "4abc", "lost", "server", "client", "shutdown"] {
        let mut pair = Pair::new();
        let (client, socket) = pair.member("/");
        let sid = pair.server.sid(socket).unwrap().to_string();
        for room in ["a", "b", "c"] {
            pair.server.join(socket, room).unwrap();
        }
        match how {
            "lost" => pair.lose(client),
            "server" => pair.server.disconnect(pair.now, socket),
            "client" => pair.server.disconnect_client(pair.now, socket),
            "shutdown" => pair.server.shutdown(pair.now),
            packet => pair.send(client, packet),
        }
        assert_eq!(pair.server.counts().rooms, 0, "{how}");
        assert_eq!(members(&pair, &sid), [], "{how}");
        assert_eq!(pair.server.rooms(socket), [] as [String; 0], "{how}");
        assert_eq!(pair.server.join(socket, "a"), Err(RoomError::Disconnected));
        pair.server.leave(socket, "a");
        assert_eq!(pair.server.counts().rooms, 0, "{how}");
    }
}

#[test]
fn who_leaves_in_whatever_order_the_others_stay() {
    let mut pair = Pair::new();
    let clients = [0; 6].map(|_| pair.member("/"));
    let rooms = ["a", "b", "c", "d"];
    for (index, (_, socket)) in clients.iter().enumerate() {
        for turn in 0..rooms.len() {
            pair.server.join(*socket, rooms[(index + turn) % 4]).unwrap();
        }
    }
    pair.server.leave(clients[3].1, "b");
    pair.lose(clients[0].0);
    pair.server.leave(clients[5].1, "a");
    pair.server.disconnect(pair.now, clients[2].1);
    let sockets = clients.map(|(_, socket)| socket);
    let [_, one, _, three, four, five] = sockets;
    assert_eq!(members(&pair, "a"), [one, three, four]);
    assert_eq!(members(&pair, "b"), [one, four, five]);
    assert_eq!(members(&pair, "c"), [one, three, four, five]);
    let mut all = pair.server.sockets(pair.namespace("/")).to_vec();
    all.sort_unstable();
    assert_eq!(all, [one, three, four, five]);
    pair.wait(Duration::from_secs(1));
    for (client, _) in clients {
        pair.lose(client);
    }
    assert_eq!(pair.server.counts(), Default::default());
}
