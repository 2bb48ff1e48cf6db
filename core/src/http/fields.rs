//! One pass over the headers of a head: where the well-known ones stand, and what they mean together.

use super::error::HeadError;
use super::framing::Framing;
use super::websocket::{Handshake, HandshakeFacts};
use super::{BodyLength, Method, Version};

/// Headers this module looks at. Those before [`Field::STORED`] keep their place in the head.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    Host,
    Origin,
    ContentType,
    UserAgent,
    Cookie,
    AcceptEncoding,
    RequestMethod,
    RequestHeaders,
    WebSocketKey,
    WebSocketProtocol,
    WebSocketExtensions,
    Connection,
    ContentLength,
    TransferEncoding,
    Expect,
    Upgrade,
    WebSocketVersion,
}

impl Field {
    /// How many fields have a slot in [`Fields`].
    pub(super) const STORED: usize = Self::Connection as usize;

    /// The field with this name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        // The length alone rules out almost every name before any letter is compared.
        let candidates: &[(&str, Self)] = match name.len() {
            4 => &[("host", Self::Host)],
            6 => &[
                ("cookie", Self::Cookie),
                ("origin", Self::Origin),
                ("expect", Self::Expect),
            ],
            7 => &[("upgrade", Self::Upgrade)],
            10 => &[("connection", Self::Connection), ("user-agent", Self::UserAgent)],
            12 => &[("content-type", Self::ContentType)],
            14 => &[("content-length", Self::ContentLength)],
            15 => &[("accept-encoding", Self::AcceptEncoding)],
            17 => &[
                ("sec-websocket-key", Self::WebSocketKey),
                ("transfer-encoding", Self::TransferEncoding),
            ],
            21 => &[("sec-websocket-version", Self::WebSocketVersion)],
            22 => &[("sec-websocket-protocol", Self::WebSocketProtocol)],
            24 => &[("sec-websocket-extensions", Self::WebSocketExtensions)],
            29 => &[("access-control-request-method", Self::RequestMethod)],
            30 => &[("access-control-request-headers", Self::RequestHeaders)],
            _ => return None,
        };
        candidates
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known))
            .map(|&(_, field)| field)
    }
}

/// A part of a head. Sixteen bits suffice for [`MAX_HEAD_BYTES`](super::MAX_HEAD_BYTES).
///
/// No header value starts at 0, so the default span means "not there".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// Where `part`, a slice of `whole`, stands in it.
    pub(super) fn of(part: &[u8], whole: &[u8]) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        Some(Self {
            start: u16::try_from(start).ok()?,
            end: u16::try_from(end).ok()?,
        })
    }

    pub(super) fn get(self, whole: &[u8]) -> Option<&[u8]> {
        if self == Self::default() {
            return None;
        }
        whole.get(usize::from(self.start)..usize::from(self.end))
    }

    pub(super) fn range(self) -> core::ops::Range<usize> {
        usize::from(self.start)..usize::from(self.end)
    }
}

/// What is remembered of a head besides its text.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) body: BodyLength,
    pub(super) target: Span,
    pub(super) method_bytes: u16,
    stored: [Span; Field::STORED],
    pub(super) version: Version,
    pub(super) keep_alive: bool,
    pub(super) wants_continue: bool,
    pub(super) handshake: Handshake,
}

impl Fields {
    /// The place of the first header of this name.
    pub(super) fn span(&self, field: Field) -> Span {
        self.stored.get(field as usize).copied().unwrap_or_default()
    }
}

/// Whether an HTTP/1.1 head must name its host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HostRule {
    /// Bytes from the wire (RFC 9112 section 3.2).
    Required,
    /// A head from a host that may have read HTTP/2, where the authority is no header.
    Optional,
}

/// What the headers said so far.
#[derive(Default)]
pub(super) struct Collector {
    stored: [Span; Field::STORED],
    framing: Framing,
    expects_continue: bool,
    handshake: HandshakeFacts,
}

impl Collector {
    /// Takes in one header of the head `raw`.
    pub(super) fn add(&mut self, name: &str, value: &[u8], raw: &[u8]) -> Result<(), HeadError> {
        let Some(field) = Field::named(name) else {
            return Ok(());
        };
        match field {
            Field::Connection | Field::ContentLength | Field::TransferEncoding | Field::Upgrade => {
                return self.framing.add(field, value);
            }
            Field::Expect if value.eq_ignore_ascii_case(b"100-continue") => self.expects_continue = true,
            Field::Expect => return Err(HeadError::UnknownExpectation),
            Field::WebSocketVersion => self.handshake.add_version(value),
            stored => {
                if stored == Field::WebSocketKey {
                    self.handshake.add_key(value);
                }
                return self.store(stored, value, raw);
            }
        }
        Ok(())
    }

    fn store(&mut self, field: Field, value: &[u8], raw: &[u8]) -> Result<(), HeadError> {
        let span = Span::of(value, raw).ok_or(HeadError::HeadTooLarge)?;
        let Some(slot) = self.stored.get_mut(field as usize) else {
            return Ok(());
        };
        if *slot == Span::default() {
            *slot = span;
        } else if field == Field::Host {
            return Err(HeadError::RepeatedHost);
        }
        Ok(())
    }

    /// Draws the conclusions that need all headers.
    pub(super) fn finish(
        self,
        method: &str,
        target: Span,
        version: Version,
        host: HostRule,
    ) -> Result<Fields, HeadError> {
        let body = self.framing.body(version)?.unwrap_or(BodyLength::None);
        let named_host = self
            .stored
            .get(Field::Host as usize)
            .is_some_and(|span| *span != Span::default());
        if !named_host && version == Version::Http11 && host == HostRule::Required {
            return Err(HeadError::MissingHost);
        }
        let http11 = version == Version::Http11;
        Ok(Fields {
            body,
            target,
            method_bytes: u16::try_from(method.len()).map_err(|_| HeadError::HeadTooLarge)?,
            stored: self.stored,
            version,
            keep_alive: self.framing.keeps_alive(version),
            // RFC 9110 section 10.1.1: the expectation of an HTTP/1.0 client is ignored.
            wants_continue: http11 && self.expects_continue,
            handshake: if self.framing.asks_for_websocket(version) {
                self.handshake.finish(Method::known(method.as_bytes()), body)
            } else {
                Handshake::NotUpgrade
            },
        })
    }
}
