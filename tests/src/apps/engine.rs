//! The server that the official Engine.IO suite needs.

use socketio_driver::bare::EngineServer;

use super::Heartbeat;
use super::suite::any_origin;

/// Every message comes back.
pub fn server(heartbeat: Heartbeat) -> EngineServer {
    EngineServer::builder()
        .configure(move |config| {
            config.ping_interval = heartbeat.interval;
            config.ping_timeout = heartbeat.timeout;
            config.cors = Some(any_origin());
        })
        // A client that is gone needs no echo.
        .on_message(|session, message| drop(session.send(&message)))
        .build()
}
