//! How a client behaves.

use crate::eio::client::Config as EngineConfig;
use core::time::Duration;

/// How a Socket.IO client behaves. The defaults are those of the JS client (protocol section 4.2), but for what
/// is said below.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The Engine.IO client below; its path is `/socket.io/` here.
    pub engine: EngineConfig,
    /// What happens when the connection is lost or can not be made.
    pub reconnection: Reconnection,
    /// What happens to events emitted while their namespace is not joined. Default [`Offline::Refuse`]; JS
    /// buffers them without bound.
    pub offline: Offline,
    /// How long the server may take to answer when a namespace is asked for. Default 20 s; JS waits for ever.
    pub join_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            engine: EngineConfig {
                path: "/socket.io/".to_owned(),
                ..EngineConfig::default()
            },
            reconnection: Reconnection::default(),
            offline: Offline::Refuse,
            join_timeout: Duration::from_secs(20),
        }
    }
}

/// When and how often to try again.
///
/// Before attempt `n`, counted from 1, the delay is `min * factor^(n - 1)`, at most `max`, times a random factor
/// between `1 - jitter` and `1 + jitter`, at most `max`, and never below 1 ms. The count begins anew once a
/// namespace was joined.
///
/// | attempt | delay by default |
/// | --- | --- |
/// | 1 | 0.5 to 1.5 s |
/// | 2 | 1 to 3 s |
/// | 3 | 2 to 5 s |
/// | 4 and more | 2.5 to 5 s |
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reconnection {
    /// How often. Default without end.
    pub attempts: Attempts,
    /// Whether the first connection is tried again, too. Default no; JS does.
    pub initial: Initial,
    /// The first delay. Default 1 s.
    pub min: Duration,
    /// The longest delay. Default 5 s.
    pub max: Duration,
    /// How a delay grows. Default 2; 0 is taken for 1.
    pub factor: u32,
    /// In percent, 0 to 100. Default 50. Without any, all clients of a server that was restarted come back at
    /// the same time.
    pub jitter: u8,
}

impl Default for Reconnection {
    fn default() -> Self {
        Self {
            attempts: Attempts::Unlimited,
            initial: Initial::GiveUp,
            min: Duration::from_secs(1),
            max: Duration::from_secs(5),
            factor: 2,
            jitter: 50,
        }
    }
}

/// How often a lost connection is tried anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// Without end.
    Unlimited,
    /// So often in a row; 0 is never.
    AtMost(u32),
}

/// Whether the first connection is tried again when it fails. It is the first as long as no namespace was joined
/// since `connect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// As a lost one is.
    Retry,
    /// It is not: the client is closed.
    GiveUp,
}

/// What happens to events emitted while their namespace is not joined, though it will be.
///
/// `deliver` does not ask: what it takes always waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offline {
    /// They are refused.
    Refuse,
    /// They wait, in order, until the namespace is joined: at most so many packets and bytes for each namespace. Then
    /// they leave before anything that is emitted because it was joined.
    Buffer {
        /// Packets.
        packets: usize,
        /// Bytes, as `Encoded::encoded_len` counts them.
        bytes: usize,
    },
    /// They are dropped, as volatile ones are.
    Drop,
}

/// How an event is delivered at least once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How long each sending waits for its acknowledgement; at least 1 ms. Choose it well above the time an answer
    /// takes: one that comes later is for a sending that nobody waits for any more.
    pub ack_timeout: Duration,
    /// How often it is sent again.
    pub retries: u32,
}
