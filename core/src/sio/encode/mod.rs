//! Encoding packets (protocol 3.1), each once for any number of recipients.

mod arguments;
mod encoded;
mod write;

pub use arguments::{EncodeError, RawArguments, WriteArguments};
pub use encoded::Encoded;
pub(crate) use write::write_json_string;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::packet::{EventName, is_reserved};
use crate::json::validate;
use encoded::LARGEST_HEADER;
use write::{Backwards, write_decimal};

/// Turns events and answers into packets.
///
/// Keep one per thread. It writes into one buffer over and over: as long as the packets made have been
/// dropped (copied into the recipients' buffers) by the time room runs out, packets without attachments and
/// below a few KiB cost no allocation. A packet that is kept keeps the buffer alive, 16 to 64 KiB that it
/// shares with its neighbours.
///
/// An encoder that has failed can be used again.
#[derive(Debug, Default)]
pub struct Encoder {
    buffer: BytesMut,
    attachments: Vec<Bytes>,
}

/// Room for all that precedes the namespace: header, `4`, packet type, ten digits of a count, `-`. It is
/// filled from its end backwards when the rest is written, because length and count are known only then.
const HEADROOM: usize = LARGEST_HEADER + 2 + 11;
/// Size of the buffer that packets are cut from.
const CHUNK: usize = 16 * 1024;
/// With less room than this a packet is started in a new chunk, so that few outgrow theirs.
const LEAST_ROOM: usize = 4 * 1024;
/// A packet larger than this takes its buffer with it, so that an encoder at rest holds little.
const LARGEST_KEPT: usize = 256 * 1024;

/// The first digit of a packet.
#[derive(Clone, Copy)]
#[repr(u8)]
enum PacketType {
    Connect = b'0',
    Disconnect = b'1',
    Event = b'2',
    Ack = b'3',
    ConnectError = b'4',
}

impl Encoder {
    /// An encoder without a buffer; the first packet allocates it.
    pub fn new() -> Self {
        Self::default()
    }

    /// An event that expects no acknowledgement: `2["name",1]`, `51-["name",{"_placeholder":true,"num":0}]`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidNamespace`], [`EncodeError::ReservedEvent`], and what `arguments` report.
    pub fn event<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        name: &str,
        arguments: &T,
    ) -> Result<Encoded, EncodeError> {
        self.named_event(namespace, None, name, arguments)
    }

    /// An event that expects an acknowledgement: `212["name"]`.
    ///
    /// # Errors
    ///
    /// As [`Encoder::event`].
    pub fn event_with_ack<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        id: u64,
        name: &str,
        arguments: &T,
    ) -> Result<Encoded, EncodeError> {
        self.named_event(namespace, Some(id), name, arguments)
    }

    /// An event from JSON, as it stands in a decoded packet. The name is sent as it was written.
    ///
    /// `arguments` must be valid JSON values with commas between and no brackets around.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidNamespace`], [`EncodeError::ReservedEvent`], [`EncodeError::TooManyAttachments`].
    pub fn raw_event(
        &mut self,
        namespace: &str,
        name: &EventName,
        arguments: &[u8],
        attachments: &[Bytes],
    ) -> Result<Encoded, EncodeError> {
        if name.is_reserved() {
            return Err(EncodeError::ReservedEvent);
        }
        let id_offset = self.begin(namespace, None)?;
        self.buffer.put_u8(b'[');
        self.buffer.put_slice(name.raw().as_bytes());
        self.more_arguments(&RawArguments {
            text: arguments,
            attachments,
        })?;
        self.buffer.put_u8(b']');
        self.finish(PacketType::Event, id_offset)
    }

    /// The answer to the event with this id: `312["done"]`, `30[]`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidNamespace`], and what `arguments` report.
    pub fn ack<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        id: u64,
        arguments: &T,
    ) -> Result<Encoded, EncodeError> {
        let id_offset = self.begin(namespace, Some(id))?;
        self.buffer.put_u8(b'[');
        arguments.write_arguments(&mut self.buffer, &mut self.attachments)?;
        self.buffer.put_u8(b']');
        self.finish(PacketType::Ack, id_offset)
    }

    /// The answer to the event with this id, from JSON as in [`Encoder::raw_event`].
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidNamespace`], [`EncodeError::TooManyAttachments`].
    pub fn raw_ack(
        &mut self,
        namespace: &str,
        id: u64,
        arguments: &[u8],
        attachments: &[Bytes],
    ) -> Result<Encoded, EncodeError> {
        self.ack(
            namespace,
            id,
            &RawArguments {
                text: arguments,
                attachments,
            },
        )
    }

    /// A server's word that a client has joined a namespace: `0/chat,{"sid":"..."}`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidNamespace`].
    pub fn connect(&mut self, namespace: &str, sid: &str) -> Result<Encoded, EncodeError> {
        let id_offset = self.begin(namespace, None)?;
        self.buffer.put_slice(b"{\"sid\":");
        write_json_string(&mut self.buffer, sid);
        self.buffer.put_u8(b'}');
        self.finish(PacketType::Connect, id_offset)
    }

    /// A client's wish to join a namespace, `0/chat,{"token":"..."}`, or a server's answer with more than
    /// the `sid`. `payload` must be the JSON of an object.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidNamespace`].
    pub fn raw_connect(&mut self, namespace: &str, payload: Option<&[u8]>) -> Result<Encoded, EncodeError> {
        let id_offset = self.begin(namespace, None)?;
        self.buffer.put_slice(payload.unwrap_or_default());
        self.finish(PacketType::Connect, id_offset)
    }

    /// A server's refusal to let a client join a namespace: `4/chat,{"message":"no","data":1}`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidNamespace`]; [`EncodeError::InvalidData`] unless `data` writes exactly one
    /// value; [`EncodeError::UnexpectedBinary`] if there is binary data in it.
    pub fn connect_error<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        message: &str,
        data: Option<&T>,
    ) -> Result<Encoded, EncodeError> {
        let id_offset = self.begin(namespace, None)?;
        self.buffer.put_slice(b"{\"message\":");
        write_json_string(&mut self.buffer, message);
        if let Some(data) = data {
            self.buffer.put_slice(b",\"data\":");
            let start = self.buffer.len();
            data.write_arguments(&mut self.buffer, &mut self.attachments)?;
            validate(self.buffer.get(start..).unwrap_or_default(), u32::MAX)
                .map_err(|_| EncodeError::InvalidData)?;
            if !self.attachments.is_empty() {
                return Err(EncodeError::UnexpectedBinary);
            }
        }
        self.buffer.put_u8(b'}');
        self.finish(PacketType::ConnectError, id_offset)
    }

    /// The sender leaves a namespace: `1/chat,`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidNamespace`].
    pub fn disconnect(&mut self, namespace: &str) -> Result<Encoded, EncodeError> {
        let id_offset = self.begin(namespace, None)?;
        self.finish(PacketType::Disconnect, id_offset)
    }

    /// A copy of an event with this id instead of the one it has, if it has any: a broadcast that expects
    /// acknowledgements is serialized once.
    pub fn with_ack_id(&mut self, event: &Encoded, id: u64) -> Encoded {
        self.clear();
        let packet = event.frame.get(event.header_length..).unwrap_or_default();
        let (head, json) = packet.split_at_checked(event.id_offset).unwrap_or_default();
        let digits = json.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let json = json.get(digits..).unwrap_or_default();
        self.buffer.put_slice(head);
        write_decimal(&mut self.buffer, id);
        self.buffer.put_slice(json);
        let mut encoded = self.seal(HEADROOM, HEADROOM + event.id_offset);
        encoded.attachments.clone_from(&event.attachments);
        encoded
    }

    fn named_event<T: WriteArguments + ?Sized>(
        &mut self,
        namespace: &str,
        id: Option<u64>,
        name: &str,
        arguments: &T,
    ) -> Result<Encoded, EncodeError> {
        if is_reserved(name) {
            return Err(EncodeError::ReservedEvent);
        }
        let id_offset = self.begin(namespace, id)?;
        self.buffer.put_u8(b'[');
        write_json_string(&mut self.buffer, name);
        self.more_arguments(arguments)?;
        self.buffer.put_u8(b']');
        self.finish(PacketType::Event, id_offset)
    }

    /// Arguments after a first element.
    fn more_arguments<T: WriteArguments + ?Sized>(&mut self, arguments: &T) -> Result<(), EncodeError> {
        let end = self.buffer.len();
        self.buffer.put_u8(b',');
        arguments.write_arguments(&mut self.buffer, &mut self.attachments)?;
        if self.buffer.len() == end + 1 {
            self.buffer.truncate(end);
        }
        Ok(())
    }

    /// Leaves the buffer with nothing but the headroom, which is at its start.
    fn clear(&mut self) {
        self.attachments.clear();
        self.buffer.clear();
        if !self.buffer.try_reclaim(CHUNK) && self.buffer.capacity() < LEAST_ROOM {
            self.buffer.reserve(CHUNK);
        }
        self.buffer.put_slice(&[0; HEADROOM]);
    }

    /// Starts a packet after its type; the offset is where an id stands or would stand in the buffer.
    fn begin(&mut self, namespace: &str, id: Option<u64>) -> Result<usize, EncodeError> {
        self.clear();
        if namespace != "/" {
            if !namespace.starts_with('/') || namespace.bytes().any(|byte| byte < b' ' || byte == b',') {
                return Err(EncodeError::InvalidNamespace);
            }
            self.buffer.put_slice(namespace.as_bytes());
            self.buffer.put_u8(b',');
        }
        let id_offset = self.buffer.len();
        if let Some(id) = id {
            write_decimal(&mut self.buffer, id);
        }
        Ok(id_offset)
    }

    fn finish(&mut self, packet_type: PacketType, id_offset: usize) -> Result<Encoded, EncodeError> {
        let mut head = Backwards::from(&mut self.buffer, HEADROOM);
        let mut digit = packet_type as u8;
        if !self.attachments.is_empty() {
            let count = u32::try_from(self.attachments.len()).map_err(|_| EncodeError::TooManyAttachments)?;
            head.put(b'-');
            head.put_decimal(count.into());
            // BINARY_EVENT and BINARY_ACK are three above EVENT and ACK.
            digit += 3;
        }
        head.put(digit);
        head.put(b'4');
        let start = head.at;
        let mut encoded = self.seal(start, id_offset);
        if !self.attachments.is_empty() {
            encoded.attachments = Some(self.attachments.drain(..).collect());
        }
        Ok(encoded)
    }

    /// Puts the WebSocket header before the packet that starts at `start`, and cuts the frame off the buffer.
    fn seal(&mut self, start: usize, id_offset: usize) -> Encoded {
        let length = self.buffer.len() - start;
        let mut header = Backwards::from(&mut self.buffer, start);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length @ ..=125), _) => header.put(length),
            (_, Ok(length)) => {
                header.put_all(&length.to_be_bytes());
                header.put(126);
            }
            _ => {
                header.put_all(&(length as u64).to_be_bytes());
                header.put(127);
            }
        }
        // A final fragment (0x80) of text (0x1).
        header.put(0x81);
        let frame_start = header.at;
        let mut frame = if self.buffer.len() > LARGEST_KEPT {
            core::mem::take(&mut self.buffer).freeze()
        } else {
            self.buffer.split().freeze()
        };
        frame.advance(frame_start);
        let header_length = start - frame_start;
        Encoded {
            frame,
            header_length,
            id_offset: id_offset - start,
            attachments: None,
        }
    }
}
