//! One client connection and the responses read from it, byte for byte.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::{DEADLINE, Request};
use crate::testbed::Target;

/// Why no more bytes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The peer closed its side in an orderly way.
    Closed,
    /// The peer reset the connection.
    Reset,
    /// Nothing came within [`DEADLINE`].
    Deadline,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the server closed the connection",
            Self::Reset => "the server reset the connection",
            Self::Deadline => "the server sent nothing within the deadline",
        })
    }
}

/// One HTTP response as it was on the wire.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status line and the header lines, without the empty line.
    pub head: String,
    /// The status code.
    pub status: u16,
    /// Names and values in the order received.
    pub headers: Vec<(String, String)>,
    /// The body with its transfer coding removed.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The packets of a polling body, split at the record separator.
    pub fn packets(&self) -> Vec<String> {
        self.text().split('\x1e').map(str::to_owned).collect()
    }

    /// Asserts status and body together, so that a failure shows both.
    #[track_caller]
    pub fn assert_is(&self, status: u16, body: &str) {
        assert_eq!(
            (self.status, self.text()),
            (status, body),
            "whole head:\n{}",
            self.head
        );
    }

    fn parse_head(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let mut parts = status_line.splitn(3, ' ');
        assert_eq!(
            parts.next(),
            Some("HTTP/1.1"),
            "not an HTTP/1.1 status line: {status_line:?}"
        );
        let status = parts.next().and_then(|code| code.parse().ok());
        let headers = lines.map(|line| {
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("header line without colon: {line:?}"));
            (name.to_owned(), value.trim().to_owned())
        });
        Self {
            head: head.to_owned(),
            status: status.unwrap_or_else(|| panic!("no status code in {status_line:?}")),
            headers: headers.collect(),
            body: Vec::new(),
        }
    }
}

/// A client's end of one TCP connection.
#[derive(Debug)]
pub struct HttpConnection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl HttpConnection {
    /// Connects. Dropping the connection ends it in the middle of whatever it was doing.
    #[track_caller]
    pub fn open(target: &Target) -> Self {
        Self {
            stream: connect(target),
            unread: Vec::new(),
        }
    }

    /// Connects, sends one request and reads its response.
    #[track_caller]
    pub fn exchange(target: &Target, request: &Request) -> Response {
        let mut connection = Self::open(target);
        connection.send(request);
        connection.response()
    }

    /// Sends a request.
    #[track_caller]
    pub fn send(&mut self, request: &Request) {
        self.send_bytes(&request.render());
    }

    /// Sends bytes as they are, in one write.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .expect("the server reads what is sent");
    }

    /// Sends bytes that the server may refuse to read to the end.
    pub fn offer_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Ends the sending direction; answers can still be read.
    pub fn finish_writing(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads the next response; panics when there is none.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        self.try_response()
            .unwrap_or_else(|ended| panic!("no response: {ended}; read {:?}", self.unread_text()))
    }

    /// Reads the next response, or why there is none.
    #[track_caller]
    pub fn try_response(&mut self) -> Result<Response, Ended> {
        let mut response = self.head()?;
        let bodiless = response.status < 200 || response.status == 204 || response.status == 304;
        if bodiless {
            return Ok(response);
        }
        response.body = if response
            .header("transfer-encoding")
            .is_some_and(|coding| coding == "chunked")
        {
            self.chunked_body()?
        } else if let Some(length) = response.header("content-length") {
            let length = length
                .parse()
                .unwrap_or_else(|_| panic!("bad content-length {length:?}"));
            self.take(length)?
        } else {
            self.rest()
        };
        Ok(response)
    }

    /// Reads the head of a response to `HEAD`, which has no body whatever it announces.
    #[track_caller]
    pub fn head(&mut self) -> Result<Response, Ended> {
        let end = loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                break end;
            }
            self.fill()?;
        };
        let head = self.take(end)?;
        self.take(4)?;
        Ok(Response::parse_head(
            std::str::from_utf8(&head).expect("the head is UTF-8"),
        ))
    }

    /// Takes exactly `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<Vec<u8>, Ended> {
        while self.unread.len() < count {
            self.fill()?;
        }
        Ok(self.unread.drain(..count).collect())
    }

    /// Asserts that the server ends the connection without another byte.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let rest = self.rest();
        assert!(
            rest.is_empty(),
            "unexpected bytes before the end: {:?}",
            String::from_utf8_lossy(&rest)
        );
    }

    /// Asserts that nothing arrives for a while, for cases that are about waiting.
    #[track_caller]
    pub fn expect_silence(&mut self, duration: Duration) {
        self.stream
            .set_read_timeout(Some(duration))
            .expect("a timeout can be set");
        let mut byte = [0];
        let outcome = self.stream.peek(&mut byte);
        self.stream
            .set_read_timeout(Some(DEADLINE))
            .expect("a timeout can be set");
        let waited = outcome.is_err_and(|error| is_timeout(&error)) && self.unread.is_empty();
        assert!(waited, "expected {duration:?} of silence");
    }

    /// What was read but belongs to no response yet.
    pub fn unread_text(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    /// Everything until the end of the connection.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        let started = Instant::now();
        loop {
            match self.fill() {
                Ok(()) => assert!(started.elapsed() < DEADLINE * 2, "endless bytes"),
                Err(Ended::Deadline) => panic!(
                    "the server keeps the connection open; read {:?}",
                    self.unread_text()
                ),
                Err(_) => return std::mem::take(&mut self.unread),
            }
        }
    }

    fn chunked_body(&mut self) -> Result<Vec<u8>, Ended> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = find(&self.unread, b"\r\n") {
                    break end;
                }
                self.fill()?;
            };
            let line = self.take(end)?;
            self.take(2)?;
            let size = std::str::from_utf8(&line)
                .ok()
                .and_then(|size| usize::from_str_radix(size, 16).ok());
            let size = size.unwrap_or_else(|| panic!("bad chunk size {line:?}"));
            body.extend(self.take(size)?);
            assert_eq!(self.take(2)?, b"\r\n", "a chunk ends with CRLF");
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn fill(&mut self) -> Result<(), Ended> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Ended::Closed),
            Ok(count) => {
                self.unread
                    .extend_from_slice(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) if is_timeout(&error) => Err(Ended::Deadline),
            Err(_) => Err(Ended::Reset),
        }
    }
}

/// A TCP connection with deadlines and without Nagle's delay.
#[track_caller]
pub(super) fn connect(target: &Target) -> TcpStream {
    let stream =
        TcpStream::connect_timeout(&target.address, DEADLINE).expect("the server accepts connections");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("a timeout can be set");
    stream
        .set_write_timeout(Some(DEADLINE))
        .expect("a timeout can be set");
    stream.set_nodelay(true).expect("delay can be switched off");
    stream
}

pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
