use core::fmt;

/// Why a WebSocket was closed (RFC 6455 section 7.4 and the IANA registry).
///
/// Any number can be held, so that what a peer reported can be shown; [`CloseCode::is_valid_on_wire`]
/// says which may stand in a close frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server goes down, or the page was left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke a rule of the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A kind of data this side does not take, such as binary.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// Never sent: the close frame carried no code.
    pub const NO_STATUS: Self = Self(1005);
    /// Never sent: the connection was lost without a close frame.
    pub const ABNORMAL: Self = Self(1006);
    /// The data did not fit its kind, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// Refused by a rule of the application.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// The message is larger than this side takes.
    pub const TOO_LARGE: Self = Self(1009);
    /// The client needs an extension that the server did not negotiate.
    pub const MISSING_EXTENSION: Self = Self(1010);
    /// The server could not go on.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The server restarts; reconnect.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The server is overloaded; come back later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// A gateway got an invalid answer from the server behind it.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// Never sent: the TLS handshake failed.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// The code with this number, valid or not.
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether a close frame may carry this code: 1000-1003, 1007-1014 and 3000-4999.
    pub const fn is_valid_on_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::CloseCode;

    #[test]
    fn codes_that_only_describe_an_event_are_not_valid_on_the_wire() {
        let valid = |code| CloseCode::new(code).is_valid_on_wire();
        for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999] {
            assert!(valid(code), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert!(!valid(code), "{code}");
        }
    }
}
