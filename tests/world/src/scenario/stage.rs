//! What all sides note, and what they know of each other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socketio_driver::Socket;
use socketio_model::{Fact, Message, Model, Namespace, Promise, Seat};

use super::{Climate, Scenario};
use crate::World;

/// The names of the namespaces.
pub(super) const NAMESPACES: [&str; 2] = ["/", "/b"];

/// Shared by the server, the clients and the test.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) scenario: Scenario,
    state: Mutex<State>,
}

struct State {
    model: Model,
    log: Vec<(Duration, Line)>,
    failure: Option<String>,
    seats: BTreeMap<String, Seat>,
    last_message: u64,
    sockets: BTreeMap<Seat, Present>,
    /// How often each guest asked to be let in.
    knocks: BTreeMap<usize, u64>,
}

enum Line {
    Fact(Fact),
    Word(String),
}

/// A socket at the server, from the beginning of `on_connect` to that of `on_disconnect`.
#[derive(Clone)]
pub(super) struct Present {
    pub(super) socket: Socket,
    pub(super) person: usize,
    pub(super) namespace: Namespace,
}

impl Stage {
    pub(super) fn new(world: World, scenario: Scenario) -> Arc<Self> {
        let promise = match scenario.climate {
            Climate::Storm => Promise::None,
            _ => scenario.way.promise(scenario.heartbeat.0),
        };
        let longest = scenario.guests.iter().map(|guest| guest.welcome.time()).max();
        let (interval, timeout) = scenario.heartbeat;
        // What is under way arrives, and is heard, after a link has fallen silent.
        let under_way = match scenario.climate {
            Climate::Storm => Duration::from_secs(61),
            Climate::Narrow => Duration::from_secs(20),
            Climate::Fair | Climate::Still | Climate::Dripping => Duration::from_millis(100),
        };
        let under_way = under_way * scenario.way.legs() + scenario.way.delay();
        let notice = interval + timeout + longest.unwrap_or_default() + under_way;
        Arc::new(Self {
            world,
            scenario,
            state: Mutex::new(State {
                model: Model::new(promise, notice),
                log: Vec::new(),
                failure: None,
                seats: BTreeMap::new(),
                last_message: 0,
                sockets: BTreeMap::new(),
                knocks: BTreeMap::new(),
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a fact, and what the model says about it.
    pub(super) fn note(&self, fact: Fact) {
        let at = self.world.age();
        let mut state = self.lock();
        if let Err(breach) = state.model.note(at, &fact) {
            state.fail(at, breach.to_string());
        }
        state.log.push((at, Line::Fact(fact)));
    }

    /// Something is wrong that the model does not know of.
    pub(super) fn fail(&self, failure: String) {
        let at = self.world.age();
        self.lock().fail(at, failure);
    }

    /// Writes a line into the log.
    pub(super) fn tell(&self, line: String) {
        let at = self.world.age();
        self.lock().log.push((at, Line::Word(line)));
    }

    /// Asks the model.
    pub(super) fn ask<T>(&self, ask: impl FnOnce(&Model) -> T) -> T {
        ask(&self.lock().model)
    }

    /// The seat of a socket's id.
    pub(super) fn seat(&self, sid: &str) -> Seat {
        let mut state = self.lock();
        let next = Seat(state.seats.len());
        if let Some(seat) = state.seats.get(sid) {
            return *seat;
        }
        state.seats.insert(sid.to_owned(), next);
        next
    }

    /// All that there ever were.
    pub(super) fn seats(&self) -> Vec<Seat> {
        self.lock().seats.values().copied().collect()
    }

    /// A message that nobody has sent yet.
    pub(super) fn message(&self) -> Message {
        let mut state = self.lock();
        state.last_message += 1;
        Message(state.last_message)
    }

    /// A guest asks to be let in; how often it did before.
    pub(super) fn knocks(&self, person: usize) -> u64 {
        let mut state = self.lock();
        let knocks = state.knocks.entry(person).or_default();
        *knocks += 1;
        *knocks - 1
    }

    pub(super) fn arrived(&self, seat: Seat, present: Present) {
        self.lock().sockets.insert(seat, present);
    }

    pub(super) fn left(&self, seat: Seat) {
        let left = self.lock().sockets.remove(&seat);
        drop(left);
    }

    /// All sockets at the server.
    pub(super) fn sockets(&self) -> BTreeMap<Seat, Present> {
        self.lock().sockets.clone()
    }

    /// Whether something was wrong.
    pub(super) fn has_failed(&self) -> bool {
        self.lock().failure.is_some()
    }

    /// What was wrong, and all that happened.
    pub(super) fn finish(&self) -> (Option<String>, Vec<String>) {
        let mut state = self.lock();
        let lines = std::mem::take(&mut state.log);
        let failure = state.failure.take();
        drop(state);
        // Thousands of scenarios go well, and nobody reads what happened there.
        let lines = match failure.is_some() || std::env::var_os("SIM_SEED").is_some() {
            true => lines.iter().map(Line::show).collect(),
            false => Vec::new(),
        };
        (failure, lines)
    }
}

impl State {
    fn fail(&mut self, at: Duration, failure: String) {
        self.log.push((at, Line::Word(format!("WRONG: {failure}"))));
        self.failure.get_or_insert(failure);
    }
}

impl Line {
    fn show((at, line): &(Duration, Self)) -> String {
        match line {
            Self::Fact(fact) => format!("{:14.6} {fact:?}", at.as_secs_f64()),
            Self::Word(word) => format!("{:14.6} -- {word}", at.as_secs_f64()),
        }
    }
}
