//! What a server sends to a client on a WebSocket before anything else.

use socketio_core::ws;

/// An unmasked text frame of less than 126 bytes, as servers send it.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    [&[0x81, text.len() as u8], text.as_bytes()].concat()
}

/// Accepts the WebSocket that `request` asks for, and opens a session of Engine.IO on it.
pub(crate) fn accept(request: &[u8]) -> Vec<u8> {
    let request = core::str::from_utf8(request).unwrap();
    let (_, rest) = request.split_once("Sec-WebSocket-Key: ").unwrap();
    let accept = ws::accept_key(rest.split("\r\n").next().unwrap().as_bytes());
    let accept = core::str::from_utf8(&accept).unwrap();
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let open = frame(r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#);
    [response.into_bytes(), open].concat()
}
