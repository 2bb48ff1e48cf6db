//! Socket.IO on top of the Engine.IO clients: joining `/`, and events that need no JSON library to read.

use super::{Polling, WebSocketClient};
use crate::testbed::Target;

/// Opens a WebSocket session and joins `/`; returns the id of the socket.
#[track_caller]
pub fn join_main(target: &Target) -> (WebSocketClient, String) {
    let (mut socket, _) = WebSocketClient::open_session(target);
    socket.send("40");
    let id = socket_id(&socket.text(), "40");
    if target.app.is_suite() {
        socket.expect_text(r#"42["auth",{}]"#);
    }
    (socket, id)
}

/// Opens a polling session and joins `/`.
#[track_caller]
pub fn join_main_by_polling(target: &Target) -> Polling {
    let mut session = Polling::open(target);
    join_by_polling(&mut session);
    session
}

/// Joins `/` on a polling session.
#[track_caller]
pub fn join_by_polling(session: &mut Polling) {
    session.deliver("40");
    let greetings = if session.target().app.is_suite() { 2 } else { 1 };
    let packets = session.collect(greetings);
    socket_id(&packets[0], "40");
    assert_eq!(
        packets.len(),
        greetings,
        "unexpected packets after joining: {packets:?}"
    );
}

/// Reads the id out of a CONNECT reply that must be `prefix` and `{"sid":"..."}`, nothing else.
#[track_caller]
pub fn socket_id(packet: &str, prefix: &str) -> String {
    let id = packet
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix(r#"{"sid":""#))
        .and_then(|rest| rest.strip_suffix(r#""}"#))
        .unwrap_or_else(|| panic!("not a CONNECT reply with prefix {prefix:?}: {packet:?}"));
    assert!(!id.is_empty() && !id.contains('"'), "bad socket id in {packet:?}");
    id.to_owned()
}
