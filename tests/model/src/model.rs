//! The model itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::call::Call;
use crate::chair::{Chair, Presence};
use crate::stream::{Certainty, Stream};
use crate::{Breach, Cast, Delivery, Due, Ending, Fact, Message, Namespace, Outcome, Room, Seat, Side};

/// What the network promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Connections break only where a [`Fact::Ends`] says so.
    Kept,
    /// They break whenever they like.
    None,
}

/// Sets and queues; see the [crate](crate).
#[derive(Debug)]
pub struct Model {
    promise: Promise,
    /// The longest that a dead peer is not noticed.
    notice: Duration,
    chairs: BTreeMap<Seat, Chair>,
    /// Seats that end and that somebody has not left yet.
    ending: BTreeSet<Seat>,
    calls: BTreeMap<(Side, Message), Call>,
    /// Broadcasts of this moment to whole namespaces.
    fresh: (Duration, Vec<Cast>),
}

impl Model {
    /// Nobody is there. `notice` is ping interval plus ping timeout, and the longest `on_connect`.
    #[must_use]
    pub const fn new(promise: Promise, notice: Duration) -> Self {
        Self {
            promise,
            notice,
            chairs: BTreeMap::new(),
            ending: BTreeSet::new(),
            calls: BTreeMap::new(),
            fresh: (Duration::ZERO, Vec::new()),
        }
    }

    /// Notes what happened `at` a time, which never goes back.
    ///
    /// # Errors
    /// When it must not happen, or something else should have happened before.
    pub fn note(&mut self, at: Duration, fact: &Fact) -> Result<(), Breach> {
        self.check_notice(at)?;
        match *fact {
            Fact::Joined { seat, namespace } => self.joined(at, seat, namespace, fact),
            Fact::Welcomed(seat) => {
                self.step(seat, Side::Server, Presence::Arriving, Presence::Present, fact)
            }
            Fact::Left(seat) => self.left(seat, Side::Server, fact),
            Fact::Met(seat) => self.met(seat, fact),
            Fact::Parted(seat) => self.left(seat, Side::Client, fact),
            Fact::Entered(..) | Fact::Exited(..) | Fact::Emptied(..) => {
                self.move_between_rooms(fact);
                Ok(())
            }
            Fact::Sent(seat, message, delivery) => {
                self.chair(seat).down.owe(message, certainty(delivery));
                Ok(())
            }
            Fact::Cast(ref cast) => {
                self.cast(at, cast);
                Ok(())
            }
            Fact::Heard(seat, message) => self.hear(seat, Side::Client, message, fact),
            Fact::Said(seat, message, delivery) => {
                self.chair(seat).up.owe(message, certainty(delivery));
                Ok(())
            }
            Fact::Taken(seat, message) => self.hear(seat, Side::Server, message, fact),
            Fact::Asked { .. } => {
                self.asked(at, fact);
                Ok(())
            }
            Fact::Ended { by, message, outcome } => self.ended(at, by, message, outcome, fact),
            Fact::Ends(seat, ending) => {
                self.chair(seat).end(ending, at);
                self.ending.insert(seat);
                Ok(())
            }
            Fact::Died(side, seat) => {
                *self.chair(seat).presence(side) = Presence::Dead;
                self.calls
                    .retain(|(by, _), call| *by != side || call.seat != seat);
                Ok(())
            }
        }
    }

    /// Who is in a room, or in the whole namespace: those whose `on_connect` has begun and whose `on_disconnect` has
    /// not.
    #[must_use]
    pub fn members(&self, namespace: Namespace, room: Option<Room>) -> BTreeSet<Seat> {
        let there = self.chairs.iter().filter(|(_, chair)| {
            let is_in = room.is_none_or(|room| chair.rooms.contains(&room));
            chair.server.is_here() && chair.namespace == Some(namespace) && is_in
        });
        there.map(|(seat, _)| *seat).collect()
    }

    /// The rooms of a socket.
    #[must_use]
    pub fn rooms(&self, seat: Seat) -> BTreeSet<Room> {
        self.chairs
            .get(&seat)
            .map_or_else(BTreeSet::new, |chair| chair.rooms.clone())
    }

    /// How many calls of a side have not ended.
    #[must_use]
    pub fn open_calls(&self, side: Side) -> usize {
        let open = |((by, _), call): &(&(Side, Message), &Call)| *by == side && !call.has_ended;
        self.calls.iter().filter(open).count()
    }

    /// Nothing has happened for long, `at` this time: whoever did not leave has heard everything that it is owed.
    ///
    /// # Errors
    /// What is missing.
    pub fn rest(&self, at: Duration) -> Result<(), Breach> {
        self.check_notice(at)?;
        if self.promise == Promise::None {
            return Ok(());
        }
        let stays = |chair: &Chair| {
            // A client may have given up before it heard that it was let in.
            let is_given_up = chair.client == Presence::Awaited && !chair.server.is_here();
            !chair.ends() && !is_given_up
        };
        for (seat, chair) in self.chairs.iter().filter(|(_, chair)| stays(chair)) {
            if let Some(side) = chair.side_that(|presence| !presence.is_here()) {
                return Err(Breach::Unmatched(*seat, side));
            }
            check_owed(*seat, chair)?;
        }
        Ok(())
    }

    /// Everybody has left: nobody is there, everything that could not be lost was heard, and all calls have ended.
    ///
    /// # Errors
    /// What is left or missing.
    pub fn end(&self) -> Result<(), Breach> {
        for (seat, chair) in &self.chairs {
            if let Some(side) = chair.side_that(Presence::is_here) {
                return Err(Breach::Unmatched(*seat, side));
            }
            if self.promise == Promise::Kept && chair.client != Presence::Awaited {
                check_owed(*seat, chair)?;
            }
        }
        match self.calls.iter().find(|(_, call)| !call.has_ended) {
            Some(((by, message), _)) => Err(Breach::Unended(*by, *message)),
            None => Ok(()),
        }
    }

    fn move_between_rooms(&mut self, fact: &Fact) {
        match *fact {
            Fact::Entered(seat, room) => {
                self.chair(seat).rooms.insert(room);
            }
            Fact::Exited(seat, room) => {
                self.chair(seat).rooms.remove(&room);
            }
            Fact::Emptied(namespace, room) => {
                let there = |chair: &&mut Chair| chair.namespace == Some(namespace);
                for chair in self.chairs.values_mut().filter(there) {
                    chair.rooms.remove(&room);
                }
            }
            _ => {}
        }
    }

    fn asked(&mut self, at: Duration, fact: &Fact) {
        if let Fact::Asked {
            by,
            seat,
            message,
            patience,
            due,
        } = *fact
        {
            let call = Call {
                seat,
                deadline: at + patience,
                due,
                has_ended: false,
            };
            self.calls.insert((by, message), call);
        }
    }

    fn chair(&mut self, seat: Seat) -> &mut Chair {
        let empty = || Chair::new(Stream::default(), Stream::default());
        self.chairs.entry(seat).or_insert_with(empty)
    }

    fn step(
        &mut self,
        seat: Seat,
        side: Side,
        from: Presence,
        to: Presence,
        fact: &Fact,
    ) -> Result<(), Breach> {
        let presence = self.chair(seat).presence(side);
        if *presence != from {
            return Err(Breach::Presence(fact.clone()));
        }
        *presence = to;
        Ok(())
    }

    /// A broadcast of the same moment may have come before or after the socket was let in: `on_connect` runs when
    /// what else came with the request to join has been seen to.
    fn joined(&mut self, at: Duration, seat: Seat, namespace: Namespace, fact: &Fact) -> Result<(), Breach> {
        self.step(seat, Side::Server, Presence::Awaited, Presence::Arriving, fact)?;
        let of_now = if self.fresh.0 == at {
            self.fresh.1.clone()
        } else {
            Vec::new()
        };
        let chair = self.chair(seat);
        chair.namespace = Some(namespace);
        for cast in of_now.iter().filter(|cast| cast.namespace == namespace) {
            chair.down.owe(cast.message, Certainty::May);
        }
        Ok(())
    }

    fn met(&mut self, seat: Seat, fact: &Fact) -> Result<(), Breach> {
        if self.chair(seat).server == Presence::Awaited {
            return Err(Breach::Presence(fact.clone()));
        }
        self.step(seat, Side::Client, Presence::Awaited, Presence::Present, fact)
    }

    fn left(&mut self, seat: Seat, side: Side, fact: &Fact) -> Result<(), Breach> {
        let promise = self.promise;
        self.step(seat, side, Presence::Present, Presence::Gone, fact)?;
        let chair = self.chair(seat);
        if side == Side::Server {
            chair.rooms.clear();
        }
        if !chair.server.is_here() && !chair.client.is_here() {
            self.ending.remove(&seat);
        }
        let chair = self.chair(seat);
        // A client may give up before it has heard that it was let in.
        let is_known = chair.client != Presence::Awaited;
        if promise == Promise::Kept && is_known && !chair.ends() {
            return Err(Breach::NoReason(fact.clone()));
        }
        Ok(())
    }

    fn cast(&mut self, at: Duration, cast: &Cast) {
        if self.fresh.0 != at {
            self.fresh = (at, Vec::new());
        }
        if cast.to.is_empty() {
            self.fresh.1.push(cast.clone());
        }
        for (seat, chair) in &mut self.chairs {
            let is_target = cast.to.is_empty() || cast.to.iter().any(|room| chair.rooms.contains(room));
            let is_spared = cast.except.iter().any(|room| chair.rooms.contains(room))
                || cast.but == Some(*seat)
                // It is no member any more, and `on_disconnect` is about to say so.
                || chair.ends_by(Ending::Dismissal);
            let is_here = chair.server.is_here() && chair.namespace == Some(cast.namespace);
            if is_here && is_target && !is_spared {
                chair.down.owe(cast.message, certainty(cast.delivery));
            }
        }
    }

    fn hear(&mut self, seat: Seat, by: Side, message: Message, fact: &Fact) -> Result<(), Breach> {
        let chair = self.chair(seat);
        if *chair.presence(by) != Presence::Present {
            return Err(Breach::Presence(fact.clone()));
        }
        let stream = match by {
            Side::Server => &mut chair.up,
            Side::Client => &mut chair.down,
        };
        stream.hear(message, fact)
    }

    fn ended(
        &mut self,
        at: Duration,
        by: Side,
        message: Message,
        outcome: Outcome,
        fact: &Fact,
    ) -> Result<(), Breach> {
        let breach = || Breach::Call(fact.clone());
        let promise = self.promise;
        let call = self.calls.get_mut(&(by, message)).ok_or_else(breach)?;
        let (seat, deadline, due) = (call.seat, call.deadline, call.due);
        let is_first = !std::mem::replace(&mut call.has_ended, true);
        let chair = self.chair(seat);
        let was_handled = match by {
            Side::Server => chair.down.has_heard(message),
            Side::Client => chair.up.has_heard(message),
        };
        // Who has not heard yet that it was let in may have given up, or be silent since.
        let may_break = promise == Promise::None || chair.ends() || chair.client == Presence::Awaited;
        let is_right = match outcome {
            Outcome::Answered(answer) => was_handled && answer == message.0 && due != Due::Never,
            Outcome::TimedOut => at == deadline && (due != Due::Answer || may_break),
            Outcome::Disconnected => at <= deadline && may_break,
        };
        if is_first && is_right {
            Ok(())
        } else {
            Err(breach())
        }
    }

    /// Both sides of a connection that was broken some time ago know it.
    fn check_notice(&self, at: Duration) -> Result<(), Breach> {
        for seat in &self.ending {
            let Some(chair) = self.chairs.get(seat) else {
                continue;
            };
            let is_due = chair.broken_at().is_some_and(|broken| broken + self.notice < at);
            let late = chair.side_that(Presence::is_here).filter(|_| is_due);
            if let Some(side) = late {
                return Err(Breach::Unnoticed(*seat, side));
            }
        }
        Ok(())
    }
}

const fn certainty(delivery: Delivery) -> Certainty {
    match delivery {
        Delivery::Reliable => Certainty::Must,
        Delivery::Volatile => Certainty::May,
    }
}

fn check_owed(seat: Seat, chair: &Chair) -> Result<(), Breach> {
    for (sender, stream) in [(Side::Server, &chair.down), (Side::Client, &chair.up)] {
        if let Some(message) = stream.missing().filter(|_| !chair.may_lose(sender)) {
            return Err(Breach::Missing(seat, sender, message));
        }
    }
    Ok(())
}
