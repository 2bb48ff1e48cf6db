//! The client's wire against bytes of a server, and against other implementations of WebSocket.

mod support;

mod hostile;
mod polling;
mod segments;
mod websocket;
