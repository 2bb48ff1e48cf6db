//! Messages as they are forwarded: hop-by-hop headers are replaced (RFC 9110 section 7.6).

use bytes::{BufMut, Bytes, BytesMut};
use socketio_core::http::{BodyLength, RequestHead, ResponseHead, StatusCode};

use super::config::{BodyFraming, ForwardingHeaders, HeaderCase, MessageFormat};

/// Headers that concern one connection only, and are not forwarded.
const HOP_BY_HOP: [&str; 6] = [
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "content-length",
    "transfer-encoding",
];

/// What the headers say about the connection after the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ConnectionOption {
    KeepAlive,
    /// It stays open, and may be idle for so many seconds.
    KeepAliveFor(u64),
    Close,
    /// It becomes a WebSocket connection.
    Upgrade,
}

/// How a body is delimited when it is forwarded.
pub(super) fn forwarded_length(length: BodyLength, framing: BodyFraming) -> BodyLength {
    match (length, framing) {
        (BodyLength::None, _) => BodyLength::None,
        (BodyLength::UntilClose, _) | (_, BodyFraming::Chunked) => BodyLength::Chunked,
        (length, BodyFraming::Unchanged) => length,
    }
}

/// The head of a request to the server.
pub(super) fn request_head(
    head: &RequestHead,
    format: MessageFormat,
    body: BodyLength,
    connection_option: &ConnectionOption,
    from: &str,
) -> BytesMut {
    let mut writer = Writer::new(format.header_case);
    writer.line(&format!("{} {} HTTP/1.1", head.method(), head.target()));
    for (name, value) in head.headers() {
        let is_handshake = name.to_ascii_lowercase().starts_with("sec-websocket-");
        if !is_hop_by_hop(name) && (!is_handshake || *connection_option == ConnectionOption::Upgrade) {
            writer.field(name, value);
        }
    }
    if format.forwarding_headers == ForwardingHeaders::Added {
        writer.field("X-Forwarded-For", from.as_bytes());
        writer.field("X-Forwarded-Proto", b"https");
        writer.field("Via", b"1.1 intermediary");
    }
    writer.finish(body, connection_option)
}

/// The head of a response to the client.
pub(super) fn response_head(
    head: &ResponseHead,
    format: MessageFormat,
    body: BodyLength,
    connection_option: &ConnectionOption,
) -> BytesMut {
    let mut writer = Writer::new(format.header_case);
    writer.line(&format!("HTTP/1.1 {}", head.status()));
    for (name, value) in head.headers().filter(|(name, _)| !is_hop_by_hop(name)) {
        writer.field(name, value);
    }
    if format.forwarding_headers == ForwardingHeaders::Added {
        writer.field("Via", b"1.1 intermediary");
        writer.field("Server", b"intermediary");
    }
    writer.finish(body, connection_option)
}

/// A response of the proxy itself.
pub(super) fn own_response(
    status: StatusCode,
    format: MessageFormat,
    connection_option: &ConnectionOption,
) -> BytesMut {
    let page = format!("<html><h1>{status}</h1></html>");
    let mut writer = Writer::new(format.header_case);
    writer.line(&format!("HTTP/1.1 {status}"));
    writer.field("Content-Type", b"text/html");
    let mut response = writer.finish(BodyLength::Length(page.len() as u64), connection_option);
    response.put_slice(page.as_bytes());
    response
}

/// A part of a body as it is forwarded.
pub(super) fn encode_body_part(length: BodyLength, data: &Bytes) -> BytesMut {
    let mut out = BytesMut::with_capacity(data.len() + 20);
    if length == BodyLength::Chunked {
        out.put_slice(format!("{:x}\r\n", data.len()).as_bytes());
        out.put_slice(data);
        out.put_slice(b"\r\n");
    } else {
        out.put_slice(data);
    }
    out
}

/// What follows the last part of a body.
pub(super) const fn body_end(length: BodyLength) -> &'static [u8] {
    match length {
        BodyLength::Chunked => b"0\r\n\r\n",
        _ => b"",
    }
}

fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.iter().any(|header| header.eq_ignore_ascii_case(name))
}

struct Writer {
    out: BytesMut,
    header_case: HeaderCase,
}

impl Writer {
    fn new(header_case: HeaderCase) -> Self {
        Self {
            out: BytesMut::with_capacity(512),
            header_case,
        }
    }

    fn line(&mut self, line: &str) {
        self.out.put_slice(line.as_bytes());
        self.out.put_slice(b"\r\n");
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        let name = match self.header_case {
            HeaderCase::Unchanged => name.to_owned(),
            HeaderCase::Lower => name.to_ascii_lowercase(),
            HeaderCase::Upper => name.to_ascii_uppercase(),
        };
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            self.out.put_slice(part);
        }
    }

    fn finish(mut self, body: BodyLength, connection_option: &ConnectionOption) -> BytesMut {
        match body {
            BodyLength::Length(length) => self.field("Content-Length", length.to_string().as_bytes()),
            BodyLength::Chunked => self.field("Transfer-Encoding", b"chunked"),
            BodyLength::None | BodyLength::UntilClose => {}
        }
        match connection_option {
            ConnectionOption::KeepAlive => {}
            ConnectionOption::KeepAliveFor(seconds) => {
                self.field("Keep-Alive", format!("timeout={seconds}").as_bytes());
            }
            ConnectionOption::Close => self.field("Connection", b"close"),
            ConnectionOption::Upgrade => {
                self.field("Upgrade", b"websocket");
                self.field("Connection", b"upgrade");
            }
        }
        self.line("");
        self.out
    }
}
