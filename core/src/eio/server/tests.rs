use super::*;
use crate::wire::Plain;
use std::time::Instant;

#[allow(clippy::disallowed_methods)] // The one reading of the clock, from which a test counts.
fn server() -> (Server, Instant) {
    let now = Instant::now();
    (Server::new(Config::default(), [7; 32], now), now)
}

fn ask(server: &mut Server, now: Instant, target: &str) -> ConnId {
    let connection = server.open(now, Peer::Unknown);
    let head = RequestHead::from_parts("GET", target, []).expect("a head");
    let mut wire = Wire::hosted(server.config().wire(), Plain, head);
    while let Some(item) = wire.poll_item() {
        server.handle_item(now, connection, item);
    }
    connection
}

#[test]
fn a_thousand_sessions_that_came_and_went_leave_the_tables_empty() {
    let (mut server, now) = server();
    let polling = "/engine.io/?EIO=4&transport=polling";
    for _ in 0..1_000 {
        let connection = ask(&mut server, now, polling);
        let session = SessionId(server.sessions.keys()[0]);
        let sid = server.sid(session).expect("a session");
        let poll = ask(&mut server, now, &format!("{polling}&sid={sid}"));
        server.handle_lost(now, poll);
        server.handle_lost(now, connection);
        while server.poll_event().is_some() {}
        while server.poll_ready().is_some() {}
    }
    assert_eq!((server.session_count(), server.connection_count()), (0, 0));
    assert!(server.by_sid.is_empty());
    assert_eq!(server.poll_timeout(), None);
    assert!(server.ready.is_empty() && server.events.is_empty());
    assert!(server.by_sid.capacity() < 100);
}

#[test]
fn emptied_buffers_are_kept_as_long_as_there_are_sessions_for_them() {
    let (mut server, now) = server();
    let give_back = |server: &mut Server| {
        for _ in 0..10_000 {
            let mut buffer = OutBuf::new();
            buffer.put(&[0; 4_096]);
            buffer.clear();
            server.recycle(buffer);
        }
    };
    give_back(&mut server);
    assert_eq!(server.spares.len(), SPARES_BESIDE);
    for _ in 0..100 {
        ask(&mut server, now, "/engine.io/?EIO=4&transport=polling");
    }
    give_back(&mut server);
    assert_eq!(server.spares.len(), SPARES_BESIDE + 100 * SPARES_PER_SESSION);
    for key in server.sessions.keys() {
        server.remove_session(SessionId(key));
    }
    assert_eq!(server.spares.len(), SPARES_BESIDE);
}
