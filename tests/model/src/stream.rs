//! One direction of a socket.

use std::collections::{BTreeSet, VecDeque};

use crate::{Fact, Message, Violation};

/// Whether the recipient has to receive a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    Must,
    May,
}

/// What the recipient is to receive, in order, and what it has received.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    expected: VecDeque<(Message, Certainty)>,
    received: BTreeSet<Message>,
}

impl Stream {
    pub(crate) fn expect(&mut self, message: Message, certainty: Certainty) {
        self.expected.push_back((message, certainty));
    }

    /// The recipient receives `message`, as `fact` says: it must be the next one expected, but for those that may be
    /// lost.
    pub(crate) fn receive(&mut self, message: Message, fact: &Fact) -> Result<(), Violation> {
        let Some(index) = self
            .expected
            .iter()
            .position(|(expected, _)| *expected == message)
        else {
            return Err(match self.received.contains(&message) {
                true => Violation::Duplicate(fact.clone()),
                false => Violation::WrongRecipient(fact.clone()),
            });
        };
        let mut before = self.expected.drain(..index);
        if let Some((missed, _)) = before.find(|(_, certainty)| *certainty == Certainty::Must) {
            return Err(Violation::Gap(fact.clone(), missed));
        }
        drop(before);
        self.expected.pop_front();
        self.received.insert(message);
        Ok(())
    }

    pub(crate) fn has_received(&self, message: Message) -> bool {
        self.received.contains(&message)
    }

    /// The first message that the recipient must still receive.
    pub(crate) fn missing(&self) -> Option<Message> {
        let must = |(_, certainty): &&(Message, Certainty)| *certainty == Certainty::Must;
        self.expected.iter().find(must).map(|(message, _)| *message)
    }
}
