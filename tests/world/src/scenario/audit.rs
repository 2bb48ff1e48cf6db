//! What the server says of itself, beside what the model says.

use std::collections::BTreeSet;

use socketio_driver::{Error, Server, Socket};
use socketio_model::{Namespace, Room, Seat};

use super::stage::{NAMESPACES, Stage};
use super::verb::ROOMS;

/// Compares the members of all namespaces and rooms.
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
        let is_there = |present: &super::stage::Present| present.socket.connected();
        if sockets.get(missing).is_some_and(is_there) {
            stage.fail(format!(
                "{namespace:?} {room:?}: {missing:?} is missing among {told:?}"
            ));
        }
    }
}
