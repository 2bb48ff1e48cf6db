//! Connections of attackers.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use socketio_tests::kit::{DEADLINE, Frame, Request};
use socketio_tests::testbed::Target;

use crate::honest_clients::WELCOME;

/// How long a write waits for the server to take more.
const WRITE_TIMEOUT: Duration = Duration::from_millis(50);

/// A heartbeat as it comes over WebSocket.
const PING: &[u8] = b"\x81\x012";

/// One TCP connection, which never waits long for the server.
pub(crate) struct RawConnection {
    stream: TcpStream,
    /// What was received and not taken yet.
    unread: Vec<u8>,
}

impl RawConnection {
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

    /// Writes as much as the server takes; returns how much that is.
    pub(crate) fn write_some(&mut self, bytes: impl AsRef<[u8]>) -> usize {
        let (bytes, mut written, mut since) = (bytes.as_ref(), 0, Instant::now());
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => (written, since) = (written + count, Instant::now()),
                Err(error) if error.kind() == ErrorKind::WouldBlock && since.elapsed() < WRITE_TIMEOUT => {
                    sleep(Duration::from_millis(1));
                }
                Err(_) => break,
            }
        }
        written
    }

    /// Writes all, unless the server closes the connection; reads meanwhile, so that neither side waits for the other.
    #[track_caller]
    pub(crate) fn write_all(&mut self, bytes: impl AsRef<[u8]>) {
        let (mut rest, started) = (bytes.as_ref(), Instant::now());
        while !rest.is_empty() {
            assert!(started.elapsed() < DEADLINE, "the server does not read");
            match self.stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.read_available() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Reads what has come, after a short pause if nothing has; returns whether the connection is open.
    fn read_available(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(1)),
            Err(_) => return false,
        }
        true
    }

    /// Reads until these bytes have come `times` times; answers heartbeats, which may come during long reads.
    #[track_caller]
    pub(crate) fn read_count(&mut self, bytes: impl AsRef<[u8]>, times: usize) {
        let (bytes, started) = (bytes.as_ref(), Instant::now());
        let (mut seen, mut received, mut is_open) = (0, 0, true);
        loop {
            let count_new = |needle: &[u8]| {
                count(
                    &self.unread[(seen + 1_usize).saturating_sub(needle.len())..],
                    needle,
                )
            };
            received += count_new(bytes);
            let pings = count_new(PING);
            seen = self.unread.len();
            if received >= times {
                return;
            }
            let (what, beginning) = (String::from_utf8_lossy(bytes), self.received());
            assert!(
                is_open,
                "closed after {received} of {times} {what:?}; it sent {beginning:?}"
            );
            let is_late = started.elapsed() > DEADLINE;
            assert!(
                !is_late,
                "only {received} of {times} {what:?} within the deadline: {beginning:?}"
            );
            if pings > 0 {
                self.write_some(text("3"));
            }
            is_open = self.read_available();
        }
    }

    /// Reads until these bytes have come, and discards everything.
    #[track_caller]
    pub(crate) fn read_until(&mut self, bytes: impl AsRef<[u8]>) {
        self.read_count(bytes, 1);
        self.unread.clear();
    }

    /// Reads until these bytes have come; returns everything up to their end, and discards it.
    #[track_caller]
    pub(crate) fn read_through(&mut self, bytes: &str) -> String {
        self.read_count(bytes, 1);
        let received = self.take_received();
        let (before, _) = received.split_once(bytes).expect("they have come");
        format!("{before}{bytes}")
    }

    /// Reads until the server closes the connection; returns what came, or its beginning.
    #[track_caller]
    pub(crate) fn read_to_end(&mut self) -> String {
        let started = Instant::now();
        while self.read_available() {
            assert!(
                started.elapsed() < DEADLINE,
                "the server does not close the connection; it sent {:?}",
                self.received()
            );
        }
        self.received()
    }

    /// Takes what has come so far.
    pub(crate) fn take_received(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned()
    }

    /// What has come so far, or its beginning.
    pub(crate) fn received(&self) -> String {
        String::from_utf8_lossy(&self.unread[..self.unread.len().min(2_000)]).into_owned()
    }

    /// Whether the server has closed the connection; discards what has come.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Closes the sending direction.
    pub(crate) fn shut_down_write(&self) {
        // The server may have closed already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        set_socket_linger(&self.stream, Some(Duration::ZERO)).expect("it is a socket");
    }
}

/// `GET` of the polling transport with this query.
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
pub(crate) fn join(target: &Target) -> RawConnection {
    let mut connection = RawConnection::open(target);
    connection.write_some(upgrade(""));
    connection.read_until("\"maxPayload\":1000000}");
    connection.write_some(text("40"));
    connection.read_until(WELCOME);
    connection
}

/// A connection on which a polling session was opened, and the id of the session.
#[track_caller]
pub(crate) fn handshake(target: &Target) -> (RawConnection, String) {
    let mut connection = RawConnection::open(target);
    connection.write_some(get(""));
    connection.read_count("}", 1);
    let received = connection.take_received();
    let sid = received
        .split("\"sid\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let sid = sid
        .unwrap_or_else(|| panic!("no session: {received:?}"))
        .to_owned();
    (connection, sid)
}

/// How often `needle` is in `received`.
fn count(received: &[u8], needle: &[u8]) -> usize {
    received
        .windows(needle.len())
        .filter(|window| *window == needle)
        .count()
}
