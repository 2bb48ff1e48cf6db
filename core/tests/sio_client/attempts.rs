//! Losing the connection, coming back, and giving up.

use crate::pair::{Answers, NOTHING, Network, Pair, SECOND};
use crate::raw::Raw;
use socketio_core::eio;
use socketio_core::eio::client::CloseReason;
use socketio_core::http::{Response, StatusCode};
use socketio_core::sio::client::{Attempts, Event, Initial, Offline, Reason};
use std::time::Duration;

/// The delays that were announced.
fn delays(pair: &Pair) -> Vec<(u32, Duration)> {
    let delays = pair.client_events.iter().filter_map(|event| match event {
        Event::Reconnecting { attempt, delay } => Some((*attempt, *delay)),
        _ => None,
    });
    delays.collect()
}

#[test]
fn a_lost_connection_is_made_again() {
    let mut pair = Pair::joined();
    let before = pair.client.sid(pair.main()).unwrap().clone();
    pair.lose_all();
    assert_eq!(
        pair.client_texts(),
        [
            "left /: transport error, Later",
            "failed None: transport error",
            "reconnecting 1"
        ]
    );
    assert_eq!(pair.client.sid(pair.main()), None);
    pair.wait(SECOND / 2 - SECOND / 1_000);
    assert_eq!(pair.client_texts(), NOTHING);
    pair.wait(SECOND + SECOND / 1_000);
    assert_eq!(
        pair.client_texts(),
        ["attempt 1", "opened", "joining /", "joined /"]
    );
    assert_ne!(pair.client.sid(pair.main()), Some(&before));
}

#[test]
fn delays_grow_as_documented_and_begin_anew_after_joining() {
    let mut pair = Pair::joined();
    for _ in 0..2 {
        pair.network = Network::Down;
        pair.lose_all();
        pair.wait(60 * SECOND);
        let delays = delays(&pair);
        pair.client_events.clear();
        assert!(delays.len() > 10);
        let bounds = [(500, 1_500), (1_000, 3_000), (2_000, 5_000), (2_500, 5_000)];
        for (index, (attempt, delay)) in delays.iter().enumerate() {
            let (least, most) = bounds[index.min(3)];
            assert_eq!(*attempt as usize, index + 1);
            assert!((least..=most).contains(&delay.as_millis()), "{attempt} {delay:?}");
        }
        pair.network = Network::Up;
        pair.wait(5 * SECOND);
        assert_eq!(pair.client_texts().last().unwrap(), "joined /");
    }
}

#[test]
fn the_delay_is_the_time_until_the_attempt() {
    let mut pair = Pair::joined();
    pair.network = Network::Down;
    pair.lose_all();
    pair.pump();
    for _ in 0..8 {
        let (_, delay) = *delays(&pair).last().unwrap();
        pair.client_events.clear();
        assert_eq!(pair.client.poll_timeout(), Some(pair.now + delay));
        pair.wait(delay - Duration::from_nanos(1));
        assert_eq!(pair.client_texts(), NOTHING);
        pair.wait(Duration::from_nanos(1));
        assert!(matches!(pair.client_events.front(), Some(Event::Attempt { .. })));
    }
}

#[test]
fn an_opened_session_alone_does_not_reset_the_count() {
    let mut raw = Raw::unconnected(|config| config.reconnection.initial = Initial::Retry);
    raw.client.connect(raw.now);
    for attempt in 0..4 {
        raw.run();
        raw.lose_all();
        let texts = raw.client_texts();
        let expected = [
            format!("attempt {attempt}"),
            "opened".to_owned(),
            "joining /".to_owned(),
            format!("failed Some({attempt}): transport error"),
            format!("reconnecting {}", attempt + 1),
        ];
        assert_eq!(texts, expected);
        raw.wait(5 * SECOND);
    }
}

#[test]
fn the_first_connection_is_tried_once_or_again_as_configured() {
    for initial in [Initial::GiveUp, Initial::Retry] {
        let mut pair = Pair::with(|config| config.reconnection.initial = initial);
        pair.network = Network::Down;
        pair.connect();
        let last = match initial {
            Initial::GiveUp => "closed: transport error",
            Initial::Retry => "reconnecting 1",
        };
        assert_eq!(
            pair.client_texts(),
            ["attempt 0", "failed Some(0): transport error", last]
        );
        // Asked for again it is the first again.
        pair.network = Network::Up;
        pair.connect();
        let attempt = u32::from(initial == Initial::Retry);
        let texts = pair.client_texts();
        assert_eq!(texts[0], format!("attempt {attempt}"));
        assert_eq!(texts.last().unwrap(), "joined /");
    }
}

#[test]
fn attempts_run_out() {
    for limit in [0, 1, 3] {
        let mut pair = Pair::joined_with(|config| config.reconnection.attempts = Attempts::AtMost(limit));
        pair.network = Network::Down;
        pair.lose_all();
        pair.wait(100 * SECOND);
        let rejoins = if limit == 0 { "Never" } else { "Later" };
        let mut expected = vec![format!("left /: transport error, {rejoins}")];
        expected.push("failed None: transport error".to_owned());
        for attempt in 1..=limit {
            expected.push(format!("reconnecting {attempt}"));
            expected.push(format!("attempt {attempt}"));
            expected.push(format!("failed Some({attempt}): transport error"));
        }
        expected.push("closed: transport error".to_owned());
        assert_eq!(pair.client_texts(), expected);
        assert_eq!(pair.client.poll_timeout(), None);
    }
}

#[test]
fn connecting_by_hand_does_not_wait() {
    let mut pair = Pair::joined();
    pair.lose_all();
    pair.pump();
    pair.client_events.clear();
    pair.connect();
    assert_eq!(
        pair.client_texts(),
        ["attempt 1", "opened", "joining /", "joined /"]
    );
    pair.connect();
    pair.wait(100 * SECOND);
    assert_eq!(pair.client_texts(), NOTHING);
}

#[test]
fn an_attempt_without_a_target_has_failed() {
    let mut pair = Pair::with(|config| config.reconnection.initial = Initial::Retry);
    pair.answers = Answers::LeftToTheTest;
    pair.connect();
    pair.client.abandon(pair.now);
    assert_eq!(
        pair.client_texts(),
        ["attempt 0", "failed Some(0): transport error", "reconnecting 1"]
    );
    // Neither answer means anything now.
    pair.client.abandon(pair.now);
    pair.client.proceed(pair.now, crate::pair::target());
    assert_eq!(pair.client_texts(), NOTHING);
    pair.wait(2 * SECOND);
    assert_eq!(pair.client_texts(), ["attempt 1"]);
}

#[test]
fn the_reason_and_the_detail_come_from_below() {
    let mut raw = Raw::unconnected(|config| config.engine.path = "/elsewhere/".to_owned());
    raw.client.connect(raw.now);
    raw.run();
    let Some(eio::Event::Request { request, .. }) = raw.server_events.pop_front() else {
        panic!("no request");
    };
    let response = Response::new(StatusCode::NOT_FOUND).with_body("text/plain", "nothing here");
    raw.server.respond(raw.now, request, response);
    raw.run();
    let failed = raw.client_events.iter().find_map(|event| match event {
        Event::Failed { reason, detail, .. } => Some((*reason, detail.clone().unwrap().as_str().to_owned())),
        _ => None,
    });
    let reason = Reason::Engine(CloseReason::Refused(StatusCode::NOT_FOUND));
    assert_eq!(failed, Some((reason, "nothing here".to_owned())));
}

#[test]
fn a_silent_server_is_left_after_its_heartbeat_even_if_no_timer_fired_meanwhile() {
    let mut raw = Raw::joined_main();
    let interval = 100_000 * SECOND;
    raw.now += interval + 21 * SECOND;
    let packet = raw.encode("/", "late", &());
    let main = raw.main();
    let outcome = raw.client.emit(raw.now, main, &packet, Default::default());
    assert!(outcome.is_err());
    assert_eq!(raw.texts(), NOTHING);
    let texts = raw.client_texts();
    assert_eq!(
        texts[..3],
        [
            "left /: ping timeout, Later",
            "failed None: ping timeout",
            "reconnecting 1"
        ]
    );
}

#[test]
fn ten_losses_during_traffic_lose_no_buffered_emit_and_end_every_ack_once() {
    let mut pair = Pair::joined_with(|config| {
        config.offline = Offline::Buffer {
            packets: 1_000,
            bytes: 1_000_000,
        };
    });
    let mut asked = Vec::new();
    let mut ended = Vec::new();
    let mut buffered = Vec::new();
    let mut arrived = Vec::new();
    let mut number = 0;
    for round in 0..10 {
        for _ in 0..5 {
            number += 1;
            asked.push(pair.emit_with_ack("/", "online", &number, 10 * SECOND).unwrap());
            if number % 2 == 0 {
                pair.acknowledge_all();
            }
        }
        if round % 2 == 0 {
            pair.restart_server(round + 20);
        } else {
            pair.server_events.clear();
            pair.lose_all();
        }
        for _ in 0..7 {
            number += 1;
            pair.emit("/", "offline", &number).unwrap();
            buffered.push(format!("\"offline\" ({number}) 0"));
            number += 1;
            asked.push(pair.emit_with_ack("/", "offline", &number, 10 * SECOND).unwrap());
        }
        pair.wait(5 * SECOND);
        assert!(pair.client.is_joined(pair.main()));
        for event in &pair.server_events {
            if let socketio_core::sio::Event::Event {
                name, arguments, ack, ..
            } = event
                && name == "offline"
                && ack.is_none()
            {
                arrived.push(format!("\"offline\" ({}) 0", arguments.text()));
            }
        }
        assert_eq!(pair.acknowledge_all(), 7);
        for event in pair.client_events.drain(..) {
            if let Event::Acked { ack, .. } = event {
                ended.push(ack);
            }
        }
    }
    assert_eq!(arrived, buffered);
    assert_eq!(pair.client.pending_acks(), 0);
    assert_eq!(ended.len(), asked.len());
    ended.sort_unstable();
    asked.sort_unstable();
    assert_eq!(ended, asked);
}
