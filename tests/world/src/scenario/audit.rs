//! Compares what the server reports about itself with the model.

use std::collections::BTreeSet;

use socketio_driver::{Counts, Error, Server, Socket};
use socketio_model::{Model, Namespace, Room, Side, SocketId};

use super::record::{ConnectedSocket, NAMESPACES, Record};
use super::server_app::MAX_QUEUED_BYTES;
use super::socket_action::{ROOMS, room_name};

/// The largest event of a scenario in bytes; an empty queue accepts it whatever its limit.
const LARGEST_EVENT: usize = 140_000;

/// Compares the members of all namespaces and rooms, the rooms of all sockets, and the counts of calls and queued
/// bytes.
pub(super) fn audit(record: &Record, server: &Server) {
    for (number, name) in (0..).zip(NAMESPACES) {
        let namespace = server.of(name);
        compare(record, Namespace(number), None, namespace.sockets());
        for (room, name) in (0..).zip(ROOMS) {
            compare(
                record,
                Namespace(number),
                Some(Room(room)),
                namespace.sockets_in(name),
            );
        }
    }
    for (socket_id, entry) in record.sockets() {
        compare_rooms(record, socket_id, &entry.socket);
    }
    let counts = value_or_nothing(record, server.counts());
    let open = record.with_model(|model| model.open_calls(Side::Server));
    let most = counts.sessions * (MAX_QUEUED_BYTES.max(LARGEST_EVENT) + LARGEST_EVENT);
    if counts.acks > open || counts.queued_bytes > most {
        record.fail(format!("{open} calls, at most {most} bytes, and {counts:?}"));
    }
}

/// For when nothing has happened for long: nothing is queued, and only calls that wait for their deadlines are open.
pub(super) fn audit_idle(record: &Record, server: &Server) {
    audit(record, server);
    let counts = value_or_nothing(record, server.counts());
    let (sockets, rooms, open) = record.with_model(|model| {
        let rooms = namespaces()
            .map(|namespace| occupied_rooms(model, namespace))
            .sum();
        let sockets = namespaces().map(|namespace| model.members(namespace, None).len());
        (sockets.sum::<usize>(), rooms, model.open_calls(Side::Server))
    });
    let expected = (sockets, rooms, open, 0);
    let actual = (counts.sockets, counts.rooms, counts.acks, counts.queued_bytes);
    if actual != expected {
        record.fail(format!(
            "when idle there are sockets, rooms, calls and bytes: {actual:?}, not {expected:?}"
        ));
    }
}

/// For when all clients have disconnected: nothing is left.
pub(super) fn audit_empty(record: &Record, server: &Server) {
    let counts = server.counts();
    if counts != Ok(Counts::default()) {
        record.fail(format!("all clients have disconnected, and there is {counts:?}"));
    }
}

/// What the server reports; a server that is not serving has nothing.
fn value_or_nothing<T: Default>(record: &Record, reported: Result<T, Error>) -> T {
    reported.unwrap_or_else(|error| {
        if error != Error::NotServing {
            record.fail(format!("the server does not report about itself: {error}"));
        }
        T::default()
    })
}

fn namespaces() -> impl Iterator<Item = Namespace> {
    (0..).zip(NAMESPACES).map(|(number, _)| Namespace(number))
}

fn occupied_rooms(model: &Model, namespace: Namespace) -> usize {
    let rooms = (0..).zip(ROOMS).map(|(number, _)| Room(number));
    let occupied = rooms.filter(|room| !model.members(namespace, Some(*room)).is_empty());
    occupied.count()
}

fn compare(record: &Record, namespace: Namespace, room: Option<Room>, members: Result<Vec<Socket>, Error>) {
    let members = value_or_nothing(record, members);
    let actual: BTreeSet<SocketId> = members
        .iter()
        .map(|socket| record.socket_id(socket.id().as_str()))
        .collect();
    let expected = record.with_model(|model| model.members(namespace, room));
    if actual.len() < members.len() || !actual.is_subset(&expected) {
        record.fail(format!(
            "{namespace:?} {room:?}: members are {actual:?}, not {expected:?}"
        ));
    }
    let sockets = record.sockets();
    for missing in expected.difference(&actual) {
        // A socket whose `on_disconnect` is about to run is no member any more.
        let is_connected = |entry: &ConnectedSocket| entry.socket.connected();
        if sockets.get(missing).is_some_and(is_connected) {
            record.fail(format!(
                "{namespace:?} {room:?}: {missing:?} is missing among {actual:?}"
            ));
        }
    }
}

/// Compares the rooms that a socket reports, its own among them, with the model.
fn compare_rooms(record: &Record, socket_id: SocketId, socket: &Socket) {
    if !socket.connected() {
        return;
    }
    let actual: BTreeSet<String> = socket.rooms().into_iter().collect();
    let rooms = record.with_model(|model| model.rooms(socket_id));
    let mut expected: BTreeSet<String> = rooms.into_iter().map(|room| room_name(room).to_owned()).collect();
    expected.insert(socket.id().as_str().to_owned());
    if actual != expected {
        record.fail(format!("{socket_id:?} is in {actual:?}, not {expected:?}"));
    }
}
