//! A chat with rooms, pictures and history, in the browser: `cargo run --release --example chat`.
//!
//! This file has what tokio needs, a listener and an orderly end; the folder `app` has the chat.

use socketio_tokio as socketio;

mod app;

use std::io;
use std::process::ExitCode;

use app::Options;
use socketio::Server;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match Options::from_command_line() {
        Ok(options) => app::exit_code(serve(options).await),
        Err(code) => code,
    }
}

async fn serve(options: Options) -> io::Result<()> {
    let server = app::build(Server::builder(), &options);
    let listener = TcpListener::bind(options.address)
        .await
        .map_err(|error| options.cannot_listen(error))?;
    app::announce(listener.local_addr()?);
    tokio::spawn(end_on_ctrl_c(server.clone()));
    socketio::serve(listener, server).await
}

async fn end_on_ctrl_c(server: Server) {
    match tokio::signal::ctrl_c().await {
        Ok(()) => app::end(&server),
        Err(error) => eprintln!("Ctrl-C ends at once, nobody is told: {error}"),
    }
}
