//! How sockets end (protocol section 3.7), and what is left of them.

use crate::client::{Packet, text};
use crate::pair::Pair;
use core::time::Duration;
use socketio_core::eio::payload::PayloadError;
use socketio_core::eio::{CloseReason, Delivery};
use socketio_core::sio::{EmitError, Event, Reason, Violation};

const NOTHING: [Packet; 0] = [];

#[test]
fn a_client_leaves_one_of_two_namespaces() {
    for packet in ["41/chat,", "41/chat"] {
        let mut pair = Pair::new();
        let (client, root) = pair.member("/");
        let chat = pair.join(client, "/chat");
        pair.receive(client);
        pair.send(client, packet);
        match pair.event() {
            Event::Disconnected {
                socket,
                namespace,
                reason,
            } => {
                assert_eq!((socket, namespace), (chat, pair.namespace("/chat")));
                assert_eq!(reason, Reason::ClientNamespaceDisconnect);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(pair.receive(client), NOTHING);
        assert!(pair.server.is_connected(root));
        pair.send(client, "42[\"still here\"]");
        assert_eq!(pair.texts(), ["event \"still here\" () 0"]);
        pair.send(client, "42/chat,[\"gone\"]");
        assert_eq!(pair.texts(), ["disconnected: forced close"]);
    }
}

#[test]
fn the_server_ends_one_socket_and_the_session_stays() {
    let mut pair = Pair::new();
    let (client, root) = pair.member("/");
    let chat = pair.join(client, "/chat");
    pair.receive(client);
    pair.server.disconnect(pair.now, chat);
    pair.server.disconnect(pair.now, chat);
    assert_eq!(pair.texts(), ["disconnected: server namespace disconnect"]);
    assert_eq!(pair.receive(client), [text("41/chat,")]);
    pair.server.disconnect(pair.now, root);
    assert_eq!(pair.receive(client), [text("41")]);
    assert_eq!(pair.server.counts().sessions, 1);
    pair.join(client, "/");
}

#[test]
fn packets_that_cross_the_disconnect_of_their_socket_do_not_end_the_others() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    for packet in ["42/chat,[\"a\"]", "42/chat,7[\"a\"]", "43/chat,1[]", "41/chat,"] {
        let chat = pair.join(client, "/chat");
        pair.receive(client);
        pair.server.disconnect(pair.now, chat);
        assert_eq!(pair.texts(), ["disconnected: server namespace disconnect"]);
        assert_eq!(pair.receive(client), [text("41/chat,")]);
        pair.send(client, packet);
        assert_eq!(pair.texts(), [""; 0], "{packet}");
        assert_eq!(pair.server.counts().sessions, 1);
    }
    // After joining again and leaving by itself, no packet can have crossed.
    pair.join(client, "/chat");
    pair.send(client, "41/chat,");
    pair.texts();
    pair.send(client, "42/chat,[\"a\"]");
    assert_eq!(pair.texts(), ["disconnected: forced close"]);
}

#[test]
fn the_server_ends_a_client_on_a_websocket() {
    let mut pair = Pair::new();
    let (client, root) = pair.member("/");
    let chat = pair.join(client, "/chat");
    pair.receive(client);
    let packet = pair.encode("/chat", "last words", &());
    pair.server
        .emit(pair.now, chat, &packet, Delivery::Reliable)
        .unwrap();
    pair.server.disconnect_client(pair.now, root);
    let told = pair.texts();
    assert_eq!(told, ["disconnected: server namespace disconnect"; 2]);
    assert_eq!(
        pair.receive(client),
        [
            text("42/chat,[\"last words\"]"),
            text("41"),
            text("41/chat,"),
            Packet::Closed
        ]
    );
    assert_eq!(pair.server.counts(), Default::default());
}

#[test]
fn the_server_ends_a_client_that_polls() {
    for waits in [true, false] {
        let mut pair = Pair::new();
        let (client, root) = pair.polling_member("/");
        pair.join(client, "/chat");
        pair.receive(client);
        if waits {
            pair.poll(client);
        }
        pair.server.disconnect_client(pair.now, root);
        assert_eq!(pair.texts(), ["disconnected: server namespace disconnect"; 2]);
        assert_eq!(pair.receive(client), [text("41"), text("41/chat,")]);
        assert_eq!(pair.receive(client), [text("6"), text("1")]);
        assert_eq!(pair.receive(client), [Packet::Refused(400)]);
        assert_eq!(pair.server.counts().sessions, 0);
    }
}

#[test]
fn the_reason_is_that_of_the_session() {
    let reason = |act: &dyn Fn(&mut Pair, crate::client::ClientId)| {
        let mut pair = Pair::with(|config| config.engine.ping_interval = Duration::from_secs(25));
        let (client, _) = pair.polling_member("/");
        act(&mut pair, client);
        match pair.event() {
            Event::Disconnected { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    };
    let session = Reason::Session;
    assert_eq!(
        reason(&|pair, client| pair.send(client, "1")),
        session(CloseReason::TransportClose)
    );
    assert_eq!(
        reason(&|pair, client| pair.send(client, "x")),
        session(CloseReason::ParseError(PayloadError::UnknownType))
    );
    assert_eq!(
        reason(&|pair, _| pair.wait(Duration::from_secs(45))),
        session(CloseReason::PingTimeout)
    );
    assert_eq!(
        reason(&|pair, client| {
            pair.poll(client);
            pair.lose(client);
        }),
        session(CloseReason::PollLost)
    );
    assert_eq!(
        reason(&|pair, _| pair.server.shutdown(pair.now)),
        session(CloseReason::ServerShuttingDown)
    );
    for (reason, text) in [
        (Reason::ClientNamespaceDisconnect, "client namespace disconnect"),
        (Reason::ServerNamespaceDisconnect, "server namespace disconnect"),
        (
            Reason::ForcedServerClose(Violation::NotJoined),
            "forced server close",
        ),
        (Reason::ForcedClose(Violation::NotJoined), "forced close"),
        (session(CloseReason::TransportClose), "transport close"),
        (session(CloseReason::PollLost), "transport error"),
        (session(CloseReason::PingTimeout), "ping timeout"),
        (
            session(CloseReason::ParseError(PayloadError::EmptyPacket)),
            "parse error",
        ),
        (session(CloseReason::ServerShuttingDown), "server shutting down"),
    ] {
        assert_eq!(reason.as_str(), text);
    }
}

#[test]
fn a_shutdown_disconnects_no_namespace_and_refuses_every_handshake() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.join(client, "/chat");
    pair.receive(client);
    let (polling, _) = pair.polling_member("/");
    pair.poll(polling);
    let asking = pair.websocket();
    let socket = pair.request_connection(asking, "/");
    pair.server.shutdown(pair.now);
    assert_eq!(pair.texts(), ["disconnected: server shutting down"; 3]);
    assert_eq!(pair.receive(client), [Packet::Closed]);
    assert_eq!(pair.unread(polling), [text("1")]);
    assert!(!pair.server.accept(pair.now, socket));
    for client in [client, polling, asking] {
        pair.lose(client);
    }
    assert_eq!(pair.server.counts(), Default::default());
}

#[test]
fn a_stale_socket_does_nothing_even_when_its_place_is_taken() {
    let mut pair = Pair::new();
    let (client, stale) = pair.member("/");
    let sid = pair.server.sid(stale).unwrap();
    pair.send(client, "41");
    let socket = pair.join(client, "/");
    assert_eq!(socket.index(), stale.index());
    pair.events();
    pair.receive(client);
    let packet = pair.encode("/", "a", &());
    let namespace = pair.namespace("/");
    let refusal = pair.encoder.connect_error("/", "no", None::<&()>).unwrap();
    let server = &mut pair.server;
    assert!(!server.accept(pair.now, stale));
    server.refuse(pair.now, stale, &refusal);
    assert_eq!(
        server.emit(pair.now, stale, &packet, Delivery::Reliable),
        Err(EmitError::Disconnected)
    );
    server.disconnect(pair.now, stale);
    server.disconnect_client(pair.now, stale);
    assert!(server.join(stale, "room").is_err());
    server.leave(stale, "room");
    assert_eq!(server.sid(stale), None);
    assert_eq!(server.namespace_of(stale), None);
    assert_eq!(server.session(stale), None);
    assert_eq!(server.transport(stale), None);
    assert!(server.handshake(stale).is_none());
    assert!(!server.is_connected(stale));
    assert_eq!(server.socket_by_sid(namespace, sid.as_str()), None);
    assert_eq!(pair.receive(client), NOTHING);
    assert_eq!(pair.texts(), [] as [String; 0]);
    assert!(pair.server.is_connected(socket));
}

#[test]
fn disconnecting_one_that_is_not_accepted_yet_tells_the_client_and_nobody_else() {
    let mut pair = Pair::new();
    let client = pair.websocket();
    let socket = pair.request_connection(client, "/chat");
    pair.server.disconnect(pair.now, socket);
    assert!(!pair.server.accept(pair.now, socket));
    assert_eq!(pair.texts(), [] as [String; 0]);
    assert_eq!(pair.receive(client), [text("41/chat,")]);
    pair.join(client, "/chat");
}

#[test]
fn nothing_is_left_of_clients_in_every_state() {
    for by_losing in [true, false] {
        let mut pair = Pair::new();
        let (member, socket) = pair.member("/");
        pair.server.join(socket, "room").unwrap();
        let packet = pair.encode("/", "a", &());
        let deadline = pair.now + Duration::from_secs(5);
        pair.server
            .emit_with_ack(pair.now, socket, &packet, deadline)
            .unwrap();
        pair.send(member, "451-[\"a\",{\"_placeholder\":true,\"num\":0}]");
        let asking = pair.polling();
        pair.request_connection(asking, "/");
        pair.poll(asking);
        let new = pair.websocket();
        let counts = pair.server.counts();
        assert_eq!((counts.sessions, counts.sockets), (3, 2));
        assert_eq!((counts.rooms, counts.acks), (1, 1));
        if !by_losing {
            pair.server.shutdown(pair.now);
            pair.pump();
        }
        for client in [member, asking, new] {
            pair.lose(client);
        }
        assert_eq!(pair.server.counts(), Default::default());
        assert_eq!(pair.server.poll_timeout(), None);
    }
}
