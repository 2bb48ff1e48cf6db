//! Decodes bytes to scenarios: every position has one meaning, so that a change of one byte is a small change.

use std::time::Duration;

use socketio_driver::client::{Offline, TransportOrder};
use socketio_driver::engine::Handlers;
use socketio_model::{Delivery, Room};

use super::{
    Action, Admission, AnswerMode, BroadcastSetup, CallSetup, ClientSetup, Content, ContentKind, NetworkKind,
    Route, Scenario, SocketAction, Step,
};
use crate::Clock;
use crate::random::Random;

/// Most clients.
const MAX_CLIENTS: usize = 12;
/// Bytes of one step.
const STEP_BYTES: usize = 8;
/// Most steps.
const MAX_STEPS: usize = 60;
/// Bytes before the steps.
const HEAD_BYTES: usize = 4 + 2 * MAX_CLIENTS;

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::of(seed, "scenario", 0);
        let steps = random.length(5..MAX_STEPS);
        let bytes: Vec<u8> = (0..HEAD_BYTES + steps * STEP_BYTES)
            .map(|_| random.number() as u8)
            .collect();
        Self::decode(seed, &bytes)
    }

    /// The scenario that the bytes describe; missing bytes are 0, bytes beyond the last step are ignored.
    #[must_use]
    pub fn decode(seed: u64, bytes: &[u8]) -> Self {
        let (head, steps) = bytes.split_at(bytes.len().min(HEAD_BYTES));
        let at = |position: usize| head.get(position).copied().unwrap_or(0);
        let clients = 1 + usize::from(at(1)) % MAX_CLIENTS;
        let namespaces = 1 + at(2) % 2;
        Self {
            seed,
            clock: clock(seed),
            handlers: handlers(seed),
            network: network(at(0)),
            route: route([at(0), at(2), at(3)]),
            heartbeat: heartbeat(at(3)),
            clients: (0..clients)
                .map(|client| setup(at(4 + 2 * client), at(5 + 2 * client), namespaces))
                .collect(),
            steps: steps_of(steps),
        }
    }
}

/// From a stream of its own, so that the rest of a scenario does not depend on it.
fn clock(seed: u64) -> Clock {
    match Random::of(seed, "clock", 0).once_in(2) {
        true => Clock::Running,
        false => Clock::Stepping,
    }
}

/// From a stream of its own, so that the rest of a scenario does not depend on it.
fn handlers(seed: u64) -> Handlers {
    match Random::of(seed, "handlers", 0).once_in(2) {
        true => Handlers::Apart,
        false => Handlers::InPlace,
    }
}

const fn network(byte: u8) -> NetworkKind {
    match byte % 8 {
        0..3 if byte >= 192 => NetworkKind::Narrow,
        0..3 => NetworkKind::Typical,
        3 => NetworkKind::Ideal,
        4 => NetworkKind::Bytewise,
        _ => NetworkKind::Unreliable,
    }
}

/// One scenario in four has a proxy; its configuration follows from bits that mean nothing else.
fn route(bytes: [u8; 3]) -> Route {
    let [network, clients, heartbeat] = bytes.map(u64::from);
    match clients >> 1 & 3 {
        3 => Route::proxied(network >> 3 << 16 | clients >> 3 << 8 | heartbeat >> 2),
        _ => Route::Direct,
    }
}

const fn heartbeat(byte: u8) -> (Duration, Duration) {
    let (interval, timeout) = match byte % 4 {
        0 => (3, 6),
        1 => (10, 8),
        _ => (25, 20),
    };
    (Duration::from_secs(interval), Duration::from_secs(timeout))
}

fn setup(byte: u8, other: u8, namespaces: u8) -> ClientSetup {
    ClientSetup {
        transports: match byte % 4 {
            0 => TransportOrder::Polling,
            1 => TransportOrder::WebSocket,
            _ => TransportOrder::PollingFirst,
        },
        namespaces: 1 + (byte >> 4) % namespaces,
        offline: match byte >> 2 & 3 {
            3 => Offline::Buffer {
                packets: 8,
                bytes: 200_000,
            },
            _ => Offline::Refuse,
        },
        admission: match other % 8 {
            0 | 4 => Admission::Slow(Duration::from_millis(u64::from(other) / 8)),
            1 => Admission::EverySecondTime,
            _ => Admission::Immediate,
        },
    }
}

fn steps_of(bytes: &[u8]) -> Vec<Step> {
    let mut client_index = 0;
    let chunks = bytes.chunks(STEP_BYTES).take(MAX_STEPS);
    let steps = chunks.map(|bytes| {
        let step = step(bytes, client_index);
        client_index = step.client_index;
        step
    });
    steps.collect()
}

/// Half of the steps are about the client of the step `before`: what happens at once to one client finds most failures.
fn step(bytes: &[u8], before: usize) -> Step {
    let at = |position: usize| bytes.get(position).copied().unwrap_or(0);
    let number = u64::from(at(1));
    let pause = match at(0) % 6 {
        0 | 1 => Duration::ZERO,
        2 => Duration::from_micros(number * 100),
        3 => Duration::from_millis(number),
        4 => Duration::from_millis(number * 10),
        _ => Duration::from_millis(number * 80),
    };
    Step {
        pause,
        client_index: match at(2) {
            byte @ 0..128 => usize::from(byte & 15),
            128.. => before,
        },
        namespace_index: at(2) >> 4 & 7,
        action: action(at(3), [at(4), at(5), at(6), at(7)]),
    }
}

fn action(byte: u8, more: [u8; 4]) -> Action {
    let outage = Duration::from_millis(1 + u64::from(more[0]) * 40);
    match byte {
        0..8 => Action::RejoinNamespace,
        8..50 => Action::ClientEmit(content(more), delivery(more[3])),
        50..80 => Action::ClientEmitWithAck(call_setup(more)),
        80..130 => Action::ServerActInHandler(socket_action(more)),
        130..185 => Action::ServerAct(socket_action(more)),
        185..205 => Action::Broadcast(broadcast_setup(more)),
        205..208 => Action::CloseRoom(Room(more[0] % 4)),
        208..215 => Action::LeaveNamespace,
        215..222 => Action::Disconnect,
        222..240 => Action::Reconnect,
        240..244 => Action::ReplaceClient,
        244..248 => Action::KillClient,
        248..252 => Action::SilenceClient,
        252..254 => Action::KillServer(outage),
        _ => Action::ShutDownServer(outage),
    }
}

fn socket_action(bytes: [u8; 4]) -> SocketAction {
    let more = [bytes[1], bytes[2], bytes[3], bytes[0] >> 4];
    match bytes[0] % 32 {
        0..9 => SocketAction::Emit(content(more), delivery(bytes[3])),
        9..17 => SocketAction::Broadcast(broadcast_setup(more)),
        17..21 => SocketAction::EmitWithAck(call_setup(more)),
        21..27 => SocketAction::Join(Room(bytes[1] % 4)),
        27..30 => SocketAction::Leave(Room(bytes[1] % 4)),
        30 => SocketAction::Disconnect,
        _ => SocketAction::DisconnectClient,
    }
}

fn broadcast_setup(bytes: [u8; 4]) -> BroadcastSetup {
    BroadcastSetup {
        to: rooms(bytes[0] & 15),
        except: rooms(bytes[0] >> 4 & bytes[1]),
        content: content([bytes[2], bytes[3], bytes[1], 0]),
        delivery: delivery(bytes[1] >> 3),
    }
}

fn rooms(mask: u8) -> Vec<Room> {
    (0..4).filter(|room| mask >> room & 1 == 1).map(Room).collect()
}

const fn delivery(byte: u8) -> Delivery {
    match byte % 5 {
        0 => Delivery::Volatile,
        _ => Delivery::Reliable,
    }
}

/// Small contents, those at the limits of the lengths in WebSocket headers, and some that take many segments.
fn content(bytes: [u8; 4]) -> Content {
    let detail = usize::from(bytes[1]);
    Content {
        kind: match bytes[2] % 3 {
            0 => ContentKind::Binary,
            _ => ContentKind::Text,
        },
        size: match bytes[0] % 16 {
            0..8 => detail % 64,
            8 | 9 => detail,
            // Around the longest 7-bit length, with and without what precedes the text.
            10 | 11 => 96 + detail % 32,
            12 | 13 => detail * 16,
            14 => detail * 100,
            _ => 65_536 - detail,
        },
    }
}

fn call_setup(bytes: [u8; 4]) -> CallSetup {
    CallSetup {
        answer_mode: match bytes[0] % 8 {
            0..4 => AnswerMode::Immediate,
            4 => AnswerMode::Slow,
            5 | 6 => AnswerMode::AfterNestedCall,
            _ => AnswerMode::Never,
        },
        timeout: match bytes[1] % 4 {
            0 => Duration::from_millis(u64::from(bytes[2])),
            1 => Duration::from_secs(1 + u64::from(bytes[2]) / 32),
            _ => CallSetup::LONGEST_TIMEOUT,
        },
    }
}
