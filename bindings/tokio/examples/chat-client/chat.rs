//! The client: what it hears from the server, and how it gets into a room and back into it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use socketio_tokio::client::{Client, ClientBuilder, ClientSocket, Offline};
use socketio_tokio::{Arg, Async, CallError, State};

use crate::protocol::{Answer, Entry, Join, Occupied, Presence, RequestError, Typing, Welcome};
use crate::room::{ChatEvent, Room};
use crate::screen::Screen;

/// How long the server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// The first and the longest pause before a lost connection is sought again.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// Between attempts to get one's name back, which a lost connection may still hold.
const NAME_RETRY: Duration = Duration::from_secs(3);

/// The state that handlers and commands share.
#[derive(Clone)]
pub(crate) struct Chat {
    pub(crate) screen: Screen,
    room: Arc<Mutex<Room>>,
}

impl Chat {
    pub(crate) fn new(screen: Screen) -> Self {
        let room = Arc::new(Mutex::new(Room::new(screen)));
        Self { screen, room }
    }

    /// Handlers hold the lock while they show something: the reader sees it in the order it came.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Room> {
        // A handler that panicked has not spoilt the chat for the others.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes into a room, out of the one we are in.
    pub(crate) async fn join(&self, socket: &ClientSocket, join: &Join) -> Result<(), RequestError> {
        self.lock().ask();
        let answer = ask::<Welcome>(socket, "join", join).await;
        let mut room = self.lock();
        match answer {
            Ok(welcome) => {
                room.enter(welcome);
                Ok(())
            }
            Err(error) => {
                room.stay();
                Err(error)
            }
        }
    }
}

/// A client of the chat at `url` that is yet to be connected.
pub(crate) fn describe(url: &str, chat: Chat) -> ClientBuilder<Async> {
    Client::builder(url)
        .reconnection_delay(RECONNECT.0, RECONNECT.1)
        // Words do not overtake the join that precedes them: without a connection they are not sent.
        .offline(Offline::Refuse)
        .state(chat)
        .on_connect(join_again)
        .on(
            "rooms",
            |Arg(rooms): Arg<Vec<Occupied>>, State(chat): State<Chat>| {
                chat.lock().set_rooms(rooms);
            },
        )
        .on("message", show_entry)
        .on("picture", show_entry)
        .on(
            "joined",
            |Arg(presence): Arg<Presence>, State(chat): State<Chat>| {
                chat.lock().handle(ChatEvent::Joined(presence));
            },
        )
        .on(
            "left",
            |Arg(presence): Arg<Presence>, State(chat): State<Chat>| {
                chat.lock().handle(ChatEvent::Left(presence));
            },
        )
        .on("typing", |Arg(typing): Arg<Typing>, State(chat): State<Chat>| {
            chat.lock().handle(ChatEvent::Typing(typing));
        })
        .on_disconnect(|State(chat): State<Chat>| chat.lock().lose())
        .on_error(|report| eprintln!("chat-client: {report}"))
}

fn show_entry(Arg(entry): Arg<Entry>, State(chat): State<Chat>) {
    chat.lock().handle(ChatEvent::Entry(entry));
}

/// After a reconnection the server knows nothing of us, or still holds our name for the lost connection. No event of
/// the server is handled before this returns.
async fn join_again(socket: ClientSocket, State(chat): State<Chat>) {
    loop {
        let Some(place) = chat.lock().place().cloned() else {
            return;
        };
        match chat.join(&socket, &place).await {
            Ok(()) => return,
            Err(error) if error.is_name_taken() => {
                let Join { name, room } = place;
                chat.screen.problem(&format!(
                    "Could not join {room} again: somebody has the name {name}. Trying again."
                ));
                tokio::time::sleep(NAME_RETRY).await;
            }
            // The next connection joins again.
            Err(RequestError::Unanswered(CallError::Disconnected)) => return,
            Err(error) => {
                chat.screen
                    .problem(&format!("Could not join {} again: {error}", place.room));
                return;
            }
        }
    }
}

/// Asks the server and gives what it acknowledged.
pub(crate) async fn ask<T: DeserializeOwned>(
    socket: &ClientSocket,
    event: &str,
    argument: &impl Serialize,
) -> Result<T, RequestError> {
    match socket.call(event, argument).timeout(ANSWER_WITHIN).await {
        Ok(Answer::Ok(value)) => Ok(value),
        Ok(Answer::Error(refused)) => Err(RequestError::Refused(refused)),
        Err(error) => Err(RequestError::Unanswered(error)),
    }
}
