//! Several namespaces on one connection: leaving, being thrown out, coming back.

use crate::pair::{Answers, NOTHING, Pair, SECOND};
use crate::raw::Raw;
use socketio_core::sio::client::{EmitError, Offline};
use socketio_core::sio::{Delivery, NamespaceId};

/// Joined in `/` and `/chat`.
fn both() -> (Pair, NamespaceId, NamespaceId) {
    let mut pair = Pair::with(|_| {});
    let chat = pair.client.add_namespace(pair.now, "/chat").unwrap();
    pair.connect();
    assert!(pair.client.is_joined(chat));
    pair.client_events.clear();
    let main = pair.main();
    (pair, main, chat)
}

#[test]
fn all_are_joined_on_one_connection_and_again_after_a_loss() {
    let (mut pair, main, chat) = both();
    assert_eq!(pair.connections.len(), 1);
    pair.lose_all();
    let texts = pair.client_texts();
    assert_eq!(
        texts,
        [
            "left /: transport error, Later",
            "left /chat: transport error, Later",
            "failed None: transport error",
            "reconnecting 1",
        ]
    );
    pair.wait(2 * SECOND);
    assert_eq!(
        pair.client_texts(),
        [
            "attempt 1",
            "opened",
            "joining /",
            "joining /chat",
            "joined /",
            "joined /chat"
        ]
    );
    assert_ne!(pair.client.sid(main), pair.client.sid(chat));
}

#[test]
fn events_stay_in_their_namespace() {
    let (mut pair, _, _) = both();
    pair.server_emit("/", "a", &1);
    pair.server_emit("/chat", "b", &2);
    assert_eq!(
        pair.client_texts(),
        ["event / \"a\" (1) 0", "event /chat \"b\" (2) 0"]
    );
    pair.emit("/chat", "c", &3).unwrap();
    let namespace = pair.server.namespace("/chat").unwrap();
    let received = pair.server_events.iter().any(|event| {
        matches!(event, socketio_core::sio::Event::Event { namespace: there, .. } if *there == namespace)
    });
    assert!(received);
}

#[test]
fn a_namespace_that_is_left_stays_left_until_it_is_entered() {
    let (mut pair, _, chat) = both();
    pair.client.leave(pair.now, chat);
    pair.client.leave(pair.now, chat);
    assert_eq!(pair.client_texts(), ["left /chat: io client disconnect, Never"]);
    assert_eq!(pair.server_texts(), ["disconnected: client namespace disconnect"]);
    assert_eq!(pair.emit("/chat", "a", &()), Err(EmitError::NotConnected));
    pair.lose_all();
    pair.wait(2 * SECOND);
    assert!(!pair.client_texts().contains(&"joining /chat".to_owned()));
    pair.client.close(pair.now);
    pair.client_texts();
    pair.connect();
    assert_eq!(
        pair.client_texts(),
        ["attempt 0", "opened", "joining /", "joined /"]
    );
    pair.client.enter(pair.now, chat);
    assert_eq!(pair.client_texts(), ["joining /chat", "joined /chat"]);
}

#[test]
fn the_last_one_left_closes_the_connection_and_entering_opens_it_again() {
    let (mut pair, main, chat) = both();
    pair.client.leave(pair.now, main);
    pair.client.leave(pair.now, chat);
    assert_eq!(
        pair.client_texts(),
        [
            "left /: io client disconnect, Never",
            "left /chat: io client disconnect, Never",
            "closed: io client disconnect",
        ]
    );
    assert!(pair.connections.is_empty());
    pair.client.enter(pair.now, chat);
    assert_eq!(
        pair.client_texts(),
        ["attempt 0", "opened", "joining /chat", "joined /chat"]
    );
    // Entering what is joined, or leaving what is not, changes nothing.
    pair.client.enter(pair.now, chat);
    pair.client.leave(pair.now, main);
    assert_eq!(pair.client_texts(), NOTHING);
}

#[test]
fn being_disconnected_by_the_server_is_not_answered_with_a_reconnection() {
    let (mut pair, _, chat) = both();
    let ack = pair.emit_with_ack("/chat", "a", &(), 100 * SECOND).unwrap();
    let socket = pair.socket("/chat");
    pair.server.disconnect(pair.now, socket);
    assert_eq!(
        pair.client_texts(),
        [
            "ack failed: socket has been disconnected",
            "left /chat: io server disconnect, Never"
        ]
    );
    pair.client.forget_ack(ack);
    let socket = pair.socket("/");
    pair.server.disconnect(pair.now, socket);
    assert_eq!(
        pair.client_texts(),
        [
            "left /: io server disconnect, Never",
            "closed: io server disconnect"
        ]
    );
    pair.wait(100 * SECOND);
    assert_eq!(pair.client_texts(), NOTHING);
    pair.client.enter(pair.now, chat);
    assert_eq!(pair.client_texts().last().unwrap(), "joined /chat");
}

#[test]
fn a_whole_client_that_is_disconnected_stays_so() {
    let (mut pair, _, _) = both();
    let socket = pair.socket("/");
    pair.server.disconnect_client(pair.now, socket);
    pair.wait(100 * SECOND);
    assert_eq!(
        pair.client_texts(),
        [
            "left /: io server disconnect, Never",
            "left /chat: io server disconnect, Never",
            "closed: io server disconnect",
        ]
    );
}

#[test]
fn a_server_that_shuts_down_is_waited_for() {
    let (mut pair, _, _) = both();
    pair.server.shutdown(pair.now);
    let texts = pair.client_texts();
    assert_eq!(texts[0], "left /: transport close, Later");
    assert_eq!(texts.last().unwrap(), "reconnecting 1");
}

#[test]
fn leaving_before_the_answer_is_told_to_the_server_after_it() {
    let mut raw = Raw::joined_main();
    let slow = raw.client.add_namespace(raw.now, "/slow").unwrap();
    raw.received();
    raw.client.leave(raw.now, slow);
    assert_eq!(raw.received(), NOTHING);
    raw.send_packet(r#"2/slow,["ignored"]"#);
    raw.send_packet(r#"0/slow,{"sid":"x"}"#);
    assert_eq!(raw.received(), ["1/slow,"]);
    assert_eq!(raw.client_texts(), ["joining /slow"]);
    assert!(!raw.client.is_joined(slow));
}

#[test]
fn entering_again_before_the_answer_asks_no_second_time() {
    let mut raw = Raw::joined_main();
    let slow = raw.client.add_namespace(raw.now, "/slow").unwrap();
    raw.received();
    raw.client.leave(raw.now, slow);
    raw.client.enter(raw.now, slow);
    assert_eq!(raw.received(), NOTHING);
    raw.send_packet(r#"0/slow,{"sid":"x"}"#);
    assert_eq!(raw.client_texts(), ["joining /slow", "joined /slow"]);
    assert_eq!(raw.received(), NOTHING);
}

/// Left `/chat`, where it was joined, and asked for it again, on the same connection.
fn back_again() -> (Raw, NamespaceId) {
    let mut raw = Raw::joined_main();
    let chat = raw.client.add_namespace(raw.now, "/chat").unwrap();
    raw.run();
    raw.send_packet(r#"0/chat,{"sid":"one"}"#);
    raw.client.leave(raw.now, chat);
    raw.client.enter(raw.now, chat);
    raw.client_texts();
    let asked = [r#"0/chat,{"token":1}"#, "1/chat,", r#"0/chat,{"token":1}"#];
    assert_eq!(raw.received(), asked);
    (raw, chat)
}

#[test]
fn what_was_under_way_to_a_socket_that_was_left_is_not_for_the_next_one() {
    let (mut raw, _) = back_again();
    raw.send_packet(r#"2/chat,["old"]"#);
    raw.send_packet(r#"2/chat,7["old"]"#);
    raw.send_packet(r#"0/chat,{"sid":"two"}"#);
    raw.send_packet(r#"2/chat,["new"]"#);
    assert_eq!(raw.client_texts(), ["joined /chat", r#"event /chat "new" () 0"#]);
}

#[test]
fn a_disconnect_that_crosses_ours_does_not_refuse_the_next_socket() {
    let (mut raw, chat) = back_again();
    raw.send_packet("1/chat,");
    assert_eq!(raw.client_texts(), NOTHING);
    raw.send_packet(r#"0/chat,{"sid":"two"}"#);
    assert_eq!(raw.client_texts(), ["joined /chat"]);
    // And one that follows it is meant for it.
    raw.send_packet("1/chat,");
    assert_eq!(raw.client_texts(), ["left /chat: io server disconnect, Never"]);
    assert!(!raw.client.is_joined(chat));
}

#[test]
fn what_waits_for_a_namespace_that_is_left_ends() {
    let mut raw = Raw::joining_with(|config| {
        config.offline = Offline::Buffer {
            packets: 10,
            bytes: 10_000,
        };
    });
    raw.client.add_namespace(raw.now, "/chat").unwrap();
    let packet = raw.encode("/", "a", &());
    let (main, wait) = (raw.main(), raw.now + SECOND);
    raw.client
        .emit(raw.now, main, &packet, Default::default())
        .unwrap();
    raw.client.emit_with_ack(raw.now, main, &packet, wait).unwrap();
    raw.run();
    raw.client_events.clear();
    raw.client.leave(raw.now, main);
    assert_eq!(
        raw.client_texts(),
        [
            "undeliverable /: NotConnected",
            "ack failed: socket has been disconnected"
        ]
    );
    assert_eq!(raw.client.buffered_packets(main), 0);
    assert_eq!(raw.client.pending_acks(), 0);
}

#[test]
fn a_refusal_ends_what_waits() {
    let mut raw = Raw::joining_with(|config| {
        config.offline = Offline::Buffer {
            packets: 10,
            bytes: 10_000,
        };
    });
    let packet = raw.encode("/", "a", &());
    let main = raw.main();
    raw.client
        .emit(raw.now, main, &packet, Default::default())
        .unwrap();
    raw.send_packet(r#"4{"message":"no"}"#);
    assert_eq!(
        raw.client_texts(),
        [
            "undeliverable /: NotConnected",
            "refused /: no",
            "closed: forced close"
        ]
    );
}

#[test]
fn a_server_that_disconnects_instead_of_answering_has_refused() {
    let mut raw = Raw::joining();
    raw.send_packet("1");
    assert_eq!(
        raw.client_texts(),
        ["refused /: io server disconnect", "closed: forced close"]
    );
}

#[test]
fn what_was_entered_and_left_while_the_connection_closes_opens_no_other() {
    let (mut pair, _, chat) = both();
    pair.client.close(pair.now);
    pair.client.enter(pair.now, chat);
    pair.client.leave(pair.now, chat);
    pair.wait(10 * SECOND);
    assert_eq!(
        pair.client_texts(),
        [
            "left /: io client disconnect, Never",
            "left /chat: io client disconnect, Never",
            "closed: io client disconnect",
        ]
    );
    assert_eq!(pair.client.poll_timeout(), None);
}

/// Joined in `/` and asked about `/chat`, with a queue that is full.
fn full() -> (Raw, NamespaceId) {
    let mut raw = Raw::joined_main_with(|config| config.engine.limits.queued_bytes = 300);
    let chat = raw.client.add_namespace(raw.now, "/chat").unwrap();
    raw.answers = Answers::LeftToTheTest;
    raw.client_texts();
    let packet = raw.encode("/", "x", &"x".repeat(286));
    let main = raw.main();
    raw.client
        .emit(raw.now, main, &packet, Delivery::Reliable)
        .unwrap();
    assert_eq!(raw.client.queued_bytes(), 300);
    (raw, chat)
}

#[test]
fn a_full_queue_keeps_no_namespace_from_being_asked_for() {
    let (mut raw, chat) = full();
    raw.join(chat);
    assert_eq!(raw.received().last().unwrap(), r#"0/chat,{"token":1}"#);
    raw.send_packet(r#"0/chat,{"sid":"def"}"#);
    assert_eq!(raw.client_texts(), ["joined /chat"]);
}

#[test]
fn a_server_is_told_that_a_namespace_is_left_however_much_it_has_to_read_before() {
    let (mut raw, _) = full();
    let main = raw.main();
    raw.client.leave(raw.now, main);
    assert_eq!(raw.received().last().unwrap(), "1");
    assert_eq!(raw.client_texts(), ["left /: io client disconnect, Never"]);
}
