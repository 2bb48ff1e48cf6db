//! WebSocket decoding against tungstenite, an independent implementation.
//!
//! The two agree except where tungstenite is laxer, knows less or finds a fault at another time:
//!
//! - it accepts lengths that are not in their shortest form ([`FrameError::LengthNotMinimal`]), in control frames
//!   too, which have no other form (RFC 6455 section 5.5; [`FrameError::ControlTooLong`]);
//! - it reports a close frame with an invalid code as a close and answers it with 1002
//!   ([`FrameError::InvalidCloseCode`]);
//! - it does not know the close code 1014, which IANA registered after RFC 6455, and takes it for an invalid one;
//! - it takes a length with its top bit set for a large one ([`FrameError::LengthTopBit`]);
//! - it looks at most rules only when the payload is complete, and at its length before them;
//! - it finds invalid UTF-8 at the end of a fragment, ours at the end of the message.

use crate::script::Script;
use bytes::BytesMut;
use socketio_core::ws::{CloseCode, Decoder, FrameError, Message, Role};
use std::io::{self, Cursor, Read, Write};

/// Small, so that a short input reaches it.
const MAX_MESSAGE: usize = 300;

/// What came out of a stream: messages up to a close or an error, and that error.
pub type Outcome<E> = (Vec<Message>, Option<E>);

/// The first byte chooses the end that reads: ours and tungstenite read the same messages and find the same fault.
pub fn ws_oracle(data: &[u8]) {
    let mut script = Script::new(data);
    let role = script.role();
    ws_oracle_for(role, script.rest(), Ending::Anywhere);
}

/// Where a stream stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// After a frame: whatever is wrong with it can be found.
    WholeFrame,
    /// Perhaps within a frame.
    Anywhere,
}

/// As [`ws_oracle`], for the end named by `role`.
///
/// # Panics
///
/// When the two disagree.
pub fn ws_oracle_for(role: Role, stream: &[u8], ending: Ending) {
    let (messages, error) = ours(role, MAX_MESSAGE, [stream]);
    let (oracle_messages, oracle_error) = tungstenites(role, MAX_MESSAGE, stream);
    if oracle_error == Some(OracleError::InvalidUtf8) && messages.len() >= oracle_messages.len() {
        // Ours may take control frames, to the end of the message that is not UTF-8.
        let is_control = |message: &Message| !matches!(message, Message::Text(_) | Message::Binary(_));
        let later = messages.get(oracle_messages.len()..).unwrap_or_default();
        assert!(
            messages.starts_with(&oracle_messages),
            "{messages:?} {oracle_messages:?}"
        );
        assert!(later.iter().all(is_control), "{later:?}");
        return;
    }
    let is_laxer = |error| {
        matches!(
            error,
            FrameError::LengthNotMinimal
                | FrameError::ControlTooLong
                | FrameError::InvalidCloseCode
                | FrameError::LengthTopBit
        )
    };
    if error.is_some_and(is_laxer) {
        assert!(
            oracle_messages.starts_with(&messages),
            "{messages:?} {oracle_messages:?}"
        );
        return;
    }
    if let [before @ .., Message::Close(Some(CloseCode::BAD_GATEWAY), _)] = messages.as_slice() {
        assert_eq!(oracle_messages.get(..before.len()), Some(before));
        return;
    }
    assert_eq!(messages, oracle_messages);
    match (error, oracle_error) {
        // It waits for a payload whose head ours has refused already, or finds that too long first.
        (Some(_), None | Some(OracleError::TooLarge)) if ending == Ending::Anywhere => {}
        (error, oracle_error) => assert_eq!(
            error.map(FrameError::close_code),
            oracle_error.map(OracleError::close_code)
        ),
    }
}

/// What our decoder makes of a stream in pieces.
pub fn ours<'a>(
    role: Role,
    max_message: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome<FrameError> {
    let mut decoder = Decoder::new(role, max_message);
    let mut messages = Vec::new();
    for piece in pieces {
        let mut input = BytesMut::from(piece);
        loop {
            match decoder.poll_message(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    assert!(input.is_empty());
                    assert_eq!(
                        decoder.poll_message(&mut input),
                        Err(error),
                        "the first error is final"
                    );
                    return (messages, Some(error));
                }
            }
        }
        assert!(input.is_empty());
        assert!(decoder.memory() <= 4 * max_message, "{}", decoder.memory());
    }
    (messages, None)
}

/// What tungstenite finds wrong, as far as the two can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OracleError {
    /// A rule of framing.
    Protocol,
    /// Text that is none.
    InvalidUtf8,
    /// A message above the limit.
    TooLarge,
}

impl OracleError {
    const fn close_code(self) -> CloseCode {
        match self {
            Self::Protocol => CloseCode::PROTOCOL_ERROR,
            Self::InvalidUtf8 => CloseCode::INVALID_PAYLOAD,
            Self::TooLarge => CloseCode::TOO_LARGE,
        }
    }
}

/// A connection on which these bytes have arrived and nothing else will; what is written is dropped.
struct Arrived(Cursor<Vec<u8>>);

impl Read for Arrived {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Arrived {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite makes of a stream.
fn tungstenites(role: Role, max_message: usize, stream: &[u8]) -> Outcome<OracleError> {
    use tungstenite::Error;
    use tungstenite::protocol::{Role as OracleRole, WebSocket, WebSocketConfig};
    let role = match role {
        Role::Server => OracleRole::Server,
        Role::Client => OracleRole::Client,
    };
    // It reserves the length of a head at once, so a damaged one must stay small.
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(1 << 20));
    let mut socket = WebSocket::from_raw_socket(Arrived(Cursor::new(stream.to_vec())), role, Some(config));
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(message) => messages.push(from_tungstenite(message)),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return (messages, None),
            Err(Error::Protocol(_)) => return (messages, Some(OracleError::Protocol)),
            Err(Error::Utf8(_)) => return (messages, Some(OracleError::InvalidUtf8)),
            Err(Error::Capacity(_)) => return (messages, Some(OracleError::TooLarge)),
            Err(error) => panic!("{error}"),
        }
        if let Some(Message::Close(..)) = messages.last() {
            return (messages, None);
        }
    }
}

fn from_tungstenite(message: tungstenite::Message) -> Message {
    match message {
        tungstenite::Message::Text(text) => Message::Text(text.as_str().into()),
        tungstenite::Message::Binary(data) => Message::Binary(data),
        tungstenite::Message::Ping(data) => Message::Ping(data),
        tungstenite::Message::Pong(data) => Message::Pong(data),
        tungstenite::Message::Close(None) => Message::Close(None, "".into()),
        tungstenite::Message::Close(Some(close)) => {
            let code = CloseCode::new(close.code.into());
            Message::Close(Some(code), close.reason.as_str().into())
        }
        tungstenite::Message::Frame(_) => unreachable!("reading never gives a raw frame"),
    }
}
