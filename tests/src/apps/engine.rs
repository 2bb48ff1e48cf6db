//! The server that the official Engine.IO suite needs.

use std::time::Duration;

use socketio_driver::bare::EngineServer;

use super::suite::any_origin;

/// Heartbeats of 300/200 ms, every message comes back.
pub fn server() -> EngineServer {
    EngineServer::builder()
        .configure(|config| {
            config.ping_interval = Duration::from_millis(300);
            config.ping_timeout = Duration::from_millis(200);
            config.cors = Some(any_origin());
        })
        // A client that is gone needs no echo.
        .on_message(|session, message| drop(session.send(&message)))
        .build()
}
