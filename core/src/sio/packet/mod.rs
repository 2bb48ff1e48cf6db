//! Decoding packets (protocol 3.1 to 3.3).

use core::fmt;

use bytes::{Buf, Bytes};

mod event_name;

use crate::Text;
use crate::json::{JsonError, Placeholders, validate, validate_arguments};
pub use event_name::{EventName, is_reserved};

/// One Socket.IO packet; all parts share the buffer it arrived in.
///
/// All JSON in it has been validated. A namespace starts with `/`, has neither commas nor control
/// characters, and can therefore always be encoded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A client asks to join a namespace, or a server says that it has joined (type 0).
    Connect {
        /// The namespace to join.
        namespace: Text,
        /// A JSON object: the client's credentials, or the server's `sid`.
        auth: Option<Bytes>,
    },
    /// The sender leaves a namespace (type 1).
    Disconnect {
        /// The namespace left.
        namespace: Text,
    },
    /// An event (types 2 and 5).
    Event {
        /// The namespace it belongs to.
        namespace: Text,
        /// Present when the sender waits for an acknowledgement.
        id: Option<u64>,
        /// The first element of the argument list.
        name: EventName,
        /// The JSON of the other elements with commas between and no brackets around: `1,"a"`.
        arguments: Bytes,
        /// How many binary messages follow and belong to the packet.
        attachments: u32,
    },
    /// The answer to an event that carried an id (types 3 and 6).
    Ack {
        /// The namespace it belongs to.
        namespace: Text,
        /// The id of the event.
        id: u64,
        /// The JSON of all elements with commas between and no brackets around.
        arguments: Bytes,
        /// How many binary messages follow and belong to the packet.
        attachments: u32,
    },
    /// A server refuses to let a client join a namespace (type 4).
    ConnectError {
        /// The namespace refused.
        namespace: Text,
        /// A JSON object with a `message`, or a JSON string from older servers.
        payload: Bytes,
    },
}

/// What a packet may cost before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketLimits {
    /// Arrays and objects inside each other, the argument list included. Default 1,024: more than any honest
    /// value has, and little enough for readers that recurse.
    pub json_depth: u32,
    /// Binary messages of one packet. Default 10, as in the JavaScript decoder.
    pub attachments: u32,
}

impl Default for PacketLimits {
    fn default() -> Self {
        Self {
            json_depth: 1024,
            attachments: 10,
        }
    }
}

/// Why a text is no packet. All but [`PacketError::IncompleteAck`] must close the session (protocol 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PacketError {
    /// There is no text.
    Empty,
    /// The first byte is no packet type.
    UnknownType(u8),
    /// A binary packet without a count of attachments in digits, or with the count 0.
    IllegalAttachments,
    /// More attachments than [`PacketLimits::attachments`].
    TooManyAttachments,
    /// A control character in the namespace.
    InvalidNamespace,
    /// An acknowledgement id above 2^64 - 1.
    IdOverflow,
    /// The payload is missing, not JSON, or not what the type of packet asks for.
    InvalidPayload,
    /// More arrays and objects inside each other than [`PacketLimits::json_depth`].
    TooDeep,
    /// The event name belongs to the library.
    ReservedEvent,
    /// A placeholder that names no attachment.
    IllegalPlaceholder,
    /// An ACK without id or without payload. It can answer nothing; peers ignore it and keep the session.
    /// A binary one is [`PacketError::InvalidPayload`], as its attachments could not be ignored with it.
    IncompleteAck,
}

impl fmt::Display for PacketError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "empty packet: a packet starts with its type, 0 to 6",
            Self::UnknownType(byte) if byte.is_ascii_digit() => {
                return write!(formatter, "unknown packet type {}", char::from(*byte));
            }
            Self::UnknownType(_) => "unknown packet type NaN",
            Self::IllegalAttachments => "Illegal attachments",
            Self::TooManyAttachments => {
                "too many attachments: send fewer in one packet, or raise Limits::attachments"
            }
            Self::InvalidNamespace => "control character in a namespace: use printable characters only",
            Self::IdOverflow => "acknowledgement id above 2^64 - 1: count ids up from 0",
            Self::InvalidPayload => "invalid payload",
            Self::TooDeep => "JSON nested too deeply: flatten the value, or raise Limits::json_depth",
            Self::ReservedEvent => "reserved event name: choose a name the library does not use itself",
            Self::IllegalPlaceholder => "illegal attachments",
            Self::IncompleteAck => "ACK without id or payload: send both, `[]` when there are no arguments",
        })
    }
}

impl core::error::Error for PacketError {}

impl From<JsonError> for PacketError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::TooDeep => Self::TooDeep,
            JsonError::IllegalPlaceholder => Self::IllegalPlaceholder,
            _ => Self::InvalidPayload,
        }
    }
}

/// Reads one packet from `text`, an Engine.IO message without its type character.
///
/// Nothing is copied, and nothing allocated unless the event name has escapes.
///
/// # Errors
///
/// See [`PacketError`]; stricter than JavaScript only where that accepts what no encoder writes: counts
/// and ids are digits and nothing else, an event has a payload, and `num` of a placeholder is whole.
pub fn decode(text: Text, limits: &PacketLimits) -> Result<Packet, PacketError> {
    let mut payload = text.into_bytes();
    let head = Head::take(&mut payload, limits)?;
    let namespace = head.namespace;
    match head.kind {
        Kind::Connect => {
            let auth = if payload.is_empty() {
                None
            } else {
                Some(json(payload, b"{", limits)?)
            };
            Ok(Packet::Connect { namespace, auth })
        }
        Kind::Disconnect if payload.is_empty() => Ok(Packet::Disconnect { namespace }),
        Kind::Disconnect => Err(PacketError::InvalidPayload),
        Kind::ConnectError => Ok(Packet::ConnectError {
            namespace,
            payload: json(payload, b"{\"", limits)?,
        }),
        Kind::Event => {
            let (name, arguments) = event_payload(payload, head.attachments, limits)?;
            Ok(Packet::Event {
                namespace,
                id: head.id,
                name,
                arguments,
                attachments: head.attachments,
            })
        }
        Kind::Ack => {
            let arguments = ack_payload(payload, head.attachments, limits);
            match (head.id, arguments, head.attachments) {
                (_, Err(error), _) => Err(error),
                (Some(id), Ok(Some(arguments)), attachments) => Ok(Packet::Ack {
                    namespace,
                    id,
                    arguments,
                    attachments,
                }),
                (_, _, 0) => Err(PacketError::IncompleteAck),
                _ => Err(PacketError::InvalidPayload),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
}

/// Everything before the payload.
struct Head {
    kind: Kind,
    attachments: u32,
    namespace: Text,
    id: Option<u64>,
}

impl Head {
    fn take(packet: &mut Bytes, limits: &PacketLimits) -> Result<Self, PacketError> {
        let (&packet_type, rest) = packet.split_first().ok_or(PacketError::Empty)?;
        let kind = match packet_type {
            b'0' => Kind::Connect,
            b'1' => Kind::Disconnect,
            b'2' | b'5' => Kind::Event,
            b'3' | b'6' => Kind::Ack,
            b'4' => Kind::ConnectError,
            _ => return Err(PacketError::UnknownType(packet_type)),
        };
        let (attachments, rest) = if packet_type >= b'5' {
            attachments(rest, limits.attachments)?
        } else {
            (0, rest)
        };
        let (namespace, rest) = namespace(packet, rest)?;
        let (id, rest) = ack_id(rest)?;
        packet.advance(packet.len() - rest.len());
        Ok(Self {
            kind,
            attachments,
            namespace,
            id,
        })
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The number that `digits` spell; `None` when there are none or too many.
fn number(digits: &[u8]) -> Option<u64> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

fn attachments(text: &[u8], limit: u32) -> Result<(u32, &[u8]), PacketError> {
    let (count, rest) = digits(text);
    let rest = rest.strip_prefix(b"-").ok_or(PacketError::IllegalAttachments)?;
    if count.iter().all(|digit| *digit == b'0') {
        return Err(PacketError::IllegalAttachments);
    }
    let count = number(count)
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| *count <= limit);
    Ok((count.ok_or(PacketError::TooManyAttachments)?, rest))
}

/// The namespace at the start of `rest`, which must be the tail of `packet`.
fn namespace<'a>(packet: &Bytes, rest: &'a [u8]) -> Result<(Text, &'a [u8]), PacketError> {
    const ROOT: Text = Text::from_static("/");
    if rest.first() != Some(&b'/') {
        return Ok((ROOT, rest));
    }
    let length = memchr::memchr(b',', rest).unwrap_or(rest.len());
    let (name, after) = rest.split_at(length);
    let after = after.strip_prefix(b",").unwrap_or(after);
    if name.len() == 1 {
        return Ok((ROOT, after));
    }
    if name.iter().any(|byte| *byte < b' ') {
        return Err(PacketError::InvalidNamespace);
    }
    let name = Text::from_utf8(packet.slice_ref(name)).map_err(|_| PacketError::InvalidNamespace)?;
    Ok((name, after))
}

fn ack_id(text: &[u8]) -> Result<(Option<u64>, &[u8]), PacketError> {
    let (id, rest) = digits(text);
    if id.is_empty() {
        return Ok((None, rest));
    }
    Ok((Some(number(id).ok_or(PacketError::IdOverflow)?), rest))
}

/// One JSON value whose first byte is one of `starts`.
fn json(payload: Bytes, starts: &[u8], limits: &PacketLimits) -> Result<Bytes, PacketError> {
    let start = payload
        .iter()
        .find(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    if !start.is_some_and(|start| starts.contains(start)) {
        return Err(PacketError::InvalidPayload);
    }
    validate(&payload, limits.json_depth)?;
    Ok(payload)
}

const fn placeholders(attachments: u32) -> Placeholders {
    match attachments {
        0 => Placeholders::Ignored,
        count => Placeholders::Below(count),
    }
}

fn event_payload(
    payload: Bytes,
    attachments: u32,
    limits: &PacketLimits,
) -> Result<(EventName, Bytes), PacketError> {
    let span = validate_arguments(&payload, limits.json_depth, placeholders(attachments))?;
    let first = span.first.ok_or(PacketError::InvalidPayload)?;
    let name = EventName::from_token(payload.slice(first.start..first.end), first.kind)
        .ok_or(PacketError::InvalidPayload)?;
    if name.is_reserved() {
        return Err(PacketError::ReservedEvent);
    }
    Ok((name, part(payload, span.rest, span.end)))
}

/// `None` when there is no payload.
fn ack_payload(
    payload: Bytes,
    attachments: u32,
    limits: &PacketLimits,
) -> Result<Option<Bytes>, PacketError> {
    if payload.is_empty() {
        return Ok(None);
    }
    let span = validate_arguments(&payload, limits.json_depth, placeholders(attachments))?;
    let start = span.first.map_or(span.end, |first| first.start);
    Ok(Some(part(payload, start, span.end)))
}

/// `payload[start..end]`, without another reference to its buffer. The validator has found both offsets in it.
fn part(mut payload: Bytes, start: usize, end: usize) -> Bytes {
    if start >= end {
        return Bytes::new();
    }
    payload.truncate(end);
    payload.advance(start);
    payload
}
