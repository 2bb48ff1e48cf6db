//! The Engine.IO server against raw bytes: real wires, a real server, a clock the test owns.

mod closing;
mod handshake;
mod heartbeat;
mod hosted;
mod http;
mod limits;
mod pair;
mod polling;
mod properties;
mod ready;
mod refusals;
mod requests;
mod shutdown;
mod upgrade;
mod websocket;
