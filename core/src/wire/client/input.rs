use super::{
    Afterwards, BACKLOG, ClientItem, ClientWire, ClientWireError, ERROR_BODY_BYTES, Expected, Mode, Purpose,
    Reading, Stream,
};
use crate::eio::{self, Packet, payload};
use crate::http::{BodyChunk, BodyDecoder, BodyLength, ResponseHead, StatusCode};
use crate::wire::Codec;
use crate::ws::{self, OpCode, Role};
use bytes::{Bytes, BytesMut};
use core::mem;

impl<C: Codec> ClientWire<C> {
    /// Takes what was read. `input` is empty afterwards; messages that [`poll_item`](Self::poll_item) returns
    /// are slices of the same buffer, which can be read into again once they are gone.
    pub fn handle_input(&mut self, input: &mut BytesMut) {
        if matches!(self.mode, Mode::Ending) {
            input.clear();
        } else if self.input.is_empty() {
            self.input = input.split();
        } else {
            self.input.extend_from_slice(input);
            input.clear();
        }
    }

    /// The server has ended its side: a body without a length ends with it. Poll items once more afterwards.
    pub fn handle_end(&mut self) {
        self.stream = Stream::Ended;
    }

    /// Takes out the next thing that happened; `None` until there is more input.
    #[must_use]
    pub fn poll_item(&mut self) -> Option<ClientItem<C::Message>> {
        loop {
            match &mut self.mode {
                Mode::Idle if !self.input.is_empty() => return self.fail(ClientWireError::Unasked),
                Mode::Idle => return self.rest(),
                Mode::Head(_) => return self.poll_head(),
                Mode::Body(_) => {
                    if let Some(item) = self.poll_body()? {
                        return Some(item);
                    }
                }
                Mode::Packets(packets, afterwards) => {
                    return Some(match packets.poll_packet() {
                        Some(Ok(packet)) => self.translate(packet),
                        Some(Err(error)) => ClientItem::Malformed(error),
                        None => {
                            let afterwards = *afterwards;
                            self.end(afterwards)
                        }
                    });
                }
                Mode::WebSocket(_) => return self.poll_frame(),
                Mode::Failing(error) => {
                    let error = *error;
                    return self.fail(error);
                }
                Mode::Ending => {
                    self.input = BytesMut::new();
                    return None;
                }
            }
        }
    }

    fn poll_head(&mut self) -> Option<ClientItem<C::Message>> {
        let Mode::Head(asked) = &mut self.mode else {
            return None;
        };
        match asked.decoder.poll_head(&mut self.input) {
            Ok(None) if self.stream == Stream::Ended && asked.decoder.is_mid_head() => {
                self.fail(ClientWireError::Truncated)
            }
            Ok(None) if self.stream == Stream::Ended => {
                self.mode = Mode::Ending;
                Some(ClientItem::Unanswered)
            }
            Ok(None) => self.rest(),
            Ok(Some(head)) => Some(self.take_head(head)),
            Err(error) => self.fail(ClientWireError::Head(error)),
        }
    }

    /// Decides what follows the head of the answer.
    fn take_head(&mut self, head: ResponseHead) -> ClientItem<C::Message> {
        let Mode::Head(asked) = mem::replace(&mut self.mode, Mode::Ending) else {
            return ClientItem::Failed(ClientWireError::Unasked);
        };
        if head.status() == StatusCode::SWITCHING_PROTOCOLS {
            return match &asked.expected {
                Expected::WebSocket(offer) if offer.is_accepted_by(&head) => {
                    self.mode = Mode::WebSocket(ws::Decoder::new(Role::Client, self.config.max_payload));
                    ClientItem::Response(head)
                }
                Expected::WebSocket(_) | Expected::Payload | Expected::Nothing => {
                    ClientItem::Failed(ClientWireError::Handshake)
                }
            };
        }
        let purpose = match (&asked.expected, head.status()) {
            (Expected::Payload, StatusCode::OK) => Purpose::Payload,
            (Expected::Nothing, StatusCode::OK) => Purpose::Nothing,
            // What is compressed can not be shown, but the status says enough.
            _ if head.is_encoded() => Purpose::Nothing,
            _ => Purpose::Refusal,
        };
        self.mode = self.body_mode(purpose, &head);
        ClientItem::Response(head)
    }

    fn body_mode(&self, purpose: Purpose, head: &ResponseHead) -> Mode {
        if purpose == Purpose::Payload && head.is_encoded() {
            return Mode::Failing(ClientWireError::ContentEncoding);
        }
        let length = head.body_length();
        // What is too large is refused before any of it is read.
        if matches!(length, BodyLength::Length(length) if length > self.config.max_payload as u64) {
            return Mode::Failing(ClientWireError::BodyTooLarge);
        }
        let afterwards = if head.keep_alive() {
            Afterwards::KeepAlive
        } else {
            Afterwards::Close
        };
        Mode::Body(Box::new(Reading {
            decoder: BodyDecoder::new(length),
            purpose,
            collected: BytesMut::new(),
            received: 0,
            afterwards,
        }))
    }

    /// One step through a body: `None` when more input is needed, `Some(None)` when there is nothing to tell yet.
    #[allow(clippy::option_option)]
    fn poll_body(&mut self) -> Option<Option<ClientItem<C::Message>>> {
        let Mode::Body(reading) = &mut self.mode else {
            return Some(None);
        };
        match reading.decoder.poll_chunk(&mut self.input) {
            Ok(None) if self.stream == Stream::Ended => {
                if reading.decoder.handle_end() {
                    return Some(None);
                }
                Some(self.fail(ClientWireError::Truncated))
            }
            Ok(None) => {
                self.release_input();
                None
            }
            Ok(Some(BodyChunk::Data(mut data))) => {
                let room = self.config.max_payload.saturating_sub(reading.received);
                let is_too_large = data.len() > room;
                data.truncate(room);
                let shown = reading.collect(&data);
                if is_too_large {
                    self.mode = Mode::Failing(ClientWireError::BodyTooLarge);
                }
                Some(shown.map(ClientItem::ErrorBody))
            }
            Ok(Some(BodyChunk::End)) => Some(self.take_body()),
            Err(error) => Some(self.fail(ClientWireError::Body(error))),
        }
    }

    /// The body is complete. What is shown of a refusal comes before its end is told.
    fn take_body(&mut self) -> Option<ClientItem<C::Message>> {
        let Mode::Body(reading) = &mut self.mode else {
            return None;
        };
        let (purpose, afterwards) = (reading.purpose, reading.afterwards);
        let body = mem::take(&mut reading.collected).freeze();
        if purpose == Purpose::Payload {
            let packets = payload::Decoder::new(body, self.config.max_packets);
            self.mode = Mode::Packets(Box::new(packets), afterwards);
            return None;
        }
        if body.is_empty() {
            return Some(self.end(afterwards));
        }
        // An empty body leaves nothing but its end to tell.
        reading.purpose = Purpose::Nothing;
        reading.decoder = BodyDecoder::new(BodyLength::None);
        Some(ClientItem::ErrorBody(body))
    }

    fn end(&mut self, afterwards: Afterwards) -> ClientItem<C::Message> {
        self.mode = match afterwards {
            Afterwards::KeepAlive => Mode::Idle,
            Afterwards::Close => Mode::Ending,
        };
        ClientItem::End
    }

    fn poll_frame(&mut self) -> Option<ClientItem<C::Message>> {
        let Mode::WebSocket(decoder) = &mut self.mode else {
            return None;
        };
        match decoder.poll_message(&mut self.input) {
            Ok(None) => self.rest(),
            Ok(Some(ws::Message::Text(text))) => Some(match Packet::decode_text(text) {
                Ok(packet) => self.translate(packet),
                Err(error) => ClientItem::Malformed(error.into()),
            }),
            Ok(Some(ws::Message::Binary(data))) => {
                let message = eio::Message::Binary(data);
                Some(ClientItem::Message(self.codec.decode(message)))
            }
            Ok(Some(ws::Message::Ping(data))) => {
                if self.unwritten() < BACKLOG {
                    self.put_frame(OpCode::Pong, &data);
                }
                Some(ClientItem::KeepAlive)
            }
            Ok(Some(ws::Message::Pong(_))) => Some(ClientItem::KeepAlive),
            Ok(Some(ws::Message::Close(code, _))) => {
                self.close(code);
                Some(ClientItem::Closed(code))
            }
            Err(error) => {
                self.close(Some(error.close_code()));
                Some(ClientItem::Failed(ClientWireError::Frame(error)))
            }
        }
    }

    fn translate(&self, packet: Packet) -> ClientItem<C::Message> {
        match packet {
            Packet::Open(handshake) => ClientItem::Open(handshake),
            Packet::Close => ClientItem::Close,
            Packet::Ping(data) => ClientItem::Ping(data),
            Packet::Pong(data) => ClientItem::Pong(data),
            Packet::Message(message) => ClientItem::Message(self.codec.decode(message)),
            Packet::Upgrade => ClientItem::Ignored,
            Packet::Noop => ClientItem::Noop,
        }
    }

    fn fail(&mut self, error: ClientWireError) -> Option<ClientItem<C::Message>> {
        self.mode = Mode::Ending;
        self.input = BytesMut::new();
        Some(ClientItem::Failed(error))
    }

    /// Waits for more input, or ends with the stream.
    fn rest(&mut self) -> Option<ClientItem<C::Message>> {
        if self.stream == Stream::Ended {
            self.mode = Mode::Ending;
        }
        self.release_input();
        None
    }

    /// Lets go of a read buffer that was used up, so that it can be read into again.
    fn release_input(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
    }
}

impl Reading {
    /// Keeps what is wanted of a piece. The beginning of a refusal is given out as soon as there is enough of it.
    fn collect(&mut self, data: &Bytes) -> Option<Bytes> {
        self.received = self.received.saturating_add(data.len());
        match self.purpose {
            Purpose::Payload => self.collected.extend_from_slice(data),
            Purpose::Refusal => {
                let room = ERROR_BODY_BYTES.saturating_sub(self.collected.len());
                self.collected.extend_from_slice(data.get(..room).unwrap_or(data));
                if self.collected.len() >= ERROR_BODY_BYTES {
                    self.purpose = Purpose::Nothing;
                    return Some(mem::take(&mut self.collected).freeze());
                }
            }
            Purpose::Nothing => {}
        }
        None
    }
}
