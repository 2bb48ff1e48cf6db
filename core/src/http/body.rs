use super::error::BodyError;
use super::syntax::{is_field_value_byte, is_token_byte};
use bytes::{Buf, Bytes, BytesMut};

/// Bytes of chunk extensions one body may carry, all chunks together. Nobody uses them; without the
/// bound each one-byte chunk could drag an endless line behind it.
pub const EXTENSION_BYTES: usize = 4 * 1024;

/// Bytes of trailers one body may carry. They are checked and dropped.
pub const TRAILER_BYTES: usize = 4 * 1024;

/// Digits of a chunk size, leading zeros included: what 64 bits can hold.
const SIZE_DIGITS: u8 = 16;

/// How the body after a head is delimited (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyLength {
    /// There is no body.
    None,
    /// This many bytes.
    Length(u64),
    /// Chunks, up to one of size 0.
    Chunked,
    /// Everything up to the end of the connection. Only a response's.
    UntilClose,
}

/// A piece of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyChunk {
    /// The next bytes, never empty; a slice of the read buffer. Where one piece ends says nothing.
    Data(Bytes),
    /// The body is complete.
    End,
}

/// Takes one body off the front of a connection's bytes, without copying it.
///
/// How long a body may become is for the caller to say: it sees every piece.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    /// What extensions may still cost in this body.
    extension_left: usize,
    /// What trailers may still cost in this body.
    trailer_left: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// This many bytes are to come, then the end.
    Sized(u64),
    /// Everything is data until [`BodyDecoder::handle_end`].
    UntilClose,
    Size {
        size: u64,
        digits: u8,
    },
    Extension {
        size: u64,
    },
    /// CR of a size line was read.
    SizeLineFeed {
        size: u64,
    },
    /// This many bytes of a chunk are to come.
    Data {
        left: u64,
    },
    DataCarriageReturn,
    DataLineFeed,
    Trailer(Trailer),
    /// The end was reached and is to be told.
    End,
    /// The end was told.
    Finished,
    Failed(BodyError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trailer {
    LineStart,
    Name,
    Value,
    LineFeed,
    LastLineFeed,
}

impl BodyDecoder {
    /// A decoder for one body.
    pub fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::None | BodyLength::Length(0) => State::End,
            BodyLength::Length(left) => State::Sized(left),
            BodyLength::Chunked => State::Size { size: 0, digits: 0 },
            BodyLength::UntilClose => State::UntilClose,
        };
        Self {
            state,
            extension_left: EXTENSION_BYTES,
            trailer_left: TRAILER_BYTES,
        }
    }

    /// The next piece; `None` when more input is needed, and after [`BodyChunk::End`]. What follows
    /// the body stays in `input`.
    ///
    /// # Errors
    ///
    /// The first error is final: every later call repeats it.
    #[must_use = "a piece taken out and dropped is lost"]
    pub fn poll_chunk(&mut self, input: &mut BytesMut) -> Result<Option<BodyChunk>, BodyError> {
        loop {
            match self.state {
                State::End => {
                    self.state = State::Finished;
                    return Ok(Some(BodyChunk::End));
                }
                State::Finished => return Ok(None),
                State::Failed(error) => return Err(error),
                _ if input.is_empty() => return Ok(None),
                State::Sized(left) => {
                    let data = take_up_to(input, left);
                    self.state = match left.saturating_sub(data.len() as u64) {
                        0 => State::End,
                        left => State::Sized(left),
                    };
                    return Ok(Some(BodyChunk::Data(data)));
                }
                State::UntilClose => return Ok(Some(BodyChunk::Data(input.split().freeze()))),
                State::Data { left } => {
                    let data = take_up_to(input, left);
                    self.state = match left.saturating_sub(data.len() as u64) {
                        0 => State::DataCarriageReturn,
                        left => State::Data { left },
                    };
                    return Ok(Some(BodyChunk::Data(data)));
                }
                _ => self.read_framing(input)?,
            }
        }
    }

    /// The connection has ended, and all that came before was taken out: answers whether that ends the body,
    /// as it does one that lasts [until then](BodyLength::UntilClose), whose [`BodyChunk::End`] comes next.
    pub fn handle_end(&mut self) -> bool {
        let ends = self.state == State::UntilClose;
        if ends {
            self.state = State::End;
        }
        ends
    }

    /// Whether [`BodyChunk::End`] was taken out.
    pub fn is_finished(&self) -> bool {
        self.state == State::Finished
    }

    /// Reads bytes of the coding itself until data, the end or an error.
    fn read_framing(&mut self, input: &mut BytesMut) -> Result<(), BodyError> {
        let mut read = 0_usize;
        for &byte in input.iter() {
            if matches!(self.state, State::Data { .. } | State::End) {
                break;
            }
            read = read.saturating_add(1);
            match self.step(byte) {
                Ok(state) => self.state = state,
                Err(error) => {
                    self.state = State::Failed(error);
                    return Err(error);
                }
            }
        }
        input.advance(read);
        Ok(())
    }

    /// The state after one byte of the coding.
    fn step(&mut self, byte: u8) -> Result<State, BodyError> {
        match (self.state, byte) {
            (State::Size { digits: 0, .. }, b'\r' | b';') => Err(BodyError::InvalidChunkSize),
            (State::Size { size, .. } | State::Extension { size }, b'\r') => Ok(State::SizeLineFeed { size }),
            (State::Size { size, .. }, b';') => Ok(State::Extension { size }),
            (State::Size { digits: 1.., .. }, b'\n') => Err(BodyError::MissingLineEnd),
            (State::Size { size, digits }, digit) => add_digit(size, digits, digit),
            (State::Extension { size }, byte) => {
                spend(&mut self.extension_left, BodyError::ExtensionTooLong)?;
                match byte {
                    b'\n' => Err(BodyError::MissingLineEnd),
                    byte if is_field_value_byte(byte) => Ok(State::Extension { size }),
                    _ => Err(BodyError::MalformedExtension),
                }
            }
            (State::SizeLineFeed { size: 0 }, b'\n') => Ok(State::Trailer(Trailer::LineStart)),
            (State::SizeLineFeed { size }, b'\n') => Ok(State::Data { left: size }),
            (State::SizeLineFeed { .. }, _) => Err(BodyError::MissingLineEnd),
            (State::DataCarriageReturn, b'\r') => Ok(State::DataLineFeed),
            (State::DataLineFeed, b'\n') => Ok(State::Size { size: 0, digits: 0 }),
            (State::DataCarriageReturn | State::DataLineFeed, _) => Err(BodyError::MissingChunkEnd),
            (State::Trailer(Trailer::LastLineFeed), b'\n') => Ok(State::End),
            (State::Trailer(trailer), byte) => {
                spend(&mut self.trailer_left, BodyError::TrailerTooLong)?;
                trailer.step(byte).map(State::Trailer)
            }
            (state, _) => Ok(state),
        }
    }
}

impl Trailer {
    fn step(self, byte: u8) -> Result<Self, BodyError> {
        match (self, byte) {
            (Self::LineStart, b'\r') => Ok(Self::LastLineFeed),
            (Self::Name, b':') => Ok(Self::Value),
            (Self::LineStart | Self::Name, byte) if is_token_byte(byte) => Ok(Self::Name),
            (Self::Value, b'\r') => Ok(Self::LineFeed),
            (Self::Value, byte) if is_field_value_byte(byte) => Ok(Self::Value),
            (Self::LineFeed, b'\n') => Ok(Self::LineStart),
            (Self::LineStart | Self::Value, b'\n') | (Self::LineFeed | Self::LastLineFeed, _) => {
                Err(BodyError::MissingLineEnd)
            }
            _ => Err(BodyError::MalformedTrailer),
        }
    }
}

fn add_digit(size: u64, digits: u8, digit: u8) -> Result<State, BodyError> {
    let value = char::from(digit)
        .to_digit(16)
        .ok_or(BodyError::InvalidChunkSize)?;
    if digits >= SIZE_DIGITS {
        return Err(BodyError::ChunkSizeOverflow);
    }
    // Sixteen digits of four bits fill 64 bits and no more, so the shift loses nothing.
    Ok(State::Size {
        size: (size << 4) | u64::from(value),
        digits: digits.saturating_add(1),
    })
}

fn spend(left: &mut usize, error: BodyError) -> Result<(), BodyError> {
    *left = left.checked_sub(1).ok_or(error)?;
    Ok(())
}

fn take_up_to(input: &mut BytesMut, left: u64) -> Bytes {
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    input.split_to(count).freeze()
}
