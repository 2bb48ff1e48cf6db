use super::{BodyLength, Method, Response, StatusCode};
use bytes::Bytes;
use core::fmt;

/// What a request head says about becoming a WebSocket (RFC 6455 section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebSocketRequest<'a> {
    /// An ordinary request: `Upgrade: websocket` or `Connection: upgrade` is missing, or it is
    /// HTTP/1.0, whose upgrade wishes are ignored.
    NotUpgrade,
    /// A handshake to answer with [`switching_protocols`](super::switching_protocols).
    Upgrade {
        /// The client's `Sec-WebSocket-Key`, 24 characters of base64.
        key: &'a str,
    },
    /// A handshake that cannot be answered with 101.
    Malformed(WebSocketRefusal),
}

/// Why a WebSocket handshake is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WebSocketRefusal {
    /// The method is not `GET`.
    MethodNotGet,
    /// `Sec-WebSocket-Key` is missing, repeated, or not 16 bytes of base64.
    InvalidKey,
    /// `Sec-WebSocket-Version` is missing or not 13; the answer names 13.
    UnsupportedVersion,
    /// The request announces a body, which would stand where the first frame belongs.
    HasBody,
}

impl WebSocketRefusal {
    /// The status to answer with.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MethodNotGet => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedVersion => StatusCode::UPGRADE_REQUIRED,
            Self::InvalidKey | Self::HasBody => StatusCode::BAD_REQUEST,
        }
    }

    /// The text of the answer, and of [`fmt::Display`].
    pub const fn message(self) -> &'static str {
        match self {
            Self::MethodNotGet => "Invalid HTTP method",
            Self::InvalidKey => "Missing or invalid Sec-WebSocket-Key header",
            Self::UnsupportedVersion => "Missing or invalid Sec-WebSocket-Version header",
            Self::HasBody => "A WebSocket handshake has no body",
        }
    }

    /// The answer, in the shape JS servers give it (protocol section 1.5); the connection closes
    /// behind it.
    pub fn response(self) -> Response {
        let mut response = Response::new(self.status()).with_body("text/html", self.message());
        let headers = response.headers_mut();
        match self {
            Self::MethodNotGet => headers.append_known("Allow", Bytes::from_static(b"GET")),
            Self::UnsupportedVersion => {
                headers.append_known("Sec-WebSocket-Version", Bytes::from_static(b"13"));
            }
            Self::InvalidKey | Self::HasBody => {}
        }
        response
    }
}

impl fmt::Display for WebSocketRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl core::error::Error for WebSocketRefusal {}

/// The conclusion kept in a head; the key itself is looked up in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    NotUpgrade,
    Upgrade,
    Malformed(WebSocketRefusal),
}

/// What the headers of a handshake said so far.
#[derive(Default)]
pub(super) struct HandshakeFacts {
    key: Once,
    version: Once,
}

/// A header that must be there exactly once.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Once {
    #[default]
    Missing,
    Valid,
    /// The value is wrong, or there are two.
    Invalid,
}

impl Once {
    fn add(&mut self, valid: bool) {
        *self = if valid && *self == Self::Missing {
            Self::Valid
        } else {
            Self::Invalid
        };
    }
}

impl HandshakeFacts {
    pub(super) fn add_version(&mut self, value: &[u8]) {
        self.version.add(value == b"13");
    }

    pub(super) fn add_key(&mut self, value: &[u8]) {
        self.key.add(is_key(value));
    }

    /// The conclusion about a request that [asks](super::framing::Framing::asks_for_websocket) for it.
    pub(super) fn finish(self, method: Option<Method>, body: BodyLength) -> Handshake {
        let refusal = if method != Some(Method::Get) {
            WebSocketRefusal::MethodNotGet
        } else if self.version != Once::Valid {
            WebSocketRefusal::UnsupportedVersion
        } else if self.key != Once::Valid {
            WebSocketRefusal::InvalidKey
        } else if !matches!(body, BodyLength::None | BodyLength::Length(0)) {
            WebSocketRefusal::HasBody
        } else {
            return Handshake::Upgrade;
        };
        Handshake::Malformed(refusal)
    }
}

/// Whether `value` has the shape of 16 bytes in base64: 22 characters and `==`.
fn is_key(value: &[u8]) -> bool {
    value.strip_suffix(b"==").is_some_and(|digits| {
        digits.len() == 22
            && digits
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    })
}
