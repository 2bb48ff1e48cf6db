//! What is said between the chat's server and its clients; the comment at the top of `../chat/chat.js` is the
//! specification.

use std::fmt;

use serde::{Deserialize, Serialize};
use socketio_tokio::{Bytes, CallError};

/// `join`: into a room, out of the one we were in.
#[derive(Clone, Serialize)]
pub(crate) struct Join {
    pub(crate) name: String,
    pub(crate) room: String,
}

/// `message`.
#[derive(Serialize)]
pub(crate) struct Message<'a> {
    pub(crate) text: &'a str,
}

/// `picture`, and the picture of an [`Entry`].
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Picture {
    #[serde(rename = "type")]
    pub(crate) media_type: String,
    /// `Bytes` travel as a binary attachment wherever they are in a value.
    pub(crate) bytes: Bytes,
}

/// The one argument of every acknowledgement.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer<T> {
    Ok(T),
    Error(Refused),
}

/// Why not: a word for programs, a sentence for people.
#[derive(Debug, Deserialize)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// What `join` is answered with: where we are, who is there, what was said before.
#[derive(Deserialize)]
pub(crate) struct Welcome {
    pub(crate) name: String,
    pub(crate) room: String,
    pub(crate) users: Vec<String>,
    pub(crate) history: Vec<Entry>,
}

/// Something that was said: a text or a picture.
#[derive(Deserialize)]
pub(crate) struct Entry {
    /// Larger than that of every entry before, until the server starts anew.
    pub(crate) id: u64,
    /// Milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) name: String,
    pub(crate) text: Option<String>,
    pub(crate) picture: Option<Picture>,
}

/// `joined` and `left`: who came or went, and who is there now.
#[derive(Deserialize)]
pub(crate) struct Presence {
    pub(crate) name: String,
    pub(crate) users: Vec<String>,
}

/// `typing`.
#[derive(Deserialize)]
pub(crate) struct Typing {
    pub(crate) name: String,
    pub(crate) typing: bool,
}

/// A line of the list of `rooms`.
#[derive(Deserialize)]
pub(crate) struct Occupied {
    pub(crate) name: String,
    pub(crate) users: usize,
}

/// Why the server did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// It said no.
    Refused(Refused),
    /// It said nothing, or was not there to be asked.
    Unanswered(CallError),
}

impl RequestError {
    /// Whether somebody else has our name; after a lost connection that may be ourselves, for a while.
    pub(crate) fn is_name_taken(&self) -> bool {
        matches!(self, Self::Refused(refused) if refused.code == "name_taken")
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => formatter.write_str(&refused.message),
            Self::Unanswered(error) => write!(formatter, "{error}."),
        }
    }
}
