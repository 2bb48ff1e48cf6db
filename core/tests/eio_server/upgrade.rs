//! From polling to WebSocket: protocol section 1.12, traps T1 to T5, T9.

use crate::pair::{App, Conn, Pair, WEBSOCKET, frame, ms};
use socketio_core::eio::{CloseReason, Config, Event, Message, Transport, Upgrades};
use socketio_core::wire::Item;
use socketio_core::ws::OpCode;

fn undisturbed() -> Pair {
    Pair::with(|config| {
        config.ping_interval = ms(25_000);
        config.ping_timeout = ms(20_000);
    })
}

fn probed(pair: &mut Pair, sid: &str) -> Conn {
    let conn = pair.upgrading(sid);
    pair.send_text(conn, "2probe");
    assert_eq!(pair.text(conn), "3probe");
    conn
}

fn upgraded(pair: &Pair) -> bool {
    pair.events
        .iter()
        .any(|event| matches!(event, Event::Upgraded { .. }))
}

#[test]
fn probe_noop_upgrade_and_the_websocket_carries_the_session() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = probed(&mut pair, &sid);
    assert_eq!(pair.poll_now(&sid), (200, "6".into()));
    pair.send_text(conn, "5");
    assert!(upgraded(&pair));
    pair.send_text(conn, "4hello");
    assert_eq!(pair.text(conn), "4hello");
    assert_eq!(pair.server.transport(pair.session()), Some(Transport::WebSocket));
    assert_eq!(pair.closed(), []);
}

#[test]
fn a_poll_that_waits_when_the_probe_comes_is_released() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    let conn = pair.upgrading(&sid);
    assert_eq!(pair.answer(poll), None);
    pair.send_text(conn, "2probe");
    assert_eq!(pair.polled(poll), (200, "6".into()));
}

#[test]
fn every_later_poll_is_released_within_100_ms() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    probed(&mut pair, &sid);
    assert_eq!(pair.poll_now(&sid), (200, "6".into()));
    for _ in 0..5 {
        let poll = pair.poll(&sid);
        pair.wait(ms(100));
        assert_eq!(pair.polled(poll), (200, "6".into()));
    }
}

#[test]
fn no_noop_reaches_the_websocket() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = probed(&mut pair, &sid);
    pair.poll_now(&sid);
    pair.wait(ms(1_000));
    pair.send_text(conn, "5");
    pair.wait(ms(1_000));
    assert_eq!(pair.message(conn), None);
}

#[test]
fn traffic_in_both_directions_crosses_the_switch_in_order() {
    let mut pair = undisturbed();
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    let conn = pair.upgrading(&sid);
    pair.emit(session, "1");
    assert_eq!(pair.polled(poll), (200, "41".into()));
    pair.send_text(conn, "2probe");
    assert_eq!(pair.text(conn), "3probe");
    pair.post(&sid, "4from client");
    pair.emit(session, "2");
    // Still polling: a poll takes what is queued, not a noop.
    assert_eq!(pair.poll_now(&sid), (200, "4from client\x1e42".into()));
    pair.emit(session, "3");
    pair.emit(session, "4");
    assert_eq!(pair.message(conn), None);
    pair.send(
        conn,
        [frame(OpCode::Text, b"5"), frame(OpCode::Text, b"4after")].concat(),
    );
    let texts: Vec<String> = (0..3).map(|_| pair.text(conn)).collect();
    assert_eq!(texts, ["43", "44", "4after"]);
}

#[test]
fn what_is_emitted_between_the_noops_leaves_on_the_waiting_poll() {
    let mut pair = undisturbed();
    let (sid, session) = pair.open_polling_session();
    probed(&mut pair, &sid);
    pair.poll_now(&sid);
    let poll = pair.poll(&sid);
    assert_eq!(pair.answer(poll), None);
    pair.emit(session, "now");
    assert_eq!(pair.polled(poll), (200, "4now".into()));
}

#[test]
fn a_probe_does_not_hold_up_what_a_waiting_poll_is_about_to_bring() {
    let mut pair = undisturbed();
    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    let conn = pair.upgrading(&sid);
    pair.server
        .send(
            pair.now,
            session,
            &Message::Text("a".into()),
            socketio_core::eio::Delivery::Reliable,
        )
        .unwrap();
    let (now, id) = (pair.now, pair.id(conn));
    pair.server.handle_item(now, id, Item::Ping("probe".into()));
    pair.settle();
    assert_eq!(pair.polled(poll), (200, "4a".into()));
}

#[test]
fn an_upgrade_without_a_probe_is_an_upgrade() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let poll = pair.poll(&sid);
    let conn = pair.upgrading(&sid);
    pair.send_text(conn, "5");
    assert_eq!(pair.polled(poll), (200, "6".into()));
    pair.send_text(conn, "4a");
    assert_eq!(pair.text(conn), "4a");
}

#[test]
fn a_probe_may_be_repeated() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = probed(&mut pair, &sid);
    pair.send_text(conn, "2probe");
    assert_eq!(pair.text(conn), "3probe");
    pair.send_text(conn, "5");
    assert!(upgraded(&pair));
}

#[test]
fn a_client_that_only_probes_and_never_reads_makes_nothing_grow() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = pair.upgrading(&sid);
    pair.set_window(conn, 0);
    let probes = frame(OpCode::Text, b"2probe").repeat(100_000);
    pair.send(conn, probes);
    assert!(pair.unread(conn) < 128 * 1024, "{}", pair.unread(conn));
}

#[test]
fn anything_else_on_the_probe_closes_it_and_polling_goes_on() {
    let close = frame(OpCode::Close, b"");
    for bytes in [
        frame(OpCode::Text, b"4hello"),
        frame(OpCode::Text, b"2"),
        frame(OpCode::Text, b"2prob"),
        frame(OpCode::Text, b"1"),
        frame(OpCode::Text, b"3"),
        frame(OpCode::Text, b"garbage"),
        frame(OpCode::Text, b""),
        frame(OpCode::Binary, b"5"),
        frame(OpCode::Text, b"\xff"),
        close,
    ] {
        let mut pair = undisturbed();
        let sid = pair.open_polling();
        let conn = probed(&mut pair, &sid);
        pair.send(conn, [&bytes[..], &frame(OpCode::Text, b"5")].concat());
        pair.close_code(conn);
        assert!(!upgraded(&pair));
        assert_eq!(pair.closed(), []);
        assert_eq!(pair.messages(), []);
        // Polls wait again, and another attempt may succeed.
        let poll = pair.poll(&sid);
        pair.wait(ms(1_000));
        assert_eq!(pair.answer(poll), None, "{bytes:?}");
        let conn = probed(&mut pair, &sid);
        pair.send_text(conn, "5");
        assert!(upgraded(&pair));
    }
}

#[test]
fn a_probe_that_is_lost_leaves_polling_as_it_was() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = probed(&mut pair, &sid);
    pair.poll_now(&sid);
    let poll = pair.poll(&sid);
    pair.lose(conn);
    pair.wait(ms(1_000));
    assert_eq!(pair.answer(poll), None);
    assert_eq!(pair.post(&sid, "4a").0, 200);
    assert_eq!(pair.polled(poll), (200, "4a".into()));
}

#[test]
fn an_upgrade_that_takes_too_long_is_closed_and_polling_goes_on() {
    for is_probed in [false, true] {
        let mut pair = Pair::with(|config| {
            config.upgrade_timeout = ms(200);
            config.ping_interval = ms(25_000);
        });
        let sid = pair.open_polling();
        let conn = pair.upgrading(&sid);
        if is_probed {
            pair.send_text(conn, "2probe");
            pair.text(conn);
            pair.poll_now(&sid);
        }
        pair.wait(ms(199));
        assert!(!pair.is_closed(conn));
        pair.wait(ms(1));
        assert_eq!(pair.close_code(conn), None);
        assert_eq!(pair.closed(), []);
        let conn = probed(&mut pair, &sid);
        pair.send_text(conn, "5");
        assert!(upgraded(&pair));
    }
}

#[test]
fn deadlines_of_others_survive_an_upgrade_that_took_too_long() {
    let mut pair = Pair::with(|config| config.upgrade_timeout = ms(100));
    let sid = pair.open_polling();
    pair.upgrading(&sid);
    pair.wait(ms(100));
    // Each of these needs a deadline of its own.
    let first = pair.open_websocket();
    let second = pair.open_websocket();
    pair.wait(ms(500));
    assert_eq!(pair.closed(), [CloseReason::PingTimeout; 3]);
    for conn in [first, second] {
        assert_eq!(pair.text(conn), "2");
        assert_eq!(pair.close_code(conn), None);
    }
    pair.lose_all();
    pair.assert_empty();
}

#[test]
fn a_second_websocket_is_accepted_and_closed_and_harms_nobody() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = pair.upgrading(&sid);
    let second = pair.upgrading(&sid);
    assert_eq!(pair.close_code(second), None);
    pair.send_text(conn, "2probe");
    pair.send_text(conn, "5");
    let third = pair.upgrading(&sid);
    assert_eq!(pair.close_code(third), None);
    assert_eq!(pair.text(conn), "3probe");
    pair.send_text(conn, "4a");
    assert_eq!(pair.text(conn), "4a");
}

#[test]
fn a_session_born_on_websocket_takes_no_other() {
    let mut pair = undisturbed();
    let conn = pair.websocket(WEBSOCKET);
    let sid = crate::pair::sid_of(&pair.text(conn));
    let second = pair.upgrading(&sid);
    assert_eq!(pair.close_code(second), None);
    pair.send_text(conn, "4a");
    assert_eq!(pair.text(conn), "4a");
}

#[test]
fn polling_after_the_upgrade_is_a_mismatch_and_harms_nobody() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = probed(&mut pair, &sid);
    pair.send_text(conn, "5");
    let body = "{\"code\":3,\"message\":\"Bad request\"}";
    assert_eq!(pair.poll_now(&sid), (400, body.into()));
    assert_eq!(pair.post(&sid, "4a"), (400, body.into()));
    pair.send_text(conn, "4hello");
    assert_eq!(pair.text(conn), "4hello");
}

#[test]
fn a_post_in_flight_is_cut_by_the_upgrade() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = probed(&mut pair, &sid);
    let post = pair.connect();
    let target = format!("/engine.io/?EIO=4&transport=polling&sid={sid}");
    pair.send(
        post,
        format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n4he"),
    );
    pair.send_text(conn, "5");
    assert!(pair.is_closed(post));
    assert_eq!(pair.closed(), []);
    pair.send_text(conn, "4a");
    assert_eq!(pair.messages(), [Message::Text("a".into())]);
}

#[test]
fn a_client_that_closes_during_the_upgrade_closes_the_probe() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = probed(&mut pair, &sid);
    pair.poll_now(&sid);
    let poll = pair.poll(&sid);
    assert_eq!(pair.post(&sid, "1"), (200, "ok".into()));
    assert_eq!(pair.polled(poll), (200, "6".into()));
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), [CloseReason::TransportClose]);
    pair.lose_all();
    pair.assert_empty();
}

#[test]
fn a_session_closed_here_during_the_upgrade_is_flushed_and_closed_by_it() {
    let mut pair = undisturbed();
    let (sid, session) = pair.open_polling_session();
    let conn = probed(&mut pair, &sid);
    pair.emit(session, "last");
    pair.close(session);
    assert_eq!(pair.closed(), [CloseReason::ForcedClose]);
    pair.send_text(conn, "5");
    assert_eq!(pair.text(conn), "4last");
    assert_eq!(pair.close_code(conn), None);
    assert!(!upgraded(&pair));
    assert_eq!(pair.closed(), []);
    pair.lose_all();
    pair.assert_empty();
}

#[test]
fn a_session_closed_here_may_still_begin_an_upgrade() {
    let mut pair = undisturbed();
    let (sid, session) = pair.open_polling_session();
    pair.close(session);
    let conn = probed(&mut pair, &sid);
    pair.send_text(conn, "5");
    assert_eq!(pair.close_code(conn), None);
    pair.lose_all();
    pair.assert_empty();
}

#[test]
fn a_session_that_lingers_out_closes_its_probe() {
    let mut pair = Pair::with(|config| config.upgrade_timeout = ms(60_000));
    let (sid, session) = pair.open_polling_session();
    let conn = probed(&mut pair, &sid);
    pair.close(session);
    pair.wait(ms(30_000));
    assert_eq!(pair.close_code(conn), None);
    pair.lose_all();
    pair.assert_empty();
}

#[test]
fn a_poll_lost_during_the_upgrade_ends_the_session() {
    let mut pair = undisturbed();
    let sid = pair.open_polling();
    let conn = probed(&mut pair, &sid);
    pair.poll_now(&sid);
    let poll = pair.poll(&sid);
    pair.lose(poll);
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), [CloseReason::PollLost]);
}

#[test]
fn a_server_that_refuses_upgrades_accepts_and_closes() {
    let mut pair = Pair::with(|config: &mut Config| config.upgrades = Upgrades::Refused);
    let sid = pair.open_polling();
    let conn = pair.upgrading(&sid);
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), []);
}

#[test]
fn messages_on_the_probe_before_the_upgrade_are_ignored() {
    let mut pair = undisturbed();
    pair.app = App::Silent;
    let sid = pair.open_polling();
    let conn = pair.upgrading(&sid);
    pair.send(
        conn,
        [frame(OpCode::Text, b"4a"), frame(OpCode::Text, b"4b")].concat(),
    );
    assert_eq!(pair.messages(), []);
    assert_eq!(pair.close_code(conn), None);
}
