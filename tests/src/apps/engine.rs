//! The server that the official Engine.IO suite needs, if it is hurried.

use std::time::Duration;

use socketio_driver::bare::EngineServer;

use super::Pace;
use super::suite::any_origin;

/// Every message comes back.
pub fn server(pace: Pace) -> EngineServer {
    EngineServer::builder()
        .configure(move |config| {
            if pace == Pace::Hurried {
                config.ping_interval = Duration::from_millis(300);
                config.ping_timeout = Duration::from_millis(200);
            }
            config.cors = Some(any_origin());
        })
        // A client that is gone needs no echo.
        .on_message(|session, message| drop(session.send(&message)))
        .build()
}
