//! What the reader types: words for the room, and commands.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use socketio_tokio::Bytes;
use socketio_tokio::client::ClientSocket;

use crate::chat::{Chat, ask};
use crate::protocol::{Join, Message, Picture};

const HELP: &str = "\
/rooms          rooms with somebody in them
/join ROOM      go to another room
/who            who is here
/send FILE      send a picture: PNG, JPEG, GIF or WebP, at most 512 KiB
/save N FILE    write picture N to a file that is not there yet
/quit           leave; so do Ctrl-D and Ctrl-C
//TEXT          say /TEXT
Everything else is said to the room.";

/// What the server takes.
const PICTURE_BYTES: u64 = 512 * 1024;

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Line,
    Quit,
}

/// Does what a line asks for.
pub(crate) async fn execute(line: &str, chat: &Chat, socket: &ClientSocket) -> Next {
    let line = line.trim();
    let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match command {
        "" => {}
        "/quit" => return Next::Quit,
        "/help" => HELP.lines().for_each(|line| chat.screen.note(line)),
        "/who" => {
            let users = chat.lock().users().join(", ");
            chat.screen.note(&format!("Here: {users}"));
        }
        "/rooms" => list_rooms(chat),
        "/join" => join(rest, chat, socket).await,
        "/send" => send_picture(rest, chat, socket).await,
        "/save" => save_picture(rest, chat),
        _ if command.starts_with('/') && !command.starts_with("//") => {
            chat.screen
                .problem(&format!("{command} is unknown; /help lists what is known."));
        }
        _ => say(line.strip_prefix('/').unwrap_or(line), chat, socket).await,
    }
    Next::Line
}

fn list_rooms(chat: &Chat) {
    let room = chat.lock();
    let rooms = room.rooms().iter();
    let rooms: Vec<String> = rooms
        .map(|room| format!("{} ({})", room.name, room.users))
        .collect();
    chat.screen.note(&format!("Rooms: {}", rooms.join(", ")));
}

async fn join(room: &str, chat: &Chat, socket: &ClientSocket) {
    let place = chat.lock().place().cloned();
    let Some(Join { name, .. }) = place else {
        return;
    };
    let join = Join {
        name,
        room: room.to_owned(),
    };
    if let Err(error) = chat.join(socket, &join).await {
        chat.screen.problem(&format!("You stay where you are. {error}"));
    }
}

async fn say(text: &str, chat: &Chat, socket: &ClientSocket) {
    // It comes back as an event, at its place among what others say.
    if let Err(error) = ask::<u64>(socket, "message", &Message { text }).await {
        chat.screen.problem(&format!("Not sent: {text} ({error})"));
    }
}

async fn send_picture(path: &str, chat: &Chat, socket: &ClientSocket) {
    let picture = match read_picture(Path::new(path)) {
        Ok(picture) => picture,
        Err(error) => return chat.screen.problem(&format!("Not sent: {path}: {error}")),
    };
    if let Err(error) = ask::<u64>(socket, "picture", &picture).await {
        chat.screen.problem(&format!("Not sent: {error}"));
    }
}

fn read_picture(path: &Path) -> io::Result<Picture> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    // Anything else, such as a pipe, might never end.
    if !metadata.is_file() {
        return Err(io::Error::other("is not a file"));
    }
    if metadata.len() > PICTURE_BYTES {
        return Err(io::Error::other("has more than 512 KiB"));
    }
    let mut bytes = Vec::new();
    file.take(PICTURE_BYTES).read_to_end(&mut bytes)?;
    let media_type =
        media_type(&bytes).ok_or_else(|| io::Error::other("is neither PNG, JPEG, GIF nor WebP"))?;
    Ok(Picture {
        media_type: media_type.to_owned(),
        bytes: Bytes::from(bytes),
    })
}

/// What kind of picture begins like this.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => return None,
    })
}

fn save_picture(words: &str, chat: &Chat) {
    let parsed = words
        .split_once(char::is_whitespace)
        .and_then(|(number, path)| Some((number.parse().ok()?, path.trim())));
    let Some((number, path)) = parsed else {
        return chat.screen.problem("Say which and where: /save N FILE");
    };
    let Some(bytes) = chat.lock().picture(number) else {
        return chat.screen.problem(&format!("There is no picture {number}."));
    };
    // What others sent never replaces a file.
    let written = File::create_new(path).and_then(|mut file| file.write_all(&bytes));
    match written {
        Ok(()) => chat.screen.note(&format!("Saved {path}.")),
        Err(error) => chat.screen.problem(&format!("Not saved: {path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_how_they_begin() {
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(media_type(b"RIFF1234WEBPVP8 "), Some("image/webp"));
        assert_eq!(media_type(b"RIFF1234WAVE"), None);
        assert_eq!(media_type(b""), None);
    }
}
