//! Scenarios out of bytes: every place means one thing, so that a change of one byte is a small change.

use std::time::Duration;

use socketio_driver::client::TransportOrder;
use socketio_model::{Delivery, Room};

use super::{
    Act, Casting, Climate, Kind, Manner, Parcel, Question, Scenario, Step, Verb, Visitor, Way, Welcome,
};
use crate::chance::Chance;

/// Most clients.
const GUESTS: usize = 12;
/// Bytes of one step.
const STEP: usize = 8;
/// Most steps.
const STEPS: usize = 60;
/// Bytes before the steps.
const HEAD: usize = 4 + 2 * GUESTS;

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed, "scenario", 0);
        let steps = chance.length(5..STEPS);
        let bytes: Vec<u8> = (0..HEAD + steps * STEP).map(|_| chance.number() as u8).collect();
        Self::decode(seed, &bytes)
    }

    /// The scenario that the bytes describe; those that are missing are 0, those beyond the last step nothing.
    #[must_use]
    pub fn decode(seed: u64, bytes: &[u8]) -> Self {
        let (head, steps) = bytes.split_at(bytes.len().min(HEAD));
        let at = |place: usize| head.get(place).copied().unwrap_or(0);
        let guests = 1 + usize::from(at(1)) % GUESTS;
        let namespaces = 1 + at(2) % 2;
        Self {
            seed,
            climate: climate(at(0)),
            way: way([at(0), at(2), at(3)]),
            heartbeat: heartbeat(at(3)),
            guests: (0..guests)
                .map(|guest| visitor(at(4 + 2 * guest), at(5 + 2 * guest), namespaces))
                .collect(),
            steps: steps_of(steps),
        }
    }
}

const fn climate(byte: u8) -> Climate {
    match byte % 8 {
        0..3 if byte >= 192 => Climate::Narrow,
        0..3 => Climate::Fair,
        3 => Climate::Still,
        4 => Climate::Dripping,
        _ => Climate::Storm,
    }
}

/// One in four leads through an intermediary; what it is like is said by bits that mean nothing else.
fn way(bytes: [u8; 3]) -> Way {
    let [climate, guests, heartbeat] = bytes.map(u64::from);
    match guests >> 1 & 3 {
        3 => Way::through(climate >> 3 << 16 | guests >> 3 << 8 | heartbeat >> 2),
        _ => Way::Direct,
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

fn visitor(byte: u8, other: u8, namespaces: u8) -> Visitor {
    Visitor {
        transports: match byte % 4 {
            0 => TransportOrder::Polling,
            1 => TransportOrder::WebSocket,
            _ => TransportOrder::PollingFirst,
        },
        namespaces: 1 + (byte >> 4) % namespaces,
        welcome: match other % 8 {
            0 | 4 => Welcome::Slow(Duration::from_millis(u64::from(other) / 8)),
            1 => Welcome::Sometimes,
            _ => Welcome::Prompt,
        },
    }
}

fn steps_of(bytes: &[u8]) -> Vec<Step> {
    let mut who = 0;
    let chunks = bytes.chunks(STEP).take(STEPS);
    let steps = chunks.map(|bytes| {
        let step = step(bytes, who);
        who = step.who;
        step
    });
    steps.collect()
}

/// Half of the steps are of the guest of the step `before`: what happens to one at once is what goes wrong.
fn step(bytes: &[u8], before: usize) -> Step {
    let at = |place: usize| bytes.get(place).copied().unwrap_or(0);
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
        who: match at(2) {
            byte @ 0..128 => usize::from(byte & 15),
            128.. => before,
        },
        place: at(2) >> 4 & 7,
        act: act(at(3), [at(4), at(5), at(6), at(7)]),
    }
}

fn act(byte: u8, more: [u8; 4]) -> Act {
    let outage = Duration::from_millis(1 + u64::from(more[0]) * 40);
    match byte {
        0..8 => Act::Rejoin,
        8..50 => Act::Say(parcel(more), delivery(more[3])),
        50..80 => Act::Ask(question(more)),
        80..130 => Act::Wish(verb(more)),
        130..185 => Act::Do(verb(more)),
        185..205 => Act::Cast(casting(more)),
        205..208 => Act::Empty(Room(more[0] % 4)),
        208..215 => Act::LeaveNamespace,
        215..222 => Act::Disconnect,
        222..240 => Act::Return,
        240..244 => Act::Renew,
        244..248 => Act::Kill,
        248..252 => Act::Silence,
        252..254 => Act::Crash(outage),
        _ => Act::Shutdown(outage),
    }
}

fn verb(bytes: [u8; 4]) -> Verb {
    let more = [bytes[1], bytes[2], bytes[3], bytes[0] >> 4];
    match bytes[0] % 32 {
        0..9 => Verb::Send(parcel(more), delivery(bytes[3])),
        9..17 => Verb::Cast(casting(more)),
        17..21 => Verb::Ask(question(more)),
        21..27 => Verb::Enter(Room(bytes[1] % 4)),
        27..30 => Verb::Exit(Room(bytes[1] % 4)),
        30 => Verb::Dismiss,
        _ => Verb::DismissSession,
    }
}

fn casting(bytes: [u8; 4]) -> Casting {
    Casting {
        to: rooms(bytes[0] & 15),
        except: rooms(bytes[0] >> 4 & bytes[1]),
        parcel: parcel([bytes[2], bytes[3], bytes[1], 0]),
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

/// Small ones, those at the bounds of a WebSocket header's lengths, and some that take many segments.
fn parcel(bytes: [u8; 4]) -> Parcel {
    let detail = usize::from(bytes[1]);
    Parcel {
        kind: match bytes[2] % 3 {
            0 => Kind::Binary,
            _ => Kind::Text,
        },
        size: match bytes[0] % 16 {
            0..8 => detail % 64,
            8 | 9 => detail,
            // Around the longest of the shortest lengths, with and without what stands before the text.
            10 | 11 => 96 + detail % 32,
            12 | 13 => detail * 16,
            14 => detail * 100,
            _ => 65_536 - detail,
        },
    }
}

fn question(bytes: [u8; 4]) -> Question {
    Question {
        manner: match bytes[0] % 8 {
            0..4 => Manner::Prompt,
            4 => Manner::Slow,
            5 | 6 => Manner::Relay,
            _ => Manner::Mute,
        },
        patience: match bytes[1] % 4 {
            0 => Duration::from_millis(u64::from(bytes[2])),
            1 => Duration::from_secs(1 + u64::from(bytes[2]) / 32),
            _ => Question::LONG,
        },
    }
}
