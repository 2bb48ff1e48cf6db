//! One event in, many out: broadcasts to everybody and to rooms. One delivery is one operation.

use super::{Load, payload, roll_call};
use crate::Outcome;
use crate::frame::{Opcode, masked};
use crate::hub::{ClientId, Hub, Message, Outbox, Traffic, unexpected};

const MOST_IN_FLIGHT: usize = 32;

/// One event that the server sends on, and what each recipient hears. Payloads start with the two-digit `index`.
struct Cast {
    request: Vec<u8>,
    delivery: Vec<u8>,
    /// Recipients that have not heard it yet.
    remaining: usize,
}

/// Clients that hear the same sender.
struct Group {
    sender: ClientId,
    members: usize,
    casts: Vec<Cast>,
    /// One bit per cast, flipped whenever it is sent again.
    generation: u32,
}

pub(crate) struct Fanout {
    groups: Vec<Group>,
    /// The group of each member; senders that are no members have none.
    group_of: Vec<Option<usize>>,
    /// Per client, the generation it has heard of each cast.
    heard: Vec<u32>,
    /// The length of what stands before the index in a delivery.
    index_at: usize,
    completed: u64,
}

impl Fanout {
    /// Client 0 broadcasts to `clients`, itself among them.
    pub(crate) fn broadcast(clients: usize, in_flight: usize) -> Self {
        let casts = (0..in_flight)
            .map(|index| {
                let text = payload::small(&format!("{index:02}"));
                Cast {
                    request: masked(Opcode::Text, format!(r#"42["cast","{text}"]"#).as_bytes()),
                    delivery: format!(r#"42["casted","{text}"]"#).into_bytes(),
                    remaining: 0,
                }
            })
            .collect();
        let group = Group {
            sender: 0,
            members: clients,
            casts,
            generation: 0,
        };
        Self::new(vec![group], vec![Some(0); clients], r#"42["casted",""#)
    }

    /// Every room has `members`, numbered from 0, and a sender outside of it, numbered behind all members: then it
    /// does not matter whether a server's rooms include who sends to them.
    pub(crate) fn rooms(rooms: usize, members: usize) -> Self {
        let first_sender = rooms * members;
        let groups = (0..rooms).map(|room| {
            let text = payload::small(&format!("00room{room}"));
            let cast = Cast {
                request: masked(
                    Opcode::Text,
                    format!(r#"42["room","room{room}","{text}"]"#).as_bytes(),
                ),
                delivery: format!(r#"42["roomed","{text}"]"#).into_bytes(),
                remaining: 0,
            };
            Group {
                sender: first_sender + room,
                members,
                casts: vec![cast],
                generation: 0,
            }
        });
        let mut group_of: Vec<_> = (0..first_sender).map(|client| Some(client / members)).collect();
        group_of.resize(first_sender + rooms, None);
        Self::new(groups.collect(), group_of, r#"42["roomed",""#)
    }

    fn new(groups: Vec<Group>, group_of: Vec<Option<usize>>, before_index: &str) -> Self {
        assert!(groups.iter().all(|group| group.casts.len() <= MOST_IN_FLIGHT));
        let heard = vec![0; group_of.len()];
        Self {
            groups,
            group_of,
            heard,
            index_at: before_index.len(),
            completed: 0,
        }
    }

    pub(crate) fn clients(&self) -> usize {
        self.group_of.len()
    }

    /// Lets the members join their rooms.
    pub(crate) fn join_rooms(&self, hub: &mut Hub) -> Outcome<()> {
        let rooms = self.group_of.iter().enumerate();
        let joins: Vec<_> = rooms
            .filter_map(|(client, room)| Some((client, format!(r#"4210["join","room{}"]"#, (*room)?))))
            .collect();
        roll_call(hub, &joins)
    }

    /// Sends the first events of every sender.
    pub(crate) fn start(&mut self, outbox: &mut Outbox) {
        for group in &mut self.groups {
            for index in 0..group.casts.len() {
                group.send(index, outbox);
            }
        }
    }

    /// The group and the cast that `text` delivers to `client`, if it is right and has not been heard.
    fn delivered(&mut self, client: ClientId, text: &[u8]) -> Option<(usize, usize)> {
        let group_index = self.group_of[client]?;
        let group = &self.groups[group_index];
        let &[tens, units] = text.get(self.index_at..)?.first_chunk()?;
        let index = usize::from(tens.checked_sub(b'0')?) * 10 + usize::from(units.checked_sub(b'0')?);
        let bit = 1 << index;
        let news = (self.heard[client] ^ group.generation) & bit != 0;
        if group.casts.get(index)?.delivery != text || !news {
            return None;
        }
        self.heard[client] ^= bit;
        Some((group_index, index))
    }
}

impl Group {
    fn send(&mut self, index: usize, outbox: &mut Outbox) {
        self.generation ^= 1 << index;
        let cast = &mut self.casts[index];
        cast.remaining = self.members;
        outbox.push(self.sender, &cast.request);
    }
}

impl Traffic for Fanout {
    fn message(&mut self, client: ClientId, message: Message<'_>, outbox: &mut Outbox) -> Outcome<()> {
        let Message::Text(text) = message else {
            return Err(unexpected(client, message));
        };
        let (group, index) = self
            .delivered(client, text)
            .ok_or_else(|| unexpected(client, message))?;
        self.completed += 1;
        let group = &mut self.groups[group];
        group.casts[index].remaining -= 1;
        if group.casts[index].remaining == 0 {
            group.send(index, outbox);
        }
        Ok(())
    }
}

impl Load for Fanout {
    fn completed(&self) -> u64 {
        self.completed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_counts_once_per_member_and_generation() {
        let mut fanout = Fanout::broadcast(2, 1);
        let delivery = fanout.groups[0].casts[0].delivery.clone();
        assert_eq!(fanout.delivered(1, &delivery), None);
        fanout.groups[0].generation ^= 1;
        assert_eq!(fanout.delivered(1, &delivery), Some((0, 0)));
        assert_eq!(fanout.delivered(1, &delivery), None);
        assert_eq!(fanout.delivered(0, &delivery), Some((0, 0)));
    }

    #[test]
    fn senders_to_rooms_hear_nothing() {
        let mut fanout = Fanout::rooms(2, 3);
        let delivery = fanout.groups[1].casts[0].delivery.clone();
        fanout.groups[1].generation = 1;
        assert_eq!(fanout.delivered(7, &delivery), None);
        assert_eq!(fanout.delivered(2, &delivery), None);
        assert_eq!(fanout.delivered(3, &delivery), Some((1, 0)));
    }
}
