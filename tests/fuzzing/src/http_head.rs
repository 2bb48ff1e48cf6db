//! Heads and bodies of HTTP/1.1, requests and responses.

use crate::pieces::Pieces;
use crate::script::Script;
use bytes::BytesMut;
use socketio_core::http::{
    BodyChunk, BodyDecoder, BodyError, BodyLength, CookieJar, HeadDecoder, HeadError, HeadLimits,
    RequestHead, ResponseDecoder, ResponseHead, Version,
};
use std::time::Instant;

const LIMITS: HeadLimits = HeadLimits {
    head_bytes: 512,
    headers: 12,
    target_bytes: 128,
};

/// One connection's messages, whatever they are, read in any pieces: the same heads, bodies and errors.
///
/// The first byte chooses the direction, the second how the third reading is cut.
pub fn http_head(data: &[u8]) {
    let mut script = Script::new(data);
    let (direction, cut) = (script.byte(), script.byte());
    let stream = script.rest();
    let read = |pieces| match direction % 2 {
        0 => Reader::read(HeadDecoder::new(&LIMITS), stream, pieces),
        _ => Reader::read(ResponseDecoder::new(&LIMITS), stream, pieces),
    };
    let [whole, bytes, cut] = Pieces::all(cut).map(read);
    assert_eq!(whole, bytes);
    assert_eq!(whole, cut);
}

/// A decoder of heads, for either direction.
trait Heads {
    fn poll(&mut self, input: &mut BytesMut) -> Result<Option<(Vec<u8>, BodyLength)>, HeadError>;

    /// Whether part of a head has arrived.
    fn is_mid_head(&self) -> bool;
}

impl Heads for HeadDecoder {
    fn poll(&mut self, input: &mut BytesMut) -> Result<Option<(Vec<u8>, BodyLength)>, HeadError> {
        let Some(head) = self.poll_head(input)? else {
            return Ok(None);
        };
        assert!(head.raw().len() <= LIMITS.head_bytes);
        assert!(head.headers().count() <= LIMITS.headers);
        assert!(head.target().len() <= LIMITS.target_bytes);
        check_getters(&head);
        Ok(Some((head.raw().to_vec(), head.body_length())))
    }

    fn is_mid_head(&self) -> bool {
        self.is_mid_head()
    }
}

impl Heads for ResponseDecoder {
    fn poll(&mut self, input: &mut BytesMut) -> Result<Option<(Vec<u8>, BodyLength)>, HeadError> {
        let Some(head) = self.poll_head(input)? else {
            return Ok(None);
        };
        assert!(head.raw().len() <= LIMITS.head_bytes);
        assert!(head.headers().count() <= LIMITS.headers);
        store_cookies(&head);
        Ok(Some((head.raw().to_vec(), head.body_length())))
    }

    fn is_mid_head(&self) -> bool {
        self.is_mid_head()
    }
}

/// Calls the getters, and compares with what a host makes of the same request.
fn check_getters(head: &RequestHead) {
    for (name, value) in head.query().iter() {
        assert!(name.len() + value.len() <= 3 * LIMITS.target_bytes);
    }
    let _ = (head.host(), head.cookie(), head.wants_continue(), head.to_owned());
    let method = head.method();
    match RequestHead::from_parts(method.as_str(), head.target(), head.headers()) {
        Ok(hosted) => {
            assert_eq!(hosted.path(), head.path());
            assert!(hosted.headers().eq(head.headers()));
            // What a host hands over counts as HTTP/1.1.
            if head.version() == Version::Http11 {
                assert_eq!(hosted.websocket(), head.websocket());
            }
        }
        // A host's target is not bounded like ours, but never stricter.
        Err(error) => panic!("a host could not have had this head: {error}"),
    }
}

fn store_cookies(head: &ResponseHead) {
    let now = Instant::now();
    let mut jar = CookieJar::new();
    jar.store(now, true, "/socket.io/", head);
    if let Some(line) = jar.header(now, true, "/socket.io/") {
        // Tabs may stand in field values (RFC 9110 section 5.5), and browsers send them back, too.
        let is_control = |byte: u8| byte != b'\t' && byte.is_ascii_control();
        assert!(!line.bytes().any(is_control), "{line:?}");
    }
    let _ = (head.keep_alive(), head.keep_alive_timeout(), head.location());
}

/// What came out of a stream.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    messages: Vec<(Vec<u8>, Vec<u8>)>,
    head_error: Option<HeadError>,
    body_error: Option<BodyError>,
    /// Whether the connection's end would be inside of a message.
    is_mid_head: bool,
    is_mid_body: bool,
}

struct Reader<H> {
    heads: H,
    body: Option<BodyDecoder>,
    seen: Seen,
}

impl<H: Heads> Reader<H> {
    fn read(heads: H, stream: &[u8], pieces: Pieces) -> Seen {
        let mut reader = Self {
            heads,
            body: None,
            seen: Seen::default(),
        };
        let mut input = BytesMut::new();
        for piece in pieces.of(stream) {
            input.extend_from_slice(piece);
            while reader.seen.head_error.is_none() && reader.seen.body_error.is_none() {
                if !reader.advance(&mut input) {
                    assert!(input.is_empty(), "who waits for more has taken all there is");
                    break;
                }
            }
        }
        reader.seen.is_mid_head = reader.heads.is_mid_head();
        reader.seen.is_mid_body = match &mut reader.body {
            Some(body) => !body.handle_end(),
            None => false,
        };
        reader.seen
    }

    /// One step; whether there may be another.
    fn advance(&mut self, input: &mut BytesMut) -> bool {
        let Some(body) = &mut self.body else {
            match self.heads.poll(input) {
                Ok(Some((head, length))) => {
                    self.seen.messages.push((head, Vec::new()));
                    self.body = Some(BodyDecoder::new(length));
                }
                Ok(None) => return false,
                Err(error) => {
                    assert_eq!(
                        self.heads.poll(input).err(),
                        Some(error),
                        "the first error is final"
                    );
                    self.seen.head_error = Some(error);
                }
            }
            return true;
        };
        match body.poll_chunk(input) {
            Ok(Some(BodyChunk::Data(data))) => {
                assert!(!data.is_empty());
                if let Some((_, collected)) = self.seen.messages.last_mut() {
                    collected.extend_from_slice(&data);
                }
            }
            Ok(Some(BodyChunk::End)) => self.body = None,
            Ok(None) => return false,
            Err(error) => {
                assert_eq!(body.poll_chunk(input), Err(error), "the first error is final");
                self.seen.body_error = Some(error);
            }
        }
        true
    }
}
