use super::header::{FrameHeader, Parsed};
use super::{CloseCode, Fin, FrameError, HeaderBytes, OpCode, Role, mask};
use crate::Text;
use bytes::{Buf, Bytes, BytesMut};

/// The first allocation for a frame or message in pieces, unless it is smaller altogether.
const SMALLEST_BUFFER: usize = 64;

/// One message, whole and unmasked.
///
/// Payloads are slices of the buffer they arrived in and keep it alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(Text),
    /// A binary message.
    Binary(Bytes),
    /// To be answered by a pong with the same payload, at most 125 bytes.
    Ping(Bytes),
    /// An answer to a ping, or unasked.
    Pong(Bytes),
    /// The peer's last frame: its code, if it gave one, and its reason, often empty.
    Close(Option<CloseCode>, Text),
}

/// Takes messages out of the bytes of one direction of a WebSocket connection (RFC 6455 section 5).
///
/// Hand each read to [`Decoder::poll_message`] until it answers `None`. A frame that lies whole in the
/// input is unmasked there and split off without a copy; nothing is allocated for it if the input is
/// already shared, that is, if something was split off it before. A frame that ends beyond the input is
/// copied into a buffer that grows with what really arrives, so its length field alone costs nothing.
///
/// Between messages a decoder holds no heap memory. Within one it holds at most twice what arrived of a
/// frame in pieces plus twice what was assembled of its message (64 bytes if less), each at most
/// `max_message`.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    max_message: usize,
    reading: Reading,
    assembly: Option<Assembly>,
}

/// What the next byte is.
#[derive(Debug)]
enum Reading {
    /// A frame's head, of which these bytes came earlier.
    Header(HeaderBytes),
    /// The payload of a frame, of which these bytes came earlier, still masked.
    Payload { header: FrameHeader, received: Vec<u8> },
    /// Nothing: the peer has closed, and whatever follows is ignored (section 1.4).
    Closed,
    /// Nothing: the peer broke this rule.
    Failed(FrameError),
}

impl Reading {
    fn next_frame() -> Self {
        Self::Header(HeaderBytes::default())
    }
}

/// A message of which some fragments have come.
#[derive(Debug)]
struct Assembly {
    kind: DataKind,
    payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum DataKind {
    Text,
    Binary,
}

impl Decoder {
    /// A decoder at the start of a connection, for the end named by `role`.
    ///
    /// `max_message` bounds the payload of one message in bytes, over all its fragments; control frames
    /// have their own bound of 125.
    pub fn new(role: Role, max_message: usize) -> Self {
        Self {
            role,
            max_message,
            reading: Reading::next_frame(),
            assembly: None,
        }
    }

    /// Takes the next message from the front of `input` and leaves what follows it.
    ///
    /// `None` means that more bytes are needed; `input` is then empty, so the caller may give its buffer
    /// back. After [`Message::Close`] and after an error everything is discarded: the first answers `None`
    /// from then on, the second its error again.
    pub fn poll_message(&mut self, input: &mut BytesMut) -> Result<Option<Message>, FrameError> {
        let outcome = self.next_message(input);
        let end = match &outcome {
            Ok(Some(Message::Close(..))) => Reading::Closed,
            Err(error) => Reading::Failed(*error),
            Ok(_) => return outcome,
        };
        self.reading = end;
        self.assembly = None;
        input.clear();
        outcome
    }

    /// Bytes of heap memory held for a frame or a message that is not complete.
    pub fn memory(&self) -> usize {
        let frame = match &self.reading {
            Reading::Payload { received, .. } => received.capacity(),
            Reading::Header(_) | Reading::Closed | Reading::Failed(_) => 0,
        };
        let message = self
            .assembly
            .as_ref()
            .map_or(0, |assembly| assembly.payload.capacity());
        frame.saturating_add(message)
    }

    fn next_message(&mut self, input: &mut BytesMut) -> Result<Option<Message>, FrameError> {
        while let Some((header, payload)) = self.next_frame(input)? {
            if let Some(message) = self.complete(header, payload)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    fn next_frame(&mut self, input: &mut BytesMut) -> Result<Option<(FrameHeader, Bytes)>, FrameError> {
        loop {
            match &mut self.reading {
                Reading::Header(received) => {
                    let Some(header) = take_header(received, input, self.role)? else {
                        return Ok(None);
                    };
                    self.admit(&header)?;
                    if input.len() >= header.payload_len {
                        return Ok(Some((header, take_payload(&header, input))));
                    }
                    self.reading = Reading::Payload {
                        header,
                        received: Vec::new(),
                    };
                }
                Reading::Payload { header, received } => {
                    let missing = header.payload_len.saturating_sub(received.len());
                    let arrived = missing.min(input.len());
                    append(
                        received,
                        input.get(..arrived).unwrap_or_default(),
                        header.payload_len,
                    );
                    input.advance(arrived);
                    if arrived < missing {
                        return Ok(None);
                    }
                    let (header, mut payload) = (*header, core::mem::take(received));
                    self.reading = Reading::next_frame();
                    if let Some(key) = header.mask {
                        mask(&mut payload, key, 0);
                    }
                    return Ok(Some((header, payload.into())));
                }
                Reading::Closed => {
                    input.clear();
                    return Ok(None);
                }
                Reading::Failed(error) => return Err(*error),
            }
        }
    }

    /// Checks a frame against the message under way and its limit, before its payload is waited for.
    fn admit(&self, header: &FrameHeader) -> Result<(), FrameError> {
        let assembled = match (header.opcode, &self.assembly) {
            (OpCode::Ping | OpCode::Pong | OpCode::Close, _) => return Ok(()),
            (OpCode::Continuation, None) => return Err(FrameError::UnexpectedContinuation),
            (OpCode::Continuation, Some(assembly)) => assembly.payload.len(),
            (OpCode::Text | OpCode::Binary, Some(_)) => return Err(FrameError::ExpectedContinuation),
            (OpCode::Text | OpCode::Binary, None) => 0,
        };
        if header.payload_len > self.max_message.saturating_sub(assembled) {
            return Err(FrameError::TooLarge);
        }
        Ok(())
    }

    /// The message that this frame completes, if it does.
    fn complete(&mut self, header: FrameHeader, payload: Bytes) -> Result<Option<Message>, FrameError> {
        let kind = match header.opcode {
            OpCode::Ping => return Ok(Some(Message::Ping(payload))),
            OpCode::Pong => return Ok(Some(Message::Pong(payload))),
            OpCode::Close => return close_message(payload).map(Some),
            OpCode::Text => DataKind::Text,
            OpCode::Binary => DataKind::Binary,
            OpCode::Continuation => return self.continued(header.fin, &payload),
        };
        if header.fin == Fin::Final {
            return data_message(kind, payload).map(Some);
        }
        let mut assembly = Assembly {
            kind,
            payload: Vec::new(),
        };
        append(&mut assembly.payload, &payload, self.max_message);
        self.assembly = Some(assembly);
        Ok(None)
    }

    fn continued(&mut self, fin: Fin, payload: &[u8]) -> Result<Option<Message>, FrameError> {
        let Some(mut assembly) = self.assembly.take() else {
            return Err(FrameError::UnexpectedContinuation);
        };
        append(&mut assembly.payload, payload, self.max_message);
        if fin == Fin::Final {
            return data_message(assembly.kind, assembly.payload.into()).map(Some);
        }
        self.assembly = Some(assembly);
        Ok(None)
    }
}

/// Takes a head that began with the bytes in `received`; `None` when `input` ends before it does.
fn take_header(
    received: &mut HeaderBytes,
    input: &mut BytesMut,
    role: Role,
) -> Result<Option<FrameHeader>, FrameError> {
    if received.is_empty()
        && let Parsed::Complete(header) = FrameHeader::parse(input, role)?
    {
        input.advance(header.header_len);
        return Ok(Some(header));
    }
    loop {
        match FrameHeader::parse(received.as_ref(), role)? {
            Parsed::Complete(header) => {
                *received = HeaderBytes::default();
                return Ok(Some(header));
            }
            Parsed::Needs(_) if input.is_empty() => return Ok(None),
            Parsed::Needs(needed) => {
                let arrived = needed.saturating_sub(received.len()).min(input.len());
                received.extend(input.get(..arrived).unwrap_or_default());
                input.advance(arrived);
            }
        }
    }
}

/// Takes a payload that lies whole in `input`. An empty one shares nothing, so that it pins nothing.
fn take_payload(header: &FrameHeader, input: &mut BytesMut) -> Bytes {
    if header.payload_len == 0 {
        return Bytes::new();
    }
    let mut payload = input.split_to(header.payload_len.min(input.len()));
    if let Some(key) = header.mask {
        mask(&mut payload, key, 0);
    }
    payload.freeze()
}

/// Appends `bytes`, doubling the buffer when it is full but not beyond the `limit` it can ever need.
fn append(buffer: &mut Vec<u8>, bytes: &[u8], limit: usize) {
    let needed = buffer.len().saturating_add(bytes.len());
    if needed > buffer.capacity() {
        let doubled = buffer
            .capacity()
            .saturating_mul(2)
            .max(SMALLEST_BUFFER)
            .min(limit);
        buffer.reserve_exact(doubled.max(needed).saturating_sub(buffer.len()));
    }
    buffer.extend_from_slice(bytes);
}

fn data_message(kind: DataKind, payload: Bytes) -> Result<Message, FrameError> {
    match kind {
        DataKind::Text => Text::from_utf8(payload)
            .map(Message::Text)
            .map_err(|_| FrameError::InvalidUtf8),
        DataKind::Binary => Ok(Message::Binary(payload)),
    }
}

fn close_message(mut payload: Bytes) -> Result<Message, FrameError> {
    if payload.is_empty() {
        return Ok(Message::Close(None, Text::default()));
    }
    let code = payload
        .try_get_u16()
        .map_err(|_| FrameError::TruncatedCloseCode)?;
    let code = CloseCode::new(code);
    if !code.is_valid_on_wire() {
        return Err(FrameError::InvalidCloseCode);
    }
    let reason = Text::from_utf8(payload).map_err(|_| FrameError::InvalidUtf8)?;
    Ok(Message::Close(Some(code), reason))
}
