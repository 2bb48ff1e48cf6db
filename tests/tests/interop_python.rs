//! The published Python clients, `socketio.Client` and `socketio.AsyncClient`, against this server.

use std::process::Command;

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

#[test]
fn client_over_polling() {
    run("client.py", "polling", CLIENT_CHECKS);
}

#[test]
fn client_over_websocket() {
    run("client.py", "websocket", CLIENT_CHECKS);
}

#[test]
fn client_with_upgrade() {
    run("client.py", "upgrade", CLIENT_CHECKS);
}

#[test]
fn async_client_over_polling() {
    run("async_client.py", "polling", ASYNC_CLIENT_CHECKS);
}

#[test]
fn async_client_over_websocket() {
    run("async_client.py", "websocket", ASYNC_CLIENT_CHECKS);
}

#[test]
fn async_client_with_upgrade() {
    run("async_client.py", "upgrade", ASYNC_CLIENT_CHECKS);
}

fn run(script: &str, transport: &str, expected: &[&str]) {
    let Ok(python) = python_venv("python") else { return };
    let mut server = ServerProcess::start_testbed(option_env!("CARGO_BIN_EXE_testbed"), "interop");
    let mut command = Command::new(python);
    command
        .arg(interop_folder("python").join(script))
        .arg(server.url())
        .arg(transport);
    // Nothing is written among the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    run_checks(&mut command, &mut server, expected);
}
