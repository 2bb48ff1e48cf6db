//! How bytes are cut into reads changes nothing, and no bytes break the decoders.

use bytes::BytesMut;
use proptest::prelude::*;
use socketio_core::http::{
    BodyChunk, BodyDecoder, BodyError, BodyLength, HeadDecoder, HeadError, HeadLimits, Query,
};

const LIMITS: HeadLimits = HeadLimits {
    head_bytes: 256,
    headers: 6,
    target_bytes: 64,
};

#[derive(Debug, Default, PartialEq)]
struct Seen {
    /// Every head's text with the body that followed it.
    requests: Vec<(Vec<u8>, Vec<u8>)>,
    head_error: Option<HeadError>,
    body_error: Option<BodyError>,
}

/// A connection that reads requests and their bodies one after the other.
struct Reader {
    heads: HeadDecoder,
    body: Option<BodyDecoder>,
    seen: Seen,
}

impl Reader {
    fn new() -> Self {
        Self {
            heads: HeadDecoder::new(&LIMITS),
            body: None,
            seen: Seen::default(),
        }
    }

    fn read(&mut self, input: &mut BytesMut) {
        loop {
            if self.seen.head_error.is_some() || self.seen.body_error.is_some() {
                return;
            }
            let progress = if self.body.is_some() {
                self.read_body(input)
            } else {
                self.read_head(input)
            };
            if !progress {
                assert!(input.is_empty(), "whatever waits for more has taken all there is");
                return;
            }
        }
    }

    fn read_head(&mut self, input: &mut BytesMut) -> bool {
        match self.heads.poll_head(input) {
            Ok(Some(head)) => {
                assert!(!self.heads.is_mid_head());
                assert!(head.raw().len() <= LIMITS.head_bytes);
                assert!(head.headers().count() <= LIMITS.headers);
                let _ = (
                    head.method(),
                    head.path(),
                    head.websocket(),
                    head.query().iter().count(),
                );
                self.body = Some(BodyDecoder::new(head.body_length()));
                self.seen.requests.push((head.raw().to_vec(), Vec::new()));
            }
            Ok(None) => return false,
            Err(error) => self.seen.head_error = Some(error),
        }
        true
    }

    fn read_body(&mut self, input: &mut BytesMut) -> bool {
        match self.body.as_mut().expect("a body").poll_chunk(input) {
            Ok(Some(BodyChunk::Data(data))) => {
                self.seen
                    .requests
                    .last_mut()
                    .expect("a request")
                    .1
                    .extend_from_slice(&data);
            }
            Ok(Some(BodyChunk::End)) => self.body = None,
            Ok(None) => return false,
            Err(error) => self.seen.body_error = Some(error),
        }
        true
    }
}

/// Reads `bytes` in pieces whose lengths repeat `cuts`.
fn seen_in_pieces(bytes: &[u8], cuts: &[usize]) -> Seen {
    let mut reader = Reader::new();
    let mut input = BytesMut::new();
    let mut rest = bytes;
    for &cut in cuts.iter().cycle() {
        let (piece, tail) = rest.split_at(cut.min(rest.len()));
        input.extend_from_slice(piece);
        reader.read(&mut input);
        rest = tail;
        if rest.is_empty() {
            break;
        }
    }
    reader.seen
}

/// Bits of requests, sound and not, so that random joins reach deep into the decoders.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /socket.io/?EIO=4&sid=a HTTP/1.1\r\nHost: b\r\n",
        "GET /old HTTP/1.0\r\n",
        "Host: a\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "Expect: 100-continue\r\n",
        "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
        "\r\n",
        "hello",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "0;x=y\r\nTrailer: z\r\n\r\n",
        "\r",
        "\n",
        " ",
        ":",
    ]);
    prop_oneof![
        12 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ]
}

/// A whole request and its body, by length or in chunks.
fn request() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let body = prop::collection::vec(any::<u8>(), 0..40);
    (body, prop::option::of(1_usize..9)).prop_map(|(body, chunk)| {
        let mut wire = b"POST /a HTTP/1.1\r\nHost: a\r\n".to_vec();
        match chunk {
            None => {
                wire.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
                wire.extend(&body);
            }
            Some(size) => {
                wire.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(size) {
                    wire.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                    wire.extend(chunk);
                    wire.extend(b"\r\n");
                }
                wire.extend(b"0\r\n\r\n");
            }
        }
        (wire, body)
    })
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..40, 1..6)
}

proptest! {
    #[test]
    fn sound_requests_survive_any_segmentation(
        requests in prop::collection::vec(request(), 1..5),
        cuts in cuts(),
    ) {
        let wire: Vec<u8> = requests.iter().flat_map(|(wire, _)| wire.clone()).collect();
        let seen = seen_in_pieces(&wire, &cuts);
        prop_assert_eq!(seen.head_error, None);
        prop_assert_eq!(seen.body_error, None);
        let bodies: Vec<_> = seen.requests.into_iter().map(|(_, body)| body).collect();
        let sent: Vec<_> = requests.into_iter().map(|(_, body)| body).collect();
        prop_assert_eq!(bodies, sent);
    }

    #[test]
    fn segmentation_changes_neither_requests_nor_errors(
        fragments in prop::collection::vec(fragment(), 0..24),
        cuts in cuts(),
    ) {
        let wire = fragments.concat();
        let whole = seen_in_pieces(&wire, &[usize::MAX]);
        prop_assert_eq!(&seen_in_pieces(&wire, &cuts), &whole);
        prop_assert_eq!(&seen_in_pieces(&wire, &[1]), &whole);
    }

    #[test]
    fn arbitrary_bytes_end_in_heads_errors_or_a_bounded_wait(
        bytes in prop::collection::vec(any::<u8>(), 0..2048),
        cuts in cuts(),
    ) {
        let seen = seen_in_pieces(&bytes, &cuts);
        let waits = seen.head_error.is_none() && seen.body_error.is_none();
        prop_assert!(!waits || bytes.len() <= LIMITS.head_bytes || !seen.requests.is_empty());
    }

    #[test]
    fn arbitrary_chunked_bodies_read_the_same_in_any_pieces(
        body in "[0-9a-f;\r\nX: ]{0,200}|([1-3]\r\n[a-z]{1,3}\r\n){0,9}0\r\n(X: y\r\n){0,2}\r\n",
        cuts in cuts(),
    ) {
        let wire = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        prop_assert_eq!(seen_in_pieces(wire.as_bytes(), &cuts), seen_in_pieces(wire.as_bytes(), &[usize::MAX]));
        let mut input = BytesMut::from(body.as_bytes());
        let mut decoder = BodyDecoder::new(BodyLength::Chunked);
        while let Ok(Some(_)) = decoder.poll_chunk(&mut input) {}
    }

    #[test]
    fn queries_decode_whatever_was_encoded(pairs in prop::collection::vec((".{1,8}", ".{0,8}"), 1..6)) {
        let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let raw: Vec<_> =
            pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        let raw = raw.join("&");
        let read: Vec<_> = Query::new(&raw).iter().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
        prop_assert_eq!(read, pairs);
    }

    #[test]
    fn a_lookup_finds_the_last_of_the_listed(raw in "[ab=&%+61]{0,24}|.{0,64}", name in "[ab]{0,2}") {
        let query = Query::new(&raw);
        let last = query.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value);
        prop_assert_eq!(query.get(&name), last);
    }
}
