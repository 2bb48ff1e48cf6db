//! The published Python clients, `socketio.Client` and `socketio.AsyncClient`, against every server of ours.

use std::process::Command;

use socketio_tests::binding::Binding;
use socketio_tests::provision::{interop_folder, python_venv};
use socketio_tests::provision_process::{ServerProcess, run_checks};

const CLIENT_CHECKS: &[&str] = &[
    "connect",
    "transport",
    "echo",
    "echo_binary",
    "ack_from_server",
    "ack_that_never_comes",
    "ack_to_server",
    "ack_to_server_that_comes_late",
    "keeps_order",
    "large_values",
    "namespaces_share_the_connection",
    "refusal",
    "unknown_namespace",
    "guard",
    "rooms",
    "disconnect_by_server",
    "disconnect_by_client",
    "reconnects_after_a_restart",
];

const ASYNC_CLIENT_CHECKS: &[&str] = &[
    "connect",
    "transport",
    "echo",
    "echo_binary",
    "ack_from_server",
    "acks_in_parallel",
    "ack_to_server",
    "ack_to_server_that_comes_late",
    "large_values",
    "namespaces_share_the_connection",
    "refusal",
    "unknown_namespace",
    "guard",
    "rooms",
    "disconnect_by_server",
    "disconnect_by_client",
    "reconnects_after_a_restart",
];

socketio_tests::on_every_server![
    client_over_polling,
    client_over_websocket,
    client_with_upgrade,
    async_client_over_polling,
    async_client_over_websocket,
    async_client_with_upgrade,
];

fn client_over_polling(server: Binding) {
    run(server, "client.py", "polling", CLIENT_CHECKS);
}

fn client_over_websocket(server: Binding) {
    run(server, "client.py", "websocket", CLIENT_CHECKS);
}

fn client_with_upgrade(server: Binding) {
    run(server, "client.py", "upgrade", CLIENT_CHECKS);
}

fn async_client_over_polling(server: Binding) {
    run(server, "async_client.py", "polling", ASYNC_CLIENT_CHECKS);
}

fn async_client_over_websocket(server: Binding) {
    run(server, "async_client.py", "websocket", ASYNC_CLIENT_CHECKS);
}

fn async_client_with_upgrade(server: Binding) {
    run(server, "async_client.py", "upgrade", ASYNC_CLIENT_CHECKS);
}

fn run(server: Binding, script: &str, transport: &str, expected: &[&str]) {
    let Ok(python) = python_venv("python") else { return };
    let mut server = ServerProcess::start_testbed(option_env!("CARGO_BIN_EXE_testbed"), server, "interop");
    let mut command = Command::new(python);
    command
        .arg(interop_folder("python").join(script))
        .arg(server.url())
        .arg(transport);
    // No bytecode is written beside the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    run_checks(&mut command, &mut server, expected);
}
