//! The chat example in a real browser: two pages exchange messages and a picture.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use socketio_tests::binding::Binding;
use socketio_tests::cargo::build_example;
use socketio_tests::provision::{chromium, interop_folder, node_modules};
use socketio_tests::provision_process::{ServerCommand, ServerProcess, run_checks};

const CHECKS: &[&str] = &[
    "client from the server itself",
    "joining",
    "who is online",
    "messages both ways",
    "typing",
    "picture",
    "name taken",
    "history for a late joiner",
    "switching rooms",
    "leaving",
    "joining again after a restart",
    "no errors in the page",
];

socketio_tests::on_every_client![the_chat_page_works_in_chromium];

/// The bindings that have clients are those whose servers have an example.
fn the_chat_page_works_in_chromium(server: Binding) {
    let Ok(packages) = node_modules("js") else { return };
    let Ok(browser) = chromium() else { return };
    let bundle = packages.join("node_modules/socket.io-client/dist/socket.io.min.js");
    let mut words = chat_command(server);
    words.extend(["--client-bundle".into(), bundle.into_os_string()]);
    let mut server = ServerProcess::start(ServerCommand { words, folder: None });
    let mut script = Command::new("node");
    script
        .arg(interop_folder("js").join("chat.mjs"))
        .arg(server.url())
        .arg(browser)
        .current_dir(packages);
    run_checks(&mut script, &mut server, CHECKS);
}

/// The binding's chat example, built; `CHAT_COMMAND` names another server with the same page.
fn chat_command(server: Binding) -> Vec<OsString> {
    match env::var("CHAT_COMMAND") {
        Ok(command) => command.split_whitespace().map(OsString::from).collect(),
        Err(_) => vec![build_example(example(server)).into_os_string()],
    }
}

const fn example(server: Binding) -> &'static str {
    match server {
        Binding::Tokio => "chat",
        Binding::Smol => "chat-smol",
        Binding::AsyncStd => "chat-async-std",
        Binding::Blocking => "chat-blocking",
        Binding::Epoll => panic!("the event loop has no chat"),
    }
}
