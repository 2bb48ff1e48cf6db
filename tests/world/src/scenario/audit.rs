//! What the server says of itself, beside what the model says.

use std::collections::BTreeSet;

use socketio_driver::{Counts, Error, Server, Socket};
use socketio_model::{Model, Namespace, Room, Seat, Side};

use super::house::QUEUED_BYTES;
use super::stage::{NAMESPACES, Present, Stage};
use super::verb::{ROOMS, name};

/// The largest event of a scenario, which fits into a queue that is empty.
const LARGEST: usize = 140_000;

/// Compares the members of all namespaces and rooms, the rooms of all sockets, and how much there is of everything.
pub(super) fn audit(stage: &Stage, server: &Server) {
    for (number, name) in (0..).zip(NAMESPACES) {
        let namespace = server.of(name);
        compare(stage, Namespace(number), None, namespace.sockets());
        for (room, name) in (0..).zip(ROOMS) {
            compare(
                stage,
                Namespace(number),
                Some(Room(room)),
                namespace.sockets_in(name),
            );
        }
    }
    for (seat, present) in stage.sockets() {
        compare_rooms(stage, seat, &present.socket);
    }
    // A server that begins or has ended has nothing.
    let counts = server.counts().unwrap_or_default();
    let open = stage.ask(|model| model.open_calls(Side::Server));
    let most = counts.sessions * (QUEUED_BYTES.max(LARGEST) + LARGEST);
    if counts.acks > open || counts.queued_bytes > most {
        stage.fail(format!("{open} calls, at most {most} bytes, and {counts:?}"));
    }
}

/// Nothing has happened for long: nothing is queued, and only calls that wait for their deadlines are tabled.
pub(super) fn audit_at_rest(stage: &Stage, server: &Server) {
    audit(stage, server);
    let counts = server.counts().unwrap_or_default();
    let (sockets, rooms, open) = stage.ask(|model| {
        let rooms = namespaces()
            .map(|namespace| occupied_rooms(model, namespace))
            .sum();
        let sockets = namespaces().map(|namespace| model.members(namespace, None).len());
        (sockets.sum::<usize>(), rooms, model.open_calls(Side::Server))
    });
    let expected = (sockets, rooms, open, 0);
    let told = (counts.sockets, counts.rooms, counts.acks, counts.queued_bytes);
    if told != expected {
        stage.fail(format!(
            "at rest there are sockets, rooms, calls and bytes: {told:?}, not {expected:?}"
        ));
    }
}

/// Everybody has left: nothing is there.
pub(super) fn audit_empty(stage: &Stage, server: &Server) {
    let counts = server.counts().unwrap_or_default();
    if counts != Counts::default() {
        stage.fail(format!("all clients have left, and there is {counts:?}"));
    }
}

fn namespaces() -> impl Iterator<Item = Namespace> {
    (0..).zip(NAMESPACES).map(|(number, _)| Namespace(number))
}

fn occupied_rooms(model: &Model, namespace: Namespace) -> usize {
    let rooms = (0..).zip(ROOMS).map(|(number, _)| Room(number));
    let occupied = rooms.filter(|room| !model.members(namespace, Some(*room)).is_empty());
    occupied.count()
}

fn compare(stage: &Stage, namespace: Namespace, room: Option<Room>, members: Result<Vec<Socket>, Error>) {
    // A server that begins or has ended has none.
    let members = members.unwrap_or_default();
    let told: BTreeSet<Seat> = members
        .iter()
        .map(|socket| stage.seat(socket.id().as_str()))
        .collect();
    let expected = stage.ask(|model| model.members(namespace, room));
    if told.len() < members.len() || !told.is_subset(&expected) {
        stage.fail(format!(
            "{namespace:?} {room:?}: members are {told:?}, not {expected:?}"
        ));
    }
    let sockets = stage.sockets();
    for missing in expected.difference(&told) {
        // Whose `on_disconnect` is about to run is no member any more.
        let is_there = |present: &Present| present.socket.connected();
        if sockets.get(missing).is_some_and(is_there) {
            stage.fail(format!(
                "{namespace:?} {room:?}: {missing:?} is missing among {told:?}"
            ));
        }
    }
}

/// What a socket says of its rooms is what the rooms say of it; its own comes first.
fn compare_rooms(stage: &Stage, seat: Seat, socket: &Socket) {
    if !socket.connected() {
        return;
    }
    let told: BTreeSet<String> = socket.rooms().into_iter().collect();
    let rooms = stage.ask(|model| model.rooms(seat));
    let mut expected: BTreeSet<String> = rooms.into_iter().map(|room| name(room).to_owned()).collect();
    expected.insert(socket.id().as_str().to_owned());
    if told != expected {
        stage.fail(format!("{seat:?} is in {told:?}, not {expected:?}"));
    }
}
