//! A chat with rooms, pictures and history, in the browser: `cargo run --release --example chat`.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `main.rs` | files of a page beside Socket.IO, the JavaScript client, an orderly end |
//! | `chat.rs` | handlers: typed arguments, acknowledgements, rooms, binary data, shared state |
//! | `room.rs` | the state of the chat; nothing of it knows of sockets |
//! | `chat.js` | the browser's half; the comment at its top is the protocol |

mod chat;
mod room;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, io};

use bytes::Bytes;
use socketio_tokio::http::{Method, StatusCode};
use socketio_tokio::{RequestHead, Response, Server};
use tokio::net::TcpListener;

const USAGE: &str = "\
usage: chat [--port N] [--client-bundle PATH]
  --port N              where to listen on 127.0.0.1; default 3000, 0 takes any that is free
  --client-bundle PATH  serve the JavaScript client from here, a file or a folder such as
                        node_modules/socket.io-client/dist; without it pages load it from cdn.socket.io";

/// How long clients may take to hear that the server ends.
const GRACE: Duration = Duration::from_secs(3);

struct Options {
    port: u16,
    client_bundle: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(options) = parse(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        port: 3000,
        client_bundle: None,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--port" => options.port = words.next()?.parse().ok()?,
            "--client-bundle" => options.client_bundle = Some(words.next()?.into()),
            _ => return None,
        }
    }
    Some(options)
}

async fn serve(options: Options) -> io::Result<()> {
    let mut builder = chat::describe(Server::builder()).fallback(page);
    if let Some(path) = options.client_bundle {
        builder = builder.client_bundle(path);
    }
    let server = builder.build();

    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|error| io::Error::other(format!("cannot listen on {wanted}: {error}")))?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    println!("open http://{address} in two windows; Ctrl-C ends");
    tokio::spawn(end_on_ctrl_c(server.clone()));
    socketio_tokio::serve(listener, server).await
}

/// Disconnects everybody when the user wants the server to end; `serve` returns when that is done.
async fn end_on_ctrl_c(server: Server) {
    match tokio::signal::ctrl_c().await {
        Ok(()) => {
            println!("disconnecting everybody");
            if let Err(error) = server.shutdown(GRACE) {
                eprintln!("chat: {error}");
            }
        }
        Err(error) => eprintln!("chat: Ctrl-C ends at once, nobody is told: {error}"),
    }
}

/// Answers what is not for Socket.IO: the files of the page, which are part of the program.
fn page(request: &RequestHead, _body: Option<Bytes>) -> Response {
    let (content_type, text) = match (request.method(), request.path()) {
        (Method::Get | Method::Head, "/") => ("text/html; charset=utf-8", include_str!("index.html")),
        (Method::Get | Method::Head, "/chat.css") => ("text/css; charset=utf-8", include_str!("chat.css")),
        (Method::Get | Method::Head, "/chat.js") => {
            ("text/javascript; charset=utf-8", include_str!("chat.js"))
        }
        _ => return Response::new(StatusCode::NOT_FOUND).with_body("text/plain", "There is nothing here.\n"),
    };
    Response::new(StatusCode::OK).with_body(content_type, text)
}
