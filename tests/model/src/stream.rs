//! One direction of a socket.

use std::collections::{BTreeSet, VecDeque};

use crate::{Breach, Fact, Message};

/// Whether the receiver is to hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    Must,
    May,
}

/// What the receiver is to hear, in order, and what it has heard.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    owed: VecDeque<(Message, Certainty)>,
    heard: BTreeSet<Message>,
}

impl Stream {
    pub(crate) fn owe(&mut self, message: Message, certainty: Certainty) {
        self.owed.push_back((message, certainty));
    }

    /// The receiver hears `message`, as `fact` says: it must be the next that it is owed, but for those that it may
    /// miss.
    pub(crate) fn hear(&mut self, message: Message, fact: &Fact) -> Result<(), Breach> {
        let Some(place) = self.owed.iter().position(|(owed, _)| *owed == message) else {
            return Err(match self.heard.contains(&message) {
                true => Breach::Twice(fact.clone()),
                false => Breach::Unaddressed(fact.clone()),
            });
        };
        let mut before = self.owed.drain(..place);
        if let Some((missed, _)) = before.find(|(_, certainty)| *certainty == Certainty::Must) {
            return Err(Breach::Gap(fact.clone(), missed));
        }
        drop(before);
        self.owed.pop_front();
        self.heard.insert(message);
        Ok(())
    }

    pub(crate) fn has_heard(&self, message: Message) -> bool {
        self.heard.contains(&message)
    }

    /// The first message that the receiver must still hear.
    pub(crate) fn missing(&self) -> Option<Message> {
        let must = |(_, certainty): &&(Message, Certainty)| *certainty == Certainty::Must;
        self.owed.iter().find(must).map(|(message, _)| *message)
    }
}
