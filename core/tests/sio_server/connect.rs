//! Joining namespaces (protocol section 3.5).

use crate::client::{Packet, Reads, text};
use crate::pair::{Pair, prefix};
use core::time::Duration;
use socketio_core::eio::{Delivery, Peer, Transport};
use socketio_core::sio::Event;

const NOTHING: [Packet; 0] = [];

fn welcome(pair: &Pair, socket: socketio_core::sio::SocketId, namespace: &str) -> Packet {
    let sid = pair.server.sid(socket).unwrap();
    Packet::Text(format!("40{}{{\"sid\":\"{sid}\"}}", prefix(namespace)))
}

#[test]
fn a_client_is_told_its_id_in_each_namespace() {
    let mut pair = Pair::new();
    let client = pair.websocket();
    let root = pair.join(client, "/");
    let chat = pair.join(client, "/chat");
    let expected = [welcome(&pair, root, "/"), welcome(&pair, chat, "/chat")];
    assert_eq!(pair.receive(client), expected);
    assert_ne!(pair.server.sid(root), pair.server.sid(chat));
    assert_eq!(pair.server.session(root), pair.server.session(chat));
    assert_eq!(pair.server.transport(chat), Some(Transport::WebSocket));
    assert_eq!(pair.server.namespace_of(chat), pair.server.namespace("/chat"));
}

#[test]
fn the_comma_after_a_namespace_may_be_missing() {
    for packet in ["40/chat", "40/chat,", "40/chat,{}", "40/chat,7"] {
        let mut pair = Pair::new();
        let client = pair.websocket();
        pair.send(client, packet);
        assert_eq!(pair.texts(), ["connect"], "{packet}");
    }
}

#[test]
fn credentials_are_kept_as_they_were_sent() {
    let auth = r#"{"token":"123","n":1.0,"big":9007199254740993,"s":"\ud800"}"#;
    let mut pair = Pair::new();
    let client = pair.polling();
    pair.send(client, &format!("40/chat,{auth}"));
    let Event::Connect { socket, .. } = pair.event() else {
        panic!("a connect");
    };
    let handshake = pair.server.handshake(socket).unwrap();
    assert_eq!(handshake.auth.unwrap().as_str(), auth);
    assert_eq!(handshake.head.path(), "/socket.io/");
    assert_eq!(
        handshake.head.query().get("transport").as_deref(),
        Some("polling")
    );
    assert_eq!(pair.server.transport(socket), Some(Transport::Polling));

    let other = pair.websocket();
    let socket = pair.request_connection(other, "/");
    assert!(pair.server.handshake(socket).unwrap().auth.is_none());
}

#[test]
fn the_handshake_stays_that_of_the_first_request_when_the_transport_changes() {
    let mut pair = Pair::new();
    let (client, socket) = pair.polling_member("/");
    let index = pair.probe(client);
    assert_eq!(pair.server.transport(socket), Some(Transport::Polling));
    pair.upgrade(client, index);
    assert_eq!(pair.server.transport(socket), Some(Transport::WebSocket));
    let head = pair.server.handshake(socket).unwrap().head;
    assert_eq!(head.query().get("transport").as_deref(), Some("polling"));
    assert_eq!(head.query().get("sid"), None);
}

#[test]
fn a_client_that_does_not_read_its_welcome_was_accepted_and_is_gone() {
    let mut pair = Pair::with(|config| config.engine.limits.queued_bytes = 1_000);
    let (client, root) = pair.member("/");
    pair.set_reads(client, Reads::Nothing);
    let large = pair.encode("/", "large", &"x".repeat(300_000));
    let asking = pair.request_connection(client, "/chat");
    for _ in 0..2 {
        pair.server
            .emit(pair.now, root, &large, Delivery::Reliable)
            .unwrap();
        pair.pump();
    }
    assert!(pair.server.accept(pair.now, asking));
    assert!(!pair.server.is_connected(asking));
    let gone = "disconnected: transport error (the client does not read what is sent to it: wait for ready() before, use volatile(), or raise Limits::queued_bytes)";
    assert_eq!(pair.texts(), [gone, gone]);
    assert_eq!(pair.server.counts().sockets, 0);
}

#[test]
fn an_unknown_namespace_is_refused_and_the_session_stays() {
    for (packet, reply) in [
        ("40/random", "44/random,{\"message\":\"Invalid namespace\"}"),
        ("40/random,", "44/random,{\"message\":\"Invalid namespace\"}"),
        (
            "40/chat?token=1,{}",
            "44/chat?token=1,{\"message\":\"Invalid namespace\"}",
        ),
        (
            "40/\u{e9}\"\\,",
            "44/\u{e9}\"\\,{\"message\":\"Invalid namespace\"}",
        ),
    ] {
        let mut pair = Pair::new();
        let client = pair.websocket();
        pair.send(client, packet);
        assert_eq!(pair.receive(client), [text(reply)]);
        assert_eq!(pair.texts(), [] as [String; 0]);
        pair.join(client, "/");
    }
}

#[test]
fn a_refusal_carries_message_and_data_and_leaves_the_session() {
    let mut pair = Pair::new();
    let client = pair.websocket();
    let socket = pair.request_connection(client, "/chat");
    let data = (("retry", [1, 2]),);
    let refusal = pair
        .encoder
        .connect_error("/chat", "not \"allowed\"", Some(&data))
        .unwrap();
    pair.server.refuse(pair.now, socket, &refusal);
    let reply = r#"44/chat,{"message":"not \"allowed\"","data":["retry",[1,2]]}"#;
    assert_eq!(pair.receive(client), [text(reply)]);
    assert_eq!(pair.server.counts().sockets, 0);

    pair.server.refuse(pair.now, socket, &refusal);
    assert!(!pair.server.accept(pair.now, socket));
    assert_eq!(pair.receive(client), NOTHING);
    assert_eq!(pair.texts(), [] as [String; 0]);

    let again = pair.join(client, "/chat");
    assert_eq!(pair.receive(client), [welcome(&pair, again, "/chat")]);
    pair.server.refuse(pair.now, again, &refusal);
    assert!(pair.server.is_connected(again));
}

#[test]
fn a_socket_is_in_nothing_before_it_is_accepted() {
    let mut pair = Pair::new();
    let client = pair.websocket();
    let socket = pair.request_connection(client, "/");
    let (namespace, sid) = (pair.namespace("/"), pair.server.sid(socket).unwrap());
    assert!(!pair.server.is_connected(socket));
    assert_eq!(pair.server.sockets(namespace), []);
    assert_eq!(pair.server.socket_by_sid(namespace, sid.as_str()), None);
    assert_eq!(pair.server.members(namespace, sid.as_str()), []);
    assert_eq!(pair.server.rooms(socket), [] as [String; 0]);
    assert!(pair.server.join(socket, "room").is_err());
    assert_eq!(pair.broadcast("/", &Default::default(), "all"), 0);

    assert!(pair.server.accept(pair.now, socket));
    assert!(!pair.server.accept(pair.now, socket));
    assert_eq!(pair.server.sockets(namespace), [socket]);
    assert_eq!(pair.server.socket_by_sid(namespace, sid.as_str()), Some(socket));
    assert_eq!(
        pair.server.socket_by_sid(pair.namespace("/chat"), sid.as_str()),
        None
    );
    assert_eq!(pair.server.rooms(socket), [sid.to_string()]);
}

#[test]
fn what_is_emitted_before_accepting_comes_before_the_welcome() {
    let mut pair = Pair::new();
    let client = pair.websocket();
    let socket = pair.request_connection(client, "/");
    let packet = pair.encode("/", "early", &1);
    pair.server
        .emit(pair.now, socket, &packet, Delivery::Reliable)
        .unwrap();
    assert!(pair.server.accept(pair.now, socket));
    let expected = [text("42[\"early\",1]"), welcome(&pair, socket, "/")];
    assert_eq!(pair.receive(client), expected);
}

#[test]
fn an_event_before_the_answer_ends_the_session() {
    for packet in ["42[\"early\"]", "41", "430[]", "40"] {
        let mut pair = Pair::new();
        let client = pair.websocket();
        let socket = pair.request_connection(client, "/");
        pair.send(client, packet);
        assert!(pair.is_closed(client));
        assert!(!pair.server.accept(pair.now, socket));
        let why = if packet == "40" {
            "AlreadyJoined"
        } else {
            "NotJoined"
        };
        assert_eq!(pair.texts(), [format!("refused: Violation({why})")]);
        assert_eq!(pair.server.counts(), Default::default());
    }
}

#[test]
fn after_leaving_a_namespace_a_client_comes_back_as_another_socket() {
    let mut pair = Pair::new();
    let (client, first) = pair.member("/");
    let sid = pair.server.sid(first);
    pair.send(client, "41");
    assert_eq!(pair.texts(), ["disconnected: client namespace disconnect"]);
    assert_eq!(pair.receive(client), NOTHING);
    let second = pair.join(client, "/");
    assert_ne!(second, first);
    assert_ne!(pair.server.sid(second), sid);
    assert_eq!(pair.receive(client), [welcome(&pair, second, "/")]);
}

#[test]
fn a_client_in_no_namespace_after_the_connect_timeout_is_closed() {
    for join_other in [false, true] {
        let mut pair = Pair::new();
        let client = pair.websocket();
        pair.wait(Duration::from_secs(20));
        if join_other {
            pair.send(client, "40/random");
            let socket = pair.request_connection(client, "/chat");
            let refusal = pair.encoder.connect_error("/chat", "no", None::<&()>).unwrap();
            pair.server.refuse(pair.now, socket, &refusal);
            pair.request_connection(client, "/");
        }
        pair.receive(client);
        pair.wait(Duration::from_millis(24_999));
        assert_eq!(pair.receive(client), NOTHING);
        pair.wait(Duration::from_millis(1));
        assert!(pair.is_closed(client));
        assert_eq!(pair.texts(), ["refused: NothingJoined"]);
        assert_eq!(pair.server.counts(), Default::default());
    }
}

#[test]
fn the_connect_timeout_ends_with_the_first_namespace_and_never_comes_back() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send(client, "41");
    pair.wait(Duration::from_secs(1_000));
    assert_eq!(pair.texts(), ["disconnected: client namespace disconnect"]);
    pair.join(client, "/");
}

#[test]
fn without_a_bound_clients_may_take_any_time_to_connect() {
    let mut pair = Pair::with(|config| config.connect_timeout = Duration::MAX);
    let client = pair.websocket();
    pair.wait(Duration::from_secs(1_000));
    pair.join(client, "/");
}

#[test]
fn a_client_that_asks_for_too_many_namespaces_is_refused_and_its_session_stays() {
    let mut pair = Pair::with(|config| config.engine.limits.namespaces_per_client = 1);
    let (client, root) = pair.member("/");
    pair.send(client, "40/random");
    pair.receive(client);
    pair.send(client, "40/chat,{\"token\":1}");
    assert_eq!(
        pair.receive(client),
        [text("44/chat,{\"message\":\"Too many namespaces\"}")]
    );
    assert_eq!(pair.texts(), ["refused: TooManyNamespaces"]);
    pair.server.disconnect(pair.now, root);
    pair.join(client, "/chat");
}

#[test]
fn a_namespace_is_refused_when_there_are_too_many_sockets_or_too_large_credentials() {
    let mut pair = Pair::with(|config| {
        config.engine.limits.sockets = 2;
        config.engine.limits.auth_bytes = 10;
    });
    let (client, _) = pair.member("/");
    pair.send(client, "40/chat,{\"t\":12345}");
    assert_eq!(
        pair.receive(client),
        [text("44/chat,{\"message\":\"Auth payload too large\"}")]
    );
    assert_eq!(pair.texts(), ["refused: AuthTooLarge"]);
    pair.send(client, "40/chat,{\"t\":1234}");
    assert_eq!(pair.texts(), ["connect"]);
    let other = pair.websocket();
    pair.send(other, "40");
    assert_eq!(
        pair.receive(other).last(),
        Some(&text("44{\"message\":\"Too many sockets\"}"))
    );
    assert_eq!(pair.texts(), ["refused: TooManySockets"]);
    pair.send(client, "41");
    pair.join(other, "/");
}

#[test]
fn accepting_after_the_session_died_leaves_nothing_behind() {
    let mut pair = Pair::new();
    let client = pair.websocket();
    let sockets = [
        pair.request_connection(client, "/"),
        pair.request_connection(client, "/chat"),
    ];
    pair.lose(client);
    for socket in sockets {
        assert!(!pair.server.accept(pair.now, socket));
    }
    assert_eq!(pair.texts(), [] as [String; 0]);
    assert_eq!(pair.server.counts(), Default::default());
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn a_namespace_has_a_name_that_packets_can_carry() {
    use socketio_core::sio::NamespaceError::{Duplicate, InvalidName};
    let mut pair = Pair::new();
    for (name, error) in [
        ("", InvalidName),
        ("chat", InvalidName),
        ("/a,b", InvalidName),
        ("/a\u{1e}", InvalidName),
        ("/", Duplicate),
        ("/chat", Duplicate),
    ] {
        assert_eq!(pair.server.add_namespace(name), Err(error), "{name}");
    }
    let id = pair.server.add_namespace("/\u{e9}").unwrap();
    assert_eq!(id.index(), 2);
    assert_eq!(pair.server.namespace_name(id).unwrap().as_str(), "/\u{e9}");
    let client = pair.websocket();
    pair.join(client, "/\u{e9}");
}

#[test]
fn who_is_refused_and_does_not_read_it_is_named() {
    let mut pair = Pair::with(|config| {
        config.engine.limits.namespaces_per_client = 1;
        config.engine.limits.queued_bytes = 10;
    });
    pair.peer = Peer::Address(([10, 0, 0, 1], 1).into());
    let (client, _) = pair.polling_member("/");
    pair.send(client, &["40/chat,"; 3].join("\x1e"));
    let peers: Vec<_> = pair
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Refused { peer, .. } => Some(peer),
            _ => None,
        })
        .collect();
    assert_eq!(peers, [pair.peer; 2], "the second ends the session");
}
