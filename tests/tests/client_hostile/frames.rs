//! WebSocket frames that a server must not send.

use socketio_tests::live::{ScriptedConnection, frame};

use crate::sessions::joined;
use crate::support::{Attack, BAD_RESPONSE, websocket};

/// The same text message so many times.
pub(crate) fn many(message: &str, count: usize) -> Vec<u8> {
    frame(1, message.as_bytes()).repeat(count)
}

fn after_joining(
    bytes: impl AsRef<[u8]> + Send + Sync + 'static,
) -> impl Fn(&mut ScriptedConnection) + Send + Sync + 'static {
    joined(move |client| {
        client.send(&bytes);
        client.wait_for_end();
    })
}

pub(crate) fn attacks() -> Vec<Attack> {
    let bad = |name, bytes: &'static [u8]| websocket(name, after_joining(bytes), BAD_RESPONSE);
    vec![
        bad("a mask", &[0x81, 0x81, 1, 2, 3, 4, b'2' ^ 1]),
        bad("a reserved bit", &[0xc1, 1, b'2']),
        bad("a reserved opcode", &[0x83, 1, b'2']),
        bad("a length that is longer than need be", &[0x81, 126, 0, 1, b'2']),
        bad(
            "a length with the top bit",
            &[0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 1],
        ),
        bad("a terabyte", &[0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0]),
        bad("a ping in parts", &[0x09, 0]),
        bad("a ping of 126 bytes", &[0x89, 126, 0, 126]),
        bad("a continuation of nothing", &[0x80, 1, b'2']),
        bad("a message within another", &[0x01, 1, b'4', 0x81, 1, b'2']),
        bad("text that is none", &[0x81, 3, b'4', 0xff, 0xfe]),
        bad("a close frame of one byte", &[0x88, 1, 3]),
    ]
}
