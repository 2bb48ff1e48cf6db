//! What the server, the clients and the test share: the model, the log, and the state of all sockets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socketio_driver::Socket;
use socketio_model::{ClientId, Fact, Guarantee, Message, Model, Namespace, SocketId};

use super::content::{are_attachments, is_text};
use super::{NetworkKind, Scenario};
use crate::{Clock, World};

/// The names of the namespaces.
pub(super) const NAMESPACES: [&str; 2] = ["/", "/b"];

/// How far the clock may run between something and its note.
const TOLERANCE: Duration = Duration::from_millis(100);

/// The position of a namespace in [`NAMESPACES`].
pub(super) fn namespace_index(name: &str) -> usize {
    usize::from(name != NAMESPACES[0])
}

/// The namespace of this name as the model knows it.
pub(super) fn namespace_of(name: &str) -> Namespace {
    Namespace(namespace_index(name) as u8)
}

/// Everything that was noted in one run of a scenario, and what follows from it.
pub(super) struct Record {
    pub(super) world: World,
    pub(super) scenario: Scenario,
    state: Mutex<State>,
}

struct State {
    model: Model,
    log: Vec<(Duration, Entry)>,
    failure: Option<String>,
    socket_ids: BTreeMap<String, SocketId>,
    last_message: u64,
    clients: usize,
    sockets: BTreeMap<SocketId, ConnectedSocket>,
    /// How often the guard was asked for each client.
    connect_attempts: BTreeMap<usize, u64>,
}

enum Entry {
    Fact(Fact),
    Text(String),
}

/// A socket at the server, from the beginning of `on_connect` to that of `on_disconnect`.
#[derive(Clone)]
pub(super) struct ConnectedSocket {
    pub(super) socket: Socket,
    pub(super) client_index: usize,
    pub(super) namespace: Namespace,
}

impl Record {
    pub(super) fn new(world: World, scenario: Scenario) -> Arc<Self> {
        let guarantee = match scenario.network {
            NetworkKind::Unreliable => Guarantee::None,
            _ => scenario.route.guarantee(scenario.heartbeat.0),
        };
        let longest = scenario
            .clients
            .iter()
            .map(|client| client.admission.on_connect_time())
            .max();
        let (interval, timeout) = scenario.heartbeat;
        // What is in transit when a link falls silent still arrives.
        let in_transit = match scenario.network {
            NetworkKind::Unreliable => Duration::from_secs(61),
            NetworkKind::Narrow => Duration::from_secs(20),
            NetworkKind::Typical | NetworkKind::Ideal | NetworkKind::Bytewise => Duration::from_millis(100),
        };
        let in_transit = in_transit * scenario.route.connections() + scenario.route.longest_delay();
        let detection_time = interval + timeout + longest.unwrap_or_default() + in_transit;
        let tolerance = match scenario.clock {
            Clock::Stepping => Duration::ZERO,
            Clock::Running => TOLERANCE,
        };
        Arc::new(Self {
            world,
            scenario,
            state: Mutex::new(State {
                model: Model::new(guarantee, detection_time).with_tolerance(tolerance),
                log: Vec::new(),
                failure: None,
                socket_ids: BTreeMap::new(),
                last_message: 0,
                clients: 0,
                sockets: BTreeMap::new(),
                connect_attempts: BTreeMap::new(),
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a fact, and the rule that it violates.
    pub(super) fn note(&self, fact: Fact) {
        let at = self.world.elapsed();
        let mut state = self.lock();
        if let Err(violation) = state.model.note(at, &fact) {
            state.fail(at, violation.to_string());
        }
        state.log.push((at, Entry::Fact(fact)));
    }

    /// Notes a failure that the model cannot detect.
    pub(super) fn fail(&self, failure: String) {
        let at = self.world.elapsed();
        self.lock().fail(at, failure);
    }

    /// Fails if this is not the text of the message.
    pub(super) fn check_text(&self, number: u64, size: usize, text: &str) {
        if !is_text(number, size, text) {
            self.fail(format!("message {number} was corrupted"));
        }
    }

    /// Fails if these are not the attachments of the message.
    pub(super) fn check_binary(&self, number: u64, size: usize, attachments: [&[u8]; 2]) {
        if !are_attachments(number, size, attachments) {
            self.fail(format!("message {number} was corrupted"));
        }
    }

    /// Writes a line into the log.
    pub(super) fn log(&self, line: String) {
        let at = self.world.elapsed();
        self.lock().log.push((at, Entry::Text(line)));
    }

    /// Reads the model.
    pub(super) fn with_model<T>(&self, read: impl FnOnce(&Model) -> T) -> T {
        read(&self.lock().model)
    }

    /// The model's id of the socket with this Socket.IO id.
    pub(super) fn socket_id(&self, sid: &str) -> SocketId {
        let mut state = self.lock();
        let next = SocketId(state.socket_ids.len());
        if let Some(socket_id) = state.socket_ids.get(sid) {
            return *socket_id;
        }
        state.socket_ids.insert(sid.to_owned(), next);
        next
    }

    /// The ids of all sockets so far.
    pub(super) fn socket_ids(&self) -> Vec<SocketId> {
        self.lock().socket_ids.values().copied().collect()
    }

    /// The number of a new message.
    pub(super) fn next_message(&self) -> Message {
        let mut state = self.lock();
        state.last_message += 1;
        Message(state.last_message)
    }

    /// The id of a new client.
    pub(super) fn next_client(&self) -> ClientId {
        let mut state = self.lock();
        state.clients += 1;
        ClientId(state.clients)
    }

    /// Counts one more call of the guard for this client; gives how many there were before.
    pub(super) fn count_connect_attempt(&self, client_index: usize) -> u64 {
        let mut state = self.lock();
        let attempts = state.connect_attempts.entry(client_index).or_default();
        *attempts += 1;
        *attempts - 1
    }

    pub(super) fn add_socket(&self, socket_id: SocketId, entry: ConnectedSocket) {
        self.lock().sockets.insert(socket_id, entry);
    }

    pub(super) fn remove_socket(&self, socket_id: SocketId) {
        let removed = self.lock().sockets.remove(&socket_id);
        // After the lock was released.
        drop(removed);
    }

    /// All sockets at the server.
    pub(super) fn sockets(&self) -> BTreeMap<SocketId, ConnectedSocket> {
        self.lock().sockets.clone()
    }

    /// Whether there was a failure.
    pub(super) fn has_failed(&self) -> bool {
        self.lock().failure.is_some()
    }

    /// The first failure, and the log.
    pub(super) fn finish(&self) -> (Option<String>, Vec<String>) {
        let mut state = self.lock();
        let lines = std::mem::take(&mut state.log);
        let failure = state.failure.take();
        drop(state);
        // Formatting the logs of thousands of scenarios that pass would take too long.
        let lines = match failure.is_some() || std::env::var_os("SIM_SEED").is_some() {
            true => lines.iter().map(Entry::show).collect(),
            false => Vec::new(),
        };
        (failure, lines)
    }
}

impl State {
    fn fail(&mut self, at: Duration, failure: String) {
        self.log.push((at, Entry::Text(format!("FAILURE: {failure}"))));
        self.failure.get_or_insert(failure);
    }
}

impl Entry {
    fn show((at, line): &(Duration, Self)) -> String {
        match line {
            Self::Fact(fact) => format!("{:14.6} {fact:?}", at.as_secs_f64()),
            Self::Text(text) => format!("{:14.6} -- {text}", at.as_secs_f64()),
        }
    }
}
