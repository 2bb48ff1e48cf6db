//! Responses of HTTP/1.1, as far as long-polling has them.

use std::borrow::Cow;

use crate::Outcome;

/// One complete response.
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) body: Cow<'a, [u8]>,
    /// Bytes of head and body together.
    pub(crate) length: usize,
}

/// The response at the start of `bytes`, or `None` while it is incomplete.
pub(crate) fn response(bytes: &[u8]) -> Outcome<Option<Response<'_>>> {
    let Some(end) = position(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .ok_or("a response has no status")?
        .parse()?;
    let (mut length, mut chunked) = (0, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = true;
        }
    }
    let start = end + 4;
    if chunked {
        let decoded = decode_chunks(&bytes[start..])?;
        return Ok(decoded.map(|(body, used)| Response {
            status,
            body: body.into(),
            length: start + used,
        }));
    }
    let body = bytes.get(start..start + length);
    Ok(body.map(|body| Response {
        status,
        body: body.into(),
        length: start + length,
    }))
}

/// The body and its encoded length, or `None` while the last chunk is missing.
fn decode_chunks(bytes: &[u8]) -> Outcome<Option<(Vec<u8>, usize)>> {
    let (mut body, mut used) = (Vec::new(), 0);
    loop {
        let Some(line) = position(&bytes[used..], b"\r\n") else {
            return Ok(None);
        };
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[used..used + line])?, 16)?;
        let start = used + line + 2;
        let Some(chunk) = bytes.get(start..start + size + 2) else {
            return Ok(None);
        };
        body.extend_from_slice(&chunk[..size]);
        used = start + size + 2;
        if size == 0 {
            return Ok(Some((body, used)));
        }
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_found_with_a_length_and_in_chunks() {
        for bytes in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ] {
            let found = response(bytes.as_bytes()).unwrap().unwrap();
            assert_eq!(
                (found.status, found.body.as_ref(), found.length),
                (200, &b"hello"[..], bytes.len())
            );
            for end in 0..bytes.len() {
                assert!(response(&bytes.as_bytes()[..end]).unwrap().is_none());
            }
        }
    }
}
