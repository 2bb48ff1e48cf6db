use crate::http::error::HeaderError;
use crate::http::syntax::{is_field_value, is_token};
use crate::http::{Headers, Method};
use bytes::{BufMut, Bytes, BytesMut};
use core::fmt::{self, Write};

/// One request of a client, written as HTTP/1.1.
///
/// Written are request line, `Host`, `Accept: */*`, and what the [kind](RequestKind) needs; the connection is
/// meant to stay. [`Self::headers`] win over these, except for one that asks for what is not understood: no
/// `Accept-Encoding` is ever sent, so no compressed body is to be expected.
#[derive(Clone)]
pub struct Request {
    /// The target in origin form: `/socket.io/?EIO=4…`.
    pub target: String,
    /// The `Host`.
    pub authority: String,
    /// What else is sent.
    pub headers: Headers,
    /// What kind of request it is.
    pub kind: RequestKind,
}

/// What is asked for, which decides how the answer is read.
#[derive(Clone, Debug)]
pub enum RequestKind {
    /// A GET whose body is a polling payload.
    Poll,
    /// A POST of a polling payload; only the status of the answer matters.
    Post(Bytes),
    /// A WebSocket handshake (RFC 6455 section 4.1), with the subprotocols offered.
    WebSocket {
        /// Offered in this order, the one preferred most first.
        protocols: Vec<String>,
    },
}

/// What applications do not set on any request, besides what [`Headers`] refuses.
const WITHHELD: &str = "accept-encoding";

impl Request {
    /// The method of this kind of request.
    pub fn method(&self) -> Method {
        match self.kind {
            RequestKind::Post(_) => Method::Post,
            RequestKind::Poll | RequestKind::WebSocket { .. } => Method::Get,
        }
    }

    /// Writes the head to `out`; `key` is the `Sec-WebSocket-Key` if it is a handshake. The body of
    /// [`RequestKind::Post`] comes behind it.
    ///
    /// # Errors
    ///
    /// [`HeaderError::InvalidValue`] when target, authority or a subprotocol would end its line or word;
    /// nothing is written then.
    pub(crate) fn write_head(&self, key: &str, out: &mut BytesMut) -> Result<(), HeaderError> {
        self.check()?;
        out.reserve(
            self.headers
                .written_len()
                .saturating_add(self.target.len())
                .saturating_add(self.authority.len())
                .saturating_add(256),
        );
        for part in [self.method().as_str(), " ", &self.target, " HTTP/1.1\r\n"] {
            out.put_slice(part.as_bytes());
        }
        self.put_default("Host", &self.authority, out);
        match &self.kind {
            RequestKind::Poll => self.put_default("Accept", "*/*", out),
            RequestKind::Post(body) => {
                self.put_default("Accept", "*/*", out);
                self.put_default("Content-Type", "text/plain;charset=UTF-8", out);
                // Writing to a `BytesMut` grows it and does not fail.
                let _ = write!(out, "Content-Length: {}\r\n", body.len());
            }
            RequestKind::WebSocket { protocols } => {
                out.put_slice(b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
                put("Sec-WebSocket-Key", key, out);
                if !protocols.is_empty() {
                    put("Sec-WebSocket-Protocol", &protocols.join(", "), out);
                }
            }
        }
        for (name, value) in self.headers.iter() {
            if !name.eq_ignore_ascii_case(WITHHELD) {
                for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                    out.put_slice(part);
                }
            }
        }
        out.put_slice(b"\r\n");
        Ok(())
    }

    fn check(&self) -> Result<(), HeaderError> {
        let is_target = |byte: &u8| byte.is_ascii_graphic();
        let protocols: &[String] = match &self.kind {
            RequestKind::WebSocket { protocols } => protocols,
            RequestKind::Poll | RequestKind::Post(_) => &[],
        };
        let is_sound = self.target.starts_with('/')
            && self.target.as_bytes().iter().all(is_target)
            && is_field_value(self.authority.as_bytes())
            && protocols.iter().all(|protocol| is_token(protocol.as_bytes()));
        if is_sound {
            Ok(())
        } else {
            Err(HeaderError::InvalidValue)
        }
    }

    /// Writes a header unless the application has one of that name.
    fn put_default(&self, name: &str, value: &str, out: &mut BytesMut) {
        if self.headers.get(name).is_none() {
            put(name, value, out);
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query holds the session id and headers hold credentials; neither belongs in a log.
        let path = self.target.split('?').next().unwrap_or_default();
        write!(formatter, "Request({} {path})", self.method())
    }
}

fn put(name: &str, value: &str, out: &mut BytesMut) {
    for part in [name, ": ", value, "\r\n"] {
        out.put_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(headers: &[(&'static str, &'static str)], kind: RequestKind) -> String {
        let mut request = Request {
            target: "/socket.io/?EIO=4".into(),
            authority: "a.example:80".into(),
            headers: Headers::new(),
            kind,
        };
        for (name, value) in headers {
            request.headers.append(*name, *value).unwrap();
        }
        let mut out = BytesMut::new();
        request.write_head("a2V5", &mut out).unwrap();
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn every_kind_of_request_says_what_it_needs() {
        assert_eq!(
            written(&[], RequestKind::Poll),
            "GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\n\r\n"
        );
        assert_eq!(
            written(&[], RequestKind::Post("4a".into())),
            "POST /socket.io/?EIO=4 HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\n\
             Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 2\r\n\r\n"
        );
        let protocols = vec!["a".into(), "b".into()];
        assert_eq!(
            written(&[], RequestKind::WebSocket { protocols }),
            "GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: a.example:80\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a2V5\r\n\
             Sec-WebSocket-Protocol: a, b\r\n\r\n"
        );
    }

    #[test]
    fn headers_of_the_application_win_except_where_they_would_break_the_exchange() {
        let headers = [
            ("host", "b.example"),
            ("ACCEPT", "text/plain"),
            ("Accept-Encoding", "gzip"),
            ("X-A", "b"),
        ];
        assert_eq!(
            written(&headers, RequestKind::Poll),
            "GET /socket.io/?EIO=4 HTTP/1.1\r\nhost: b.example\r\nACCEPT: text/plain\r\nX-A: b\r\n\r\n"
        );
    }

    #[test]
    fn what_would_end_its_line_is_not_written() {
        let request = |target: &str, authority: &str, protocol: &str| Request {
            target: target.into(),
            authority: authority.into(),
            headers: Headers::new(),
            kind: RequestKind::WebSocket {
                protocols: vec![protocol.into()],
            },
        };
        for request in [
            request("/a b", "a", "p"),
            request("/\r\nX: y", "a", "p"),
            request("/\u{e9}", "a", "p"),
            request("a", "a", "p"),
            request("", "a", "p"),
            request("/", "a\r\nX: y", "p"),
            request("/", "a", "p, q"),
            request("/", "a", ""),
        ] {
            let mut out = BytesMut::new();
            assert_eq!(
                request.write_head("", &mut out),
                Err(HeaderError::InvalidValue),
                "{request:?}"
            );
            assert!(out.is_empty());
        }
    }
}
