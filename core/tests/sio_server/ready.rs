//! Sockets whose clients read more slowly than is sent to them.

use crate::client::{ClientId, Reads};
use crate::pair::Pair;
use socketio_core::sio::{Delivery, Event, Readiness, SocketId, Target};

const READY: usize = 1_000;

fn pair() -> Pair {
    Pair::with(|config| config.engine.limits.ready_bytes = READY)
}

fn emit(pair: &mut Pair, socket: SocketId) {
    let packet = pair.encode("/", "e", "x".repeat(500).as_str());
    let now = pair.now;
    assert_eq!(pair.server.emit(now, socket, &packet, Delivery::Reliable), Ok(()));
    pair.pump();
}

fn ask(pair: &mut Pair, socket: SocketId) -> Readiness {
    pair.server.watch_ready(pair.now, socket)
}

/// The sockets of [`Event::Ready`] since the last call.
fn take_ready(pair: &mut Pair) -> Vec<SocketId> {
    let ready = |event: Event| match event {
        Event::Ready { socket } => Some(socket),
        _ => None,
    };
    pair.events().into_iter().filter_map(ready).collect()
}

/// A member of `/` and `/chat` for whom more waits than is ready for.
fn slow(pair: &mut Pair) -> (ClientId, SocketId, SocketId) {
    let (client, socket) = pair.member("/");
    let chat = pair.join(client, "/chat");
    pair.receive(client);
    pair.set_reads(client, Reads::Nothing);
    while ask(pair, socket) == Readiness::Ready {
        emit(pair, socket);
    }
    (client, socket, chat)
}

#[test]
fn all_sockets_of_a_client_that_asked_are_told_once() {
    let mut pair = pair();
    let (client, socket, chat) = slow(&mut pair);
    assert!((READY..READY + 600).contains(&pair.server.bytes_under_way(chat)));
    assert_eq!(ask(&mut pair, chat), Readiness::Awaited);
    assert_eq!(ask(&mut pair, chat), Readiness::Awaited);
    assert_eq!(take_ready(&mut pair), []);
    pair.set_reads(client, Reads::Everything);
    assert_eq!(take_ready(&mut pair), [socket, chat]);
    assert_eq!(ask(&mut pair, chat), Readiness::Ready);
    emit(&mut pair, socket);
    assert_eq!(take_ready(&mut pair), []);
}

#[test]
fn what_is_broadcast_counts() {
    let mut pair = pair();
    let (client, socket) = pair.member("/");
    pair.set_reads(client, Reads::Nothing);
    let packet = pair.encode("/", "e", "x".repeat(2_000).as_str());
    let (now, namespace) = (pair.now, pair.namespace("/"));
    let target = Target::default();
    pair.server
        .broadcast(now, namespace, &target, &packet, Delivery::Reliable);
    pair.pump();
    assert_eq!(ask(&mut pair, socket), Readiness::Awaited);
    pair.set_reads(client, Reads::Everything);
    assert_eq!(take_ready(&mut pair), [socket]);
}

#[test]
fn a_polling_client_is_ready_once_it_has_polled() {
    let mut pair = pair();
    let (client, socket) = pair.polling_member("/");
    while ask(&mut pair, socket) == Readiness::Ready {
        emit(&mut pair, socket);
    }
    assert_eq!(take_ready(&mut pair), []);
    pair.receive(client);
    assert_eq!(take_ready(&mut pair), [socket]);
}

#[test]
fn a_socket_that_leaves_is_told_of_that_and_others_go_on_waiting() {
    let mut pair = pair();
    let (client, socket, chat) = slow(&mut pair);
    assert_eq!(ask(&mut pair, chat), Readiness::Awaited);
    pair.server.disconnect(pair.now, chat);
    assert_eq!(pair.texts(), ["disconnected: server namespace disconnect"]);
    assert_eq!(ask(&mut pair, chat), Readiness::Never);
    pair.set_reads(client, Reads::Everything);
    assert_eq!(take_ready(&mut pair), [socket]);
    pair.lose(client);
    assert_eq!(pair.texts(), ["disconnected: transport close"]);
    assert_eq!(ask(&mut pair, socket), Readiness::Never);
}

#[test]
fn a_socket_that_was_not_accepted_is_not_ready() {
    let mut pair = pair();
    let client = pair.websocket();
    let socket = pair.request_connection(client, "/");
    assert_eq!(ask(&mut pair, socket), Readiness::Never);
    assert!(pair.server.accept(pair.now, socket));
    assert_eq!(ask(&mut pair, socket), Readiness::Ready);
}
