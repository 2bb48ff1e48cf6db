//! Acknowledgements in both directions (protocol section 3.6).

use crate::client::{ClientId, Packet, Reads, text};
use crate::pair::Pair;
use core::time::Duration;
use socketio_core::sio::{AckError, AckId, AckToken, EmitError, Event, SocketId};

const SECOND: Duration = Duration::from_secs(1);
const NOTHING: [String; 0] = [];

fn emit_with_ack(pair: &mut Pair, socket: SocketId, name: &str, after: Duration) -> Result<AckId, EmitError> {
    let namespace = pair.server.namespace_of(socket).unwrap();
    let namespace = pair.server.namespace_name(namespace).unwrap().clone();
    let packet = pair.encode(namespace.as_str(), name, &());
    pair.server
        .emit_with_ack(pair.now, socket, &packet, pair.now + after)
}

fn token(pair: &mut Pair, client: ClientId, packet: &str) -> AckToken {
    pair.send(client, packet);
    match pair.event() {
        Event::Event { ack: Some(token), .. } => token,
        other => panic!("{other:?}"),
    }
}

fn outcome(event: Event) -> (AckId, Result<String, AckError>) {
    match event {
        Event::Acked { ack, outcome } => (ack, outcome.map(|arguments| arguments.text().to_owned())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_is_acknowledged_with_its_own_number() {
    for (number, expected) in [
        ("0", 0),
        ("456", 456),
        ("007", 7),
        ("9007199254740993", 9_007_199_254_740_993),
        ("18446744073709551615", u64::MAX),
    ] {
        for namespace in ["/", "/chat"] {
            let mut pair = Pair::new();
            let (client, socket) = pair.member(namespace);
            let prefix = crate::pair::prefix(namespace);
            let token = token(&mut pair, client, &format!("42{prefix}{number}[\"a\",1]"));
            assert_eq!((token.socket(), token.id()), (socket, expected));
            let packet = pair.encoder.ack(namespace, token.id(), &(1, "2")).unwrap();
            pair.server.ack(pair.now, token, &packet).unwrap();
            assert_eq!(
                pair.receive(client),
                [text(&format!("43{prefix}{expected}[1,\"2\"]"))]
            );
        }
    }
}

#[test]
fn an_event_without_a_number_owes_nothing() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    pair.send(client, "42[\"a\"]");
    assert!(matches!(pair.event(), Event::Event { ack: None, .. }));
}

#[test]
fn acknowledging_a_client_that_is_gone_is_an_error_and_reaches_nobody() {
    let mut pair = Pair::new();
    let (client, _) = pair.member("/");
    let token = token(&mut pair, client, "421[\"a\"]");
    pair.send(client, "41");
    pair.join(client, "/");
    pair.receive(client);
    let packet = pair.encoder.ack("/", token.id(), &()).unwrap();
    assert_eq!(
        pair.server.ack(pair.now, token, &packet),
        Err(EmitError::Disconnected)
    );
    assert_eq!(pair.receive(client), [] as [Packet; 0]);
}

#[test]
fn a_clients_acknowledgement_comes_with_its_arguments_once() {
    let mut pair = Pair::new();
    let (client, socket) = pair.member("/");
    let ack = emit_with_ack(&mut pair, socket, "a", SECOND).unwrap();
    assert_eq!(pair.receive(client), [text("420[\"a\"]")]);
    assert_eq!(pair.server.counts().acks, 1);
    pair.send(client, "430[1,\"two\",[3]]");
    assert_eq!(outcome(pair.event()), (ack, Ok("1,\"two\",[3]".to_owned())));
    assert_eq!(pair.server.counts().acks, 0);
    pair.send(client, "430[\"again\"]");
    pair.wait(2 * SECOND);
    assert_eq!(pair.texts(), NOTHING);
}

#[test]
fn numbers_count_up_per_namespace_and_are_read_with_leading_zeros() {
    let mut pair = Pair::new();
    let (first, one) = pair.member("/");
    let (second, two) = pair.member("/");
    let chat = pair.join(second, "/chat");
    pair.receive(second);
    let acks = [one, two, chat, one].map(|socket| emit_with_ack(&mut pair, socket, "a", SECOND).unwrap());
    assert_eq!(pair.receive(first), [text("420[\"a\"]"), text("422[\"a\"]")]);
    assert_eq!(
        pair.receive(second),
        [text("421[\"a\"]"), text("42/chat,0[\"a\"]")]
    );
    pair.send(first, "430002[]");
    pair.send(second, "43/chat,00[]");
    let got = pair.events().into_iter().map(outcome).collect::<Vec<_>>();
    assert_eq!(got, [(acks[3], Ok(String::new())), (acks[2], Ok(String::new()))]);
}

#[test]
fn nobody_answers_for_another_socket() {
    let mut pair = Pair::new();
    let (first, socket) = pair.member("/");
    let (second, _) = pair.member("/");
    pair.join(first, "/chat");
    let ack = emit_with_ack(&mut pair, socket, "a", SECOND).unwrap();
    pair.send(second, "430[\"forged\"]");
    pair.send(first, "43/chat,0[\"other namespace\"]");
    pair.send(first, "431[\"unknown\"]");
    pair.send(first, "4318446744073709551615[]");
    assert_eq!(pair.texts(), NOTHING);
    pair.send(first, "430[\"true\"]");
    assert_eq!(outcome(pair.event()), (ack, Ok("\"true\"".to_owned())));
}

#[test]
fn it_times_out_to_the_millisecond_and_a_late_answer_is_ignored() {
    let mut pair = Pair::new();
    let (client, socket) = pair.member("/");
    let late = emit_with_ack(&mut pair, socket, "late", Duration::from_millis(1_500)).unwrap();
    let early = emit_with_ack(&mut pair, socket, "early", Duration::from_millis(300)).unwrap();
    assert_eq!(
        pair.server.poll_timeout(),
        Some(pair.now + Duration::from_millis(300))
    );
    pair.wait(Duration::from_millis(299));
    assert_eq!(pair.texts(), NOTHING);
    pair.wait(Duration::from_millis(1));
    assert_eq!(outcome(pair.event()), (early, Err(AckError::TimedOut)));
    pair.wait(Duration::from_millis(1_199));
    pair.send(client, "431[]");
    assert_eq!(pair.texts(), NOTHING);
    pair.wait(Duration::from_millis(1));
    assert_eq!(outcome(pair.event()), (late, Err(AckError::TimedOut)));
    pair.send(client, "430[]");
    assert_eq!(pair.texts(), NOTHING);
    assert_eq!(pair.server.counts().acks, 0);
}

#[test]
fn an_answer_that_meets_the_deadline_exactly_is_late_whoever_wakes_first() {
    let mut pair = Pair::new();
    let (client, socket) = pair.member("/");
    let ack = emit_with_ack(&mut pair, socket, "a", SECOND).unwrap();
    pair.now += SECOND;
    pair.send(client, "430[]");
    assert_eq!(outcome(pair.event()), (ack, Err(AckError::TimedOut)));
    assert_eq!(pair.texts(), NOTHING);
}

#[test]
fn a_late_wake_tells_the_same_as_a_timely_one() {
    for timely in [true, false] {
        let mut pair = Pair::with(|config| {
            config.engine.ping_interval = 10 * SECOND;
            config.engine.ping_timeout = 10 * SECOND;
        });
        let (_, socket) = pair.member("/");
        emit_with_ack(&mut pair, socket, "before", 15 * SECOND).unwrap();
        emit_with_ack(&mut pair, socket, "after", 25 * SECOND).unwrap();
        if timely {
            pair.wait(60 * SECOND);
        } else {
            pair.now += 60 * SECOND;
            pair.server.handle_timeout(pair.now);
        }
        assert_eq!(
            pair.texts(),
            [
                "ack failed: operation has timed out",
                "ack failed: socket has been disconnected",
                "disconnected: ping timeout",
            ],
            "timely: {timely}"
        );
    }
}

#[test]
fn a_deadline_that_has_passed_already_times_out_at_once() {
    let mut pair = Pair::new();
    let (_, socket) = pair.member("/");
    pair.wait(SECOND);
    let packet = pair.encode("/", "a", &());
    let ack = pair
        .server
        .emit_with_ack(pair.now, socket, &packet, pair.now - SECOND)
        .unwrap();
    pair.wait(Duration::ZERO);
    assert_eq!(outcome(pair.event()), (ack, Err(AckError::TimedOut)));
}

#[test]
fn all_end_before_their_socket_does() {
    for how in ["41", "4abc", "lost", "server", "shutdown"] {
        let mut pair = Pair::new();
        let (client, socket) = pair.member("/");
        let chat = pair.join(client, "/chat");
        let (_, other) = pair.member("/");
        emit_with_ack(&mut pair, socket, "a", SECOND).unwrap();
        emit_with_ack(&mut pair, socket, "b", SECOND).unwrap();
        emit_with_ack(&mut pair, other, "c", SECOND).unwrap();
        match how {
            "lost" => pair.lose(client),
            "server" => pair.server.disconnect(pair.now, socket),
            "shutdown" => pair.server.shutdown(pair.now),
            packet => pair.send(client, packet),
        }
        let texts = pair.texts();
        let failed = "ack failed: socket has been disconnected";
        assert_eq!(texts[..2], [failed, failed], "{how}");
        assert!(texts[2].starts_with("disconnected: "), "{how}");
        let is_over = how == "shutdown";
        assert_eq!(pair.server.counts().acks, usize::from(!is_over), "{how}");
        assert_eq!(
            emit_with_ack_when_gone(&mut pair, socket),
            Err(EmitError::Disconnected)
        );
        pair.server.disconnect(pair.now, chat);
    }
}

fn emit_with_ack_when_gone(pair: &mut Pair, socket: SocketId) -> Result<AckId, EmitError> {
    let packet = pair.encode("/", "a", &());
    pair.server
        .emit_with_ack(pair.now, socket, &packet, pair.now + SECOND)
}

#[test]
fn a_forgotten_acknowledgement_has_no_event() {
    let mut pair = Pair::new();
    let (client, socket) = pair.member("/");
    let ack = emit_with_ack(&mut pair, socket, "a", SECOND).unwrap();
    pair.server.forget_ack(ack);
    assert_eq!(pair.server.counts().acks, 0);
    let next = emit_with_ack(&mut pair, socket, "b", SECOND).unwrap();
    assert_ne!(ack, next);
    pair.server.forget_ack(ack);
    assert_eq!(pair.server.counts().acks, 1);
    pair.send(client, "430[]");
    pair.send(client, "431[]");
    assert_eq!(outcome(pair.event()).0, next);
    pair.wait(2 * SECOND);
    assert_eq!(pair.texts(), NOTHING);
}

#[test]
fn a_socket_owes_only_so_many() {
    let mut pair = Pair::with(|config| config.engine.limits.pending_acks = 2);
    let (client, socket) = pair.member("/");
    let (_, other) = pair.member("/");
    emit_with_ack(&mut pair, socket, "a", SECOND).unwrap();
    emit_with_ack(&mut pair, socket, "b", SECOND).unwrap();
    assert_eq!(
        emit_with_ack(&mut pair, socket, "c", SECOND),
        Err(EmitError::TooManyAcks)
    );
    emit_with_ack(&mut pair, other, "d", SECOND).unwrap();
    pair.send(client, "430[]");
    emit_with_ack(&mut pair, socket, "e", SECOND).unwrap();
    assert_eq!(pair.server.counts().acks, 3);
}

#[test]
fn what_could_not_be_queued_owes_nothing() {
    let mut pair = Pair::with(|config| config.engine.limits.queued_bytes = 1_000);
    let (client, socket) = pair.member("/");
    pair.set_reads(client, Reads::Nothing);
    let large = "x".repeat(400_000);
    let packet = pair.encode("/", "large", &large);
    for _ in 0..2 {
        pair.server
            .emit(pair.now, socket, &packet, Default::default())
            .unwrap();
        pair.pump();
    }
    assert_eq!(
        emit_with_ack(&mut pair, socket, "a", SECOND),
        Err(EmitError::QueueFull)
    );
    assert_eq!(pair.server.counts().acks, 0);
    let texts = pair.texts();
    assert_eq!(
        texts,
        [
            "disconnected: transport error (the client does not read what is sent to it: wait for ready() before, use volatile(), or raise Limits::queued_bytes)"
        ]
    );
}

#[test]
fn the_number_stands_in_its_place_whatever_the_packet() {
    for namespace in ["/", "/chat"] {
        for (size, binary) in [
            (3, false),
            (3_000, false),
            (3, true),
            (3_000, true),
            (70_000, true),
        ] {
            let mut pair = Pair::new();
            let (client, socket) = pair.member(namespace);
            let filler = "x".repeat(size);
            let data = vec![9_u8; size];
            let packet = if binary {
                let data = bytes::Bytes::from(data.clone());
                pair.encode(namespace, "a", &(&filler, &data, &data))
            } else {
                pair.encode(namespace, "a", &filler)
            };
            let before = packet.packet();
            for number in 0..12 {
                let deadline = pair.now + SECOND;
                pair.server
                    .emit_with_ack(pair.now, socket, &packet, deadline)
                    .unwrap();
                let count = if binary { "52-" } else { "2" };
                let places = if binary {
                    r#",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#
                } else {
                    ""
                };
                let prefix = crate::pair::prefix(namespace);
                let mut expected = vec![text(&format!(
                    "4{count}{prefix}{number}[\"a\",\"{filler}\"{places}]"
                ))];
                if binary {
                    expected.extend([Packet::Binary(data.clone()), Packet::Binary(data.clone())]);
                }
                assert_eq!(pair.receive(client), expected);
            }
            assert_eq!(packet.packet(), before);
        }
    }
}

#[test]
fn a_packet_with_a_number_is_given_no_second_one() {
    let mut pair = Pair::new();
    let (client, socket) = pair.member("/");
    let packet = pair.encoder.event_with_ack("/", 5, "a", &1).unwrap();
    assert!(packet.has_ack_id());
    let asked = pair
        .server
        .emit_with_ack(pair.now, socket, &packet, pair.now + SECOND);
    assert_eq!(asked, Err(EmitError::AlreadyNumbered));
    assert_eq!(pair.server.counts().acks, 0);
    assert_eq!(pair.receive(client), []);
}
