//! Who is where and what was said.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::socketio::{Bytes, Sid};

/// Most entries that a room remembers.
const HISTORY: usize = 50;
/// Most pictures among them.
const PICTURES: usize = 5;
/// Most rooms without anybody that are remembered for those who come back.
const EMPTY_ROOMS: usize = 16;

/// The state all handlers share.
#[derive(Default)]
pub(crate) struct Chat(Mutex<Rooms>);

impl Chat {
    /// Handlers hold the lock while they emit: clients hear of changes in the order they were made. That is
    /// no burden, because emitting only queues.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Rooms> {
        // A handler that panicked has not spoilt the chat for everybody.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All rooms and everybody in them.
#[derive(Default)]
pub(crate) struct Rooms {
    rooms: BTreeMap<String, Room>,
    members: HashMap<Sid, Member>,
    /// Rooms that nobody is in, the one that was left first in front.
    empty: VecDeque<String>,
    last_id: u64,
}

#[derive(Default)]
struct Room {
    /// In the order they came.
    members: Vec<Sid>,
    /// Oldest first.
    history: VecDeque<Entry>,
}

/// Somebody in a room.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) room: String,
}

/// A line of the list of rooms.
#[derive(Serialize)]
pub(crate) struct Occupied<'a> {
    name: &'a str,
    users: usize,
}

/// Something that was said.
#[derive(Serialize)]
pub(crate) struct Entry {
    /// Larger than that of every entry before.
    pub(crate) id: u64,
    /// Milliseconds since 1970.
    at: u64,
    name: String,
    #[serde(flatten)]
    content: Content,
}

/// Makes the member `text` or `picture` of an entry.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Content {
    Text(String),
    Picture(Picture),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Picture {
    #[serde(rename = "type")]
    pub(crate) media_type: String,
    /// `Bytes` travel as a binary attachment wherever they are in a value.
    pub(crate) bytes: Bytes,
}

impl Rooms {
    /// The rooms that somebody is in.
    pub(crate) fn occupied(&self) -> Vec<Occupied<'_>> {
        let occupied = self.rooms.iter().filter(|(_, room)| !room.members.is_empty());
        occupied
            .map(|(name, room)| Occupied {
                name,
                users: room.members.len(),
            })
            .collect()
    }

    /// Whether somebody else in `room` has this name, in capitals or not.
    pub(crate) fn is_taken(&self, name: &str, room: &str, by_other_than: Sid) -> bool {
        let name = name.to_lowercase();
        self.present(room)
            .any(|(sid, member)| *sid != by_other_than && member.name.to_lowercase() == name)
    }

    /// The names of those in `room`.
    pub(crate) fn users(&self, room: &str) -> Vec<&str> {
        self.present(room)
            .map(|(_, member)| member.name.as_str())
            .collect()
    }

    /// What was said in `room`, oldest first.
    pub(crate) fn history(&self, room: &str) -> impl Iterator<Item = &Entry> {
        self.rooms.get(room).into_iter().flat_map(|room| &room.history)
    }

    /// Where a client is, and under which name.
    pub(crate) fn member(&self, sid: Sid) -> Option<&Member> {
        self.members.get(&sid)
    }

    /// Puts a client, who must be in no room, into one.
    pub(crate) fn enter(&mut self, sid: Sid, name: &str, room: &str) {
        self.empty.retain(|empty| empty != room);
        self.rooms.entry(room.to_owned()).or_default().members.push(sid);
        let member = Member {
            name: name.to_owned(),
            room: room.to_owned(),
        };
        self.members.insert(sid, member);
    }

    /// Takes a client out of the room it is in.
    pub(crate) fn leave(&mut self, sid: Sid) -> Option<Member> {
        let member = self.members.remove(&sid)?;
        let room = self.rooms.get_mut(&member.room)?;
        room.members.retain(|present| *present != sid);
        if room.members.is_empty() {
            self.empty.push_back(member.room.clone());
            if self.empty.len() > EMPTY_ROOMS
                && let Some(forgotten) = self.empty.pop_front()
            {
                self.rooms.remove(&forgotten);
            }
        }
        Some(member)
    }

    /// Remembers what a client says; gives the entry and the name of its room.
    pub(crate) fn record(&mut self, sid: Sid, content: Content) -> Option<(&str, &Entry)> {
        let member = self.members.get(&sid)?;
        let room = self.rooms.get_mut(&member.room)?;
        self.last_id += 1;
        room.history.push_back(Entry {
            id: self.last_id,
            at: milliseconds_since_1970(),
            name: member.name.clone(),
            content,
        });
        room.forget_oldest();
        Some((&member.room, room.history.back()?))
    }

    fn present(&self, room: &str) -> impl Iterator<Item = (&Sid, &Member)> {
        let members = self.rooms.get(room).into_iter().flat_map(|room| &room.members);
        members.filter_map(|sid| Some((sid, self.members.get(sid)?)))
    }
}

impl Room {
    /// Keeps within the bounds, one entry after they were kept.
    fn forget_oldest(&mut self) {
        let is_picture = |entry: &Entry| matches!(entry.content, Content::Picture(_));
        if self.history.iter().filter(|entry| is_picture(entry)).count() > PICTURES
            && let Some(oldest) = self.history.iter().position(is_picture)
        {
            self.history.remove(oldest);
        }
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }
}

fn milliseconds_since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}
