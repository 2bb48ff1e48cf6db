//! What clients can do, and who hears of it.

use serde::{Deserialize, Serialize};

use super::room::{Chat, Content, Entry, Member, Picture, Rooms};
use crate::socketio::router::Kind;
use crate::socketio::{Ack, Arg, Attachments, Error, Reply, ServerBuilder, Socket, State};

/// Most characters in the name of a user or a room.
const NAME_LENGTH: usize = 24;
/// Most characters in a message.
const TEXT_LENGTH: usize = 2000;
/// Most bytes of a picture; `max_payload` bounds the whole packet.
const PICTURE_BYTES: usize = 512 * 1024;
const PICTURE_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// Adds the chat to a server. Plain functions run on bindings of every kind; `async` ones would not on threads.
pub(crate) fn describe<K: Kind>(builder: ServerBuilder<K>) -> ServerBuilder<K> {
    builder
        .state(Chat::default())
        .on_connect(greet)
        .on("join", join)
        .on("message", message)
        .on("picture", picture)
        .on("typing", typing)
        .on_disconnect(depart)
}

/// Shows a newcomer, who is in no room yet, where there is company.
fn greet(socket: Socket, State(chat): State<Chat>) -> Result<(), Error> {
    socket.emit("rooms", &chat.lock().occupied())
}

/// Moves the user into a room, and out of the one they were in.
///
/// The lock is held until the acknowledgement is on its way. What is recorded before is in its history, what
/// comes later follows as an event: the user misses nothing and hears nothing twice.
fn join(
    socket: Socket,
    request: Option<Arg<JoinRequest>>,
    State(chat): State<Chat>,
    ack: Ack,
) -> Result<(), Error> {
    let mut rooms = chat.lock();
    let (name, room) = match request.map_or(Err(BAD_NAME), |Arg(request)| request.check(&socket, &rooms)) {
        Ok(agreed) => agreed,
        Err(refused) => return ack.send(&Answer::<()>::Error(refused)),
    };
    leave(&socket, &mut rooms)?;
    socket.join(channel(&room))?;
    rooms.enter(socket.id(), &name, &room);

    tell_others(&socket, "joined", &rooms, &name, &room)?;
    socket.server().emit("rooms", &rooms.occupied())?;
    ack.send(&Answer::Ok(Welcome {
        name: &name,
        room: &room,
        users: rooms.users(&room),
        history: rooms.history(&room).collect(),
    }))
}

/// Publishes a text. `Option<Arg<…>>` is `None` when the argument has another shape: that is answered, too.
fn message(socket: Socket, message: Option<Arg<Message>>, State(chat): State<Chat>) -> Published {
    match message.and_then(|Arg(message)| trim(&message.text, TEXT_LENGTH)) {
        Some(text) => publish(&socket, &chat, "message", Content::Text(text)),
        None => Ok(Reply(Answer::Error(BAD_TEXT))),
    }
}

/// Publishes a picture. Its bytes come as a binary attachment and leave as one.
fn picture(
    socket: Socket,
    picture: Option<Arg<Picture>>,
    attachments: Attachments,
    State(chat): State<Chat>,
) -> Published {
    let is_allowed = |picture: &Picture| {
        PICTURE_TYPES.contains(&picture.media_type.as_str())
            && (1..=PICTURE_BYTES).contains(&picture.bytes.len())
            // `Bytes` can be read from text as well; that would not be a picture.
            && attachments.len() == 1
    };
    match picture {
        Some(Arg(picture)) if is_allowed(&picture) => {
            publish(&socket, &chat, "picture", Content::Picture(picture))
        }
        _ => Ok(Reply(Answer::Error(BAD_PICTURE))),
    }
}

/// The id of the entry that was published, or why there is none.
type Published = Result<Reply<Answer<u64>>, Error>;

/// Records an entry and sends it to the whole room, the author included. Both happen under the lock, so all
/// see the entries in the order of their ids.
fn publish(socket: &Socket, chat: &Chat, event: &str, content: Content) -> Published {
    let mut rooms = chat.lock();
    let Some((room, entry)) = rooms.record(socket.id(), content) else {
        return Ok(Reply(Answer::Error(NOT_JOINED)));
    };
    socket.namespace().to(channel(room)).emit(event, entry)?;
    Ok(Reply(Answer::Ok(entry.id)))
}

/// Tells the others that the user types, or no longer does.
fn typing(socket: Socket, Arg(typing): Arg<bool>, State(chat): State<Chat>) -> Result<(), Error> {
    match chat.lock().member(socket.id()) {
        Some(Member { name, room }) => socket.to(channel(room)).emit("typing", &Typing { name, typing }),
        None => Ok(()),
    }
}

/// The user is gone, whichever way; Socket.IO has taken them out of its rooms already.
fn depart(socket: Socket, State(chat): State<Chat>) -> Result<(), Error> {
    let mut rooms = chat.lock();
    leave(&socket, &mut rooms)?;
    socket.server().emit("rooms", &rooms.occupied())
}

/// Takes the user out of their room, if they are in one, and tells those who stay.
fn leave(socket: &Socket, rooms: &mut Rooms) -> Result<(), Error> {
    let Some(Member { name, room }) = rooms.leave(socket.id()) else {
        return Ok(());
    };
    socket.leave(channel(&room))?;
    tell_others(socket, "left", rooms, &name, &room)
}

/// Tells the others in a room that somebody came or went, and who is there now.
fn tell_others(socket: &Socket, event: &str, rooms: &Rooms, name: &str, room: &str) -> Result<(), Error> {
    let users = rooms.users(room);
    socket.to(channel(room)).emit(event, &Presence { name, users })
}

/// The Socket.IO room of a chat room. The prefix keeps users from naming a room like the id of another
/// client, who is alone in the Socket.IO room of that name.
fn channel(room: &str) -> String {
    format!("chat:{room}")
}

/// `text` without the blanks around it, if anything remains and it is at most `longest` characters.
fn trim(text: &str, longest: usize) -> Option<String> {
    let text = text.trim();
    (1..=longest)
        .contains(&text.chars().count())
        .then(|| text.to_owned())
}

#[derive(Deserialize)]
struct JoinRequest {
    name: String,
    room: String,
}

impl JoinRequest {
    /// The name and the room the user gets, if they may have them.
    fn check(&self, socket: &Socket, rooms: &Rooms) -> Result<(String, String), Refused> {
        let name = trim(&self.name, NAME_LENGTH).ok_or(BAD_NAME)?;
        let room = trim(&self.room, NAME_LENGTH).ok_or(BAD_ROOM)?;
        if rooms.is_taken(&name, &room, socket.id()) {
            return Err(NAME_TAKEN);
        }
        Ok((name, room))
    }
}

#[derive(Deserialize)]
struct Message {
    text: String,
}

/// What a user who joined needs to know.
#[derive(Serialize)]
struct Welcome<'a> {
    name: &'a str,
    room: &'a str,
    users: Vec<&'a str>,
    history: Vec<&'a Entry>,
}

/// Who came or went, and who is there now.
#[derive(Serialize)]
struct Presence<'a> {
    name: &'a str,
    users: Vec<&'a str>,
}

#[derive(Serialize)]
struct Typing<'a> {
    name: &'a str,
    typing: bool,
}

/// The one argument of every acknowledgement: `{"ok": …}` or `{"error": {"code", "message"}}`.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer<T> {
    Ok(T),
    Error(Refused),
}

/// Why not: a word for programs, a sentence for people.
#[derive(Serialize)]
struct Refused {
    code: &'static str,
    message: &'static str,
}

const BAD_NAME: Refused = Refused {
    code: "bad_name",
    message: "A name has 1 to 24 characters.",
};
const BAD_ROOM: Refused = Refused {
    code: "bad_room",
    message: "The name of a room has 1 to 24 characters.",
};
const NAME_TAKEN: Refused = Refused {
    code: "name_taken",
    message: "Somebody in this room has this name.",
};
const NOT_JOINED: Refused = Refused {
    code: "not_joined",
    message: "You are in no room.",
};
const BAD_TEXT: Refused = Refused {
    code: "bad_text",
    message: "A message has 1 to 2000 characters.",
};
const BAD_PICTURE: Refused = Refused {
    code: "bad_picture",
    message: "A picture is PNG, JPEG, GIF or WebP and has at most 512 KiB.",
};
