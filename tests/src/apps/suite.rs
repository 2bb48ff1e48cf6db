//! The server that the official Socket.IO suite needs, if it is hurried.

use std::time::Duration;

use serde_json::{Map, Value};
use socketio_driver::http::{Cors, CorsOrigin};
use socketio_driver::router::Kind;
use socketio_driver::{Arguments, Auth, Error, Reply, ServerBuilder, Socket};

use super::Pace;

/// Sends a client its auth back.
fn emit_auth(socket: Socket, Auth(auth): Auth<Option<Map<String, Value>>>) -> Result<(), Error> {
    socket.emit("auth", &auth.unwrap_or_default())
}

/// Cross-origin headers for any origin.
pub fn any_origin() -> Cors {
    Cors::builder(CorsOrigin::Any)
        .build()
        .expect("no credentials are allowed")
}

/// Namespaces `/` and `/custom`, echoes on `/`.
pub fn server<K: Kind>(pace: Pace) -> K::Server {
    let builder = ServerBuilder::<K>::new();
    let builder = match pace {
        Pace::Patient => builder,
        Pace::Hurried => builder
            .ping_interval(Duration::from_millis(300))
            .ping_timeout(Duration::from_millis(200))
            .connect_timeout(Duration::from_secs(1)),
    };
    builder
        .cors(any_origin())
        .on_connect(emit_auth)
        .on("message", |socket: Socket, arguments: Arguments| {
            socket.emit("message-back", &arguments)
        })
        .on("message-with-ack", |arguments: Arguments| Reply(arguments))
        .namespace("/custom", |custom| custom.on_connect(emit_auth))
        .build()
}
