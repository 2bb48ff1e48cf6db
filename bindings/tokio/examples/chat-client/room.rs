//! Where we are and what we have seen there; nothing of it knows of sockets.

use std::collections::{HashSet, VecDeque};

use socketio_tokio::Bytes;

use crate::protocol::{Entry, Occupied, Presence, Typing, Welcome, Wish};
use crate::screen::Screen;

/// Most pictures kept for `/save`, the newest; at most 10 MiB.
const PICTURES: usize = 20;

/// What the server tells without being asked.
pub(crate) enum Happening {
    Said(Entry),
    Joined(Presence),
    Left(Presence),
    Typing(Typing),
}

/// Whether the server counts us as being in a room.
#[derive(Default)]
enum Standing {
    #[default]
    Outside,
    /// We asked; what happens meanwhile is shown after the history.
    Asked(Vec<Happening>),
    Inside,
}

/// All that is remembered.
pub(crate) struct Room {
    screen: Screen,
    standing: Standing,
    /// Who and where we are, once the server agreed. Kept while disconnected, to join again.
    place: Option<Wish>,
    users: Vec<String>,
    rooms: Vec<Occupied>,
    typists: HashSet<String>,
    /// Entries that were shown, so that the history of a second join repeats none.
    shown: HashSet<(u64, u64)>,
    pictures: VecDeque<Bytes>,
    /// How many pictures came before those that are kept.
    forgotten: usize,
}

impl Room {
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            standing: Standing::Outside,
            place: None,
            users: Vec::new(),
            rooms: Vec::new(),
            typists: HashSet::new(),
            shown: HashSet::new(),
            pictures: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Who and where we are, or were when the connection was lost.
    pub(crate) fn place(&self) -> Option<&Wish> {
        self.place.as_ref()
    }

    pub(crate) fn users(&self) -> &[String] {
        &self.users
    }

    pub(crate) fn rooms(&self) -> &[Occupied] {
        &self.rooms
    }

    /// The bytes of the picture that was shown with this number.
    pub(crate) fn picture(&self, number: usize) -> Option<Bytes> {
        self.pictures
            .get(number.checked_sub(self.forgotten + 1)?)
            .cloned()
    }

    pub(crate) fn set_rooms(&mut self, rooms: Vec<Occupied>) {
        self.rooms = rooms;
    }

    /// We are about to ask for a room.
    pub(crate) fn ask(&mut self) {
        if !matches!(self.standing, Standing::Asked(_)) {
            self.standing = Standing::Asked(Vec::new());
        }
    }

    /// The server let us in.
    pub(crate) fn enter(&mut self, welcome: Welcome) {
        let Welcome {
            name,
            room,
            users,
            history,
        } = welcome;
        let others: Vec<&str> = users
            .iter()
            .filter(|user| **user != name)
            .map(String::as_str)
            .collect();
        let company = if others.is_empty() {
            "alone".to_owned()
        } else {
            format!("with {}", others.join(", "))
        };
        self.screen.note(&format!("You are {name} in {room}, {company}."));
        if self.place.as_ref().is_none_or(|place| place.room != room) {
            self.shown.clear();
        }
        self.users = users;
        self.typists.clear();
        self.place = Some(Wish { name, room });
        for entry in history {
            self.show(&entry);
        }
        self.settle(Standing::Inside);
    }

    /// The server did not let us in; if we were in a room, we still are.
    pub(crate) fn stay(&mut self) {
        let standing = if self.place.is_some() {
            Standing::Inside
        } else {
            Standing::Outside
        };
        self.settle(standing);
    }

    /// The connection is gone, and with it the server's memory of us.
    pub(crate) fn lose(&mut self) {
        self.settle(Standing::Outside);
        self.users.clear();
        self.typists.clear();
    }

    /// Shows what happened, or keeps it until we know where we are.
    pub(crate) fn happen(&mut self, happening: Happening) {
        if let Standing::Asked(waiting) = &mut self.standing {
            waiting.push(happening);
            return;
        }
        match happening {
            Happening::Said(entry) => {
                self.typists.remove(&entry.name);
                self.show(&entry);
            }
            Happening::Joined(Presence { name, users }) => {
                self.screen.note(&format!("{name} joined."));
                self.users = users;
            }
            Happening::Left(Presence { name, users }) => {
                self.typists.remove(&name);
                self.screen.note(&format!("{name} left."));
                self.users = users;
            }
            Happening::Typing(Typing { name, typing: true }) => {
                if !self.typists.contains(&name) {
                    self.screen.note(&format!("{name} is typing."));
                    self.typists.insert(name);
                }
            }
            Happening::Typing(Typing { name, typing: false }) => {
                self.typists.remove(&name);
            }
        }
    }

    fn settle(&mut self, standing: Standing) {
        if let Standing::Asked(waiting) = std::mem::replace(&mut self.standing, standing) {
            for happening in waiting {
                self.happen(happening);
            }
        }
    }

    fn show(&mut self, entry: &Entry) {
        if !self.shown.insert((entry.id, entry.at)) {
            return;
        }
        let number = entry.picture.as_ref().map(|picture| {
            self.pictures.push_back(picture.bytes.clone());
            if self.pictures.len() > PICTURES {
                self.pictures.pop_front();
                self.forgotten += 1;
            }
            self.forgotten + self.pictures.len()
        });
        self.screen.entry(entry, number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Picture;

    fn entry(id: u64, bytes: Option<&'static [u8]>) -> Entry {
        Entry {
            id,
            at: 0,
            name: "ada".into(),
            text: None,
            picture: bytes.map(|bytes| Picture {
                media_type: "image/png".into(),
                bytes: Bytes::from_static(bytes),
            }),
        }
    }

    #[test]
    fn what_happens_while_we_ask_waits_for_the_answer_and_repeats_nothing() {
        let mut room = Room::new(Screen::HIDDEN);
        room.ask();
        room.happen(Happening::Said(entry(2, None)));
        assert!(room.shown.is_empty());
        room.enter(Welcome {
            name: "ada".into(),
            room: "lobby".into(),
            users: vec!["ada".into()],
            history: vec![entry(1, None), entry(2, None)],
        });
        assert_eq!(room.shown.len(), 2);
    }

    #[test]
    fn pictures_keep_their_numbers_when_the_oldest_are_forgotten() {
        let mut room = Room::new(Screen::HIDDEN);
        for id in 1..=21 {
            let bytes: &[u8] = if id == 21 { b"last" } else { b"other" };
            room.show(&entry(id, Some(bytes)));
        }
        assert_eq!(room.picture(0), None);
        assert_eq!(room.picture(1), None);
        assert_eq!(room.picture(21).as_deref(), Some(&b"last"[..]));
        assert_eq!(room.picture(22), None);
    }
}
