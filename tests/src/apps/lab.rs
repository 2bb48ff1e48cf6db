//! What the traps of the protocol need and the official suites do not offer; the contract is in
//! [`conformance`](crate::conformance).

use std::time::Duration;

use serde_json::json;
use socketio_driver::{Arg, Arguments, Error, Handshake, Reason, Refusal, Reply, ServerBuilder, Socket};

use super::calls::{CallingKind, ClientCall};
use super::suite::any_origin;

const ASK: ClientCall = ClientCall {
    event: "ask",
    timeout: Duration::from_millis(300),
    no_answer_event: "timed-out",
};

/// The application `lab`.
pub fn server<K: CallingKind>() -> K::Server {
    ServerBuilder::<K>::new()
        .cors(any_origin())
        .upgrade_timeout(Duration::from_secs(3))
        .gate(|head, _| match head.header("x-refuse") {
            Some(_) => Err("Forbidden".to_owned()),
            None => Ok(()),
        })
        .on("message", |socket: Socket, arguments: Arguments| {
            socket.emit("message-back", &arguments)
        })
        .on("message-with-ack", |arguments: Arguments| Reply(arguments))
        .on("watch", |socket: Socket| {
            socket.join("watchers").map(|()| Reply(()))
        })
        .on("join", |socket: Socket, Arg(room): Arg<String>| {
            socket.join(&room).map(|()| Reply(()))
        })
        .on("leave", |socket: Socket, Arg(room): Arg<String>| {
            socket.leave(&room).map(|()| Reply(()))
        })
        .on("cast", cast)
        .on("disconnect-me", |socket: Socket, Arg(whole_client): Arg<bool>| {
            if whole_client {
                socket.disconnect_client()
            } else {
                socket.disconnect()
            }
        })
        .on(
            "volatile-burst",
            |socket: Socket, Arg(count): Arg<u32>| -> Result<(), Error> {
                (0..count).try_for_each(|tick| socket.volatile().emit("tick", &tick))
            },
        )
        .on(
            "handshake-query",
            |handshake: Handshake, Arg(name): Arg<String>| {
                Reply(handshake.head.query().get(&name).map(|value| value.into_owned()))
            },
        )
        .on_disconnect(report_left)
        .namespace("/", |main| K::call_client(main, ASK))
        .namespace("/custom", |custom| custom.on_disconnect(report_left))
        .namespace("/deny", |deny| {
            deny.guard(|| -> Result<(), Refusal> {
                Err(Refusal::new("not allowed").with_data(&json!({"code": 7})))
            })
        })
        .build()
}

/// Sends everything after the room's name to the room.
fn cast(socket: Socket, arguments: Arguments) -> Result<(), Error> {
    let mut values = arguments.iter();
    let Some(room) = values.next().and_then(|room| room.parse::<String>().ok()) else {
        return Ok(());
    };
    let rest: Vec<_> = values.collect();
    socket
        .namespace()
        .to(&room)
        .emit("cast", &Arguments::from_values(&rest)?)
}

fn report_left(socket: Socket, reason: Reason) -> Result<(), Error> {
    socket
        .server()
        .to("watchers")
        .emit("left", &(socket.id(), reason.as_str()))
}
