use super::frames::{self, Frame};
use super::{BACKLOG, Codec, Encoding, Exchange, Flow, Front, Mode, Purpose, Reading, Reply, Wire};
use crate::OutBuf;
use crate::eio::payload::SEPARATOR;
use crate::eio::{Message, Packet};
use crate::http::{
    self, BodyDecoder, BodyLength, HeadDecoder, Headers, Method, Response, StatusCode, Version,
};
use crate::ws::{self, CloseCode, Fin, OpCode, Role};
use bytes::BytesMut;
use core::mem;

impl<C: Codec> Wire<C> {
    /// Moves the bytes to write to the end of `output` and says how to go on. Call it again after writing:
    /// what `output` still holds then counts as unwritten.
    pub fn poll_output(&mut self, output: &mut OutBuf) -> Flow {
        output.append(&mut self.output);
        self.unsent = output.len();
        match &self.mode {
            Mode::Waiting(_) => Flow::Paused,
            Mode::Head(_) if self.unsent >= BACKLOG => Flow::Paused,
            Mode::Ending => Flow::Closing,
            Mode::Head(_) | Mode::Given(_) | Mode::Reading(_) | Mode::Payload(..) | Mode::WebSocket(_) => {
                Flow::Open
            }
        }
    }

    /// The answer for the host, once there is one. When [`Flow::Closing`] comes without any, the request gets
    /// none: the host resets the connection or the stream.
    #[must_use]
    pub fn poll_reply(&mut self) -> Option<Reply> {
        match &mut self.front {
            Front::Own => None,
            Front::Host { reply } => reply.take().map(|reply| *reply),
        }
    }

    /// Uses one of `spares` for the answer that is about to be written, so that emptied buffers do not add up.
    pub(crate) fn take_output_from(&mut self, spares: &mut Vec<OutBuf>) {
        if matches!(self.front, Front::Own) {
            self.output.take_from(spares);
        }
    }

    /// Answers the request that waits.
    pub(crate) fn respond(&mut self, response: Response, persistence: Persistence) {
        let Some(exchange) = self.exchange() else { return };
        if let Front::Host { reply } = &mut self.front {
            *reply = Some(Box::new(Reply::Response(response)));
            self.mode = Mode::Ending;
            return;
        }
        let keep_alive =
            exchange.keep_alive && exchange.is_body_taken() && persistence == Persistence::KeepAlive;
        self.write_response(&response, exchange.version, keep_alive, &exchange.method());
        self.mode = if keep_alive {
            Mode::Head(HeadDecoder::new(&self.config.head))
        } else {
            Mode::Ending
        };
    }

    /// Answers a poll with all packets of `queue`, which holds them as WebSocket frames.
    pub(crate) fn respond_payload(&mut self, queue: &mut OutBuf, headers: Headers) {
        let mut body = BytesMut::with_capacity(queue.len());
        let mut is_first = true;
        while let Some(frame) = frames::take(queue) {
            if !mem::replace(&mut is_first, false) {
                body.extend_from_slice(&[SEPARATOR]);
            }
            frames::take_packet(queue, frame, &mut body);
        }
        let mut response =
            Response::new(StatusCode::OK).with_body("text/plain; charset=UTF-8", body.freeze());
        response.headers_mut().extend(&headers);
        self.respond(response, Persistence::KeepAlive);
    }

    /// Reads the body of the request as a polling payload and hands over its packets.
    pub(crate) fn read_payload(&mut self) {
        self.read(Purpose::Payload, self.config.max_payload);
    }

    /// Reads the body of the request and hands it over whole.
    pub(crate) fn read_body(&mut self, limit: usize) {
        self.read(Purpose::Whole, limit);
    }

    fn read(&mut self, purpose: Purpose, limit: usize) {
        let Mode::Waiting(exchange) = self.mode else {
            return;
        };
        if exchange.wants_continue && matches!(self.front, Front::Own) && !exchange.is_body_taken() {
            self.output.put(http::continue_line());
        }
        let decoder = BodyDecoder::new(exchange.body);
        let collected = BytesMut::new();
        self.mode = Mode::Reading(Box::new(Reading {
            exchange,
            decoder,
            collected,
            limit,
            purpose,
        }));
    }

    /// Answers an upgrade request with `101 Switching Protocols`; frames follow.
    pub(crate) fn accept_websocket(&mut self, headers: &Headers, protocol: Option<&str>) {
        let Some(exchange) = self.exchange() else { return };
        let Some(accept) = exchange.accept else { return };
        let accept = core::str::from_utf8(&accept).unwrap_or_default();
        let Ok(response) = http::switching_protocols(accept, protocol, headers) else {
            return;
        };
        match &mut self.front {
            Front::Own => self.write_response(&response, exchange.version, true, &Method::Get),
            Front::Host { reply } => *reply = Some(Box::new(Reply::Upgrade(response))),
        }
        self.encoding = exchange.encoding;
        self.mode = Mode::WebSocket(ws::Decoder::new(Role::Server, self.config.max_payload));
    }

    /// Sends everything in `queue`, which holds complete WebSocket frames.
    pub(crate) fn send(&mut self, queue: &mut OutBuf) {
        if !self.is_websocket() {
            return;
        }
        match self.encoding {
            Encoding::Binary => self.output.append(queue),
            Encoding::Base64 => self.send_base64(queue),
        }
    }

    /// As [`send`](Self::send), for a client that cannot take binary (protocol section 1.2).
    fn send_base64(&mut self, queue: &mut OutBuf) {
        while let Some(Frame { opcode, length, .. }) = frames::take(queue) {
            let mut payload = Vec::with_capacity(length);
            queue.take(length, |piece| payload.extend_from_slice(piece));
            if opcode == OpCode::Binary {
                let mut text = BytesMut::new();
                Packet::Message(Message::Binary(payload.into())).encode_into(&mut text);
                self.put_frame(OpCode::Text, &text);
            } else {
                self.put_frame(opcode, &payload);
            }
        }
    }

    /// Sends one text frame that answers the peer; one that does not read gets none.
    pub(crate) fn send_text(&mut self, text: &[u8]) {
        if self.is_websocket() && self.unwritten() < BACKLOG {
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
    }

    /// The time for a request ran out: 408 with `headers` when it has begun, silence when it has not.
    pub(crate) fn expire(&mut self, headers: Headers) -> Expiry {
        let has_begun = match &self.mode {
            Mode::Head(decoder) => decoder.is_mid_head() || !self.input.is_empty(),
            Mode::Reading(_) | Mode::Waiting(_) => true,
            Mode::Given(_) | Mode::Payload(..) | Mode::WebSocket(_) | Mode::Ending => false,
        };
        let mut response = Response::new(StatusCode::REQUEST_TIMEOUT);
        *response.headers_mut() = headers;
        match &mut self.front {
            _ if !has_begun => {}
            Front::Own => self.write_response(&response, Version::Http11, false, &Method::Get),
            Front::Host { reply } => *reply = Some(Box::new(Reply::Response(response))),
        }
        self.mode = Mode::Ending;
        if has_begun {
            Expiry::Answered
        } else {
            Expiry::Silent
        }
    }

    pub(super) fn put_frame(&mut self, opcode: OpCode, payload: &[u8]) {
        self.output
            .put(ws::write_header(opcode, Fin::Final, payload.len(), None).as_ref());
        self.output.put(payload);
    }

    pub(super) fn write_response(
        &mut self,
        response: &Response,
        version: Version,
        keep_alive: bool,
        method: &Method,
    ) {
        let mut head = BytesMut::new();
        response.write_head(version, keep_alive, response.body().len(), &mut head);
        self.output.put(&head);
        if let Some(payload) = response.payload(method) {
            self.output.put_shared(payload);
        }
    }

    /// The request that waits for its answer, whatever has been read of its body.
    fn exchange(&self) -> Option<Exchange> {
        match &self.mode {
            Mode::Waiting(exchange) => Some(*exchange),
            Mode::Reading(reading) => Some(reading.exchange),
            Mode::Payload(exchange, _) => Some(Exchange {
                body: BodyLength::None,
                ..*exchange
            }),
            Mode::Head(_) | Mode::Given(_) | Mode::WebSocket(_) | Mode::Ending => None,
        }
    }
}

/// Whether a peer whose time ran out is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    Answered,
    /// It had not begun a request.
    Silent,
}

/// Whether a connection may serve another request after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// It may, if the client wants to and its body was read.
    KeepAlive,
    Close,
}
