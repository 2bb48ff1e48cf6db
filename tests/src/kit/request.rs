//! A request head and body, rendered exactly as described.

/// One HTTP/1.1 request. Nothing is added that was not asked for except `Host`, and `Content-Length` when there is a
/// body and no framing header yet.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request of any method, known or not.
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A `GET` of `path`, query included.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// A `POST` of `body` in the content type the published clients send.
    pub fn post(path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        let request = Self::new("POST", path).header("Content-Type", "text/plain;charset=UTF-8");
        Self {
            body: body.into(),
            ..request
        }
        .with_length()
    }

    /// The head of a `POST` that announces `length` bytes and sends none of them.
    pub fn post_head(path: impl Into<String>, length: usize) -> Self {
        Self::new("POST", path)
            .header("Content-Type", "text/plain;charset=UTF-8")
            .header("Content-Length", &length.to_string())
    }

    /// A `POST` whose body is sent as one chunk per item.
    pub fn post_chunked(path: impl Into<String>, chunks: &[&str]) -> Self {
        let mut body = String::new();
        for chunk in chunks {
            body.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
        }
        body.push_str("0\r\n\r\n");
        let request = Self::new("POST", path)
            .header("Content-Type", "text/plain;charset=UTF-8")
            .header("Transfer-Encoding", "chunked");
        Self {
            body: body.into_bytes(),
            ..request
        }
    }

    /// A WebSocket opening handshake (RFC 6455 section 4.1) with the key of the RFC's own example.
    pub fn upgrade(path: impl Into<String>) -> Self {
        Self::get(path)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Removes every line of a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Replaces a header.
    #[must_use]
    pub fn replace(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    /// The bytes on the wire.
    pub fn render(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: localhost\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn with_length(self) -> Self {
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }
}
