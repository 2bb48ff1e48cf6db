//! Bodies by length and in chunks, and every way the chunked coding can be wrong.

use bytes::BytesMut;
use socketio_core::http::{BodyChunk, BodyDecoder, BodyError, BodyLength, EXTENSION_BYTES, TRAILER_BYTES};

/// The whole body and what is left behind it; `None` when it is unfinished.
type Outcome = Result<Option<(Vec<u8>, Vec<u8>)>, BodyError>;

fn read(length: BodyLength, text: &[u8]) -> Outcome {
    let mut decoder = BodyDecoder::new(length);
    let mut input = BytesMut::from(text);
    let mut body = Vec::new();
    while let Some(chunk) = decoder.poll_chunk(&mut input)? {
        match chunk {
            BodyChunk::Data(data) => {
                assert!(!data.is_empty());
                body.extend_from_slice(&data);
            }
            BodyChunk::End => {
                assert!(decoder.is_finished());
                assert_eq!(decoder.poll_chunk(&mut input), Ok(None), "the end is told once");
                return Ok(Some((body, input.to_vec())));
            }
        }
    }
    assert!(input.is_empty(), "an unfinished body leaves nothing unread");
    Ok(None)
}

fn chunked(text: &str) -> Outcome {
    read(BodyLength::Chunked, text.as_bytes())
}

fn whole(body: &str, rest: &str) -> Outcome {
    Ok(Some((body.into(), rest.into())))
}

#[test]
fn bodies_end_where_their_length_says() {
    assert_eq!(read(BodyLength::None, b"GET"), whole("", "GET"));
    assert_eq!(read(BodyLength::Length(0), b"GET"), whole("", "GET"));
    assert_eq!(read(BodyLength::Length(3), b"abcGET"), whole("abc", "GET"));
    assert_eq!(read(BodyLength::Length(4), b"abc"), Ok(None));
    assert_eq!(read(BodyLength::Length(u64::MAX), b"abc"), Ok(None));
}

#[test]
fn chunks_are_joined() {
    assert_eq!(chunked("0\r\n\r\nGET"), whole("", "GET"));
    assert_eq!(
        chunked("3\r\nabc\r\nA\r\n0123456789\r\n00\r\n\r\nGET"),
        whole("abc0123456789", "GET")
    );
    assert_eq!(
        chunked("3;a=b;c=\"d\"\r\nabc\r\n0;x\r\nX-Sum: 1\r\nY:\r\n\r\nGET"),
        whole("abc", "GET")
    );
    assert_eq!(chunked("3\r\nabc\r\n0\r\n"), Ok(None));
}

#[test]
fn malformed_sizes_are_refused() {
    for text in [
        "\r\n", ";a\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "\n",
    ] {
        assert_eq!(chunked(text), Err(BodyError::InvalidChunkSize), "{text:?}");
    }
    assert_eq!(
        chunked("10000000000000000\r\n"),
        Err(BodyError::ChunkSizeOverflow)
    );
    assert_eq!(
        chunked("00000000000000001\r\n"),
        Err(BodyError::ChunkSizeOverflow)
    );
    assert_eq!(chunked("ffffffffffffffff\r\nabc"), Ok(None));
}

#[test]
fn lines_of_the_coding_end_in_crlf() {
    for text in [
        "1\na",
        "1\ra",
        "1;a\nb",
        "0\r\n\n",
        "0\r\n\rX",
        "0\r\nX: a\n\r\n",
        "0\r\nX: a\rb\r\n",
    ] {
        assert_eq!(chunked(text), Err(BodyError::MissingLineEnd), "{text:?}");
    }
    for text in ["1\r\nab\r\n", "1\r\na\n", "1\r\na\rb"] {
        assert_eq!(chunked(text), Err(BodyError::MissingChunkEnd), "{text:?}");
    }
}

#[test]
fn trailers_and_extensions_are_checked() {
    for line in [
        "GET / HTTP/1.1",
        "X : a",
        " folded: a",
        ": a",
        "X\0: a",
        "X: \0",
        "X",
    ] {
        assert_eq!(
            chunked(&format!("0\r\n{line}\r\n\r\n")),
            Err(BodyError::MalformedTrailer),
            "{line:?}"
        );
    }
    assert_eq!(chunked("1;\0\r\n"), Err(BodyError::MalformedExtension));
}

#[test]
fn trailers_and_extensions_are_bounded() {
    let extension = |bytes: usize| format!("0;{}\r\n\r\n", "a".repeat(bytes));
    assert_eq!(chunked(&extension(EXTENSION_BYTES)), whole("", ""));
    assert_eq!(
        chunked(&extension(EXTENSION_BYTES + 1)),
        Err(BodyError::ExtensionTooLong)
    );
    let drip = "1;aaaaaaa\r\nx\r\n".repeat(EXTENSION_BYTES);
    assert_eq!(
        chunked(&drip),
        Err(BodyError::ExtensionTooLong),
        "the bound is on all chunks together"
    );
    let trailers = format!("0\r\n{}\r\n", "X: y\r\n".repeat(TRAILER_BYTES));
    assert_eq!(chunked(&trailers), Err(BodyError::TrailerTooLong));
    assert_eq!(
        chunked(&format!("0\r\nX: {}", "y".repeat(TRAILER_BYTES))),
        Err(BodyError::TrailerTooLong)
    );
}

#[test]
fn an_error_is_final() {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked);
    assert_eq!(
        decoder.poll_chunk(&mut BytesMut::from("x")),
        Err(BodyError::InvalidChunkSize)
    );
    assert_eq!(
        decoder.poll_chunk(&mut BytesMut::from("0\r\n\r\n")),
        Err(BodyError::InvalidChunkSize)
    );
}

#[test]
fn data_is_a_slice_of_the_input() {
    let mut input = BytesMut::from("5\r\nhello\r\n");
    let place = input.as_ptr().addr() + 3;
    let Ok(Some(BodyChunk::Data(data))) = BodyDecoder::new(BodyLength::Chunked).poll_chunk(&mut input) else {
        panic!("no data");
    };
    assert_eq!(data.as_ptr().addr(), place);
}
