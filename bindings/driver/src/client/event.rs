use std::fmt;
use std::time::Duration;

use crate::core::{ClientReasonKind, Raw, Rejoins, Text, Transport};
use crate::error::OneLine;

/// Something that happened to a client's connection; see [`Client::events`](crate::client::Client::events).
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// An attempt to connect begins.
    Connecting {
        /// 0 for the first, from 1 for those that repeat it.
        attempt: u32,
    },
    /// There is a connection, and a namespace was joined on it.
    Connected {
        /// What carries it.
        transport: Transport,
    },
    /// The connection moved from polling to WebSocket.
    Upgraded,
    /// The connection could not move to WebSocket, and stays on polling. Only the next connection tries again.
    UpgradeFailed {
        /// Why.
        reason: ClientReason,
    },
    /// A namespace was joined.
    Joined {
        /// Its name.
        namespace: Text,
        /// The id of the socket there, new each time.
        id: Text,
    },
    /// The server does not let the client into a namespace. It is not asked again by itself.
    Refused {
        /// Its name.
        namespace: Text,
        /// The server's words.
        message: String,
        /// What the server added.
        data: Option<Raw>,
    },
    /// A namespace that was joined was left.
    Left {
        /// Its name.
        namespace: Text,
        /// Why, and whether it will be joined again by itself.
        reason: ClientReason,
    },
    /// The connection ended.
    Disconnected {
        /// Why.
        reason: ClientReason,
        /// Whether the client tries to connect again by itself.
        will_reconnect: bool,
    },
    /// An attempt to connect failed.
    AttemptFailed {
        /// Which, counted as in [`Connecting`](Self::Connecting).
        attempt: u32,
        /// Why.
        error: ClientReason,
    },
    /// The next attempt comes after this delay.
    Reconnecting {
        /// Which, from 1.
        attempt: u32,
        /// After this time.
        delay: Duration,
    },
    /// There is no connection, and none will be made until [`Client::connect`](crate::client::Client::connect) is
    /// called.
    Closed {
        /// Why.
        reason: ClientReason,
    },
    /// So many events were missed here, because they were not taken in time.
    Lagged(u64),
}

/// Why a namespace was left, an attempt failed or a connection ended.
///
/// In handlers of `on_disconnect` it is an extractor. Shown with `{}` it is one line with everything that is known.
///
/// ```
/// use socketio_driver::client::{Client, ClientReason};
///
/// let builder = Client::builder("http://127.0.0.1:3000").on_disconnect(|reason: ClientReason| {
///     if !reason.will_reconnect() {
///         eprintln!("gone for good: {reason}");
///     }
/// });
/// # let _ = builder;
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ClientReason {
    /// What happened.
    pub kind: ClientReasonKind,
    /// What the operating system, the TLS library or the server said about it.
    pub detail: Option<String>,
    rejoins: Rejoins,
}

impl ClientReason {
    pub(crate) const fn new(kind: ClientReasonKind, detail: Option<String>, rejoins: Rejoins) -> Self {
        Self {
            kind,
            detail,
            rejoins,
        }
    }

    /// Whether the client tries to come back by itself.
    pub const fn will_reconnect(&self) -> bool {
        matches!(self.rejoins, Rejoins::Later)
    }
}

impl fmt::Display for ClientReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(formatter, "{}: {}", self.kind, OneLine(detail)),
            None => self.kind.fmt(formatter),
        }
    }
}
