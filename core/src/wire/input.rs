use super::{BACKLOG, BodyFailure, Codec, Exchange, Front, Item, Mode, Purpose, Reading, Wire, WireError};
use crate::eio::{self, Packet, payload};
use crate::http::{BodyChunk, BodyLength, HeadError, Method, Response, Version};
use crate::ws::{self, OpCode};
use bytes::{Bytes, BytesMut};
use core::mem;

impl<C: Codec> Wire<C> {
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

    /// Takes out the next thing that happened; `None` until there is more input, until the server has answered,
    /// or until the peer has read what was sent to it. So ask again after
    /// [`poll_output`](Self::poll_output) was called for a write that went through.
    #[must_use]
    pub fn poll_item(&mut self) -> Option<Item<C::Message>> {
        loop {
            match &mut self.mode {
                // Who does not read the answers to its requests is heard no further.
                Mode::Head(_) if self.unsent.saturating_add(self.output.len()) >= BACKLOG => return None,
                Mode::Head(_) => return self.poll_head(),
                Mode::Given(_) => {
                    let Mode::Given(head) = mem::replace(&mut self.mode, Mode::Ending) else {
                        return None;
                    };
                    self.mode = Mode::Waiting(Exchange::new(&head));
                    return Some(Item::Request(*head));
                }
                Mode::Waiting(_) => return None,
                // The host hands the body over whole.
                Mode::Reading(_) if matches!(self.front, Front::Host { .. }) => return None,
                Mode::Reading(_) => {
                    if let Some(item) = self.poll_body()? {
                        return Some(item);
                    }
                }
                Mode::Payload(exchange, packets) => {
                    return Some(match packets.poll_packet() {
                        Some(Ok(packet)) => self.translate(packet),
                        Some(Err(error)) => Item::Malformed(error),
                        None => {
                            self.mode = Mode::Waiting(*exchange);
                            Item::BodyEnd
                        }
                    });
                }
                Mode::WebSocket(_) => return self.poll_frame(),
                Mode::Ending => {
                    self.input = BytesMut::new();
                    return None;
                }
            }
        }
    }

    /// How many bytes of body the server wants from the host; `None` when it wants none.
    pub fn wants_body(&self) -> Option<usize> {
        match (&self.front, &self.mode) {
            (Front::Host { .. }, Mode::Reading(reading)) => Some(reading.limit),
            _ => None,
        }
    }

    /// The whole body of a host's request, or that it could not be had within the limit.
    pub fn handle_body(&mut self, body: Result<Bytes, BodyFailure>) -> Option<Item<C::Message>> {
        let Mode::Reading(reading) = &self.mode else {
            return None;
        };
        let (limit, purpose, mut exchange) = (reading.limit, reading.purpose, reading.exchange);
        exchange.body = BodyLength::None;
        let body = body.and_then(|body| {
            if body.len() > limit {
                Err(BodyFailure::TooLarge)
            } else {
                Ok(body)
            }
        });
        match body {
            Ok(body) => self.take_body(exchange, purpose, body),
            Err(failure) => {
                self.mode = Mode::Waiting(exchange);
                Some(Item::BodyFailed(failure))
            }
        }
    }

    fn poll_head(&mut self) -> Option<Item<C::Message>> {
        let Mode::Head(decoder) = &mut self.mode else {
            return None;
        };
        match decoder.poll_head(&mut self.input) {
            Ok(None) => {
                self.release_input();
                None
            }
            Ok(Some(head)) => {
                self.mode = Mode::Waiting(Exchange::new(&head));
                Some(Item::Request(head))
            }
            Err(error) => {
                self.refuse(error);
                Some(Item::Failed(WireError::Head(error)))
            }
        }
    }

    fn refuse(&mut self, error: HeadError) {
        self.write_response(
            &Response::new(error.status()),
            Version::Http11,
            false,
            &Method::Get,
        );
        self.mode = Mode::Ending;
    }

    /// One step through a body: `None` when more input is needed, `Some(None)` when packets follow.
    #[allow(clippy::option_option)]
    fn poll_body(&mut self) -> Option<Option<Item<C::Message>>> {
        let Mode::Reading(reading) = &mut self.mode else {
            return Some(None);
        };
        match reading.decoder.poll_chunk(&mut self.input) {
            Ok(None) => {
                self.release_input();
                None
            }
            Ok(Some(BodyChunk::Data(data))) => {
                if reading.collected.len().saturating_add(data.len()) > reading.limit {
                    self.mode = Mode::Waiting(reading.exchange);
                    return Some(Some(Item::BodyFailed(BodyFailure::TooLarge)));
                }
                reading.collect(data);
                Some(None)
            }
            Ok(Some(BodyChunk::End)) => {
                let (mut exchange, purpose) = (reading.exchange, reading.purpose);
                exchange.body = BodyLength::None;
                let body = mem::take(&mut reading.collected).freeze();
                Some(self.take_body(exchange, purpose, body))
            }
            Err(error) => {
                self.mode = Mode::Waiting(reading.exchange);
                Some(Some(Item::BodyFailed(BodyFailure::Broken(error))))
            }
        }
    }

    fn take_body(&mut self, exchange: Exchange, purpose: Purpose, body: Bytes) -> Option<Item<C::Message>> {
        match purpose {
            Purpose::Payload => {
                let packets = payload::Decoder::new(body, self.config.max_packets);
                self.mode = Mode::Payload(exchange, Box::new(packets));
                None
            }
            Purpose::Whole => {
                self.mode = Mode::Waiting(exchange);
                Some(Item::Body(body))
            }
        }
    }

    fn poll_frame(&mut self) -> Option<Item<C::Message>> {
        let Mode::WebSocket(decoder) = &mut self.mode else {
            return None;
        };
        match decoder.poll_message(&mut self.input) {
            Ok(None) => {
                self.release_input();
                None
            }
            Ok(Some(ws::Message::Text(text))) => Some(match Packet::decode_text(text) {
                Ok(packet) => self.translate(packet),
                Err(error) => Item::Malformed(error.into()),
            }),
            Ok(Some(ws::Message::Binary(data))) => {
                Some(Item::Message(self.codec.decode(eio::Message::Binary(data))))
            }
            Ok(Some(ws::Message::Ping(data))) => {
                if self.unwritten() < BACKLOG {
                    self.put_frame(OpCode::Pong, &data);
                }
                Some(Item::KeepAlive)
            }
            Ok(Some(ws::Message::Pong(_))) => Some(Item::KeepAlive),
            Ok(Some(ws::Message::Close(code, _))) => {
                self.close(code);
                Some(Item::Closed(code))
            }
            Err(error) => {
                self.close(Some(error.close_code()));
                Some(Item::Failed(WireError::Frame(error)))
            }
        }
    }

    fn translate(&self, packet: Packet) -> Item<C::Message> {
        match packet {
            Packet::Open(_) | Packet::Noop => Item::Ignored,
            Packet::Close => Item::Close,
            Packet::Ping(data) => Item::Ping(data),
            Packet::Pong(_) => Item::Pong,
            Packet::Message(message) => Item::Message(self.codec.decode(message)),
            Packet::Upgrade => Item::Upgrade,
        }
    }

    /// Lets go of a read buffer that was used up, so that it can be read into again.
    fn release_input(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
    }
}

impl Reading {
    /// Bodies mostly arrive in one piece, which is then used as it is.
    fn collect(&mut self, data: Bytes) {
        if self.collected.is_empty() {
            match data.try_into_mut() {
                Ok(data) => self.collected = data,
                Err(data) => self.collected = BytesMut::from(&data[..]),
            }
        } else {
            self.collected.extend_from_slice(&data);
        }
    }
}
