//! The model itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::call::Call;
use crate::socket::{Presence, Socket};
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
    sockets: BTreeMap<Seat, Socket>,
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
            sockets: BTreeMap::new(),
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
                self.socket(seat).down.owe(message, certainty(delivery));
                Ok(())
            }
            Fact::Cast(ref cast) => {
                self.cast(at, cast);
                Ok(())
            }
            Fact::Heard(seat, message) => self.hear(seat, Side::Client, message, fact),
            Fact::Said(seat, message, delivery) => {
                self.socket(seat).up.owe(message, certainty(delivery));
                Ok(())
            }
            Fact::Taken(seat, message) => self.hear(seat, Side::Server, message, fact),
            Fact::Asked { .. } => {
                self.asked(at, fact);
                Ok(())
            }
            Fact::Ended { by, message, outcome } => self.ended(at, by, message, outcome, fact),
            Fact::Ends(seat, ending) => {
                self.socket(seat).end(ending, at);
                self.ending.insert(seat);
                Ok(())
            }
            Fact::Died(side, seat) => {
                *self.socket(seat).presence(side) = Presence::Dead;
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
        let there = self.sockets.iter().filter(|(_, socket)| {
            let is_in = room.is_none_or(|room| socket.rooms.contains(&room));
            socket.server.is_here() && socket.namespace == Some(namespace) && is_in
        });
        there.map(|(seat, _)| *seat).collect()
    }

    /// The rooms of a socket.
    #[must_use]
    pub fn rooms(&self, seat: Seat) -> BTreeSet<Room> {
        self.sockets
            .get(&seat)
            .map_or_else(BTreeSet::new, |socket| socket.rooms.clone())
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
        let stays = |socket: &Socket| {
            // A client may have given up before it heard that it was let in.
            let is_given_up = socket.client == Presence::Awaited && !socket.server.is_here();
            !socket.ends() && !is_given_up
        };
        for (seat, socket) in self.sockets.iter().filter(|(_, socket)| stays(socket)) {
            if let Some(side) = socket.side_that(|presence| !presence.is_here()) {
                return Err(Breach::Unmatched(*seat, side));
            }
            check_owed(*seat, socket)?;
        }
        Ok(())
    }

    /// Everybody has left: nobody is there, everything that could not be lost was heard, and all calls have ended.
    ///
    /// # Errors
    /// What is left or missing.
    pub fn end(&self) -> Result<(), Breach> {
        for (seat, socket) in &self.sockets {
            if let Some(side) = socket.side_that(Presence::is_here) {
                return Err(Breach::Unmatched(*seat, side));
            }
            if self.promise == Promise::Kept && socket.client != Presence::Awaited {
                check_owed(*seat, socket)?;
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
                self.socket(seat).rooms.insert(room);
            }
            Fact::Exited(seat, room) => {
                self.socket(seat).rooms.remove(&room);
            }
            Fact::Emptied(namespace, room) => {
                let there = |socket: &&mut Socket| socket.namespace == Some(namespace);
                for socket in self.sockets.values_mut().filter(there) {
                    socket.rooms.remove(&room);
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

    fn socket(&mut self, seat: Seat) -> &mut Socket {
        let empty = || Socket::new(Stream::default(), Stream::default());
        self.sockets.entry(seat).or_insert_with(empty)
    }

    fn step(
        &mut self,
        seat: Seat,
        side: Side,
        from: Presence,
        to: Presence,
        fact: &Fact,
    ) -> Result<(), Breach> {
        let presence = self.socket(seat).presence(side);
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
        let socket = self.socket(seat);
        socket.namespace = Some(namespace);
        for cast in of_now.iter().filter(|cast| cast.namespace == namespace) {
            socket.down.owe(cast.message, Certainty::May);
        }
        Ok(())
    }

    fn met(&mut self, seat: Seat, fact: &Fact) -> Result<(), Breach> {
        if self.socket(seat).server == Presence::Awaited {
            return Err(Breach::Presence(fact.clone()));
        }
        self.step(seat, Side::Client, Presence::Awaited, Presence::Present, fact)
    }

    fn left(&mut self, seat: Seat, side: Side, fact: &Fact) -> Result<(), Breach> {
        let promise = self.promise;
        self.step(seat, side, Presence::Present, Presence::Gone, fact)?;
        let socket = self.socket(seat);
        if side == Side::Server {
            socket.rooms.clear();
        }
        if !socket.server.is_here() && !socket.client.is_here() {
            self.ending.remove(&seat);
        }
        let socket = self.socket(seat);
        // A client may give up before it has heard that it was let in.
        let is_known = socket.client != Presence::Awaited;
        if promise == Promise::Kept && is_known && !socket.ends() {
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
        for (seat, socket) in &mut self.sockets {
            let is_target = cast.to.is_empty() || cast.to.iter().any(|room| socket.rooms.contains(room));
            let is_spared = cast.except.iter().any(|room| socket.rooms.contains(room))
                || cast.but == Some(*seat)
                // It is no member any more, and `on_disconnect` is about to say so.
                || socket.ends_by(Ending::Dismissal);
            let is_here = socket.server.is_here() && socket.namespace == Some(cast.namespace);
            if is_here && is_target && !is_spared {
                socket.down.owe(cast.message, certainty(cast.delivery));
            }
        }
    }

    fn hear(&mut self, seat: Seat, by: Side, message: Message, fact: &Fact) -> Result<(), Breach> {
        let socket = self.socket(seat);
        if *socket.presence(by) != Presence::Present {
            return Err(Breach::Presence(fact.clone()));
        }
        let stream = match by {
            Side::Server => &mut socket.up,
            Side::Client => &mut socket.down,
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
        let socket = self.socket(seat);
        let was_handled = match by {
            Side::Server => socket.down.has_heard(message),
            Side::Client => socket.up.has_heard(message),
        };
        // Who has not heard yet that it was let in may have given up, or be silent since.
        let may_break = promise == Promise::None || socket.ends() || socket.client == Presence::Awaited;
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
            let Some(socket) = self.sockets.get(seat) else {
                continue;
            };
            let is_due = socket.broken_at().is_some_and(|broken| broken + self.notice < at);
            let late = socket.side_that(Presence::is_here).filter(|_| is_due);
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

fn check_owed(seat: Seat, socket: &Socket) -> Result<(), Breach> {
    for (sender, stream) in [(Side::Server, &socket.down), (Side::Client, &socket.up)] {
        if let Some(message) = stream.missing().filter(|_| !socket.may_lose(sender)) {
            return Err(Breach::Missing(seat, sender, message));
        }
    }
    Ok(())
}
