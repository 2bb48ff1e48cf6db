//! A well-behaved WebSocket client: tungstenite, an implementation that is not ours.

use std::net::TcpStream;

use serde_json::Value;
use tungstenite::handshake::HandshakeError;
use tungstenite::{Error, Message, WebSocket};

use super::Deadline;
use super::http::{connect, is_timeout};
use crate::testbed::Target;

/// How a WebSocket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// A close frame came, with this status code; none is what applications see as 1005.
    Frame(Option<u16>),
    /// The connection ended without a close frame, or with bytes that are not a frame.
    Lost,
}

/// What came from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// The end.
    Closed(Close),
}

/// A refused opening handshake.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The body as far as it was read with the head.
    pub body: String,
}

/// A client connected by an opening handshake.
#[derive(Debug)]
pub struct WebSocketClient {
    inner: WebSocket<TcpStream>,
}

impl WebSocketClient {
    /// Connects with this query; panics when refused.
    #[track_caller]
    pub fn open(target: &Target, query: &str) -> Self {
        Self::try_open(target, query).unwrap_or_else(|refused| panic!("WebSocket refused: {refused:?}"))
    }

    /// Connects with this query.
    #[track_caller]
    pub fn try_open(target: &Target, query: &str) -> Result<Self, Refused> {
        let url = format!("ws://{}{}?{query}", target.address, target.path());
        match tungstenite::client(url, connect(target)) {
            Ok((inner, _)) => Ok(Self { inner }),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(Refused {
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
            }),
            Err(HandshakeError::Failure(error)) => panic!("WebSocket handshake failed: {error}"),
            Err(HandshakeError::Interrupted(_)) => {
                panic!("no answer to a WebSocket handshake within the deadline")
            }
        }
    }

    /// Opens a session of its own and returns its handshake.
    #[track_caller]
    pub fn open_session(target: &Target) -> (Self, Value) {
        let mut socket = Self::open(target, "EIO=4&transport=websocket");
        let packet = socket.text();
        let json = packet
            .strip_prefix('0')
            .unwrap_or_else(|| panic!("no open packet: {packet:?}"));
        let handshake = serde_json::from_str(json).expect("the handshake is JSON");
        (socket, handshake)
    }

    /// Sends a text message.
    #[track_caller]
    pub fn send(&mut self, text: &str) {
        self.inner
            .send(Message::text(text))
            .expect("the server takes a text message");
    }

    /// Sends a binary message.
    #[track_caller]
    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.inner
            .send(Message::binary(bytes.to_vec()))
            .expect("the server takes a binary message");
    }

    /// Sends a text message to a server that may already be gone.
    pub fn offer(&mut self, text: &str) {
        let _ = self.inner.send(Message::text(text));
    }

    /// Sends a binary message to a server that may already be gone.
    pub fn offer_binary(&mut self, bytes: &[u8]) {
        let _ = self.inner.send(Message::binary(bytes.to_vec()));
    }

    /// Starts the closing handshake, without a status code.
    pub fn close(&mut self) {
        let _ = self.inner.close(None);
        let _ = self.inner.flush();
    }

    /// The next message, heartbeats included.
    #[track_caller]
    pub fn next_raw(&mut self) -> Incoming {
        loop {
            match self.inner.read() {
                Ok(Message::Text(text)) => return Incoming::Text(text.as_str().to_owned()),
                Ok(Message::Binary(bytes)) => return Incoming::Binary(bytes.to_vec()),
                Ok(Message::Close(frame)) => {
                    return Incoming::Closed(Close::Frame(frame.map(|frame| u16::from(frame.code))));
                }
                Ok(_) => {}
                Err(Error::Io(error)) if is_timeout(&error) => {
                    panic!("no WebSocket message within the deadline")
                }
                Err(_) => return Incoming::Closed(Close::Lost),
            }
        }
    }

    /// The next message that is not a heartbeat; heartbeats are answered.
    #[track_caller]
    pub fn next_message(&mut self) -> Incoming {
        let deadline = Deadline::start();
        loop {
            deadline.check("message");
            match self.next_raw() {
                Incoming::Text(text) if text == "2" => self.offer("3"),
                message => return message,
            }
        }
    }

    /// The next message, which must be text.
    #[track_caller]
    pub fn text(&mut self) -> String {
        match self.next_message() {
            Incoming::Text(text) => text,
            other => panic!("expected a text message, got {other:?}"),
        }
    }

    /// Asserts the next message.
    #[track_caller]
    pub fn expect_text(&mut self, expected: &str) {
        assert_eq!(self.next_message(), Incoming::Text(expected.to_owned()));
    }

    /// Asserts the next message.
    #[track_caller]
    pub fn expect_binary(&mut self, expected: &[u8]) {
        assert_eq!(self.next_message(), Incoming::Binary(expected.to_vec()));
    }

    /// Asserts that the next thing is the end, and how.
    #[track_caller]
    pub fn expect_close(&mut self, expected: Close) {
        assert_eq!(self.next_message(), Incoming::Closed(expected));
    }

    /// Waits for the end, ignoring what comes before it and answering nothing.
    #[track_caller]
    pub fn closed(&mut self) -> Close {
        let deadline = Deadline::start();
        loop {
            deadline.check("end of the WebSocket");
            if let Incoming::Closed(close) = self.next_raw() {
                return close;
            }
        }
    }
}
