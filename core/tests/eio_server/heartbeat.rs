//! Protocol section 1.11, with a ping every 300 ms and 200 ms to answer it.

use crate::pair::{Pair, ms};
use socketio_core::eio::CloseReason;
use socketio_core::ws::OpCode;

#[test]
fn a_silent_client_is_gone_500_ms_after_its_handshake() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    pair.wait(ms(499));
    assert_eq!(pair.closed(), []);
    pair.wait(ms(1));
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);
    assert_eq!(pair.poll_now(&sid).0, 400);
}

#[test]
fn a_timer_that_fires_late_does_not_make_a_client_live_longer() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    pair.sleep_through(ms(450));
    pair.wait(ms(49));
    assert_eq!(pair.closed(), []);
    pair.wait(ms(1));
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);
    assert_eq!(pair.poll_now(&sid).0, 400);
}

#[test]
fn what_is_due_is_done_before_what_happens() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    pair.sleep_through(ms(500));
    assert_eq!(pair.poll_now(&sid).0, 400);
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);

    let (sid, session) = pair.open_polling_session();
    pair.sleep_through(ms(500));
    assert_eq!(pair.post(&sid, "3").0, 400);
    pair.server.close(pair.now, session);
    pair.settle();
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);

    let (sid, session) = pair.open_polling_session();
    let poll = pair.poll(&sid);
    pair.sleep_through(ms(500));
    pair.lose(poll);
    assert!(!pair.emit_volatile(session, "late"));
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);

    let conn = pair.open_websocket();
    pair.sleep_through(ms(500));
    pair.connect();
    pair.settle();
    assert_eq!(pair.text(conn), "2");
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);
}

#[test]
fn the_ping_goes_out_at_300_ms_and_each_pong_starts_a_full_interval() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    for _ in 0..3 {
        let poll = pair.poll(&sid);
        pair.wait(ms(299));
        assert_eq!(pair.answer(poll), None);
        pair.wait(ms(1));
        assert_eq!(pair.polled(poll), (200, "2".into()));
        pair.wait(ms(150));
        assert_eq!(pair.post(&sid, "3").0, 200);
    }
    assert_eq!(pair.closed(), []);
}

#[test]
fn the_timeout_runs_while_the_ping_still_waits_for_a_poll() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    pair.wait(ms(400));
    assert_eq!(pair.poll_now(&sid), (200, "2".into()));
    let poll = pair.poll(&sid);
    pair.wait(ms(100));
    assert_eq!(pair.polled(poll), (200, "1".into()));
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);
}

#[test]
fn another_packet_pushes_the_timeout_back_once_per_ping() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    pair.wait(ms(400));
    assert_eq!(pair.text(conn), "2");
    pair.send_text(conn, "4a");
    pair.wait(ms(150));
    pair.send_text(conn, "4b");
    pair.wait(ms(49));
    assert_eq!(pair.closed(), []);
    pair.send_text(conn, "3");
    // A new ping brings a new grace.
    pair.wait(ms(300 + 199));
    pair.send_text(conn, "4c");
    pair.wait(ms(199));
    assert_eq!(pair.closed(), []);
    pair.send_text(conn, "4d");
    pair.wait(ms(1));
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);
}

#[test]
fn frames_that_are_no_packets_push_nothing_back() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    pair.wait(ms(400));
    pair.send(conn, crate::pair::frame(OpCode::Ping, b"x"));
    pair.send(conn, crate::pair::frame(OpCode::Pong, b""));
    pair.wait(ms(100));
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);
}

#[test]
fn an_unsolicited_pong_starts_the_interval_anew() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    for _ in 0..1_000 {
        pair.wait(ms(200));
        pair.send_text(conn, "3");
    }
    assert_eq!(pair.message(conn), None);
    pair.wait(ms(300));
    assert_eq!(pair.text(conn), "2");
    assert_eq!(pair.closed(), []);
}

#[test]
fn a_websocket_that_does_not_answer_is_closed_without_a_code() {
    let mut pair = Pair::new();
    let conn = pair.open_websocket();
    pair.wait(ms(500));
    assert_eq!(pair.text(conn), "2");
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);
    pair.assert_empty();
}

#[test]
fn the_clock_never_goes_back() {
    let mut pair = Pair::new();
    let begin = pair.now;
    pair.wait(ms(10_000));
    let conn = pair.open_websocket();
    let late = pair.now;
    pair.now = begin;
    pair.send_text(conn, "3");
    pair.server.handle_timeout(begin);
    assert_eq!(pair.server.poll_timeout(), Some(late + ms(300)));
}

#[test]
fn a_ping_stays_due_across_an_upgrade() {
    let mut pair = Pair::new();
    let sid = pair.open_polling();
    pair.wait(ms(400));
    assert_eq!(pair.poll_now(&sid), (200, "2".into()));
    let conn = pair.upgrading(&sid);
    pair.send_text(conn, "2probe");
    pair.send_text(conn, "5");
    assert_eq!(pair.text(conn), "3probe");
    pair.wait(ms(100));
    assert_eq!(pair.close_code(conn), None);
    assert_eq!(pair.closed(), [CloseReason::PingTimeout]);
}
