use crate::Text;
use crate::eio::payload::PayloadError;
use crate::eio::{ConnId, Message, Transport};
use crate::http::StatusCode;
use crate::wire::ClientWireError;
use core::fmt;

/// A connection that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dial {
    /// Its handle: for [`handle_open`](super::Client::handle_open) once it is there, for
    /// [`handle_lost`](super::Client::handle_lost) when it can not be made.
    pub connection: ConnId,
    /// What it will carry first.
    pub transport: Transport,
}

/// What the application of an Engine.IO client is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<M = Message> {
    /// The session began.
    Opened {
        /// On this transport.
        transport: Transport,
    },
    /// A message arrived.
    Message(M),
    /// The session moved to WebSocket.
    Upgraded,
    /// It could not; it stays on polling.
    UpgradeFailed(CloseReason),
    /// The server is ready for more and was not when [`watch_ready`](super::Client::watch_ready) asked; once for all who
    /// asked.
    Ready,
    /// The session, or the attempt to begin one, ended; exactly one for each
    /// [`connect`](super::Client::connect) that said `true`.
    Closed {
        /// Why.
        reason: CloseReason,
        /// What the server said about it, at most 512 bytes: the text of an error, the target of a redirect.
        detail: Option<Text>,
    },
}

/// Why a session, or the attempt to begin one, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// A connection could not be made.
    DialFailed,
    /// No session within `Config::connect_timeout`.
    ConnectTimedOut,
    /// No WebSocket within `Config::upgrade_timeout`; only in
    /// [`Event::UpgradeFailed`].
    UpgradeTimedOut,
    /// The server answered a handshake with this status.
    Refused(StatusCode),
    /// The server answered with a redirect, which is not followed; the detail says where to.
    Redirected(StatusCode),
    /// What came was no Engine.IO handshake.
    InvalidHandshake,
    /// The server closed it, or its WebSocket.
    TransportClose,
    /// A connection was lost in the middle of something.
    ConnectionLost,
    /// The server answered a poll or a POST with this status.
    RequestFailed(StatusCode),
    /// A POST was not answered within `Config::request_timeout`.
    RequestTimedOut,
    /// The bytes of a connection were not what they should be.
    BadResponse(ClientWireError),
    /// A packet could not be read.
    ParseError(PayloadError),
    /// No ping came in time.
    PingTimeout,
    /// The application closed it.
    ForcedClose,
}

/// Whether there is a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// None.
    Idle,
    /// Being opened.
    Opening,
    /// Open.
    Open,
    /// Being closed: what is queued still leaves.
    Closing,
}

/// Why something came to nothing, and what the server said about it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) reason: CloseReason,
    pub(super) detail: Option<Text>,
}

/// Most bytes of what a server says about a failure.
const DETAIL_BYTES: usize = 512;

impl CloseReason {
    /// The word of the JS client for it (protocol section 1.13).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportClose => "transport close",
            Self::PingTimeout => "ping timeout",
            Self::ForcedClose => "forced close",
            Self::ConnectTimedOut => "timeout",
            Self::DialFailed
            | Self::UpgradeTimedOut
            | Self::Refused(_)
            | Self::Redirected(_)
            | Self::InvalidHandshake
            | Self::ConnectionLost
            | Self::RequestFailed(_)
            | Self::RequestTimedOut
            | Self::BadResponse(_)
            | Self::ParseError(_) => "transport error",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DialFailed => formatter.write_str("the server was not reached"),
            Self::ConnectTimedOut => formatter
                .write_str("the server opened no session in time: check the address, or raise connect_timeout"),
            Self::UpgradeTimedOut => formatter.write_str(
                "the WebSocket was not ready in time: a proxy may hold it up; raise upgrade_timeout or allow no upgrades",
            ),
            Self::Refused(status) => {
                write!(formatter, "the server answered the handshake with {status}: {}", advice(*status))
            }
            Self::Redirected(status) => write!(
                formatter,
                "the server answered with {status}; redirects are not followed: name the right URL"
            ),
            Self::InvalidHandshake => formatter
                .write_str("what answered is no Engine.IO server of version 4: check address and path"),
            Self::TransportClose => formatter.write_str("the server closed the session"),
            Self::ConnectionLost => formatter.write_str("the connection was lost"),
            Self::RequestFailed(status) => {
                write!(formatter, "the server answered a request with {status}: {}", advice(*status))
            }
            Self::RequestTimedOut => formatter
                .write_str("the server did not answer a POST in time: raise request_timeout if it is slow"),
            Self::BadResponse(error) => error.fmt(formatter),
            Self::ParseError(error) => write!(formatter, "the server sent a malformed packet: {error}"),
            Self::PingTimeout => formatter.write_str("the server sent no ping in time"),
            Self::ForcedClose => formatter.write_str("the application closed the session"),
        }
    }
}

impl From<ClientWireError> for CloseReason {
    fn from(error: ClientWireError) -> Self {
        match error {
            ClientWireError::Truncated => Self::ConnectionLost,
            error => Self::BadResponse(error),
        }
    }
}

impl From<CloseReason> for Failure {
    fn from(reason: CloseReason) -> Self {
        Self { reason, detail: None }
    }
}

/// What to do about an answer: servers say with some which limit of theirs was reached.
const fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::REQUEST_TIMEOUT => "it, or a proxy before it, did not get the request in time",
        StatusCode::CONTENT_TOO_LARGE => "send less at once",
        StatusCode::TOO_MANY_REQUESTS => "too many connections from this address; make fewer, or try later",
        StatusCode::HEADER_FIELDS_TOO_LARGE => "send fewer or shorter headers and cookies",
        StatusCode::URI_TOO_LONG => "send a shorter query",
        StatusCode::SERVICE_UNAVAILABLE => "it is full or shutting down; try later",
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => "a proxy does not reach it; try later",
        _ => "check path and credentials",
    }
}

/// As much of `bytes` as a detail may have, as text; `None` when there is nothing to show.
pub(super) fn detail_of(bytes: &[u8]) -> Option<Text> {
    let beginning = bytes.get(..DETAIL_BYTES).unwrap_or(bytes);
    let lossy = String::from_utf8_lossy(beginning);
    // What is not UTF-8 becomes three bytes for each one, and a cut character is such.
    let mut end = lossy.len().min(DETAIL_BYTES);
    while !lossy.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let text = lossy.get(..end).unwrap_or_default().trim_end_matches('\u{fffd}');
    (!text.is_empty()).then(|| Text::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_the_beginning_of_what_was_said() {
        assert_eq!(detail_of(b""), None);
        assert_eq!(detail_of(b"\xff"), None);
        assert_eq!(detail_of(b"no").unwrap(), "no");
        let long = detail_of(&b"x".repeat(600)).unwrap();
        assert_eq!(long.len(), 512);
        let cut = detail_of(format!("x{}", "\u{e9}".repeat(400)).as_bytes()).unwrap();
        assert_eq!(cut.as_str(), format!("x{}", "\u{e9}".repeat(255)));
        let noise = detail_of(&[b"a".as_slice(), &[0xff; 600], b"b"].concat()).unwrap();
        assert!(noise.len() <= 512 && noise.as_str().starts_with('a'));
    }
}
