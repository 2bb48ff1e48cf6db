//! Heads as they are passed on: what concerns one connection only is written anew (RFC 9110 section 7.6).

use bytes::{BufMut, Bytes, BytesMut};
use socketio_core::http::{BodyLength, RequestHead, ResponseHead, StatusCode};

use super::quirks::{Case, Coding, Dialect, Traces};

/// What concerns one connection only.
const OWN: [&str; 6] = [
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "content-length",
    "transfer-encoding",
];

/// What is to become of the connection after the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    Stay,
    /// It stays, and so long at rest at most.
    StayFor(u64),
    Close,
    /// It turns to WebSocket.
    Upgrade,
}

/// How the body is delimited where it is passed on.
pub(super) fn passed_on(length: BodyLength, coding: Coding) -> BodyLength {
    match (length, coding) {
        (BodyLength::None, _) => BodyLength::None,
        (BodyLength::UntilClose, _) | (_, Coding::Chunked) => BodyLength::Chunked,
        (length, Coding::Kept) => length,
    }
}

/// A request's head for the server.
pub(super) fn request_head(
    head: &RequestHead,
    dialect: Dialect,
    body: BodyLength,
    afterwards: &Afterwards,
    from: &str,
) -> BytesMut {
    let mut writer = Writer::new(dialect.case);
    writer.line(&format!("{} {} HTTP/1.1", head.method(), head.target()));
    for (name, value) in head.headers() {
        let is_handshake = name.to_ascii_lowercase().starts_with("sec-websocket-");
        if !is_own(name) && (!is_handshake || *afterwards == Afterwards::Upgrade) {
            writer.field(name, value);
        }
    }
    if dialect.traces == Traces::Added {
        writer.field("X-Forwarded-For", from.as_bytes());
        writer.field("X-Forwarded-Proto", b"https");
        writer.field("Via", b"1.1 intermediary");
    }
    writer.finish(body, afterwards)
}

/// An answer's head for the client.
pub(super) fn answer_head(
    head: &ResponseHead,
    dialect: Dialect,
    body: BodyLength,
    afterwards: &Afterwards,
) -> BytesMut {
    let mut writer = Writer::new(dialect.case);
    writer.line(&format!("HTTP/1.1 {}", head.status()));
    for (name, value) in head.headers().filter(|(name, _)| !is_own(name)) {
        writer.field(name, value);
    }
    if dialect.traces == Traces::Added {
        writer.field("Via", b"1.1 intermediary");
        writer.field("Server", b"intermediary");
    }
    writer.finish(body, afterwards)
}

/// An answer of the intermediary itself.
pub(super) fn own_answer(status: StatusCode, dialect: Dialect, afterwards: &Afterwards) -> BytesMut {
    let page = format!("<html><h1>{status}</h1></html>");
    let mut writer = Writer::new(dialect.case);
    writer.line(&format!("HTTP/1.1 {status}"));
    writer.field("Content-Type", b"text/html");
    let mut answer = writer.finish(BodyLength::Length(page.len() as u64), afterwards);
    answer.put_slice(page.as_bytes());
    answer
}

/// A piece of a body, as it is passed on.
pub(super) fn piece(length: BodyLength, data: &Bytes) -> BytesMut {
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

/// What ends a body.
pub(super) const fn end(length: BodyLength) -> &'static [u8] {
    match length {
        BodyLength::Chunked => b"0\r\n\r\n",
        _ => b"",
    }
}

fn is_own(name: &str) -> bool {
    OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
}

struct Writer {
    out: BytesMut,
    case: Case,
}

impl Writer {
    fn new(case: Case) -> Self {
        Self {
            out: BytesMut::with_capacity(512),
            case,
        }
    }

    fn line(&mut self, line: &str) {
        self.out.put_slice(line.as_bytes());
        self.out.put_slice(b"\r\n");
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        let name = match self.case {
            Case::Kept => name.to_owned(),
            Case::Lower => name.to_ascii_lowercase(),
            Case::Upper => name.to_ascii_uppercase(),
        };
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            self.out.put_slice(part);
        }
    }

    fn finish(mut self, body: BodyLength, afterwards: &Afterwards) -> BytesMut {
        match body {
            BodyLength::Length(length) => self.field("Content-Length", length.to_string().as_bytes()),
            BodyLength::Chunked => self.field("Transfer-Encoding", b"chunked"),
            BodyLength::None | BodyLength::UntilClose => {}
        }
        match afterwards {
            Afterwards::Stay => {}
            Afterwards::StayFor(seconds) => {
                self.field("Keep-Alive", format!("timeout={seconds}").as_bytes());
            }
            Afterwards::Close => self.field("Connection", b"close"),
            Afterwards::Upgrade => {
                self.field("Upgrade", b"websocket");
                self.field("Connection", b"upgrade");
            }
        }
        self.line("");
        self.out
    }
}
