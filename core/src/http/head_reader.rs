use super::error::HeadError;
use super::syntax::is_token_byte;
use super::{HeadLimits, MAX_HEAD_BYTES};
use bytes::{Buf, Bytes, BytesMut};

/// Which head is read: it decides what the first line may begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadKind {
    /// Begins with a method; empty lines before it are skipped (RFC 9112 section 2.2).
    Request,
    /// Begins with `HTTP/`.
    Response,
}

/// Collects the bytes of one head after the other, requests or responses, up to their blank lines.
///
/// An unfinished head is kept here, so that read buffers can be given back; between heads nothing
/// is held. Every byte is looked at once however small the pieces are.
#[derive(Debug)]
pub(super) struct HeadReader {
    kind: HeadKind,
    pub(super) limits: HeadLimits,
    /// The unfinished head; empty and without memory between heads.
    partial: BytesMut,
    lines: LineScanner,
    blank_bytes: usize,
    failed: Option<HeadError>,
}

/// The bytes of a whole head, in a buffer of exactly their size.
pub(super) struct RawHead {
    pub(super) bytes: Bytes,
    /// Length of the first line, line end included.
    pub(super) first_line: usize,
}

impl HeadReader {
    pub(super) fn new(kind: HeadKind, limits: &HeadLimits) -> Self {
        let limits = HeadLimits {
            head_bytes: limits.head_bytes.min(MAX_HEAD_BYTES),
            ..*limits
        };
        Self {
            kind,
            limits,
            partial: BytesMut::new(),
            lines: LineScanner::default(),
            blank_bytes: 0,
            failed: None,
        }
    }

    /// Takes one head off the front of `input` and makes of it what `parse` does. The first error, also
    /// one of `parse`, is repeated for ever.
    pub(super) fn poll<T>(
        &mut self,
        input: &mut BytesMut,
        parse: impl FnOnce(RawHead, &HeadLimits) -> Result<T, HeadError>,
    ) -> Result<Option<T>, HeadError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let outcome = match self.read(input) {
            Ok(Some(raw)) => parse(raw, &self.limits).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        if let Err(error) = &outcome {
            self.failed = Some(*error);
            self.partial = BytesMut::new();
        }
        outcome
    }

    /// Whether part of a head has arrived.
    pub(super) fn is_mid_head(&self) -> bool {
        !self.partial.is_empty()
    }

    fn read(&mut self, input: &mut BytesMut) -> Result<Option<RawHead>, HeadError> {
        while let Some(&first) = input.first() {
            // Something that speaks no HTTP, a TLS handshake say, is refused at its first byte.
            if self.partial.is_empty() {
                self.kind.check_first(first)?;
            }
            let room = self.limits.head_bytes.saturating_sub(self.partial.len());
            let window = input.get(..room).unwrap_or(input);
            let Some(end) = self.lines.find_end(window)? else {
                if input.len() > room {
                    return Err(self.too_large());
                }
                self.partial.extend_from_slice(input);
                input.clear();
                return Ok(None);
            };
            match core::mem::take(&mut self.lines).first_line {
                Some(first_line) => return Ok(Some(self.take_head(input, end, first_line))),
                None => self.skip_blank_line(input, end)?,
            }
        }
        Ok(None)
    }

    fn skip_blank_line(&mut self, input: &mut BytesMut, end: usize) -> Result<(), HeadError> {
        input.advance(end);
        self.partial = BytesMut::new();
        self.blank_bytes = self.blank_bytes.saturating_add(2);
        if self.blank_bytes > self.limits.head_bytes {
            return Err(HeadError::HeadTooLarge);
        }
        Ok(())
    }

    fn take_head(&mut self, input: &mut BytesMut, end: usize, first_line: usize) -> RawHead {
        let last = input.get(..end).unwrap_or_default();
        let bytes = if self.partial.is_empty() {
            Bytes::copy_from_slice(last)
        } else {
            let mut partial = core::mem::take(&mut self.partial);
            partial.extend_from_slice(last);
            // The copy is exactly as long as the head; the buffer that grew with it is given back.
            Bytes::copy_from_slice(&partial)
        };
        input.advance(end);
        self.blank_bytes = 0;
        RawHead { bytes, first_line }
    }

    /// A request head that does not even finish its first line is one whose target is too long.
    fn too_large(&self) -> HeadError {
        match (self.kind, self.lines.first_line) {
            (HeadKind::Request, None) => HeadError::TargetTooLong,
            (HeadKind::Request | HeadKind::Response, _) => HeadError::HeadTooLarge,
        }
    }
}

impl HeadKind {
    fn check_first(self, byte: u8) -> Result<(), HeadError> {
        match self {
            Self::Request if byte == b'\r' || is_token_byte(byte) => Ok(()),
            Self::Request => Err(HeadError::MalformedRequestLine),
            Self::Response if byte == b'H' => Ok(()),
            Self::Response => Err(HeadError::MalformedStatusLine),
        }
    }
}

/// Looks for the blank line that ends a head, across pieces, and insists on CRLF.
#[derive(Debug, Default)]
struct LineScanner {
    /// Bytes of the line under way.
    line: usize,
    /// The last byte of the piece before.
    last: u8,
    /// Length of the first line with text in it, once it is finished.
    first_line: Option<usize>,
}

impl LineScanner {
    /// Where in `piece` the head ends, its blank line included.
    fn find_end(&mut self, piece: &[u8]) -> Result<Option<usize>, HeadError> {
        let mut line_start = 0_usize;
        for at in memchr::memchr_iter(b'\n', piece) {
            let before = match at.checked_sub(1) {
                Some(index) => piece.get(index).copied().unwrap_or_default(),
                None => self.last,
            };
            if before != b'\r' {
                return Err(HeadError::BareLineFeed);
            }
            let line = self.line.saturating_add(at.saturating_sub(line_start));
            line_start = at.saturating_add(1);
            if line == 1 {
                return Ok(Some(line_start));
            }
            self.line = 0;
            self.first_line.get_or_insert(line);
        }
        self.line = self.line.saturating_add(piece.len().saturating_sub(line_start));
        self.last = piece.last().copied().unwrap_or(self.last);
        Ok(None)
    }
}
