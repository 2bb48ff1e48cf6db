//! Reading back the frames that wait in a session's queue: complete, unmasked, one packet each.

use crate::OutBuf;
use crate::eio::{Message, Packet};
use crate::ws::{self, OpCode, SERVER_HEADER_MAX};
use bytes::BytesMut;

/// The head of a queued frame.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) opcode: OpCode,
    /// Bytes of the head.
    pub(super) header: usize,
    /// Bytes of the payload behind it.
    pub(super) length: usize,
}

/// The head of the frame at the front of `queue`; `None` when the queue is empty.
pub(super) fn peek(queue: &OutBuf) -> Option<Frame> {
    // Mostly the head lies in the first piece; a large payload that is shared may leave it cut in two.
    let parsed = ws::parse_server_header(queue.chunk()).or_else(|| {
        let mut header = [0; SERVER_HEADER_MAX];
        let available = queue.peek(&mut header);
        ws::parse_server_header(header.get(..available)?)
    });
    let (opcode, header, length) = parsed?;
    Some(Frame {
        opcode,
        header,
        length,
    })
}

/// Takes the head of the next frame off `queue`; its payload stays.
pub(super) fn take(queue: &mut OutBuf) -> Option<Frame> {
    let frame = peek(queue)?;
    queue.advance(frame.header);
    Some(frame)
}

/// Takes the payload of `frame` off `queue` and appends it to a polling body: text as it is, binary in base64.
pub(super) fn take_packet(queue: &mut OutBuf, frame: Frame, body: &mut BytesMut) {
    if frame.opcode == OpCode::Binary {
        let mut data = Vec::with_capacity(frame.length);
        queue.take(frame.length, |piece| data.extend_from_slice(piece));
        Packet::Message(Message::Binary(data.into())).encode_into(body);
    } else {
        queue.take(frame.length, |piece| body.extend_from_slice(piece));
    }
}

impl Frame {
    /// Bytes of a polling body that [`take_packet`] appends.
    pub(super) fn packet_len(self) -> usize {
        match self.opcode {
            OpCode::Binary => self.length.div_ceil(3).saturating_mul(4).saturating_add(1),
            _ => self.length,
        }
    }
}
