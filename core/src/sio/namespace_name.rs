//! What a namespace may be called, on either side of a connection.

use core::fmt;

/// Why a namespace can not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NamespaceError {
    /// A name starts with `/` and has neither commas nor control characters.
    InvalidName,
    /// There is one of that name.
    Duplicate,
}

impl fmt::Display for NamespaceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidName => {
                "invalid namespace: start it with `/` and use neither commas nor control characters"
            }
            Self::Duplicate => "the namespace is there already: add its handlers in one place",
        })
    }
}

impl std::error::Error for NamespaceError {}

pub(super) fn check_name(name: &str) -> Result<(), NamespaceError> {
    if !name.starts_with('/') || name.bytes().any(|byte| byte < b' ' || byte == b',') {
        return Err(NamespaceError::InvalidName);
    }
    Ok(())
}
