use crate::http::{Response, StatusCode};
use crate::sio::write_json_string;
use bytes::BytesMut;
use core::fmt;

/// The errors the protocol knows for a request (section 1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// Code 0.
    TransportUnknown,
    /// Code 1.
    SessionUnknown,
    /// Code 2.
    BadHandshakeMethod,
    /// Code 3.
    BadRequest,
    /// Code 4, with the application's words.
    Forbidden(String),
    /// Code 5.
    UnsupportedVersion,
}

impl RequestError {
    /// The number in the answer.
    pub const fn code(&self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden(_) => 4,
            Self::UnsupportedVersion => 5,
        }
    }

    /// The words in the answer.
    pub fn message(&self) -> &str {
        match self {
            Self::TransportUnknown => "Transport unknown",
            Self::SessionUnknown => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Forbidden(message) => message,
            Self::UnsupportedVersion => "Unsupported protocol version",
        }
    }

    /// The answer to a plain request: JSON with the code.
    pub(super) fn response(&self) -> Response {
        let status = if matches!(self, Self::Forbidden(_)) {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::BAD_REQUEST
        };
        let mut body = BytesMut::with_capacity(64);
        body.extend_from_slice(b"{\"code\":");
        body.extend_from_slice(&[b'0' + self.code()]);
        body.extend_from_slice(b",\"message\":");
        write_json_string(&mut body, self.message());
        body.extend_from_slice(b"}");
        Response::new(status).with_body("application/json", body.freeze())
    }

    /// The answer to a WebSocket upgrade: 400 for every code, the words as text, then the end.
    pub(super) fn upgrade_response(&self) -> Response {
        Response::new(StatusCode::BAD_REQUEST).with_body("text/html", self.message().to_owned())
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl std::error::Error for RequestError {}
