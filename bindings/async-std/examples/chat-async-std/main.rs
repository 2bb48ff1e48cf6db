//! The example `chat` on async-std: `cargo run --release --example chat-async-std`.
//!
//! This file has what async-std needs, a listener and an orderly end; the folder `app` of the example `chat` has the chat.

use socketio_async_std as socketio;

#[path = "../../../tokio/examples/chat/app/mod.rs"]
mod app;

use std::io;
use std::process::ExitCode;

use app::Options;
use async_std::net::TcpListener;
use socketio::Server;

fn main() -> ExitCode {
    match Options::from_command_line() {
        Ok(options) => app::exit_code(async_std::task::block_on(serve(options))),
        Err(code) => code,
    }
}

async fn serve(options: Options) -> io::Result<()> {
    let server = app::build(Server::builder(), &options);
    let listener = TcpListener::bind(options.address)
        .await
        .map_err(|error| options.cannot_listen(error))?;
    app::announce(listener.local_addr()?);
    end_on_ctrl_c(server.clone());
    socketio::serve(listener, server).await
}

fn end_on_ctrl_c(server: Server) {
    if let Err(error) = ctrlc::set_handler(move || app::end(&server)) {
        eprintln!("Ctrl-C ends at once, nobody is told: {error}");
    }
}
