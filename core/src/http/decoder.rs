use super::error::HeadError;
use super::fields::HostRule;
use super::syntax::is_token_byte;
use super::{MAX_HEAD_BYTES, RequestHead};
use bytes::{Buf, Bytes, BytesMut};

/// How much a peer may send as one request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the whole head, blank lines before it included apart; 16 KiB, as in Node. At most
    /// [`MAX_HEAD_BYTES`].
    pub head_bytes: usize,
    /// Number of headers; 100, twice what browsers behind several proxies send. At most
    /// [`MAX_HEADERS`](super::MAX_HEADERS).
    pub headers: usize,
    /// Bytes of the target; 8 KiB, what common proxies let through.
    pub target_bytes: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            head_bytes: 16 * 1024,
            headers: 100,
            target_bytes: 8 * 1024,
        }
    }
}

/// Takes request heads off the front of a connection's bytes.
///
/// An unfinished head is kept here, so that read buffers can be given back; between heads nothing
/// is held. Every byte is looked at once however small the pieces are.
#[derive(Debug)]
pub struct HeadDecoder {
    limits: HeadLimits,
    /// The unfinished head; empty and without memory between heads.
    partial: BytesMut,
    lines: LineScanner,
    blank_bytes: usize,
    failed: Option<HeadError>,
}

impl HeadDecoder {
    /// A decoder for one connection.
    pub fn new(limits: &HeadLimits) -> Self {
        let limits = HeadLimits {
            head_bytes: limits.head_bytes.min(MAX_HEAD_BYTES),
            ..*limits
        };
        Self {
            limits,
            partial: BytesMut::new(),
            lines: LineScanner::default(),
            blank_bytes: 0,
            failed: None,
        }
    }

    /// Takes one head off the front of `input`; `None` when it is unfinished, and then `input` is
    /// empty. What follows the head stays in `input`: it is the body, or the next request.
    ///
    /// Empty lines before a request are skipped (RFC 9112 section 2.2).
    ///
    /// # Errors
    ///
    /// The first error is final: every later call repeats it.
    #[must_use = "a head taken out and dropped is lost"]
    pub fn poll_head(&mut self, input: &mut BytesMut) -> Result<Option<RequestHead>, HeadError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let outcome = self.read_head(input);
        if let Err(error) = outcome {
            self.failed = Some(error);
            self.partial = BytesMut::new();
        }
        outcome
    }

    /// Whether part of a head has arrived: a connection lost now was lost inside a request.
    pub fn is_mid_head(&self) -> bool {
        !self.partial.is_empty()
    }

    fn read_head(&mut self, input: &mut BytesMut) -> Result<Option<RequestHead>, HeadError> {
        while let Some(&first) = input.first() {
            // Something that speaks no HTTP, a TLS handshake say, is refused at its first byte.
            if self.partial.is_empty() && first != b'\r' && !is_token_byte(first) {
                return Err(HeadError::MalformedRequestLine);
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
            let lines = core::mem::take(&mut self.lines);
            if lines.first_line.is_none() {
                self.skip_blank_line(input, end)?;
                continue;
            }
            return self.take_head(input, end, &lines).map(Some);
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

    fn take_head(
        &mut self,
        input: &mut BytesMut,
        end: usize,
        lines: &LineScanner,
    ) -> Result<RequestHead, HeadError> {
        let last = input.get(..end).unwrap_or_default();
        let raw = if self.partial.is_empty() {
            Bytes::copy_from_slice(last)
        } else {
            let mut partial = core::mem::take(&mut self.partial);
            partial.extend_from_slice(last);
            // The copy is exactly as long as the head; the buffer that grew with it is given back.
            Bytes::copy_from_slice(&partial)
        };
        input.advance(end);
        self.blank_bytes = 0;
        // The line cannot be much longer than its target, so only then is the target measured.
        let long_line = lines
            .first_line
            .is_some_and(|bytes| bytes > self.limits.target_bytes);
        let head = RequestHead::parse(raw, self.limits.headers, HostRule::Required)?;
        if long_line && head.target().len() > self.limits.target_bytes {
            return Err(HeadError::TargetTooLong);
        }
        Ok(head)
    }

    /// A head that does not even finish its first line is one whose target is too long.
    fn too_large(&self) -> HeadError {
        match self.lines.first_line {
            None => HeadError::TargetTooLong,
            Some(_) => HeadError::HeadTooLarge,
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
