use std::future::poll_fn;
use std::io::{self, IoSlice};

use bytes::{Buf, BytesMut};

use crate::core::{HeadLimits, ResponseDecoder, ResponseHead};
use crate::engine::Stream;

const READ: usize = 4 * 1024;
/// How every answer begins.
const HTTP: &[u8] = b"HTTP/";

/// Asks an HTTP proxy to connect us to `target`, a host and port (`CONNECT`, RFC 9110 section 9.3.6). Afterwards the
/// stream is a connection to the target.
///
/// An answer that is no refusal has no body, whatever its header fields say.
pub(super) async fn open(
    stream: &mut impl Stream,
    target: &str,
    authorization: Option<&str>,
) -> io::Result<()> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = authorization {
        request.extend(["Proxy-Authorization: ", authorization, "\r\n"]);
    }
    request.push_str("\r\n");
    write_all(stream, request.as_bytes()).await?;

    let mut input = BytesMut::new();
    let head = read_head(stream, &mut input).await?;
    match head.status().as_u16() {
        200..=299 if input.is_empty() => Ok(()),
        200..=299 => {
            let text = "it sent data before it was asked for any; it may not support tunnels (CONNECT)";
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        }
        code => Err(refusal(code, &head, target)),
    }
}

async fn write_all(stream: &mut impl Stream, mut bytes: &[u8]) -> io::Result<()> {
    while bytes.has_remaining() {
        match poll_fn(|task| stream.poll_write(task, &[IoSlice::new(bytes)])).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => bytes.advance(count),
        }
    }
    poll_fn(|task| stream.poll_flush(task)).await
}

/// The head of the final answer; what follows it is left in `input`.
async fn read_head(stream: &mut impl Stream, input: &mut BytesMut) -> io::Result<ResponseHead> {
    let mut decoder = ResponseDecoder::new(&HeadLimits::default());
    loop {
        input.reserve(READ);
        if poll_fn(|task| stream.poll_read(task, input)).await? == 0 {
            let text = "it closed the connection without an answer to CONNECT";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        // What is no HTTP need not be read to the end of a head, which may never come.
        let beginning = HTTP.get(..input.len()).unwrap_or(HTTP);
        if !decoder.is_mid_head() && !input.starts_with(beginning) {
            let text = "it does not speak HTTP; check the proxy's address and scheme";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let head = decoder.poll_head(input).map_err(|error| {
            let text = format!("its answer to CONNECT cannot be read: {error}");
            io::Error::new(io::ErrorKind::InvalidData, text)
        })?;
        if let Some(head) = head {
            return Ok(head);
        }
    }
}

fn refusal(code: u16, head: &ResponseHead, target: &str) -> io::Error {
    let (kind, cure) = match code {
        407 => (
            io::ErrorKind::PermissionDenied,
            "; give credentials in the proxy's URL, as in http://user:password@host:port",
        ),
        403 => (
            io::ErrorKind::PermissionDenied,
            "; it does not allow this host and port",
        ),
        405 | 501 => (
            io::ErrorKind::Unsupported,
            "; it may not support tunnels (CONNECT)",
        ),
        502..=504 => (io::ErrorKind::HostUnreachable, "; it could not reach the server"),
        _ => (io::ErrorKind::ConnectionRefused, ""),
    };
    let reason = reason(head);
    let space = if reason.is_empty() { "" } else { " " };
    io::Error::new(
        kind,
        format!("answered {code}{space}{reason} to CONNECT {target}{cure}"),
    )
}

/// The reason phrase (RFC 9112 section 4), which in a proxy's answer is often the only explanation.
fn reason(head: &ResponseHead) -> String {
    let line = head.raw().split(|byte| *byte == b'\r').next().unwrap_or_default();
    let reason = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
    let readable = String::from_utf8_lossy(reason);
    readable
        .chars()
        .filter(|character| !character.is_control())
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::testing::{ScriptedPeer, now};
    use super::open;

    const TARGET: &str = "host:80";

    fn answered(answer: &[u8]) -> io::Result<()> {
        let mut stream = ScriptedPeer::new(answer);
        now(open(&mut stream, TARGET, None))
    }

    #[test]
    fn the_target_and_the_credentials_are_named() {
        let mut stream = ScriptedPeer::new(b"HTTP/1.1 200 Connection established\r\n\r\n");
        now(open(&mut stream, "[::1]:443", Some("Basic eDp5"))).expect("opens");
        let request =
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic eDp5\r\n\r\n";
        assert_eq!(stream.written(), request.as_bytes());
    }

    #[test]
    fn only_the_final_status_counts() {
        answered(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\nContent-Length: 9\r\n\r\n").expect("opens");
    }

    #[test]
    fn a_refusal_names_the_status_and_the_cure() {
        let error =
            answered(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
        let error = error.expect_err("refused");
        assert_eq!(
            error.to_string(),
            "answered 407 Proxy Authentication Required to CONNECT host:80; give credentials in the proxy's URL, as in \
             http://user:password@host:port"
        );
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        let error = answered(b"HTTP/1.1 418\r\n\r\n").expect_err("refused");
        assert_eq!(error.to_string(), "answered 418 to CONNECT host:80");
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let kind = |answer: &[u8]| answered(answer).expect_err("refused").kind();
        assert_eq!(kind(b""), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(b"HTTP/1.1 200 OK\r\n"), io::ErrorKind::UnexpectedEof);
        for answer in [
            &b"SSH-2.0-x\r\n"[..],
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 20\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\nx",
        ] {
            assert_eq!(kind(answer), io::ErrorKind::InvalidData);
        }
        let endless = [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'x'; 32 * 1024]].concat();
        assert_eq!(kind(&endless), io::ErrorKind::InvalidData);
    }
}
