//! From `connect` to joined, refused or nothing at all.

use crate::pair::{Answers, NOTHING, Network, Pair, SECOND};
use crate::raw::Raw;
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::client::{Event, Initial, JoinError};
use socketio_core::sio::{self, Transport};

#[test]
fn a_client_connects_and_joins() {
    for transports in [
        TransportOrder::WebSocket,
        TransportOrder::PollingFirst,
        TransportOrder::Polling,
    ] {
        let mut pair = Pair::with(|config| config.engine.transports = transports);
        pair.connect();
        let mut texts = pair.client_texts();
        texts.retain(|text| text != "Upgraded");
        assert_eq!(
            texts,
            ["attempt 0", "opened", "joining /", "joined /"],
            "{transports:?}"
        );
        let socket = pair.socket("/");
        let sid = pair.server.sid(socket).unwrap().to_string();
        assert_eq!(pair.client.sid(pair.main()).unwrap().as_str(), sid);
        let transport = match transports {
            TransportOrder::Polling => Transport::Polling,
            _ => Transport::WebSocket,
        };
        assert_eq!(pair.client.transport(), Some(transport));
        assert!(pair.client.max_payload().is_some());
        let auth = pair.server.handshake(socket).unwrap().auth.unwrap();
        assert_eq!(auth.as_str(), r#"{"token":1}"#);
    }
}

#[test]
fn nothing_happens_before_it_is_wanted() {
    let mut pair = Pair::new();
    pair.wait(100 * SECOND);
    assert_eq!(pair.client_texts(), NOTHING);
    assert_eq!(pair.client.poll_timeout(), None);
}

#[test]
fn the_application_is_asked_before_every_step() {
    let mut pair = Pair::new();
    pair.answers = Answers::LeftToTheTest;
    pair.connect();
    assert_eq!(pair.client_texts(), ["attempt 0"]);
    pair.wait(100 * SECOND);
    assert_eq!(pair.client_texts(), NOTHING);
    pair.client.proceed(pair.now, crate::pair::target());
    assert_eq!(pair.client_texts(), ["opened", "joining /"]);
    pair.wait(30 * SECOND);
    assert_eq!(pair.client_texts(), NOTHING);
    pair.join(pair.main());
    assert_eq!(pair.client_texts(), NOTHING);
    let Some(sio::Event::Connect { socket, .. }) = pair.server_events.pop_front() else {
        panic!("no CONNECT");
    };
    pair.server.accept(pair.now, socket);
    assert_eq!(pair.client_texts(), ["joined /"]);
}

#[test]
fn a_refusal_brings_its_words_and_the_last_one_closes() {
    let mut pair = Pair::new();
    pair.client.add_namespace(pair.now, "/nowhere").unwrap();
    pair.answers = Answers::LeftToTheTest;
    pair.connect();
    pair.client.proceed(pair.now, crate::pair::target());
    pair.pump();
    for namespace in ["/", "/nowhere"] {
        pair.join(pair.client.namespace(namespace).unwrap());
    }
    pair.pump();
    let Some(sio::Event::Connect { socket, .. }) = pair.server_events.pop_front() else {
        panic!("no CONNECT");
    };
    let packet = pair.encoder.connect_error("/", "not you", Some(&[1, 2])).unwrap();
    pair.server.refuse(pair.now, socket, &packet);
    pair.pump();
    let refusals = pair.client_events.iter().filter_map(|event| match event {
        Event::Refused {
            error: JoinError::Refused { message, data },
            ..
        } => Some((
            message.clone(),
            data.as_ref().map(|data| data.as_str().to_owned()),
        )),
        _ => None,
    });
    assert_eq!(
        refusals.collect::<Vec<_>>(),
        [
            ("Invalid namespace".to_owned(), None),
            ("not you".to_owned(), Some("[1,2]".to_owned())),
        ]
    );
    let texts = pair.client_texts();
    assert_eq!(texts.last().unwrap(), "closed: forced close");
    pair.wait(100 * SECOND);
    assert_eq!(pair.client_texts(), NOTHING);
}

#[test]
fn a_refusal_of_one_leaves_the_others_joined_and_can_be_asked_again() {
    let mut pair = Pair::new();
    let nowhere = pair.client.add_namespace(pair.now, "/nowhere").unwrap();
    pair.connect();
    assert!(pair.client.is_joined(pair.main()));
    assert!(
        pair.client_texts()
            .contains(&"refused /nowhere: Invalid namespace".to_owned())
    );
    pair.server.add_namespace("/nowhere").unwrap();
    pair.client.enter(pair.now, nowhere);
    assert_eq!(pair.client_texts(), ["joining /nowhere", "joined /nowhere"]);
}

#[test]
fn refusals_are_read_as_old_and_odd_servers_write_them() {
    for (payload, message, data) in [
        (r#"{"message":"no"}"#, "no", None),
        (r#"{"message":"no","data":{"a":1.0}}"#, "no", Some(r#"{"a":1.0}"#)),
        (r#"{"message":"no","data":null}"#, "no", None),
        (r#""old""#, "old", None),
        (r#"{"other":1}"#, r#"{"other":1}"#, None),
        (r#""\ud800""#, r#""\ud800""#, None),
    ] {
        let mut raw = Raw::joining();
        raw.send_packet(&format!("4{payload}"));
        let refused = raw.client_events.iter().find_map(|event| match event {
            Event::Refused {
                error: JoinError::Refused { message, data },
                ..
            } => Some((message.as_str(), data.as_ref().map(|data| data.as_str()))),
            _ => None,
        });
        assert_eq!(refused, Some((message, data)), "{payload}");
    }
}

#[test]
fn a_server_of_socket_io_2_is_named() {
    for packet in ["0", r#"0{"sid":""}"#, r#"0{"sid":1}"#, "0{}"] {
        let mut raw = Raw::joining();
        raw.send_packet(packet);
        let texts = raw.client_texts();
        assert!(
            texts[0].starts_with("refused /: the server speaks Socket.IO 2"),
            "{packet} {texts:?}"
        );
        assert_eq!(texts[1..], ["closed: forced close"], "{packet}");
    }
}

#[test]
fn a_server_of_socket_io_2_speaks_before_it_is_asked() {
    let mut raw = Raw::unconnected(|_| {});
    raw.answers = Answers::LeftToTheTest;
    raw.client.connect(raw.now);
    raw.run();
    raw.client.proceed(raw.now, crate::pair::target());
    assert_eq!(raw.received(), NOTHING);
    raw.client_events.clear();
    raw.send_packet("0");
    let texts = raw.client_texts();
    assert!(
        texts[0].starts_with("refused /: the server speaks Socket.IO 2"),
        "{texts:?}"
    );
}

#[test]
fn events_before_the_answer_are_told_after_joining_in_order() {
    let mut raw = Raw::joining();
    raw.send_packet(r#"2["one",1]"#);
    raw.send_packet(r#"51-7["two",{"_placeholder":true,"num":0}]"#);
    raw.send(socketio_core::eio::Message::Binary(vec![1, 2].into()));
    assert_eq!(raw.client_texts(), NOTHING);
    raw.send_packet(r#"0{"sid":"abc"}"#);
    raw.send_packet(r#"2["three"]"#);
    assert_eq!(
        raw.client_texts(),
        [
            "joined /",
            r#"event / "one" (1) 0"#,
            r#"event / 7"two" ({"_placeholder":true,"num":0}) 1"#,
            r#"event / "three" () 0"#,
        ]
    );
}

#[test]
fn only_so_many_events_are_held() {
    let mut raw = Raw::joining();
    for _ in 0..1_024 {
        raw.send_packet(r#"2["a"]"#);
    }
    assert_eq!(raw.client_texts(), NOTHING);
    raw.send_packet(r#"2["a"]"#);
    assert_eq!(
        raw.client_texts(),
        ["failed Some(0): parse error", "closed: parse error"]
    );

    let mut raw = Raw::joining_with(|config| config.engine.limits.queued_bytes = 1_000);
    raw.send_packet(&format!(r#"2["a","{}"]"#, "x".repeat(900)));
    assert_eq!(raw.client_texts(), NOTHING);
    raw.send_packet(&format!(r#"2["a","{}"]"#, "x".repeat(100)));
    assert_eq!(
        raw.client_texts(),
        ["failed Some(0): parse error", "closed: parse error"]
    );
}

#[test]
fn a_server_that_does_not_answer_fails_the_attempt() {
    let mut raw = Raw::joining_with(|config| config.reconnection.initial = Initial::Retry);
    raw.wait(20 * SECOND - SECOND / 1_000);
    assert_eq!(raw.client_texts(), NOTHING);
    raw.wait(SECOND / 1_000);
    assert_eq!(raw.client_texts(), ["failed Some(0): timeout", "reconnecting 1"]);
    raw.wait(2 * SECOND);
    assert_eq!(raw.client_texts(), ["attempt 1", "opened", "joining /"]);

    let mut raw = Raw::joining();
    raw.wait(20 * SECOND);
    assert_eq!(raw.client_texts(), ["failed Some(0): timeout", "closed: timeout"]);
}

#[test]
fn a_namespace_that_is_not_answered_does_not_end_the_others() {
    let mut raw = Raw::joined_main();
    let slow = raw.client.add_namespace(raw.now, "/slow").unwrap();
    assert_eq!(raw.received(), [r#"0/slow,{"token":1}"#]);
    raw.wait(20 * SECOND);
    let texts = raw.client_texts();
    assert_eq!(texts[0], "joining /slow");
    assert!(
        texts[1].starts_with("refused /slow: the server did not answer"),
        "{texts:?}"
    );
    assert_eq!(texts.len(), 2);
    // An answer that comes late is turned down, because the server takes the client for joined.
    raw.send_packet(r#"0/slow,{"sid":"late"}"#);
    assert_eq!(raw.received(), ["1/slow,"]);
    assert_eq!(raw.client_texts(), NOTHING);
    raw.client.enter(raw.now, slow);
    assert_eq!(raw.received(), [r#"0/slow,{"token":1}"#]);
}

#[test]
fn a_namespace_can_be_added_at_any_time() {
    let mut pair = Pair::joined();
    let chat = pair.client.add_namespace(pair.now, "/chat").unwrap();
    assert_eq!(pair.client_texts(), ["joining /chat", "joined /chat"]);
    assert!(pair.client.is_joined(chat));
    assert_eq!(
        pair.client.add_namespace(pair.now, "/chat"),
        Err(sio::NamespaceError::Duplicate)
    );
    for name in ["", "chat", "/a,b", "/\n"] {
        assert_eq!(
            pair.client.add_namespace(pair.now, name),
            Err(sio::NamespaceError::InvalidName)
        );
    }
}

#[test]
fn a_dial_that_fails_or_is_never_answered_is_an_attempt_that_failed() {
    let mut pair = Pair::new();
    pair.network = Network::Down;
    pair.connect();
    assert_eq!(
        pair.client_texts(),
        [
            "attempt 0",
            "failed Some(0): transport error",
            "closed: transport error"
        ]
    );

    let mut pair = Pair::new();
    pair.network = Network::Silent;
    pair.connect();
    pair.wait(20 * SECOND);
    assert_eq!(
        pair.client_texts(),
        ["attempt 0", "failed Some(0): timeout", "closed: timeout"]
    );
}
