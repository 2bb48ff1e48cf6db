//! Becoming a Socket.IO client over WebSocket: TCP, upgrade, `open`, namespace.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Outcome;
use crate::frame::{self, Opcode};

const BLOCKING_TIMEOUT: Duration = Duration::from_secs(10);
/// The answer to the key in [`REQUEST`], as RFC 6455 section 1.3 has it.
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A request as long as a browser's, 800 bytes: servers that keep the head pay for it.
const REQUEST: &str = concat!(
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n",
    "Host: 127.0.0.1\r\n",
    "Connection: Upgrade\r\n",
    "Pragma: no-cache\r\n",
    "Cache-Control: no-cache\r\n",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ",
    "Chrome/140.0.0.0 Safari/537.36\r\n",
    "Upgrade: websocket\r\n",
    "Origin: http://127.0.0.1\r\n",
    "Sec-WebSocket-Version: 13\r\n",
    "Accept-Encoding: gzip, deflate, br, zstd\r\n",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8,fr;q=0.7\r\n",
    "Cookie: session=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef; ",
    "consent=necessary%2Cstatistics%2Cpreferences; theme=dark; visitor=f81d4fae-7dec-11d0-a765-00a0c91e6bf6; ",
    "csrf=ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA; region=europe-west-3; layout=cd2\r\n",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
    "\r\n",
);

/// Connects and sends the upgrade request.
pub(crate) fn connect(address: SocketAddr) -> Outcome<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(REQUEST.as_bytes())?;
    Ok(stream)
}

/// What a server answers to the upgrade request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Incomplete,
    /// The connection speaks WebSocket behind a response head of so many bytes.
    Upgraded(usize),
    /// Status 503: the server has as many connections as it takes.
    Full,
}

/// Reads the answer to the upgrade request; any other than those of [`Answer`] is an error.
pub(crate) fn answer(bytes: &[u8]) -> Outcome<Answer> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(Answer::Incomplete);
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    if head.starts_with("HTTP/1.1 503 ") {
        return Ok(Answer::Full);
    }
    if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
        return Err(format!("the server refused the upgrade: {head}").into());
    }
    Ok(Answer::Upgraded(end + 4))
}

/// Joins the namespace `/` on a blocking connection.
pub(crate) fn join_blocking(address: SocketAddr) -> Outcome<TcpStream> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(BLOCKING_TIMEOUT))?;
    let mut bytes = Vec::new();
    let head = loop {
        match answer(&bytes)? {
            Answer::Upgraded(head) => break head,
            Answer::Incomplete => read_more(&mut stream, &mut bytes)?,
            Answer::Full => return Err("the server is full: it answered 503".into()),
        }
    };
    bytes.drain(..head);
    loop {
        let Some((frame, length)) = frame::first(&bytes)? else {
            read_more(&mut stream, &mut bytes)?;
            continue;
        };
        match frame.payload {
            [b'0', ..] => stream.write_all(&frame::masked(Opcode::Text, b"40"))?,
            b"2" => stream.write_all(&frame::masked(Opcode::Text, b"3"))?,
            [b'4', b'0', ..] => return Ok(stream),
            other => return Err(format!("joining met {}", String::from_utf8_lossy(other)).into()),
        }
        bytes.drain(..length);
    }
}

fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Outcome<()> {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer)? {
        0 => Err("the server closed the connection during the handshake".into()),
        length => {
            bytes.extend_from_slice(&buffer[..length]);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_as_long_as_a_browsers() {
        assert!((790..=810).contains(&REQUEST.len()), "{}", REQUEST.len());
    }

    #[test]
    fn only_a_complete_head_with_the_right_accept_is_taken() {
        let head = format!("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\r\n");
        assert_eq!(answer(head.as_bytes()).unwrap(), Answer::Upgraded(head.len()));
        assert_eq!(
            answer(&head.as_bytes()[..head.len() - 1]).unwrap(),
            Answer::Incomplete
        );
        assert!(answer(b"HTTP/1.1 400 Bad Request\r\n\r\n").is_err());
    }

    #[test]
    fn a_full_server_is_told_from_one_that_fails() {
        let head = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(answer(head).unwrap(), Answer::Full);
    }
}
