use crate::Text;
use core::fmt;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`: the receiving half of long-polling, and every WebSocket handshake.
    Get,
    /// `POST`: the sending half of long-polling.
    Post,
    /// `OPTIONS`: the preflight of a cross-origin request.
    Options,
    /// `HEAD`: as `GET`, answered without a body.
    Head,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `CONNECT`
    Connect,
    /// `TRACE`
    Trace,
    /// Any other token; methods are case-sensitive, so `get` is one of these.
    Other(Text),
}

impl Method {
    /// The method with a name of its own in this enum; `None` for every other token.
    pub(super) fn known(token: &[u8]) -> Option<Self> {
        Some(match token {
            b"GET" => Self::Get,
            b"POST" => Self::Post,
            b"OPTIONS" => Self::Options,
            b"HEAD" => Self::Head,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"TRACE" => Self::Trace,
            _ => return None,
        })
    }

    /// The method as it stands in the request line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Options => "OPTIONS",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Trace => "TRACE",
            Self::Other(token) => token.as_str(),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The version in the request line. Responses always say HTTP/1.1, as RFC 9110 section 6.2 asks;
/// the version decides what may follow the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0: connections close unless asked to stay, no chunked coding, no upgrade.
    Http10,
    /// HTTP/1.1: connections stay unless asked to close.
    Http11,
}
