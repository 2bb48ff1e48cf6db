use std::fmt;
use std::io;

use crate::client::ClientReason;
use crate::error::{BuildError, OneLine};
use crate::refusal::Refusal;

/// Why a client did not come to be connected.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The builder's description contradicts itself; nothing was tried.
    Build(BuildError),
    /// The connection could not be made, or was lost before all namespaces were joined. With
    /// [`retry_initial`](crate::client::ClientBuilder::retry_initial) that is tried again first.
    Failed(ClientReason),
    /// The server does not let the client into these namespaces.
    Refused(Vec<(String, Refusal)>),
    /// A callback of the application failed; its text.
    Callback(String),
    /// The runtime could not start the client; its text.
    Runtime(String),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(formatter),
            Self::Failed(reason) => reason.fmt(formatter),
            Self::Refused(namespaces) => {
                formatter.write_str("the server refused")?;
                for (position, (namespace, refusal)) in namespaces.iter().enumerate() {
                    let separator = if position == 0 { " " } else { ", " };
                    let message = OneLine(refusal.message());
                    write!(formatter, "{separator}{namespace} ({message})")?;
                }
                formatter.write_str("; check .auth(..), the names of the namespaces and how many there are")
            }
            Self::Callback(message) => message.fmt(formatter),
            Self::Runtime(message) => write!(formatter, "the client could not be started: {message}"),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            _ => None,
        }
    }
}

impl From<BuildError> for ConnectError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        let kind = match &error {
            ConnectError::Build(_) => io::ErrorKind::InvalidInput,
            ConnectError::Failed(_) => io::ErrorKind::NotConnected,
            ConnectError::Refused(_) => io::ErrorKind::PermissionDenied,
            ConnectError::Callback(_) | ConnectError::Runtime(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
