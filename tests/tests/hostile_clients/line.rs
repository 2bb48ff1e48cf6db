//! A connection of somebody who keeps to no rule.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use socketio_tests::kit::{DEADLINE, Frame, Request};
use socketio_tests::testbed::Target;

use crate::guests::WELCOME;

/// How long a write waits for the server to take more.
const RELUCTANCE: Duration = Duration::from_millis(50);

/// A heartbeat as it comes over WebSocket.
const PING: &[u8] = b"\x81\x012";

/// One TCP connection that never waits for long.
pub(crate) struct Line {
    stream: TcpStream,
    /// What was read and not asked for.
    unread: Vec<u8>,
}

impl Line {
    #[track_caller]
    pub(crate) fn open(target: &Target) -> Self {
        let stream =
            TcpStream::connect_timeout(&target.address, DEADLINE).expect("the server accepts connections");
        stream.set_nodelay(true).expect("delay can be switched off");
        stream.set_nonblocking(true).expect("it is a socket");
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Writes as much as is taken; how much that is.
    pub(crate) fn offer(&mut self, bytes: impl AsRef<[u8]>) -> usize {
        let (bytes, mut written, mut since) = (bytes.as_ref(), 0, Instant::now());
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => (written, since) = (written + count, Instant::now()),
                Err(error) if error.kind() == ErrorKind::WouldBlock && since.elapsed() < RELUCTANCE => {
                    sleep(Duration::from_millis(1));
                }
                Err(_) => break,
            }
        }
        written
    }

    /// Writes all; reads meanwhile, so that neither side waits for the other.
    #[track_caller]
    pub(crate) fn exchange(&mut self, bytes: impl AsRef<[u8]>) {
        let (mut rest, started) = (bytes.as_ref(), Instant::now());
        while !rest.is_empty() {
            assert!(started.elapsed() < DEADLINE, "the server does not read");
            match self.stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.read_on() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Takes what has come, after a short pause if nothing has; whether the connection goes on.
    fn read_on(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(1)),
            Err(_) => return false,
        }
        true
    }

    /// Reads until these bytes have come so often; answers heartbeats, which takes patience and no more.
    #[track_caller]
    pub(crate) fn hear_times(&mut self, bytes: impl AsRef<[u8]>, times: usize) {
        let (bytes, started) = (bytes.as_ref(), Instant::now());
        let (mut seen, mut heard, mut goes_on) = (0, 0, true);
        loop {
            let news = |needle: &[u8]| {
                count(
                    &self.unread[(seen + 1_usize).saturating_sub(needle.len())..],
                    needle,
                )
            };
            heard += news(bytes);
            let pings = news(PING);
            seen = self.unread.len();
            if heard >= times {
                return;
            }
            let (what, so_far) = (String::from_utf8_lossy(bytes), self.heard());
            assert!(
                goes_on,
                "hung up after {heard} of {times} {what:?}; it said {so_far:?}"
            );
            let is_late = started.elapsed() > DEADLINE;
            assert!(
                !is_late,
                "only {heard} of {times} {what:?} within the deadline: {so_far:?}"
            );
            if pings > 0 {
                self.offer(text("3"));
            }
            goes_on = self.read_on();
        }
    }

    /// Reads until these bytes have come, and forgets everything.
    #[track_caller]
    pub(crate) fn hear_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.hear_times(bytes, 1);
        self.unread.clear();
    }

    /// Reads until the server hangs up; all that came.
    #[track_caller]
    pub(crate) fn hear_out(&mut self) -> String {
        let started = Instant::now();
        while self.read_on() {
            assert!(
                started.elapsed() < DEADLINE,
                "the server does not hang up; it said {:?}",
                self.heard()
            );
        }
        self.heard()
    }

    /// What has come so far, which is forgotten.
    pub(crate) fn take_heard(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned()
    }

    /// What has come so far, or its beginning.
    pub(crate) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.unread[..self.unread.len().min(2_000)]).into_owned()
    }

    /// Whether the server has hung up; forgets what has come.
    pub(crate) fn is_over(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Says that nothing more comes.
    pub(crate) fn finish(&self) {
        // The server may be gone.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        set_socket_linger(&self.stream, Some(Duration::ZERO)).expect("it is a socket");
    }
}

/// `GET` of a path of Engine.IO with this query, and nothing after it.
pub(crate) fn get(query: &str) -> String {
    format!("GET /socket.io/?EIO=4&transport=polling{query} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// `POST` to a session.
pub(crate) fn post(sid: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The opening handshake of a WebSocket, for the session of `query` if it names one.
pub(crate) fn upgrade(query: &str) -> Vec<u8> {
    let path = format!("/socket.io/?EIO=4&transport=websocket{query}");
    Request::upgrade(path).render()
}

/// A text message.
pub(crate) fn text(text: &str) -> Vec<u8> {
    Frame::text(text).encode()
}

/// A session over WebSocket that has joined `/`.
#[track_caller]
pub(crate) fn join(target: &Target) -> Line {
    let mut line = Line::open(target);
    line.offer(upgrade(""));
    line.hear_bytes("\"maxPayload\":1000000}");
    line.offer(text("40"));
    line.hear_bytes(WELCOME);
    line
}

/// The id of a new session over polling, and the line it was made on.
#[track_caller]
pub(crate) fn handshake(target: &Target) -> (Line, String) {
    let mut line = Line::open(target);
    line.offer(get(""));
    line.hear_times("}", 1);
    let heard = line.take_heard();
    let sid = heard
        .split("\"sid\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let sid = sid.unwrap_or_else(|| panic!("no session: {heard:?}")).to_owned();
    (line, sid)
}

/// How often `needle` is in `heard`.
fn count(heard: &[u8], needle: &[u8]) -> usize {
    heard
        .windows(needle.len())
        .filter(|window| *window == needle)
        .count()
}
