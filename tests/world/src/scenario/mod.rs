//! Some minutes of a server and its clients, decided by a seed and compared with the model after every step.
//!
//! ```text
//!   seed ──► bytes ──► Scenario { network, clients, steps }       decode: byte by byte, so that a fuzzer can search
//!                          │
//!                         run: one step after the other
//!              ┌───────────┴───────────┐
//!          ServerApp             ClientApp, up to twelve         the real server, the real clients
//!              └───────────┬───────────┘
//!                       Record: every action and every handler notes a Fact ──► socketio-model
//! ```

mod audit;
mod call_setup;
mod client_app;
mod content;
mod decode;
mod events;
mod record;
mod route;
mod run;
mod server_app;
mod socket_action;

use std::time::Duration;

use socketio_driver::client::{Offline, TransportOrder};
use socketio_driver::engine::Handlers;
use socketio_model::{Delivery, Room};

pub use call_setup::{AnswerMode, CallSetup};
pub use content::{Content, ContentKind};
pub use route::Route;

use crate::{Clock, NetworkConditions, Statistics, World};

/// A server, its clients, the network between them, and what they do.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Decides what the network and the scheduler do.
    pub seed: u64,
    /// How the clock moves.
    pub clock: Clock,
    /// Where the handlers of both sides run.
    pub handlers: Handlers,
    /// The kind of network.
    pub network: NetworkKind,
    /// How clients reach the server.
    pub route: Route,
    /// Ping interval and ping timeout.
    pub heartbeat: (Duration, Duration),
    /// The clients.
    pub clients: Vec<ClientSetup>,
    /// What happens, one step after the other.
    pub steps: Vec<Step>,
}

/// The kind of network between server and clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// [`NetworkConditions::typical`].
    Typical,
    /// [`NetworkConditions::ideal`].
    Ideal,
    /// [`NetworkConditions::bytewise`].
    Bytewise,
    /// [`NetworkConditions::narrow`].
    Narrow,
    /// [`NetworkConditions::unreliable`].
    Unreliable,
}

impl NetworkKind {
    /// The conditions in such a network.
    #[must_use]
    pub fn conditions(self) -> NetworkConditions {
        match self {
            Self::Typical => NetworkConditions::typical(),
            Self::Ideal => NetworkConditions::ideal(),
            Self::Bytewise => NetworkConditions::bytewise(),
            Self::Narrow => NetworkConditions::narrow(),
            Self::Unreliable => NetworkConditions::unreliable(),
        }
    }
}

/// How a client is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSetup {
    /// Which transports it uses.
    pub transports: TransportOrder,
    /// How many namespaces it joins.
    pub namespaces: u8,
    /// What becomes of events that it emits while it is not connected.
    pub offline: Offline,
    /// How the server admits it to a namespace.
    pub admission: Admission,
}

/// How the server admits a client to a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// At once.
    Immediate,
    /// `on_connect` takes this time, and the guard half of it.
    Slow(Duration),
    /// The guard refuses every other attempt, beginning with the first.
    EverySecondTime,
}

impl Admission {
    /// How long the server's `on_connect` takes.
    #[must_use]
    pub const fn on_connect_time(self) -> Duration {
        match self {
            Self::Slow(time) => time,
            Self::Immediate | Self::EverySecondTime => Duration::ZERO,
        }
    }
}

/// One step of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The time since the step before.
    pub pause: Duration,
    /// The client that acts or is acted on, modulo the number of clients.
    pub client_index: usize,
    /// The namespace, modulo the number of the client's namespaces.
    pub namespace_index: u8,
    /// What is done.
    pub action: Action,
}

/// What is done in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client emits an event.
    ClientEmit(Content, Delivery),
    /// The client emits an event that asks for an acknowledgement.
    ClientEmitWithAck(CallSetup),
    /// The client emits an event whose handler does this to the client's socket.
    ServerActInHandler(SocketAction),
    /// The server does this to the client's socket, outside of handlers.
    ServerAct(SocketAction),
    /// The server broadcasts an event.
    Broadcast(BroadcastSetup),
    /// The server removes all sockets from a room.
    CloseRoom(Room),
    /// The client disconnects from the namespace.
    LeaveNamespace,
    /// The client disconnects from the namespace and connects to it again at once.
    RejoinNamespace,
    /// The client disconnects.
    Disconnect,
    /// The client connects again, if it had disconnected.
    Reconnect,
    /// The client's handle is dropped, and a new client starts on its host.
    ReplaceClient,
    /// The client's host is switched off and on again.
    KillClient,
    /// The client's open connections deliver nothing from now on, and report nothing.
    SilenceClient,
    /// The server's host is switched off, and on again after this time.
    KillServer(Duration),
    /// The server is shut down, and a new one starts after this time.
    ShutDownServer(Duration),
}

/// What the server does to a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketAction {
    /// Emits an event to it.
    Emit(Content, Delivery),
    /// Broadcasts an event to other sockets.
    Broadcast(BroadcastSetup),
    /// Emits an event to it that asks for an acknowledgement.
    EmitWithAck(CallSetup),
    /// Adds it to a room.
    Join(Room),
    /// Removes it from a room.
    Leave(Room),
    /// Disconnects it.
    Disconnect,
    /// Disconnects its client from all namespaces.
    DisconnectClient,
}

/// A broadcast and its recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastSetup {
    /// Members of these rooms; the whole namespace if there is none.
    pub to: Vec<Room>,
    /// Members of these rooms do not receive it.
    pub except: Vec<Room>,
    /// What is sent.
    pub content: Content,
    /// How it is delivered.
    pub delivery: Delivery,
}

/// The result of a scenario.
#[derive(Clone, Debug)]
pub struct Report {
    /// A hash of all that was sent; the same for the same scenario.
    pub trace: u64,
    /// The first failure, if there was one.
    pub failure: Option<String>,
    /// Everything that happened, a line each; only with a failure, or if the variable `SIM_SEED` is set.
    pub log: Vec<String>,
    /// What the network did.
    pub statistics: Statistics,
    /// How long it lasted in simulated time, for all clients together.
    pub client_time: Duration,
}

impl Scenario {
    /// Runs it. Panics of the driver are panics of this.
    #[must_use]
    pub fn run(&self) -> Report {
        let scenario = self.clone();
        let ((failure, log, statistics, time), trace) =
            World::run(self.seed, |world| run::run(world, scenario));
        Report {
            trace,
            failure,
            log,
            statistics,
            client_time: time * u32::try_from(self.clients.len()).unwrap_or(u32::MAX),
        }
    }
}
