use crate::http::HeadLimits;
use core::time::Duration;

/// Every quantity that a peer controls, each with a finite default and its reason.
///
/// The largest message is not here: it is `max_payload` of the configuration, because it is announced to the
/// client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bounds of a request head: browsers send about 1 KiB, proxies add cookies; 16 KiB is what Node allows.
    pub head: HeadLimits,
    /// How long a connection may take from its opening to a complete request head. Default 30 s: a slow mobile
    /// network makes it, a slowloris costs one connection for half a minute.
    pub head_timeout: Duration,
    /// How long a connection may rest between an answer and the next complete request. Default 60 s, longer
    /// than any polling client waits.
    pub keep_alive_timeout: Duration,
    /// How long a request body may take. Default 60 s: the largest default body at 16 KiB/s.
    pub body_timeout: Duration,
    /// Most packets in one polling body. Default 16,384: more than any client sends, far less than a body can
    /// hold.
    pub packets_per_payload: usize,
    /// Most bytes queued for one peer that does not read. Default 16 MiB: a burst of a hundred large messages fits, and
    /// a thousand clients that stopped reading do not fill the memory of a server.
    ///
    /// What happens to a peer that reads more slowly than is sent to it:
    ///
    /// | what is sent | while nothing waits | while something waits | beyond this limit |
    /// | --- | --- | --- | --- |
    /// | [volatile](crate::eio::Delivery::Volatile) | leaves | is dropped | is dropped |
    /// | [reliable](crate::eio::Delivery::Reliable) | leaves | is queued | a server closes the session ([`CloseReason::SlowConsumer`](crate::eio::CloseReason::SlowConsumer)), a client refuses it |
    /// | reliable, after waiting until the peer is [ready](Self::ready_bytes) | leaves | is queued | does not happen |
    ///
    /// A message larger than this is taken alone, when nothing is queued.
    pub queued_bytes: usize,
    /// With less than so many bytes on their way to a peer it is ready for more: what `watch_ready` of servers and clients
    /// tells, and `ready()` of a driver waits for. What counts is queued, or was handed to a connection that has not
    /// written it yet. Default 256 KiB: enough to keep a connection busy until the application has made the next
    /// message, little enough for many clients at once.
    ///
    /// A sender that waits before each message never has more in memory for a peer than this and that message. It is not
    /// refused as long as a message is no larger than [`queued_bytes`](Self::queued_bytes) without this. 1 means:
    /// when everything has left; more than `queued_bytes` is taken for `queued_bytes`.
    pub ready_bytes: usize,
    /// Most bytes queued for all peers of a server that nobody carries away. Default 64 MiB; what comes on top
    /// is dropped and counted.
    pub queued_peer_bytes: usize,
    /// Deepest nesting of JSON. Default 1,024: eight times what serde_json allows, and bounded.
    pub json_depth: u32,
    /// Most attachments of one packet. Default 10 as in JS.
    pub attachments: u32,
    /// Most namespaces one client may be in or asking for at once. Default 100.
    pub namespaces_per_client: usize,
    /// Most rooms one socket may be in. Default 10,000: rooms are joined by the application, often at the
    /// client's wish.
    pub rooms_per_socket: usize,
    /// Most acknowledgements one socket may owe. Default 10,000.
    pub pending_acks: usize,
    /// Most connections at once. Default 100,000: idle ones cost one descriptor and some 3 KiB each. The first request
    /// of a connection beyond it is answered 503, a poll of somebody who has a session as well, and far beyond it
    /// connections are closed at once.
    pub connections: usize,
    /// Most sessions on one shard. Default 1,000,000; beyond it a handshake is answered 503.
    pub sessions: usize,
    /// Most handlers of one client that may run at once before nothing more is read from it. Default 64.
    pub handlers_in_flight: usize,
}

impl Limits {
    /// Whether a peer with so many bytes on their way is ready for more.
    pub(crate) const fn is_ready(&self, under_way: usize) -> bool {
        under_way == 0 || under_way < self.ready_bytes && under_way < self.queued_bytes
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: HeadLimits::default(),
            head_timeout: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(60),
            packets_per_payload: 16_384,
            queued_bytes: 16 * 1024 * 1024,
            ready_bytes: 256 * 1024,
            queued_peer_bytes: 64 * 1024 * 1024,
            json_depth: 1_024,
            attachments: 10,
            namespaces_per_client: 100,
            rooms_per_socket: 10_000,
            pending_acks: 10_000,
            connections: 100_000,
            sessions: 1_000_000,
            handlers_in_flight: 64,
        }
    }
}
