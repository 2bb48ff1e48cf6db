use super::error::HeadError;
use super::fields::{Collector, Field, Fields, HostRule, Span};
use super::syntax::{elements, is_token, trim};
use super::websocket::Handshake;
use super::{BodyLength, Method, Query, Version, WebSocketRequest};
use crate::Text;
use bytes::{BufMut, Bytes, BytesMut};
use core::fmt;
use core::mem::MaybeUninit;

/// The longest head there can be, whatever the limits say: places in it are kept in 16 bits.
pub const MAX_HEAD_BYTES: usize = u16::MAX as usize;

/// The most headers a head can have, whatever the limits say: they are parsed on the stack.
pub const MAX_HEADERS: usize = 256;

/// The head of one request: its text in one buffer of exactly its size, and the places of the
/// headers that Engine.IO asks for. Immutable and cheap to clone; one lives as long as its session.
///
/// Strings are what the client sent and mean nothing before they are checked.
#[derive(Clone)]
pub struct RequestHead {
    raw: Bytes,
    fields: Fields,
}

impl RequestHead {
    /// A head from the parts a host parsed (hyper, actix …), as if it had come over the wire.
    ///
    /// The version is taken as HTTP/1.1, and `Host` may be missing, as it is in HTTP/2.
    ///
    /// # Errors
    ///
    /// [`HeadError::LineBreakInPart`] for CR, LF or NUL anywhere, the other variants as for bytes
    /// from the wire, within [`MAX_HEAD_BYTES`] and [`MAX_HEADERS`].
    pub fn from_parts<'a>(
        method: &str,
        target: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, HeadError> {
        let mut text = BytesMut::with_capacity(512);
        refuse_line_breaks(method.as_bytes())?;
        refuse_line_breaks(target.as_bytes())?;
        if !is_token(method.as_bytes()) || target.contains(' ') {
            return Err(HeadError::MalformedRequestLine);
        }
        for part in [method, " ", target, " HTTP/1.1\r\n"] {
            text.put_slice(part.as_bytes());
        }
        for (name, value) in headers {
            refuse_line_breaks(name.as_bytes())?;
            refuse_line_breaks(value)?;
            // A colon in the name would move the border between name and value.
            if !is_token(name.as_bytes()) {
                return Err(HeadError::MalformedHeaderName);
            }
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                text.put_slice(part);
            }
            if text.len() > MAX_HEAD_BYTES {
                return Err(HeadError::HeadTooLarge);
            }
        }
        text.put_slice(b"\r\n");
        Self::parse(Bytes::copy_from_slice(&text), MAX_HEADERS, HostRule::Optional)
    }

    /// Reads a whole head, blank line included and nothing before or after it.
    pub(super) fn parse(raw: Bytes, headers: usize, host: HostRule) -> Result<Self, HeadError> {
        if raw.len() > MAX_HEAD_BYTES {
            return Err(HeadError::HeadTooLarge);
        }
        let fields = read_fields(&raw, headers, host)?;
        Ok(Self { raw, fields })
    }

    /// The method of the request.
    pub fn method(&self) -> Method {
        let token = ..usize::from(self.fields.method_bytes);
        let token = self.raw.get(token).unwrap_or_default();
        Method::known(token)
            .unwrap_or_else(|| Method::Other(Text::from_utf8(self.raw.slice_ref(token)).unwrap_or_default()))
    }

    /// The version in the request line.
    pub fn version(&self) -> Version {
        self.fields.version
    }

    /// The target as sent, query included, nothing decoded.
    pub fn target(&self) -> &str {
        self.raw
            .get(self.fields.target.range())
            .map(text)
            .unwrap_or_default()
    }

    /// The path as sent, up to the query, nothing decoded. Of a target in absolute form
    /// (`http://host/path`), scheme and host are left out; `*` stays as it is.
    pub fn path(&self) -> &str {
        self.split_target().0
    }

    /// The parameters of the query; none when there is no `?`.
    pub fn query(&self) -> Query<'_> {
        Query::new(self.split_target().1)
    }

    fn split_target(&self) -> (&str, &str) {
        let target = origin_form(self.target());
        target.split_once('?').unwrap_or((target, ""))
    }

    /// The value of the first header called `name` (any case), without the whitespace around it.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        if let Some(field) = Field::named(name).filter(|&field| (field as usize) < Field::STORED) {
            return self.stored(field);
        }
        self.headers()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// As [`Self::header`], for values that are UTF-8; `None` for others.
    pub fn header_str(&self, name: &str) -> Option<&str> {
        core::str::from_utf8(self.header(name)?).ok()
    }

    /// The elements of all headers called `name`, each a comma-separated list. Quoted strings that
    /// hold commas are taken apart like anything else.
    pub fn header_list(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .flat_map(|(_, v)| elements(v))
    }

    /// Every header in the order sent, repeated ones one by one.
    pub fn headers(&self) -> HeaderIter<'_> {
        HeaderIter::of_head(&self.raw)
    }

    /// The `Host` header.
    pub fn host(&self) -> Option<&[u8]> {
        self.stored(Field::Host)
    }

    /// The `Origin` header: which site's page sends the request.
    pub fn origin(&self) -> Option<&[u8]> {
        self.stored(Field::Origin)
    }

    /// The `Content-Type` header.
    pub fn content_type(&self) -> Option<&[u8]> {
        self.stored(Field::ContentType)
    }

    /// The `User-Agent` header.
    pub fn user_agent(&self) -> Option<&[u8]> {
        self.stored(Field::UserAgent)
    }

    /// The first `Cookie` header.
    pub fn cookie(&self) -> Option<&[u8]> {
        self.stored(Field::Cookie)
    }

    /// The first `Accept-Encoding` header.
    pub fn accept_encoding(&self) -> Option<&[u8]> {
        self.stored(Field::AcceptEncoding)
    }

    /// The `Access-Control-Request-Method` header of a preflight.
    pub fn access_control_request_method(&self) -> Option<&[u8]> {
        self.stored(Field::RequestMethod)
    }

    /// The `Access-Control-Request-Headers` header of a preflight.
    pub fn access_control_request_headers(&self) -> Option<&[u8]> {
        self.stored(Field::RequestHeaders)
    }

    /// The first `Sec-WebSocket-Protocol` header: the subprotocols the client offers.
    pub fn websocket_protocol(&self) -> Option<&[u8]> {
        self.stored(Field::WebSocketProtocol)
    }

    /// The first `Sec-WebSocket-Extensions` header: the extensions the client offers.
    pub fn websocket_extensions(&self) -> Option<&[u8]> {
        self.stored(Field::WebSocketExtensions)
    }

    /// Whether the connection may carry another request after this one.
    pub fn keep_alive(&self) -> bool {
        self.fields.keep_alive
    }

    /// Whether the client waits for [`continue_line`](super::continue_line) before it sends the body.
    pub fn wants_continue(&self) -> bool {
        self.fields.wants_continue
    }

    /// How the body that follows the head is delimited.
    pub fn body_length(&self) -> BodyLength {
        self.fields.body
    }

    /// Whether the request is a WebSocket handshake, and a sound one.
    pub fn websocket(&self) -> WebSocketRequest<'_> {
        match self.fields.handshake {
            Handshake::NotUpgrade => WebSocketRequest::NotUpgrade,
            Handshake::Malformed(refusal) => WebSocketRequest::Malformed(refusal),
            Handshake::Upgrade => WebSocketRequest::Upgrade {
                key: self.stored(Field::WebSocketKey).map(text).unwrap_or_default(),
            },
        }
    }

    /// The whole head as sent, blank line included.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    fn stored(&self, field: Field) -> Option<&[u8]> {
        self.fields.span(field).get(&self.raw)
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers hold credentials and the query holds the session id; neither belongs in a log.
        write!(formatter, "RequestHead({} {})", self.method(), self.path())
    }
}

/// The headers of a [`RequestHead`] or a [`ResponseHead`](super::ResponseHead), name and value.
#[derive(Clone, Debug)]
pub struct HeaderIter<'a> {
    rest: &'a [u8],
}

impl<'a> HeaderIter<'a> {
    /// The headers of the head `raw`, which begin after its first line.
    pub(super) fn of_head(raw: &'a [u8]) -> Self {
        let line_end = memchr::memchr(b'\n', raw).map_or(raw.len(), |at| at.saturating_add(1));
        Self {
            rest: raw.get(line_end..).unwrap_or_default(),
        }
    }
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (line, rest) = self.rest.split_at_checked(memchr::memchr(b'\n', self.rest)?)?;
        self.rest = rest.get(1..).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        Some((text(name), trim(value.get(1..).unwrap_or_default())))
    }
}

fn read_fields(raw: &[u8], headers: usize, host: HostRule) -> Result<Fields, HeadError> {
    let mut slots = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let slots = slots.get_mut(..headers.min(MAX_HEADERS)).unwrap_or_default();
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(raw, slots) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(HeadError::MalformedRequestLine),
        Err(httparse::Error::Version) if names_a_version(raw) => return Err(HeadError::UnsupportedVersion),
        Err(error) => return Err(name_error(error, HeadError::MalformedRequestLine)),
    }
    let method = request.method.unwrap_or_default();
    let target = request.path.unwrap_or_default();
    let target = Span::of(target.as_bytes(), raw).ok_or(HeadError::HeadTooLarge)?;
    let version = if request.version == Some(0) {
        Version::Http10
    } else {
        Version::Http11
    };
    let mut collector = Collector::default();
    for header in request.headers.iter() {
        collector.add(header.name, header.value, raw)?;
    }
    collector.finish(method, target, version, host)
}

/// The name of what the grammar found, which calls everything about the first line `first_line`.
pub(super) fn name_error(error: httparse::Error, first_line: HeadError) -> HeadError {
    match error {
        httparse::Error::HeaderName => HeadError::MalformedHeaderName,
        httparse::Error::HeaderValue => HeadError::MalformedHeaderValue,
        httparse::Error::NewLine => HeadError::BareCarriageReturn,
        httparse::Error::TooManyHeaders => HeadError::TooManyHeaders,
        _ => first_line,
    }
}

/// Whether the request line ends in `SP HTTP/x.y`, so that only the version is at fault.
fn names_a_version(raw: &[u8]) -> bool {
    let line = raw.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let word = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    let spaces = line.iter().filter(|&&byte| byte == b' ').count();
    spaces == 2
        && matches!(word, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// `target` without scheme and authority (RFC 9112 section 3.2.2).
fn origin_form(target: &str) -> &str {
    if target.starts_with('/') {
        return target;
    }
    let Some((scheme, rest)) = target.split_once("://") else {
        return target;
    };
    if !matches!(scheme, "http" | "https" | "ws" | "wss") {
        return target;
    }
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest.get(authority_end..) {
        Some("") | None => "/",
        Some(path) => path,
    }
}

fn refuse_line_breaks(part: &[u8]) -> Result<(), HeadError> {
    match memchr::memchr3(b'\r', b'\n', 0, part) {
        Some(_) => Err(HeadError::LineBreakInPart),
        None => Ok(()),
    }
}

/// Bytes the grammar keeps to UTF-8.
fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}
