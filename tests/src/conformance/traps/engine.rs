//! T1-T12, T14, T32, T33: sessions, polls and upgrades.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::conformance::punctuality::in_time;
use crate::conformance::{assert_error, assert_still_serves, exchange};
use crate::kit::socketio::{join_by_polling, join_main, join_main_by_polling, socket_id};
use crate::kit::{
    Close, Frame, HttpConnection, Incoming, Polling, RawWebSocket, Request, WebSocketClient, settle,
};
use crate::testbed::Target;

/// Less than the engine application's upgrade timeout of 10 s, and far more than its heartbeat on a loaded machine.
const BEFORE_UPGRADE_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn t01_every_poll_between_probe_and_upgrade_is_released(target: &Target) {
    let mut session = Polling::open(target);
    let mut socket = session.probe();
    session.get().assert_is(200, "6");
    session.get().assert_is(200, "6");
    session.get().assert_is(200, "6");
    socket.send("5");
    socket.send("40");
    socket_id(&socket.text(), "40");
}

pub(crate) fn t01_a_poll_parked_before_the_probe_is_released(target: &Target) {
    let mut session = Polling::open(target);
    session.send_get();
    settle(target);
    let mut socket = session.probe();
    session.get_response().assert_is(200, "6");
    socket.send("5");
    socket.send("40");
    socket_id(&socket.text(), "40");
}

pub(crate) fn t01_a_repeated_probe_is_answered_again(target: &Target) {
    let session = Polling::open(target);
    let mut socket = session.probe();
    socket.send("2probe");
    socket.expect_text("3probe");
    socket.send("5");
    socket.send("40");
    socket_id(&socket.text(), "40");
}

pub(crate) fn t02_a_noop_never_reaches_the_websocket(target: &Target) {
    let mut session = Polling::open(target);
    let mut socket = session.probe();
    session.get().assert_is(200, "6");
    session.send_get();
    settle(target);
    session.get_response().assert_is(200, "6");
    socket.send("5");
    socket.send("40");
    socket_id(&socket.text(), "40");
    assert_echo(&mut socket);
}

/// differs_from_js: the pending poll gets `1`, which a foreign client takes for the end of the session.
pub(crate) fn t02_a_poll_parked_at_the_switch_is_released_with_a_noop(target: &Target) {
    let mut session = Polling::open(target);
    session.send_get();
    settle(target);
    let mut socket = WebSocketClient::open(target, &session.websocket_query());
    socket.send("5");
    session.get_response().assert_is(200, "6");
    socket.send("40");
    socket_id(&socket.text(), "40");
}

pub(crate) fn t03_an_upgrade_that_never_completes_leaves_the_session_on_polling(target: &Target) {
    let mut silent = Polling::open(target);
    let mut probed = Polling::open(target);
    let started = Instant::now();
    let mut first = WebSocketClient::open(target, &silent.websocket_query());
    let mut second = probed.probe();
    assert_eq!(first.closed(), Close::Frame(None));
    assert_eq!(second.closed(), Close::Frame(None));
    let elapsed = started.elapsed();
    assert!(
        (Duration::from_millis(2_900)..Duration::from_secs(8)).contains(&elapsed),
        "closed after {elapsed:?}"
    );
    join_by_polling(&mut silent);
    join_by_polling(&mut probed);
}

pub(crate) fn t03_a_dropped_upgrade_allows_another(target: &Target) {
    let mut session = join_main_by_polling(target);
    drop(session.probe());
    settle(target);
    session.deliver(r#"42["message","on polling"]"#);
    assert_eq!(session.collect(1), [r#"42["message-back","on polling"]"#]);
    let mut socket = session.upgrade();
    assert_echo(&mut socket);
}

pub(crate) fn t03_the_heartbeat_runs_on_during_an_upgrade(target: &Target) {
    in_time(|punctuality| {
        let mut session = Polling::open(target);
        let mut socket = session.probe();
        punctuality.sent();
        let probed = Instant::now();
        assert_eq!(socket.closed(), Close::Frame(None));
        assert!(
            probed.elapsed() < BEFORE_UPGRADE_TIMEOUT,
            "closed after {:?}",
            probed.elapsed()
        );
        session.assert_gone();
    });
}

pub(crate) fn t04_data_during_an_upgrade_reaches_a_poll(target: &Target) {
    let mut session = join_main_by_polling(target);
    let mut socket = session.probe();
    session.deliver(r#"42["message","meanwhile"]"#);
    assert_eq!(session.collect(1), [r#"42["message-back","meanwhile"]"#]);
    socket.send("5");
    assert_echo(&mut socket);
}

pub(crate) fn t04_data_during_an_upgrade_waits_for_the_switch(target: &Target) {
    let mut session = join_main_by_polling(target);
    let mut socket = session.probe();
    session.deliver(r#"42["message","first"]"#);
    session.deliver(r#"42["message","second"]"#);
    socket.send("5");
    socket.expect_text(r#"42["message-back","first"]"#);
    socket.expect_text(r#"42["message-back","second"]"#);
}

pub(crate) fn t04_any_other_packet_on_the_probing_websocket_aborts_the_upgrade(target: &Target) {
    for packet in ["4hello", "2", "1", "3", "0", "6", "garbage", ""] {
        let mut session = Polling::open(target);
        let mut socket = WebSocketClient::open(target, &session.websocket_query());
        socket.send(packet);
        assert_eq!(socket.closed(), Close::Frame(None), "after {packet:?}");
        session.deliver("4on polling");
        assert_eq!(session.collect(1), ["4on polling"]);
    }
    let mut session = Polling::open(target);
    let mut socket = WebSocketClient::open(target, &session.websocket_query());
    socket.send_binary(b"hello");
    assert_eq!(socket.closed(), Close::Frame(None));
    session.deliver("4on polling");
    assert_eq!(session.collect(1), ["4on polling"]);
}

pub(crate) fn t05_a_websocket_request_without_upgrade_swallows_nothing(target: &Target) {
    let mut session = Polling::open(target);
    session.deliver("4hello");
    let query = format!("?{}", session.websocket_query());
    assert_error(&exchange(target, "GET", &query), 3);
    assert_eq!(session.poll(), ["4hello"]);
}

pub(crate) fn t05_a_websocket_handshake_without_upgrade_is_a_bad_request(target: &Target) {
    assert_error(&exchange(target, "GET", "?EIO=4&transport=websocket"), 3);
}

/// differs_from_js: never answered.
pub(crate) fn t05_a_plain_request_for_a_websocket_session_is_a_bad_request(target: &Target) {
    let (mut socket, handshake) = WebSocketClient::open_session(target);
    let sid = handshake["sid"].as_str().expect("a sid");
    assert_error(
        &exchange(target, "GET", &format!("?EIO=4&transport=websocket&sid={sid}")),
        3,
    );
    socket.send("4hello");
    socket.expect_text("4hello");
}

/// differs_from_js: the switch cancels the timer of a ping in flight.
pub(crate) fn t06_a_ping_unanswered_across_the_upgrade_still_times_out(target: &Target) {
    in_time(|punctuality| {
        let mut session = Polling::open(target);
        session.get().assert_is(200, "2");
        let pinged = Instant::now();
        let mut socket = session.upgrade();
        punctuality.sent();
        assert_eq!(socket.next_raw(), Incoming::Closed(Close::Frame(None)));
        assert!(
            pinged.elapsed() < BEFORE_UPGRADE_TIMEOUT,
            "closed after {:?}",
            pinged.elapsed()
        );
    });
}

pub(crate) fn t06_pings_go_on_after_an_upgrade(target: &Target) {
    in_time(|punctuality| {
        let session = Polling::open(target);
        let mut socket = session.upgrade();
        for _ in 0..2 {
            assert_eq!(socket.next_raw(), Incoming::Text("2".to_owned()));
            socket.send("3");
            punctuality.sent();
        }
    });
}

pub(crate) fn t06_a_packet_after_a_ping_extends_the_wait_for_its_pong(target: &Target) {
    in_time(|punctuality| {
        let (mut socket, _) = WebSocketClient::open_session(target);
        assert_eq!(socket.next_raw(), Incoming::Text("2".to_owned()));
        let pinged = Instant::now();
        sleep(Duration::from_millis(120));
        socket.send("4hello");
        punctuality.sent();
        assert_eq!(socket.next_raw(), Incoming::Text("4hello".to_owned()));
        assert_eq!(socket.next_raw(), Incoming::Closed(Close::Frame(None)));
        let elapsed = pinged.elapsed();
        assert!(
            (Duration::from_millis(300)..Duration::from_secs(5)).contains(&elapsed),
            "closed after {elapsed:?}"
        );
    });
}

pub(crate) fn t06_unsolicited_pongs_are_harmless(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    for _ in 0..100 {
        socket.send("3");
    }
    socket.send("4hello");
    socket.expect_text("4hello");
}

pub(crate) fn t07_the_pong_deadline_counts_from_the_scheduled_ping(target: &Target) {
    in_time(|punctuality| {
        let started = Instant::now();
        let mut session = Polling::open(target);
        session.get().assert_is(200, "2");
        session.send_get();
        punctuality.sent();
        session.get_response().assert_is(200, "1");
        let elapsed = started.elapsed();
        assert!(
            (Duration::from_millis(450)..Duration::from_secs(5)).contains(&elapsed),
            "closed after {elapsed:?}"
        );
        session.assert_gone();
    });
}

pub(crate) fn t08_a_cancelled_post_closes_the_session(target: &Target) {
    let mut session = Polling::open(target);
    let mut connection = HttpConnection::open(target);
    connection.send(&Request::post_head(session.url(), 10));
    connection.send_bytes(b"4hell");
    settle(target);
    drop(connection);
    settle(target);
    session.assert_gone();
}

pub(crate) fn t09_a_second_websocket_while_upgrading_is_closed(target: &Target) {
    let session = Polling::open(target);
    let mut socket = session.probe();
    let mut second = WebSocketClient::open(target, &session.websocket_query());
    assert_eq!(second.closed(), Close::Frame(None));
    socket.send("5");
    socket.send("4hello");
    socket.expect_text("4hello");
}

/// differs_from_js: accepted, and allowed to take the session over.
pub(crate) fn t09_a_second_websocket_of_a_session_born_on_websocket_is_closed(target: &Target) {
    let (mut socket, handshake) = WebSocketClient::open_session(target);
    let sid = handshake["sid"].as_str().expect("a sid");
    let mut second = WebSocketClient::open(target, &format!("EIO=4&transport=websocket&sid={sid}"));
    assert_eq!(second.next_raw(), Incoming::Closed(Close::Frame(None)));
    socket.send("4hello");
    socket.expect_text("4hello");
}

pub(crate) fn t09_a_polling_transport_asked_for_by_websocket_is_closed(target: &Target) {
    let mut socket = WebSocketClient::open(target, "EIO=4&transport=polling");
    assert_eq!(socket.closed(), Close::Frame(None));
}

pub(crate) fn t10_overlapping_polls_close_the_session(target: &Target) {
    let mut session = Polling::open(target);
    session.send_get();
    settle(target);
    let second = HttpConnection::exchange(target, &Request::get(session.url()));
    second.assert_is(400, "");
    assert_eq!(second.header("access-control-allow-origin"), Some("*"));
    session.get_response().assert_is(200, "1");
    session.assert_gone();
}

pub(crate) fn t10_overlapping_posts_close_the_session(target: &Target) {
    let mut session = Polling::open(target);
    let mut first = HttpConnection::open(target);
    first.send(&Request::post_head(session.url(), 10));
    first.send_bytes(b"4hell");
    settle(target);
    session.post("4second").assert_is(400, "");
    first.expect_end();
    session.assert_gone();
}

pub(crate) fn t11_a_batch_for_a_parked_poll_keeps_its_separators(target: &Target) {
    let mut session = Polling::open(target);
    session.send_get();
    settle(target);
    session.deliver("4first\x1e4second\x1ebAQID");
    let mut packets = session.poll_response();
    if packets.len() < 3 {
        packets.extend(session.collect(3 - packets.len()));
    }
    assert_eq!(packets, ["4first", "4second", "bAQID"]);
}

pub(crate) fn t12_binary_is_raw_on_websocket_and_base64_on_polling(target: &Target) {
    let mut session = Polling::open(target);
    session.deliver("bAAECAw==");
    let mut socket = session.upgrade();
    socket.expect_binary(&[0, 1, 2, 3]);
    socket.send_binary(&[4, 4, 0xff, 0]);
    socket.expect_binary(&[4, 4, 0xff, 0]);
}

pub(crate) fn t12_base64_text_is_binary_on_a_websocket_too(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("bAQIDBA==");
    socket.expect_binary(&[1, 2, 3, 4]);
}

pub(crate) fn t12_a_websocket_opened_with_b64_gets_base64(target: &Target) {
    let mut socket = WebSocketClient::open(target, "EIO=4&transport=websocket&b64=1");
    socket.text();
    socket.send_binary(&[1, 2, 3, 4]);
    socket.expect_text("bAQIDBA==");
}

pub(crate) fn t12_base64_is_read_leniently_and_written_canonically(target: &Target) {
    let mut session = Polling::open(target);
    session.deliver("bAQIDBA\x1eb-_8\x1eb!!AQ");
    assert_eq!(session.collect(3), ["bAQIDBA==", "b+/8=", "bAQ=="]);
}

pub(crate) fn t14_a_posted_ping_closes_the_session(target: &Target) {
    let mut session = Polling::open(target);
    session.deliver("2");
    session.assert_gone();
}

pub(crate) fn t14_posted_packets_of_no_meaning_are_ignored(target: &Target) {
    let mut session = Polling::open(target);
    for packet in ["0", "3", "5", "6"] {
        session.deliver(packet);
    }
    session.deliver("4hello");
    assert_eq!(session.poll(), ["4hello"]);
}

pub(crate) fn t14_a_close_by_the_server_answers_the_parked_poll(target: &Target) {
    let mut session = join_main_by_polling(target);
    session.send_get();
    settle(target);
    session.deliver(r#"42/custom,["not joined"]"#);
    session.get_response().assert_is(200, "1");
    session.assert_gone();
}

pub(crate) fn t14_a_close_by_the_server_waits_for_the_next_poll(target: &Target) {
    let mut session = join_main_by_polling(target);
    session.deliver(r#"42/custom,["not joined"]"#);
    session.deliver(r#"42["message","ignored"]"#);
    session.get().assert_is(200, "6\x1e1");
    session.assert_gone();
}

pub(crate) fn t14_a_close_by_the_server_lets_queued_packets_out_first(target: &Target) {
    let mut session = join_main_by_polling(target);
    session.deliver(r#"42["disconnect-me",true]"#);
    session.get().assert_is(200, "41");
    session.get().assert_is(200, "6\x1e1");
    session.assert_gone();
}

pub(crate) fn t14_a_close_by_the_server_on_websocket_flushes_then_closes(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send(r#"42["disconnect-me",true]"#);
    socket.expect_text("41");
    socket.expect_close(Close::Frame(None));
}

/// differs_from_js: ignored, so that only the heartbeat ends the session.
pub(crate) fn t14_a_close_packet_on_websocket_closes_at_once(target: &Target) {
    let (mut socket, _) = join_main(target);
    socket.send("1");
    socket.expect_close(Close::Frame(None));
}

pub(crate) fn t32_empty_binary_messages_are_legal(target: &Target) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send_binary(&[]);
    socket.expect_binary(&[]);
    let mut session = Polling::open(target);
    session.deliver("b\x1e4");
    assert_eq!(session.collect(2), ["b", "4"]);
}

pub(crate) fn t33_a_client_close_is_answered_with_its_own_code(target: &Target) {
    for code in [1000_u16, 1001, 4321] {
        let mut socket = RawWebSocket::open_session(target);
        socket.send(&Frame::new(8, code.to_be_bytes()));
        socket.expect_close(Some(code));
    }
    let mut socket = RawWebSocket::open_session(target);
    socket.send(&Frame::new(8, []));
    socket.expect_close(None);
    assert_still_serves(target);
}

#[track_caller]
fn assert_echo(socket: &mut WebSocketClient) {
    socket.send("40/custom,");
    socket_id(&socket.text(), "40/custom,");
}
