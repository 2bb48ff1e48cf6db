use crate::http::HeadLimits;
use core::time::Duration;

/// Every quantity that a peer controls, each with a finite default and its reason; what happens when it is reached is
/// said beside it. The largest message is not here: it is `max_payload` of the configuration
/// ([`eio::Config::max_payload`](crate::eio::Config::max_payload)), because it is announced to the client.
///
/// Fields may be added, so begin with the defaults:
///
/// ```
/// let mut limits = socketio_core::Limits::default();
/// limits.connections_per_address = 100;
/// ```
///
/// Whatever a peer can make grow, and what bounds it:
///
/// | for each | what grows | bound |
/// | --- | --- | --- |
/// | connection | an unfinished head | [`head`](Self::head), [`head_timeout`](Self::head_timeout) |
/// | | an unfinished body | `max_payload`, [`body_timeout`](Self::body_timeout); what its chunks drag along: [`EXTENSION_BYTES`](crate::http::EXTENSION_BYTES), [`TRAILER_BYTES`](crate::http::TRAILER_BYTES) |
/// | | an unfinished frame or message | `max_payload`, twice while it grows |
/// | | bytes read and not handed over | what its owner reads while the [`Flow`](crate::wire::Flow) is `Paused` |
/// | | answers that are not read | 64 KiB: then no other request is taken, and no WebSocket ping or probe answered |
/// | | packets not written | 256 KiB and one message: the rest waits in the session |
/// | | requests that wait for the application, handshakes it decides about | one |
/// | session | its own head, kept to the end | `head` |
/// | | packets queued for its client | [`queued_bytes`](Self::queued_bytes) |
/// | | packets of one body | [`packets_per_payload`](Self::packets_per_payload) |
/// | | a packet that waits for its attachments | [`attachments`](Self::attachments), each `max_payload` |
/// | | polls, POSTs and upgrades under way | one each; the second ends the session, or its own connection |
/// | | namespaces asked for or joined | [`namespaces_per_client`](Self::namespaces_per_client) |
/// | | namespaces it was taken out of | the server's |
/// | | its time without a namespace | [`Config::connect_timeout`](crate::sio::Config::connect_timeout) |
/// | socket | credentials | [`auth_bytes`](Self::auth_bytes) |
/// | | rooms and their names | [`rooms_per_socket`](Self::rooms_per_socket), [`room_name_bytes`](Self::room_name_bytes) |
/// | | acknowledgements owed | [`pending_acks`](Self::pending_acks), and the deadline of each |
/// | packet | depth of its JSON | [`json_depth`](Self::json_depth) |
/// | server | connections | [`connections`](Self::connections), [`connections_per_address`](Self::connections_per_address), [`half_open`](Self::half_open) |
/// | | sessions | [`sessions`](Self::sessions) |
/// | | sockets | [`sockets`](Self::sockets) |
/// | | messages for its peers | [`queued_peer_bytes`](Self::queued_peer_bytes) |
/// | | events for the application | a few for each item or verb; take them out after each |
/// | | emptied buffers | 2,048 of 16 KiB, and no more than its sessions need |
/// | client | answers: heads, bodies, messages | `head`, [`max_payload`](crate::eio::client::Config::max_payload) of its own |
/// | | what is said of a refusal | [`ERROR_BODY_BYTES`](crate::wire::ERROR_BODY_BYTES) |
/// | | cookies | [`MAX_COOKIES`](crate::http::MAX_COOKIES) of [`MAX_COOKIE_BYTES`](crate::http::MAX_COOKIE_BYTES) |
/// | | pongs | `queued_bytes`, with all packets for the server |
/// | | events before it was let in | [`HELD_EVENTS`](crate::sio::client::HELD_EVENTS), `queued_bytes` |
/// | | events that wait for a connection | [`Offline::Buffer`](crate::sio::client::Offline::Buffer); to be delivered: `pending_acks` |
/// | | ids of sessions and sockets | 256 bytes |
/// | | connections | two for polling and one that tries WebSocket, and those that are closing |
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bounds of a request head: browsers send about 1 KiB, proxies add cookies; 16 KiB is what Node allows.
    ///
    /// Beyond them the answer is 431, or 414 for the target, and the connection ends:
    /// [`RefusalContext::Head`](crate::eio::RefusalContext::Head).
    pub head: HeadLimits,
    /// How long a connection may take from its opening to a complete request head. Default 30 s: a slow mobile
    /// network makes it, a slowloris costs one connection for half a minute.
    ///
    /// Then a connection that has begun a request is answered 408
    /// ([`RefusalContext::HeadTimedOut`](crate::eio::RefusalContext::HeadTimedOut)); one that has not ends silently.
    pub head_timeout: Duration,
    /// How long a connection may rest between an answer and the next complete request. Default 60 s, longer
    /// than any polling client waits. It ends as with [`head_timeout`](Self::head_timeout).
    pub keep_alive_timeout: Duration,
    /// How long a request body may take. Default 60 s: the largest default body at 16 KiB/s.
    ///
    /// Then the answer is 408 ([`RefusalContext::BodyTimedOut`](crate::eio::RefusalContext::BodyTimedOut)); the session
    /// of a polling client ends with [`CloseReason::PostTimedOut`](crate::eio::CloseReason::PostTimedOut).
    pub body_timeout: Duration,
    /// Most packets in one polling body. Default 16,384: more than any client sends, far less than a body can
    /// hold.
    ///
    /// Those up to it are handled, then the session ends with
    /// [`CloseReason::ParseError`](crate::eio::CloseReason::ParseError) and
    /// [`TooManyPackets`](crate::eio::payload::PayloadError::TooManyPackets); the client is answered 200 and learns it
    /// from its next request.
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
    /// A message larger than this is taken when nothing is queued, or the peer is ready.
    pub queued_bytes: usize,
    /// With less than so many bytes on their way to a peer it is ready for more: what `watch_ready` of servers and clients
    /// tells, and `ready()` of a driver waits for. What counts is queued, or was handed to a connection that has not
    /// written it yet. Default 256 KiB: enough to keep a connection busy until the application has made the next
    /// message, little enough for many clients at once.
    ///
    /// A sender that waits before each message never has more in memory for a peer than this and that message, and is
    /// never refused: what is sent to a peer that is ready is taken, however large. 1 means: when everything has left;
    /// more than half of [`queued_bytes`](Self::queued_bytes) is taken for that half.
    pub ready_bytes: usize,
    /// Most bytes queued for all peers of a server that nobody carries away. Default 64 MiB: one second of a busy
    /// cluster. What comes on top is dropped and counted:
    /// [`lost_peer_messages`](crate::sio::Server::lost_peer_messages).
    pub queued_peer_bytes: usize,
    /// Deepest nesting of JSON. Default 1,024: eight times what serde_json allows, and bounded.
    ///
    /// A deeper packet ends the session with [`Violation::Packet`](crate::sio::Violation::Packet) and
    /// [`PacketError::TooDeep`](crate::sio::PacketError::TooDeep).
    pub json_depth: u32,
    /// Most attachments of one packet. Default 10 as in JS.
    ///
    /// More end the session with [`Violation::Packet`](crate::sio::Violation::Packet) and
    /// [`PacketError::TooManyAttachments`](crate::sio::PacketError::TooManyAttachments).
    pub attachments: u32,
    /// Most namespaces one client may be in or asking for at once. Default 100: each costs a socket.
    ///
    /// The next is answered with CONNECT_ERROR and the message `Too many namespaces`; the session stays:
    /// [`RefusalContext::TooManyNamespaces`](crate::eio::RefusalContext::TooManyNamespaces).
    pub namespaces_per_client: usize,
    /// Most sockets on one shard. A driver counts those, too, whose client is gone while a handler or guard still runs
    /// for them: slow guards and clients that come and go would make them grow without end. Default 1,000,000, as many
    /// as [`sessions`](Self::sessions).
    ///
    /// The next is answered with CONNECT_ERROR and the message `Too many sockets`; the session stays:
    /// [`RefusalContext::TooManySockets`](crate::eio::RefusalContext::TooManySockets).
    pub sockets: usize,
    /// Largest auth payload of a CONNECT, which is kept as long as its socket. Default 64 KiB: tokens have some KiB.
    ///
    /// A larger one is answered with CONNECT_ERROR and the message `Auth payload too large`; the session stays:
    /// [`RefusalContext::AuthTooLarge`](crate::eio::RefusalContext::AuthTooLarge).
    pub auth_bytes: usize,
    /// Most rooms one socket may be in. Default 10,000: rooms are joined by the application, often at the
    /// client's wish. `join` answers [`RoomError::TooManyRooms`](crate::sio::RoomError::TooManyRooms); the client
    /// hears of it from the application, if at all.
    pub rooms_per_socket: usize,
    /// Longest name of a room, in bytes. Default 1,024: a few ids one after the other; with all its rooms a client
    /// then keeps 10 MiB. `join` answers [`RoomError::NameTooLong`](crate::sio::RoomError::NameTooLong).
    pub room_name_bytes: usize,
    /// Most acknowledgements one socket may owe. Default 10,000: more than one second of calls.
    ///
    /// Asking for another is [`EmitError::TooManyAcks`](crate::sio::EmitError::TooManyAcks); the peer sees nothing.
    pub pending_acks: usize,
    /// Most connections at once. Default 100,000: idle ones cost one descriptor and some 3 KiB each.
    ///
    /// The first request of a connection beyond it is answered 503, a poll of somebody who has a session as well, and
    /// a sixteenth above it, at least one, connections are closed at once:
    /// [`RefusalContext::TooManyConnections`](crate::eio::RefusalContext::TooManyConnections).
    pub connections: usize,
    /// Most connections at once from one address; an IPv6 network of 64 bits is one address, and connections of
    /// [`Peer::Unknown`](crate::eio::Peer::Unknown) are not counted. Default: all of [`connections`](Self::connections)
    /// (`usize::MAX`), because behind a reverse proxy everybody has the same address. Set it where clients connect
    /// directly, to 100 say: a browser makes up to 6, and a household or an office has one address. Below
    /// [`connections`](Self::connections) it costs some 30 bytes for each address that is connected.
    ///
    /// Connections count, not clients: one that begins with polling has two, and a third while it tries WebSocket; with
    /// fewer it stays on polling, or its session fails. So do those of requests for something else. They outlive their
    /// session: a WebSocket whose peer does not answer by 5 s, one of polling by up to
    /// [`keep_alive_timeout`](Self::keep_alive_timeout).
    ///
    /// The first request of a connection beyond it is answered 429, and a sixteenth above it, at least one, connections
    /// are closed at once:
    /// [`RefusalContext::TooManyFromAddress`](crate::eio::RefusalContext::TooManyFromAddress).
    pub connections_per_address: usize,
    /// Most connections that have not sent their first complete request head yet, TLS handshakes included. Default
    /// 10,000: a tenth of all, and as many as a busy server accepts in a second. Keep it below
    /// [`connections`](Self::connections): what does not reach this limit does not make room.
    ///
    /// When one more comes, the oldest of them is ended, with 408 if it has begun a request, so that honest clients,
    /// which are quick, get through a flood:
    /// [`RefusalContext::TooManyHalfOpen`](crate::eio::RefusalContext::TooManyHalfOpen).
    pub half_open: usize,
    /// Most sessions on one shard. Default 1,000,000: with their heads some GiB.
    ///
    /// Beyond it a handshake is answered 503:
    /// [`RefusalContext::TooManySessions`](crate::eio::RefusalContext::TooManySessions).
    pub sessions: usize,
    /// Most handlers of one client that may run at once. Default 64: enough for whoever waits for a database.
    ///
    /// Beyond it up to 1,024 events, 256 KiB, wait for a handler to end; then nothing more is read from that client, so
    /// that it waits, and nobody is told. That goes for its pongs and its answers to calls, too: where so many handlers
    /// wait for answers of the same client, they end at their timeouts, or its session ends by ping timeout before. A
    /// client that is asked for each of its events must not send more of them than this at once.
    pub handlers_in_flight: usize,
}

impl Limits {
    /// Whether a peer with so many bytes on their way is ready for more.
    pub(crate) const fn is_ready(&self, under_way: usize) -> bool {
        under_way == 0 || under_way < self.ready_bytes && under_way < self.queued_bytes / 2
    }

    /// Whether a queue takes so many bytes more.
    pub(crate) const fn has_room(&self, queued: usize, more: usize, under_way: usize) -> bool {
        queued == 0 || queued.saturating_add(more) <= self.queued_bytes || self.is_ready(under_way)
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
            sockets: 1_000_000,
            auth_bytes: 64 * 1024,
            rooms_per_socket: 10_000,
            room_name_bytes: 1_024,
            pending_acks: 10_000,
            connections: 100_000,
            connections_per_address: usize::MAX,
            half_open: 10_000,
            sessions: 1_000_000,
            handlers_in_flight: 64,
        }
    }
}
