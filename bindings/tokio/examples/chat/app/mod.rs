//! The chat, whatever runs it: the examples `chat`, `chat-smol`, `chat-async-std` and `chat-blocking` share this
//! folder. `crate::socketio` is the binding each of them chose.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `chat.rs` | handlers: typed arguments, acknowledgements, rooms, binary data, shared state |
//! | `room.rs` | the state of the chat; nothing of it knows of sockets |
//! | `page.rs` | files of a page beside Socket.IO |
//! | `chat.js` | the browser's half; the comment at its top is the protocol |

mod chat;
mod options;
mod page;
mod room;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use crate::socketio::router::Kind;
use crate::socketio::{Server, ServerBuilder};
pub(crate) use options::Options;

/// How long clients may take to hear that the server ends.
const GRACE: Duration = Duration::from_secs(3);

/// Makes the server of the chat.
pub(crate) fn build<K: Kind>(builder: ServerBuilder<K>, options: &Options) -> K::Server {
    let builder = chat::describe(builder).fallback(page::page);
    match &options.client_bundle {
        Some(path) => builder.client_bundle(path).build(),
        None => builder.build(),
    }
}

/// Tells the user where the page is.
pub(crate) fn announce(address: SocketAddr) {
    println!("listening on {address}");
    println!("open http://{address} in two windows; Ctrl-C ends");
}

/// Disconnects everybody; `serve` returns when that is done.
pub(crate) fn end(server: &Server) {
    println!("disconnecting everybody");
    if let Err(error) = server.shutdown(GRACE) {
        eprintln!("{error}");
    }
}

/// What the program ends with.
pub(crate) fn exit_code(served: io::Result<()>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", env!("CARGO_BIN_NAME"));
            ExitCode::FAILURE
        }
    }
}
