//! WebSocket frames written by hand, right or wrong, and read back byte by byte.

use super::{Deadline, Ended, HttpConnection, Request};
use crate::testbed::Target;

/// How the payload length is written (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LengthForm {
    /// As short as possible, the only legal form.
    #[default]
    Minimal,
    /// Sixteen bits whatever the length.
    Sixteen,
    /// Sixty-four bits whatever the length.
    SixtyFour,
}

/// One frame to send. Legal unless a method makes it otherwise.
#[derive(Clone, Debug)]
pub struct Frame {
    first: u8,
    mask: Option<[u8; 4]>,
    form: LengthForm,
    declared: Option<u64>,
    payload: Vec<u8>,
}

impl Frame {
    /// A final, masked frame of any opcode.
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            first: 0x80 | opcode,
            mask: Some([0x37, 0xfa, 0x21, 0x3d]),
            form: LengthForm::Minimal,
            declared: None,
            payload: payload.into(),
        }
    }

    /// A text message in one frame.
    pub fn text(text: &str) -> Self {
        Self::new(1, text)
    }

    /// More frames of the message follow.
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        self.first &= 0x7f;
        self
    }

    /// Sets reserved bits, as `0x40`, `0x20`, `0x10`.
    #[must_use]
    pub fn reserved(mut self, bits: u8) -> Self {
        self.first |= bits;
        self
    }

    /// Leaves the masking key out, which a client must not.
    #[must_use]
    pub fn unmasked(mut self) -> Self {
        self.mask = None;
        self
    }

    /// Writes the length in another form.
    #[must_use]
    pub fn length_form(mut self, form: LengthForm) -> Self {
        self.form = form;
        self
    }

    /// Announces another length than the payload's, in sixty-four bits.
    #[must_use]
    pub fn declaring(mut self, length: u64) -> Self {
        self.form = LengthForm::SixtyFour;
        self.declared = Some(length);
        self
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let length = self.declared.unwrap_or(self.payload.len() as u64);
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![self.first];
        match (self.form, length) {
            (LengthForm::Minimal, 0..=125) => bytes.push(masked | length as u8),
            (LengthForm::Minimal, 126..=0xffff) | (LengthForm::Sixteen, _) => {
                bytes.push(masked | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend_from_slice(&length.to_be_bytes());
            }
        }
        let mask = self.mask.unwrap_or_default();
        bytes.extend_from_slice(self.mask.as_ref().map_or(&[], |mask| mask.as_slice()));
        bytes.extend(
            self.payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        bytes
    }
}

/// A frame from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedFrame {
    /// FIN, reserved bits and opcode as they came.
    pub first: u8,
    /// The payload.
    pub payload: Vec<u8>,
}

/// A WebSocket whose frames the case writes itself.
#[derive(Debug)]
pub struct RawWebSocket {
    /// The connection after the opening handshake.
    pub connection: HttpConnection,
}

impl RawWebSocket {
    /// Opens a session of its own and takes its open packet.
    #[track_caller]
    pub fn open_session(target: &Target) -> Self {
        let mut connection = HttpConnection::open(target);
        connection.send(&Request::upgrade(format!(
            "{}?EIO=4&transport=websocket",
            target.path()
        )));
        let response = connection.response();
        assert_eq!(response.status, 101, "WebSocket refused: {response:?}");
        assert_eq!(
            response.header("Sec-WebSocket-Accept"),
            Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        );
        assert_eq!(
            response.header("Sec-WebSocket-Extensions"),
            None,
            "no extension was offered"
        );
        let mut socket = Self { connection };
        let frame = socket.frame().expect("the open packet comes");
        assert_eq!(
            (frame.first, frame.payload.first()),
            (0x81, Some(&b'0')),
            "not an open packet: {frame:?}"
        );
        socket
    }

    /// Sends one frame.
    #[track_caller]
    pub fn send(&mut self, frame: &Frame) {
        self.connection.send_bytes(&frame.encode());
    }

    /// Reads one frame, which must be as the server has to write it: unmasked, its length in the shortest form.
    #[track_caller]
    pub fn frame(&mut self) -> Result<ReceivedFrame, Ended> {
        let head = self.connection.take(2)?;
        let [first, second] = head[..] else {
            unreachable!("two bytes were taken")
        };
        assert_eq!(second & 0x80, 0, "a server must not mask");
        let length = match second {
            126 => {
                let bytes = self.connection.take(2)?;
                let length = bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                assert!(length > 125, "length {length} not in its shortest form");
                length
            }
            127 => {
                let bytes = self.connection.take(8)?;
                let length = bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                assert!(length > 0xffff, "length {length} not in its shortest form");
                length
            }
            short => usize::from(short),
        };
        Ok(ReceivedFrame {
            first,
            payload: self.connection.take(length)?,
        })
    }

    /// The next frame that is no Engine.IO heartbeat; heartbeats are answered.
    #[track_caller]
    pub fn message(&mut self) -> ReceivedFrame {
        let deadline = Deadline::start();
        loop {
            deadline.check("frame");
            let frame = self.frame().unwrap_or_else(|ended| panic!("no frame: {ended}"));
            if (frame.first, frame.payload.as_slice()) != (0x81, b"2") {
                return frame;
            }
            self.connection.offer_bytes(&Frame::text("3").encode());
        }
    }

    /// Asserts the next text message.
    #[track_caller]
    pub fn expect_text(&mut self, expected: &str) {
        let frame = self.message();
        assert_eq!(
            (frame.first, String::from_utf8_lossy(&frame.payload).as_ref()),
            (0x81, expected)
        );
    }

    /// Asserts that the server sends a close frame with this status code and ends the connection.
    #[track_caller]
    pub fn expect_close(&mut self, code: Option<u16>) {
        let frame = self.message();
        assert_eq!(frame.first, 0x88, "expected a close frame, got {frame:?}");
        let received = frame
            .payload
            .get(..2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
        assert_eq!(received, code, "close frame {frame:?}");
        self.connection
            .offer_bytes(&Frame::new(8, frame.payload).encode());
        self.connection.rest();
    }
}
