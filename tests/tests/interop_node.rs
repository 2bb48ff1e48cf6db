//! The published JavaScript client, `socket.io-client`, against every server of ours.

use std::process::Command;

use socketio_tests::binding::Binding;
use socketio_tests::provision::{interop_folder, node_modules};
use socketio_tests::provision_process::{ServerProcess, run_checks};

const CHECKS: &[&str] = &[
    "connect",
    "transport",
    "welcome carries auth",
    "echo",
    "echo without arguments",
    "echo binary",
    "ack from server",
    "ack from server without arguments",
    "binary ack from server",
    "ack that never comes",
    "acks in parallel",
    "ack to server",
    "binary ack to server",
    "ack to server that never comes",
    "order",
    "large text",
    "large binary",
    "namespaces share the connection",
    "refusal",
    "refusal leaves the connection to others",
    "unknown namespace",
    "guard accepts auth",
    "guard refuses auth",
    "rooms",
    "binary broadcast",
    "disconnect by server",
    "disconnect by client",
    "reconnect after a restart",
];

socketio_tests::on_every_server![
    socket_io_client_over_polling,
    socket_io_client_over_websocket,
    socket_io_client_with_upgrade,
];

fn socket_io_client_over_polling(server: Binding) {
    run(server, "polling");
}

fn socket_io_client_over_websocket(server: Binding) {
    run(server, "websocket");
}

fn socket_io_client_with_upgrade(server: Binding) {
    run(server, "upgrade");
}

fn run(server: Binding, transport: &str) {
    let Ok(packages) = node_modules("js") else { return };
    let mut server = ServerProcess::start_testbed(option_env!("CARGO_BIN_EXE_testbed"), server, "interop");
    let mut script = Command::new("node");
    script
        .arg(interop_folder("js").join("client.mjs"))
        .arg(server.url())
        .arg(transport)
        .current_dir(packages);
    run_checks(&mut script, &mut server, CHECKS);
}
