use super::{Asked, ClientWire, ClientWireError, Expected, Mode, Offer, Stream};
use crate::OutBuf;
use crate::eio::payload::SEPARATOR;
use crate::http::{Request, RequestKind, ResponseDecoder};
use crate::wire::{Codec, Flow, frames};
use crate::ws::{self, CloseCode, Fin, OpCode};
use bytes::{Bytes, BytesMut};

/// Most packets in one polling body. Servers bound what they read and do not say so in the handshake: those of
/// python-engineio end the session when a body has more than 16 packets.
const PAYLOAD_PACKETS: usize = 16;

/// Room a polling body begins with at most. The queue may hold a thousand times what [`PAYLOAD_PACKETS`] take.
const PAYLOAD_CAPACITY: usize = 4 * 1024;

impl<C: Codec> ClientWire<C> {
    /// Moves the bytes to write to the end of `output` and says how to go on. Call it again after writing:
    /// what `output` still holds then counts as unwritten.
    pub fn poll_output(&mut self, output: &mut OutBuf) -> Flow {
        output.append(&mut self.output);
        self.unsent = output.len();
        match self.mode {
            Mode::Ending => Flow::Closing,
            Mode::Idle
            | Mode::Head(_)
            | Mode::Body(_)
            | Mode::Packets(..)
            | Mode::WebSocket(_)
            | Mode::Failing(_) => Flow::Open,
        }
    }

    /// Whether a request can be sent: the wire is idle, and the server has neither ended its side nor sent
    /// something unasked.
    pub(crate) fn takes_request(&self) -> bool {
        matches!(self.mode, Mode::Idle) && self.input.is_empty() && self.stream == Stream::Open
    }

    /// Uses one of `spares` for what is sent next, so that emptied buffers do not add up. Frames are copied to be
    /// masked, so call it before each [`send`](Self::send).
    pub(crate) fn take_output_from(&mut self, spares: &mut Vec<OutBuf>) {
        self.output.take_from(spares);
    }

    /// Sends a request. Only when the wire is idle: fresh, or after [`ClientItem::End`](super::ClientItem::End);
    /// at any other time it is dropped, as it is when the server has ended its side or sent something unasked.
    pub(crate) fn request(&mut self, request: Request) {
        if !matches!(self.mode, Mode::Idle) || !self.input.is_empty() {
            return;
        }
        if self.stream == Stream::Ended {
            self.mode = Mode::Ending;
            return;
        }
        let key = match request.kind {
            RequestKind::WebSocket { .. } => ws::encode_key(self.random.nonce()),
            RequestKind::Poll | RequestKind::Post(_) => [0; 24],
        };
        let mut head = BytesMut::new();
        if let Err(error) = request.write_head(core::str::from_utf8(&key).unwrap_or_default(), &mut head) {
            self.mode = Mode::Failing(ClientWireError::Request(error));
            return;
        }
        self.output.put(&head);
        let expected = match request.kind {
            RequestKind::Poll => Expected::Payload,
            RequestKind::Post(body) => {
                self.output.put_shared(&body);
                Expected::Nothing
            }
            RequestKind::WebSocket { protocols } => Expected::WebSocket(Offer::new(&key, protocols)),
        };
        self.mode = Mode::Head(Box::new(Asked {
            decoder: ResponseDecoder::new(&self.config.head),
            expected,
        }));
    }

    /// Sends everything in `queue`, which holds complete unmasked WebSocket frames, masked.
    pub(crate) fn send(&mut self, queue: &mut OutBuf) {
        if !self.is_websocket() {
            return;
        }
        while let Some(frame) = frames::take(queue) {
            let key = self.random.mask_key();
            let header = ws::write_header(frame.opcode, Fin::Final, frame.length, Some(key));
            self.output.put(header.as_ref());
            ws::mask(self.output.take_copy(queue, frame.length), key, 0);
        }
    }

    /// Sends one text frame.
    pub(crate) fn send_text(&mut self, text: &[u8]) {
        if self.is_websocket() {
            self.put_frame(OpCode::Text, text);
        }
    }

    /// Ends the connection after what is queued: with a close frame on a WebSocket, at once elsewhere.
    pub(crate) fn close(&mut self, code: Option<CloseCode>) {
        if self.is_websocket() {
            let code = code.map(|code| code.get().to_be_bytes());
            self.put_frame(OpCode::Close, code.as_ref().map_or(&[], |code| &code[..]));
        }
        self.mode = Mode::Ending;
        self.input = BytesMut::new();
    }

    /// Takes packets for one polling body off the front of `queue`, which holds unmasked frames: as many as make a
    /// body of at most `max_payload` bytes, and at least one (protocol section 1.15); never more than
    /// [`PAYLOAD_PACKETS`].
    pub(crate) fn take_payload(queue: &mut OutBuf, max_payload: usize) -> Bytes {
        let mut body = BytesMut::with_capacity(queue.len().min(max_payload).min(PAYLOAD_CAPACITY));
        let mut packets = 0_usize;
        while let Some(frame) = frames::peek(queue) {
            let separator = usize::from(packets > 0);
            let length = body
                .len()
                .saturating_add(separator)
                .saturating_add(frame.packet_len());
            if packets > 0 && (length > max_payload || packets >= PAYLOAD_PACKETS) {
                break;
            }
            if packets > 0 {
                body.extend_from_slice(&[SEPARATOR]);
            }
            queue.advance(frame.header);
            frames::take_packet(queue, frame, &mut body);
            packets = packets.saturating_add(1);
        }
        body.freeze()
    }

    pub(super) fn put_frame(&mut self, opcode: OpCode, payload: &[u8]) {
        let key = self.random.mask_key();
        let header = ws::write_header(opcode, Fin::Final, payload.len(), Some(key));
        self.output.put(header.as_ref());
        ws::mask(self.output.put_copy(payload), key, 0);
    }
}
