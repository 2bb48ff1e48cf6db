use super::error::HeaderError;
use super::{Headers, Method, StatusCode, Version};
use bytes::{BufMut, Bytes, BytesMut};
use core::fmt::Write;

/// What follows the head of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// Nothing; the head says `Content-Length: 0`.
    #[default]
    Empty,
    /// Bytes known in full.
    Bytes(Bytes),
}

impl Body {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Bytes(Bytes::from(text))
    }
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: StatusCode,
    headers: Headers,
    body: Body,
}

impl Response {
    /// An answer without headers and body.
    pub const fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: Headers::new(),
            body: Body::Empty,
        }
    }

    /// The same answer with one more header.
    ///
    /// # Errors
    ///
    /// As for [`Headers::append`].
    pub fn with_header(
        mut self,
        name: impl Into<Bytes>,
        value: impl Into<Bytes>,
    ) -> Result<Self, HeaderError> {
        self.headers.append(name, value)?;
        Ok(self)
    }

    /// The same answer with this body and the `Content-Type` that describes it; a type that cannot
    /// stand in a header is left out.
    pub fn with_body(mut self, content_type: &'static str, body: impl Into<Body>) -> Self {
        let _ = self.headers.set("Content-Type", content_type);
        self.body = body.into();
        self
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers, without those that frame the message.
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The headers, to add to.
    pub const fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// The body, also where the answer may not send it; see [`Self::payload`].
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// The bytes to send after the head in answer to `method`: none to HEAD, nor with a status
    /// that has no body.
    pub fn payload(&self, method: &Method) -> Option<&Bytes> {
        match &self.body {
            Body::Bytes(bytes) if *method != Method::Head && self.status.allows_body() => Some(bytes),
            _ => None,
        }
    }

    /// Writes status line, headers and blank line to `out`.
    ///
    /// `version` is the request's and `keep_alive` whether the connection stays: only where it
    /// departs from the version's habit does the head say so. `body_len` is announced, in answers
    /// to HEAD too; see [`Body::len`].
    pub fn write_head(&self, version: Version, keep_alive: bool, body_len: u64, out: &mut BytesMut) {
        out.reserve(self.headers.written_len().saturating_add(96));
        put_status_line(self.status, out);
        self.headers.write(out);
        // A 204 says 0 although RFC 9110 asks it not to: JS servers do, because some browsers wait
        // for a body otherwise. 304 is silent, its length would be that of the unsent body.
        if !self.status.is_informational() && self.status != StatusCode::NOT_MODIFIED {
            let length = if self.status.allows_body() { body_len } else { 0 };
            put_content_length(length, out);
        }
        if !self.status.is_informational() {
            match (version, keep_alive) {
                (Version::Http11, true) => {}
                (Version::Http10, true) => out.put_slice(b"Connection: keep-alive\r\n"),
                (_, false) => out.put_slice(b"Connection: close\r\n"),
            }
        }
        out.put_slice(b"\r\n");
    }
}

/// The answer that turns a connection into a WebSocket (RFC 6455 section 4.2.2). `accept` is the
/// hash of the client's key, `protocol` the subprotocol chosen among those offered, `extra` what
/// CORS and the application add.
///
/// # Errors
///
/// `accept` or `protocol` cannot stand in a header.
pub fn switching_protocols(
    accept: &str,
    protocol: Option<&str>,
    extra: &Headers,
) -> Result<Response, HeaderError> {
    let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS);
    let headers = &mut response.headers;
    if !super::syntax::is_field_value(accept.as_bytes()) {
        return Err(HeaderError::InvalidValue);
    }
    headers.append_known("Upgrade", Bytes::from_static(b"websocket"));
    headers.append_known("Connection", Bytes::from_static(b"Upgrade"));
    headers.append_known("Sec-WebSocket-Accept", Bytes::copy_from_slice(accept.as_bytes()));
    if let Some(protocol) = protocol {
        if !super::syntax::is_field_value(protocol.as_bytes()) {
            return Err(HeaderError::InvalidValue);
        }
        headers.append_known(
            "Sec-WebSocket-Protocol",
            Bytes::copy_from_slice(protocol.as_bytes()),
        );
    }
    headers.extend(extra);
    Ok(response)
}

/// What a client that [waits](super::RequestHead::wants_continue) is told to send its body.
pub const fn continue_line() -> &'static [u8] {
    b"HTTP/1.1 100 Continue\r\n\r\n"
}

fn put_status_line(status: StatusCode, out: &mut BytesMut) {
    if status == StatusCode::OK {
        out.put_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    // Writing to a `BytesMut` grows it and does not fail.
    let _ = write!(out, "HTTP/1.1 {status}\r\n");
}

fn put_content_length(length: u64, out: &mut BytesMut) {
    let _ = write!(out, "Content-Length: {length}\r\n");
}

#[cfg(test)]
mod tests {
    use super::{Headers, Method, Response, StatusCode, Version, switching_protocols};
    use bytes::BytesMut;

    fn head(response: &Response, version: Version, keep_alive: bool) -> String {
        let mut out = BytesMut::new();
        response.write_head(version, keep_alive, response.body().len(), &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn a_head_ends_in_length_and_what_becomes_of_the_connection() {
        let response = Response::new(StatusCode::OK).with_body("text/html", "ok");
        let start = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n";
        assert_eq!(head(&response, Version::Http11, true), format!("{start}\r\n"));
        assert_eq!(
            head(&response, Version::Http11, false),
            format!("{start}Connection: close\r\n\r\n")
        );
        assert_eq!(
            head(&response, Version::Http10, true),
            format!("{start}Connection: keep-alive\r\n\r\n")
        );
        assert_eq!(
            head(&response, Version::Http10, false),
            format!("{start}Connection: close\r\n\r\n")
        );
    }

    #[test]
    fn a_content_type_cannot_inject_headers() {
        let response = Response::new(StatusCode::OK).with_body("a\r\nSet-Cookie: b", "x");
        assert!(response.headers().is_empty());
    }

    #[test]
    fn answers_to_head_announce_a_length_and_send_nothing() {
        let response = Response::new(StatusCode::OK).with_body("text/plain", "four");
        assert!(head(&response, Version::Http11, true).contains("Content-Length: 4\r\n"));
        assert_eq!(response.payload(&Method::Head), None);
        assert_eq!(
            response.payload(&Method::Get).map(|body| &body[..]),
            Some(&b"four"[..])
        );
    }

    #[test]
    fn bodies_are_dropped_where_the_status_has_none() {
        let of = |status| Response::new(status).with_body("text/plain", "x");
        let no_content = of(StatusCode::NO_CONTENT);
        assert!(head(&no_content, Version::Http11, true).contains("Content-Length: 0\r\n"));
        let not_modified = of(StatusCode::NOT_MODIFIED);
        assert!(!head(&not_modified, Version::Http11, true).contains("Content-Length"));
        assert_eq!(no_content.payload(&Method::Get), None);
        assert_eq!(not_modified.payload(&Method::Get), None);
    }

    #[test]
    fn a_switch_of_protocols_names_accept_protocol_and_extras() {
        let mut extra = Headers::new();
        extra.append("X-A", "b").unwrap();
        let response = switching_protocols("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Some("chat"), &extra).unwrap();
        assert_eq!(
            head(&response, Version::Http11, true),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\nX-A: b\r\n\r\n"
        );
        assert!(switching_protocols("a", Some("a\r\nb"), &extra).is_err());
        assert!(switching_protocols("a\r\n", None, &extra).is_err());
    }
}
