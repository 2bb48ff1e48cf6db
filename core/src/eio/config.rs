use crate::Limits;
use crate::http::{Cookie, Cors};
use crate::wire::WireConfig;
use core::time::Duration;

/// How an Engine.IO server behaves. The defaults are those of the JS server (protocol section 1.16).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Requests whose path begins with this are ours. Ends with `/`. Default `/engine.io/`.
    pub path: String,
    /// Which transports a client may use. Default both.
    pub transports: Transports,
    /// Whether a polling session may move to WebSocket. Default yes.
    pub upgrades: Upgrades,
    /// Time between two pings. Default 25 s.
    pub ping_interval: Duration,
    /// How long a ping may go unanswered. Default 20 s.
    pub ping_timeout: Duration,
    /// How long an upgrade may take. Default 10 s.
    pub upgrade_timeout: Duration,
    /// How long a polling session that was closed here waits for the poll that tells the client. Default 30 s.
    pub linger: Duration,
    /// Largest polling body and WebSocket message in bytes; announced to the client. Default 1,000,000, which is
    /// about 750,000 bytes of binary over polling, where base64 takes 4/3.
    pub max_payload: usize,
    /// Cross-origin headers. Default none, as in JS.
    pub cors: Option<Cors>,
    /// The cookie set at a polling handshake. Default none.
    pub cookie: Option<Cookie>,
    /// Whether the application is asked about each handshake. Default no.
    pub gate: Gate,
    /// Whether requests for the browser client's bundle under `path` come out as
    /// [`Event::Request`](super::Event::Request). Default no.
    pub client_bundle: ClientBundle,
    /// The number of this shard, carried in every id. Default 0.
    pub shard: u8,
    /// Everything else a peer could make large.
    pub limits: Limits,
}

/// Which transports a client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transports {
    /// Long-polling and WebSocket.
    All,
    /// Long-polling only.
    Polling,
    /// WebSocket only.
    WebSocket,
}

/// One way to carry a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// HTTP long-polling.
    Polling,
    /// A WebSocket.
    WebSocket,
}

impl Transport {
    /// The name in URLs and in the handshake.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }
}

/// Whether a polling session may move to WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrades {
    /// It may.
    Allowed,
    /// It may not: nothing is offered in the handshake and an attempt is refused.
    Refused,
}

/// Whether the application is asked about each handshake (`allowRequest` in JS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Every handshake that follows the protocol is let in.
    Open,
    /// [`Event::Handshake`](super::Event::Handshake) asks the application.
    Ask,
}

/// Whether the host of this server has the browser client's bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientBundle {
    /// It has not; such requests are Engine.IO requests like any other.
    Absent,
    /// It has: GET of the names in protocol section 5.1 is for the host.
    Present,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: "/engine.io/".to_owned(),
            transports: Transports::All,
            upgrades: Upgrades::Allowed,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            linger: Duration::from_secs(30),
            max_payload: 1_000_000,
            cors: None,
            cookie: None,
            gate: Gate::Open,
            client_bundle: ClientBundle::Absent,
            shard: 0,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// What every connection's [`Wire`](crate::wire::Wire) needs of this.
    pub fn wire(&self) -> WireConfig {
        WireConfig {
            max_payload: self.max_payload,
            max_packets: self.limits.packets_per_payload,
            head: self.limits.head,
        }
    }

    pub(crate) fn allows(&self, transport: Transport) -> bool {
        match self.transports {
            Transports::All => true,
            Transports::Polling => transport == Transport::Polling,
            Transports::WebSocket => transport == Transport::WebSocket,
        }
    }

    pub(crate) fn offers_upgrade(&self) -> bool {
        self.upgrades == Upgrades::Allowed && self.allows(Transport::WebSocket)
    }
}
