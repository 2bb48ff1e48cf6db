//! The chat of the example `chat`, in a terminal: `cargo run --release --example chat-client -- http://127.0.0.1:3000`.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `main.rs` | connecting, connection events, an orderly end |
//! | `chat.rs` | handlers of a client: typed arguments, shared state, calls with an answer, joining again |
//! | `commands.rs` | what the reader types: calls, binary data |
//! | `protocol.rs` | the messages as types |
//! | `room.rs` | the state of the chat; nothing of it knows of sockets |
//! | `screen.rs` | plain lines, in which text of others can do no harm |

mod chat;
mod commands;
mod protocol;
mod room;
mod screen;

use std::env;
use std::io::stdin;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use socketio_tokio::client::{Client, ClientSocket, ConnectionEvent, ConnectionEvents};
use tokio::sync::mpsc;

use chat::Chat;
use commands::Next;
use protocol::{Join, RequestError};
use screen::Screen;

const USAGE: &str = "\
usage: chat-client [URL] [--name NAME] [--room ROOM]
  URL          where the chat is; default http://127.0.0.1:3000
  --name NAME  who you are; default: your name on this machine
  --room ROOM  where to go; default: lobby";

/// Lines typed ahead.
const LINES: usize = 64;
/// Before asking a server again that did not want us.
const CONNECT_AGAIN: Duration = Duration::from_secs(1);
/// How long disconnecting may take.
const GRACE: Duration = Duration::from_secs(3);

struct Options {
    url: String,
    join: Join,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(options) = parse(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat-client: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        url: "http://127.0.0.1:3000".to_owned(),
        join: Join {
            name: env::var("USER").unwrap_or_else(|_| "somebody".to_owned()),
            room: "lobby".to_owned(),
        },
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--name" => options.join.name = words.next()?,
            "--room" => options.join.room = words.next()?,
            _ if word.starts_with('-') => return None,
            _ => options.url = word,
        }
    }
    Some(options)
}

async fn run(options: &Options) -> Result<(), String> {
    let chat = Chat::new(Screen::new());
    let connecting = socketio_tokio::connect(chat::describe(&options.url, chat.clone()));
    let client = connecting
        .await
        .map_err(|error| format!("{}: {error}", options.url))?;
    let events = client.events();
    let socket = client.of("/").map_err(|error| error.to_string())?;

    let stay = async {
        chat.join(&socket, &options.join).await?;
        tokio::select! {
            () = run_commands(&chat, &socket) => {}
            () = watch(&chat, &client, events) => {}
        }
        Ok(())
    };
    let ended = tokio::select! {
        // Ctrl-C is heard from when it is first polled: that must be before anybody can see that we are here.
        biased;
        _ = tokio::signal::ctrl_c() => Ok(()),
        stayed = stay => stayed.map_err(|error: RequestError| {
            let cure = if error.is_name_taken() { " Take another with --name." } else { "" };
            format!("{error}{cure}")
        }),
    };
    client.disconnect();
    // A server that does not let us disconnect in order does not keep us.
    let _ = tokio::time::timeout(GRACE, client.closed()).await;
    ended
}

/// Does what is typed, line by line, until the input ends.
async fn run_commands(chat: &Chat, socket: &ClientSocket) {
    let mut lines = typed_lines();
    while let Some(line) = lines.recv().await {
        if commands::execute(&line, chat, socket).await == Next::Quit {
            return;
        }
    }
}

/// Standard input on a thread of its own. A read can not be interrupted: a task of the runtime would keep the program
/// alive until the next line.
fn typed_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(LINES);
    thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Tells what becomes of the connection. Returns only when there is nothing more to tell.
async fn watch(chat: &Chat, client: &Client, mut events: ConnectionEvents) {
    let screen = chat.screen;
    // The error that was shown last; a server that is away is away for the same reason each time.
    let mut shown_error: Option<String> = None;
    while let Some(event) = events.next().await {
        match event {
            ConnectionEvent::Disconnected { reason, .. } => {
                screen.problem(&format!("Disconnected: {reason}. Trying to get back."));
                shown_error = Some(String::new());
            }
            ConnectionEvent::AttemptFailed { error, .. } => {
                let error = error.to_string();
                if shown_error.as_ref() != Some(&error) {
                    screen.problem(&format!("No connection: {error}"));
                    shown_error = Some(error);
                }
            }
            ConnectionEvent::Connected { .. } if shown_error.take().is_some() => {
                screen.note("Connected again.")
            }
            // A server that sends us away on purpose is left alone by the client, but not by us.
            ConnectionEvent::Closed { .. } => {
                tokio::time::sleep(CONNECT_AGAIN).await;
                client.connect();
            }
            _ => {}
        }
    }
}
