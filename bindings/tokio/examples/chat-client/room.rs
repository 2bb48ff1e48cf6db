//! Where we are and what we have seen there; nothing of it knows of sockets.

use std::collections::{HashSet, VecDeque};

use socketio_tokio::Bytes;

use crate::protocol::{Entry, Join, Occupied, Presence, Typing, Welcome};
use crate::screen::Screen;

/// Most pictures kept for `/save`, the newest; at most 10 MiB.
const PICTURES: usize = 20;

/// What the server tells without being asked.
pub(crate) enum ChatEvent {
    Entry(Entry),
    Joined(Presence),
    Left(Presence),
    Typing(Typing),
}

/// Whether the server counts us as being in a room.
#[derive(Default)]
enum Membership {
    #[default]
    Outside,
    /// We asked; what happens meanwhile is shown after the history.
    Asked(Vec<ChatEvent>),
    Inside,
}

/// All that is remembered.
pub(crate) struct Room {
    screen: Screen,
    membership: Membership,
    /// Who and where we are, once the server agreed. Kept while disconnected, to join again.
    place: Option<Join>,
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
            membership: Membership::Outside,
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
    pub(crate) fn place(&self) -> Option<&Join> {
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
        if !matches!(self.membership, Membership::Asked(_)) {
            self.membership = Membership::Asked(Vec::new());
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
        self.place = Some(Join { name, room });
        for entry in history {
            self.show(&entry);
        }
        self.settle(Membership::Inside);
    }

    /// The server did not let us in; if we were in a room, we still are.
    pub(crate) fn stay(&mut self) {
        let membership = if self.place.is_some() {
            Membership::Inside
        } else {
            Membership::Outside
        };
        self.settle(membership);
    }

    /// The connection is gone, and with it the server's memory of us.
    pub(crate) fn lose(&mut self) {
        self.settle(Membership::Outside);
        self.users.clear();
        self.typists.clear();
    }

    /// Shows what happened, or keeps it until we know where we are.
    pub(crate) fn handle(&mut self, event: ChatEvent) {
        if let Membership::Asked(waiting) = &mut self.membership {
            waiting.push(event);
            return;
        }
        match event {
            ChatEvent::Entry(entry) => {
                self.typists.remove(&entry.name);
                self.show(&entry);
            }
            ChatEvent::Joined(Presence { name, users }) => {
                self.screen.note(&format!("{name} joined."));
                self.users = users;
            }
            ChatEvent::Left(Presence { name, users }) => {
                self.typists.remove(&name);
                self.screen.note(&format!("{name} left."));
                self.users = users;
            }
            ChatEvent::Typing(Typing { name, typing: true }) => {
                if !self.typists.contains(&name) {
                    self.screen.note(&format!("{name} is typing."));
                    self.typists.insert(name);
                }
            }
            ChatEvent::Typing(Typing { name, typing: false }) => {
                self.typists.remove(&name);
            }
        }
    }

    fn settle(&mut self, membership: Membership) {
        if let Membership::Asked(waiting) = std::mem::replace(&mut self.membership, membership) {
            for event in waiting {
                self.handle(event);
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
        room.handle(ChatEvent::Entry(entry(2, None)));
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
