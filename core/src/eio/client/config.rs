use crate::Limits;
use crate::eio::{Transport, Upgrades};
use crate::http::Headers;
use crate::wire::WireConfig;
use core::fmt;
use core::time::Duration;

/// How an Engine.IO client behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The path of the server; requests carry it with exactly one `/` at its end. Default `/engine.io/`.
    pub path: String,
    /// Which transports are tried, and in which order. Default polling, then WebSocket.
    pub transports: TransportOrder,
    /// Whether a polling session moves to WebSocket when the server offers it. Default yes.
    pub upgrades: Upgrades,
    /// Whether the next transport is tried when the first can not open a session (`tryAllTransports` in JS).
    /// Default yes.
    pub fallback: Fallback,
    /// Whether an attempt begins with WebSocket when the session before it had come to WebSocket
    /// (`rememberUpgrade` in JS). Default no.
    pub remembered: Remembered,
    /// How long an attempt may take from [`connect`](super::Client::connect) to
    /// [`Event::Opened`](super::Event::Opened), all transports together. Default 20 s.
    pub connect_timeout: Duration,
    /// How long a POST may take, the dialling of its connection included. Default 20 s. Polls have the
    /// heartbeat.
    pub request_timeout: Duration,
    /// How long an upgrade may take before the session stays on polling, and how long a WebSocket may take that is
    /// tried before polling, though no more than half of [`connect_timeout`](Self::connect_timeout). Default 10 s.
    pub upgrade_timeout: Duration,
    /// How long what is queued may take to leave when the session is closed. Default 5 s.
    pub close_timeout: Duration,
    /// Largest polling body and message taken from the server, in bytes. Default 16 MiB.
    pub max_payload: usize,
    /// The name of the parameter that makes every polling request unique, so that no cache answers it; `None`
    /// for no such parameter. Default `t`.
    pub timestamp: Option<String>,
    /// WebSocket subprotocols offered. Default none.
    pub protocols: Vec<String>,
    /// Whether cookies the server sets are sent back. Default yes.
    pub cookies: Cookies,
    /// Everything else the server could make large.
    pub limits: Limits,
}

/// Which transports are tried, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportOrder {
    /// Polling, then WebSocket.
    PollingFirst,
    /// WebSocket, then polling.
    WebSocketFirst,
    /// Polling alone; there is no upgrade either.
    Polling,
    /// WebSocket alone.
    WebSocket,
}

/// Whether the next transport is tried when one can not open a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// It is, within the same [`Config::connect_timeout`].
    Next,
    /// It is not.
    None,
}

/// Whether it is remembered that a session came to WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// It is, until WebSocket fails to open a session.
    Upgrade,
    /// It is not.
    Nothing,
}

/// Whether cookies are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// They are, from one session to the next, as long as the authority stays the same.
    Kept,
    /// They are not.
    Ignored,
}

/// Whether connections are secure, for the `Secure` attribute of cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// `http`, `ws`, `unix`.
    Plain,
    /// `https`, `wss`.
    Tls,
}

/// Where and with what a session is asked for; given anew for each.
#[derive(Clone)]
pub struct Target {
    /// The `Host` header: `example.org`, `[::1]:3000`.
    pub authority: String,
    /// Whether its connections are secure.
    pub security: Security,
    /// Parameters of the application, sent with every request before those of the protocol. They are given as
    /// they are, and encoded here.
    pub query: Vec<(String, String)>,
    /// Headers of the application, sent with every request.
    pub headers: Headers,
}

/// Without the values of query and headers, which may hold credentials.
impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.query.iter().map(|(name, _)| name).collect();
        formatter
            .debug_struct("Target")
            .field("authority", &self.authority)
            .field("security", &self.security)
            .field("query", &names)
            .field("headers", &self.headers)
            .finish()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: "/engine.io/".to_owned(),
            transports: TransportOrder::PollingFirst,
            upgrades: Upgrades::Allowed,
            fallback: Fallback::Next,
            remembered: Remembered::Nothing,
            connect_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            max_payload: 16 * 1024 * 1024,
            timestamp: Some("t".to_owned()),
            protocols: Vec::new(),
            cookies: Cookies::Kept,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// What every connection's [`ClientWire`](crate::wire::ClientWire) needs of this.
    pub fn wire(&self) -> WireConfig {
        WireConfig {
            max_payload: self.max_payload,
            max_packets: self.limits.packets_per_payload,
            head: self.limits.head,
        }
    }

    /// The transports an attempt tries, in order.
    pub(super) fn candidates(&self, start: Start) -> &'static [Transport] {
        use Transport::{Polling, WebSocket};
        let all: &'static [Transport] = match (self.transports, start) {
            (TransportOrder::PollingFirst, Start::First) => &[Polling, WebSocket],
            (TransportOrder::PollingFirst, Start::WebSocket) | (TransportOrder::WebSocketFirst, _) => {
                &[WebSocket, Polling]
            }
            (TransportOrder::Polling, _) => &[Polling],
            (TransportOrder::WebSocket, _) => &[WebSocket],
        };
        match self.fallback {
            Fallback::Next => all,
            Fallback::None => all.get(..1).unwrap_or_default(),
        }
    }

    pub(super) fn wants_upgrade(&self) -> bool {
        self.upgrades == Upgrades::Allowed && self.transports != TransportOrder::Polling
    }
}

/// With which transport the next attempt begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// The first of the order.
    First,
    /// The one the session before came to.
    WebSocket,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_a_target_is_not_shown() {
        let mut headers = Headers::new();
        headers.append("authorization", "Bearer secret").unwrap();
        let target = Target {
            authority: "example.org".to_owned(),
            security: Security::Tls,
            query: vec![("token".to_owned(), "secret".to_owned())],
            headers,
        };
        let shown = format!("{target:?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(
            shown.contains("example.org") && shown.contains("token"),
            "{shown}"
        );
    }
}
