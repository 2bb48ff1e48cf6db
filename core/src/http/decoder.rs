use super::RequestHead;
use super::error::HeadError;
use super::fields::HostRule;
use super::head_reader::{HeadKind, HeadReader, RawHead};
use bytes::BytesMut;

/// How much a peer may send as one head, of a request or of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the whole head, blank lines before it included apart; 16 KiB, as in Node. At most
    /// [`MAX_HEAD_BYTES`](super::MAX_HEAD_BYTES).
    pub head_bytes: usize,
    /// Number of headers; 100, twice what browsers behind several proxies send. At most
    /// [`MAX_HEADERS`](super::MAX_HEADERS).
    pub headers: usize,
    /// Bytes of a request's target; 8 KiB, what common proxies let through.
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
    reader: HeadReader,
}

impl HeadDecoder {
    /// A decoder for one connection.
    pub fn new(limits: &HeadLimits) -> Self {
        Self {
            reader: HeadReader::new(HeadKind::Request, limits),
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
        self.reader.poll(input, parse)
    }

    /// Whether part of a head has arrived: a connection lost now was lost inside a request.
    pub fn is_mid_head(&self) -> bool {
        self.reader.is_mid_head()
    }
}

fn parse(raw: RawHead, limits: &HeadLimits) -> Result<RequestHead, HeadError> {
    let head = RequestHead::parse(raw.bytes, limits.headers, HostRule::Required)?;
    // The line cannot be much longer than its target, so only then is the target measured.
    if raw.first_line > limits.target_bytes && head.target().len() > limits.target_bytes {
        return Err(HeadError::TargetTooLong);
    }
    Ok(head)
}
