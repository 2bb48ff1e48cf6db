//! The configuration of a proxy: everything that may distinguish it from a direct connection.

use std::ops::Range;
use std::time::Duration;

use socketio_core::http::StatusCode;

use crate::random::Random;

/// The configuration of an HTTP proxy; [`Default`] is one that only forwards messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// When bodies are forwarded.
    pub buffering: Buffering,
    /// How idle connections of clients end.
    pub client_keep_alive: KeepAlive,
    /// How idle connections to the server end.
    pub server_keep_alive: KeepAlive,
    /// How requests to upgrade to WebSocket are handled.
    pub upgrades: Upgrades,
    /// On which connections requests are forwarded.
    pub server_connections: ServerConnections,
    /// How long the server may take to begin its response before the client gets 504; for ever if `None`.
    pub response_timeout: Option<Duration>,
    /// Whether connections of clients stay open after a response.
    pub persistence: Persistence,
    /// How messages are written.
    pub format: MessageFormat,
}

/// When bodies are forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Buffering {
    /// Part by part, as they arrive.
    #[default]
    Streamed,
    /// Requests once they are complete, as nginx does; responses once they are complete and after this delay.
    Whole(Range<Duration>),
}

/// How idle connections end. [`Default`] leaves them open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// How long a connection may be idle before it is closed; for ever if `None`.
    pub idle_timeout: Option<Duration>,
    /// Whether clients learn the idle timeout.
    pub header: KeepAliveHeader,
    /// One in so many requests on a connection that has carried a request before meets the end of the connection and is
    /// lost without a response; never for 0.
    pub request_loss: u64,
    /// Which requests can be lost so.
    pub losable: LosableRequests,
    /// How the connection ends then.
    pub close_kind: CloseKind,
}

/// Whether responses have a `Keep-Alive` header with the idle timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepAliveHeader {
    /// They have not.
    #[default]
    Absent,
    /// They have.
    Sent,
}

/// Which requests can be lost with their connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LosableRequests {
    /// Polls.
    #[default]
    Polls,
    /// Polls and POSTs.
    All,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CloseKind {
    /// With a FIN, so that the client knows that there was no response.
    #[default]
    Fin,
    /// With a RST, so that the client cannot know whether there was a response.
    Reset,
}

/// How requests to upgrade to WebSocket are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrades {
    /// They are forwarded, and after a 101 bytes are copied in both directions.
    #[default]
    Forwarded,
    /// The response has this status.
    Refused(StatusCode),
    /// They are forwarded without the headers that ask for the upgrade.
    HeadersRemoved,
    /// There is no response.
    Ignored,
    /// They are forwarded, and both connections are closed at a 101.
    ClosedAtResponse,
    /// They are forwarded, and both connections are closed after so many reads were copied.
    ClosedAfter(u32),
}

/// On which connections requests are forwarded to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerConnections {
    /// On one for each connection of a client.
    #[default]
    PerClientConnection,
    /// On a new one for each request.
    PerRequest,
    /// On any idle one, whichever client used it before; at most so many are kept.
    Pooled(usize),
}

/// Whether connections of clients stay open after a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// They stay open.
    #[default]
    KeepAlive,
    /// Every response has `Connection: close`.
    Close,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageFormat {
    /// The case of header names.
    pub header_case: HeaderCase,
    /// How bodies of requests are delimited.
    pub requests: BodyFraming,
    /// How bodies of responses are delimited.
    pub responses: BodyFraming,
    /// Which headers are added.
    pub forwarding_headers: ForwardingHeaders,
}

/// The case of header names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderCase {
    /// As received.
    #[default]
    Unchanged,
    /// `content-length`
    Lower,
    /// `CONTENT-LENGTH`
    Upper,
}

/// How bodies are delimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyFraming {
    /// As received.
    #[default]
    Unchanged,
    /// With the chunked transfer coding.
    Chunked,
}

/// Which headers are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardingHeaders {
    /// None.
    #[default]
    None,
    /// `Via` and `X-Forwarded-For`, among others.
    Added,
}

/// Clients send no POST on a connection that has been idle for 4 s, and a POST arrives within another second.
const SAFE_IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than the ping interval a poll may take.
const POLL_MARGIN: Duration = Duration::from_secs(3);

impl ProxyConfig {
    /// A random configuration: each setting differs from the default with some probability.
    #[must_use]
    pub fn random(random: &mut Random) -> Self {
        let mut config = Self::default();
        if random.once_in(3) {
            let most = Duration::from_millis(random.in_range(1..1_500));
            config.buffering = Buffering::Whole(Duration::ZERO..most);
        }
        if random.once_in(3) {
            config.client_keep_alive = KeepAlive::random(random);
        }
        if random.once_in(3) {
            config.server_keep_alive = KeepAlive::random(random);
        }
        if random.once_in(3) {
            config.upgrades = Upgrades::random(random);
        }
        config.server_connections = *random.pick(&[
            ServerConnections::PerClientConnection,
            ServerConnections::PerRequest,
            ServerConnections::Pooled(3),
            ServerConnections::Pooled(50),
        ]);
        if random.once_in(6) {
            config.response_timeout = Some(Duration::from_secs(random.in_range(1..60)));
        }
        if random.once_in(6) {
            config.persistence = Persistence::Close;
        }
        config.format = MessageFormat {
            header_case: *random.pick(&[HeaderCase::Unchanged, HeaderCase::Lower, HeaderCase::Upper]),
            requests: *random.pick(&[BodyFraming::Unchanged, BodyFraming::Chunked]),
            responses: *random.pick(&[BodyFraming::Unchanged, BodyFraming::Chunked]),
            forwarding_headers: *random.pick(&[ForwardingHeaders::None, ForwardingHeaders::Added]),
        };
        config
    }

    /// Whether it may end sessions of clients whose server pings at this interval. Both sides get the reason; other
    /// proxies only cost time.
    #[must_use]
    pub fn may_end_sessions(&self, ping_interval: Duration) -> bool {
        let longest_poll = ping_interval + POLL_MARGIN + self.longest_delay();
        let ends_polls = self
            .response_timeout
            .is_some_and(|timeout| timeout < longest_poll);
        let clients = &self.client_keep_alive;
        let closes_unannounced = clients.header == KeepAliveHeader::Absent
            && self.persistence == Persistence::KeepAlive
            && clients
                .idle_timeout
                .is_some_and(|timeout| timeout < SAFE_IDLE_TIMEOUT);
        let loses_requests = clients.request_loss > 0
            && (clients.close_kind == CloseKind::Reset || clients.losable == LosableRequests::All);
        let loses_at_server = self.server_keep_alive.request_loss > 0;
        let closes_websockets = matches!(self.upgrades, Upgrades::ClosedAfter(1..));
        ends_polls || closes_unannounced || loses_requests || loses_at_server || closes_websockets
    }

    /// The longest time that a response is delayed.
    pub(crate) const fn longest_delay(&self) -> Duration {
        match &self.buffering {
            Buffering::Streamed => Duration::ZERO,
            Buffering::Whole(delay) => delay.end,
        }
    }
}

impl KeepAlive {
    fn random(random: &mut Random) -> Self {
        let idle_timeout = *random.pick(&[0, 1, 2, 5, 7, 20].map(Duration::from_secs));
        Self {
            idle_timeout: (!idle_timeout.is_zero()).then_some(idle_timeout),
            header: *random.pick(&[KeepAliveHeader::Absent, KeepAliveHeader::Sent]),
            request_loss: *random.pick(&[0, 2, 5, 20]),
            losable: *random.pick(&[LosableRequests::Polls, LosableRequests::All]),
            close_kind: *random.pick(&[CloseKind::Fin, CloseKind::Reset]),
        }
    }
}

impl Upgrades {
    fn random(random: &mut Random) -> Self {
        let reads = random.in_range(0..9) as u32;
        *random.pick(&[
            Self::Refused(StatusCode::BAD_REQUEST),
            Self::Refused(StatusCode::BAD_GATEWAY),
            Self::HeadersRemoved,
            Self::Ignored,
            Self::ClosedAtResponse,
            Self::ClosedAfter(reads),
        ])
    }
}
