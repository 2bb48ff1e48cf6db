use crate::http::error::HeadError;
use crate::http::fields::Field;
use crate::http::framing::Framing;
use crate::http::head::name_error;
use crate::http::head_reader::{HeadKind, HeadReader, RawHead};
use crate::http::syntax::{elements, trim};
use crate::http::{BodyLength, HeadLimits, HeaderIter, MAX_HEADERS, StatusCode, Version};
use bytes::{Bytes, BytesMut};
use core::fmt;
use core::mem::MaybeUninit;
use core::time::Duration;

/// The head of one response: its text in one buffer of exactly its size, and what its headers mean
/// together. Immutable and cheap to clone.
///
/// Strings are what the server sent and mean nothing before they are checked.
#[derive(Clone)]
pub struct ResponseHead {
    raw: Bytes,
    status: StatusCode,
    version: Version,
    body: BodyLength,
    keep_alive: bool,
    is_upgrade: bool,
}

impl ResponseHead {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The version in the status line.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The value of the first header called `name` (any case), without the whitespace around it.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// As [`Self::header`], for values that are UTF-8; `None` for others.
    pub fn header_str(&self, name: &str) -> Option<&str> {
        core::str::from_utf8(self.header(name)?).ok()
    }

    /// Every header in the order sent, repeated ones one by one.
    pub fn headers(&self) -> HeaderIter<'_> {
        HeaderIter::of_head(&self.raw)
    }

    /// Whether the connection may carry another request after this answer. Never so when its body lasts
    /// [until the connection ends](BodyLength::UntilClose).
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// How long the server keeps a resting connection, if it says so: `timeout` of the `Keep-Alive` header,
    /// in whole seconds.
    pub fn keep_alive_timeout(&self) -> Option<Duration> {
        let seconds = elements(self.header("keep-alive")?).find_map(|element| {
            let (name, value) = element.split_at_checked(memchr::memchr(b'=', element)?)?;
            trim(name)
                .eq_ignore_ascii_case(b"timeout")
                .then(|| trim(value.get(1..).unwrap_or_default()))
        })?;
        let seconds = core::str::from_utf8(seconds).ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// Where a redirect leads: the `Location` header.
    pub fn location(&self) -> Option<&str> {
        self.header_str("location")
    }

    /// How the body that follows the head is delimited, in answer to a GET or a POST (RFC 9112 section 6.3).
    pub fn body_length(&self) -> BodyLength {
        self.body
    }

    /// The whole head as sent, blank line included.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Whether the headers say that WebSocket follows; whether it was asked for so is another question.
    pub(crate) fn is_upgrade(&self) -> bool {
        self.is_upgrade
    }

    /// The values of all headers called `name` (any case).
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Whether the body went through a coding that nobody asked for.
    pub(crate) fn is_encoded(&self) -> bool {
        self.values("content-encoding")
            .flat_map(elements)
            .any(|coding| !coding.eq_ignore_ascii_case(b"identity"))
    }

    fn parse(raw: RawHead, limits: &HeadLimits) -> Result<Self, HeadError> {
        let bytes = raw.bytes;
        let mut slots = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let slots = slots
            .get_mut(..limits.headers.min(MAX_HEADERS))
            .unwrap_or_default();
        let mut response = httparse::Response::new(&mut []);
        let grammar = httparse::ParserConfig::default();
        match grammar.parse_response_with_uninit_headers(&mut response, &bytes, slots) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(HeadError::MalformedStatusLine),
            Err(httparse::Error::Version) if names_a_version(&bytes) => {
                return Err(HeadError::UnsupportedVersion);
            }
            Err(error) => return Err(name_error(error, HeadError::MalformedStatusLine)),
        }
        let status = response
            .code
            .and_then(StatusCode::new)
            .ok_or(HeadError::MalformedStatusLine)?;
        let version = if response.version == Some(0) {
            Version::Http10
        } else {
            Version::Http11
        };
        let mut framing = Framing::default();
        for header in response.headers.iter() {
            if let Some(field) = Field::named(header.name) {
                framing.add(field, header.value)?;
            }
        }
        let body = match framing.body(version)? {
            _ if !status.allows_body() => BodyLength::None,
            Some(length) => length,
            None => BodyLength::UntilClose,
        };
        Ok(Self {
            status,
            version,
            body,
            keep_alive: framing.keeps_alive(version) && body != BodyLength::UntilClose,
            is_upgrade: framing.asks_for_websocket(version),
            raw: bytes,
        })
    }
}

impl fmt::Debug for ResponseHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers hold credentials (`Set-Cookie`), which belong in no log.
        write!(formatter, "ResponseHead({})", self.status)
    }
}

/// Takes response heads off the front of a connection's bytes.
///
/// An unfinished head is kept here, so that read buffers can be given back; between heads nothing
/// is held. Every byte is looked at once however small the pieces are.
#[derive(Debug)]
pub struct ResponseDecoder {
    reader: HeadReader,
    progress: Progress,
}

/// Whether anything has come of the final head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    /// An informational head at least.
    Begun,
}

impl ResponseDecoder {
    /// A decoder for one connection.
    pub fn new(limits: &HeadLimits) -> Self {
        Self {
            reader: HeadReader::new(HeadKind::Response, limits),
            progress: Progress::Nothing,
        }
    }

    /// Takes one head off the front of `input`; `None` when it is unfinished, and then `input` is
    /// empty. What follows the head stays in `input`: it is the body, the first frame after 101, or the next
    /// response.
    ///
    /// Informational responses (1xx) other than 101 are skipped: they say that the final one is still to
    /// come (RFC 9110 section 15.2).
    ///
    /// # Errors
    ///
    /// The first error is final: every later call repeats it.
    #[must_use = "a head taken out and dropped is lost"]
    pub fn poll_head(&mut self, input: &mut BytesMut) -> Result<Option<ResponseHead>, HeadError> {
        while let Some(head) = self.reader.poll(input, ResponseHead::parse)? {
            if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
                self.progress = Progress::Begun;
                continue;
            }
            self.progress = Progress::Nothing;
            return Ok(Some(head));
        }
        Ok(None)
    }

    /// Whether part of an answer has arrived, be it an informational head: a connection lost now was lost
    /// inside a response.
    pub fn is_mid_head(&self) -> bool {
        self.reader.is_mid_head() || self.progress == Progress::Begun
    }
}

/// Whether the status line begins with `HTTP/x.y SP`, so that only the version is at fault.
fn names_a_version(raw: &[u8]) -> bool {
    matches!(raw, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b' ', ..]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}
