//! Echoes over HTTP long-polling: each session polls on one kept-alive connection and posts on another.
//!
//! One HTTP request, of either kind, is one operation.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Run, payload};
use crate::Outcome;
use crate::http;
use crate::poller::{Poller, Ready, Waiting};

const SESSIONS: usize = 64;
const READ_BUFFER: usize = 64 * 1024;
const BLOCKING_TIMEOUT: Duration = Duration::from_secs(10);
/// Separates the packets of a payload.
const RECORD_SEPARATOR: u8 = 0x1e;

/// A kept-alive connection with at most one request under way.
struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    fn new(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(BLOCKING_TIMEOUT))?;
        Ok(Self {
            stream,
            unread: Vec::new(),
        })
    }

    /// Sends a request and waits for the body of its response.
    fn exchange(&mut self, request: &[u8]) -> Outcome<Vec<u8>> {
        self.stream.write_all(request)?;
        let mut buffer = vec![0; READ_BUFFER];
        loop {
            if let Some(body) = self.receive(&mut buffer)? {
                return Ok(body);
            }
        }
    }

    /// Reads once; the body if that completes a response.
    fn receive(&mut self, buffer: &mut [u8]) -> Outcome<Option<Vec<u8>>> {
        match self.stream.read(buffer) {
            Ok(0) => return Err("the server closed a polling connection".into()),
            Ok(length) => self.unread.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let Some(response) = http::response(&self.unread)? else {
            return Ok(None);
        };
        if response.status != 200 {
            let body = String::from_utf8_lossy(&response.body).into_owned();
            return Err(format!("HTTP status {}: {body}", response.status).into());
        }
        let (body, length) = (response.body.into_owned(), response.length);
        self.unread.drain(..length);
        Ok(Some(body))
    }
}

struct Session {
    poll: Connection,
    post: Connection,
    /// `/socket.io/` with the query of this session.
    target: String,
    poll_request: Vec<u8>,
    echo_request: Vec<u8>,
    /// The server owes the response to a post.
    posting: bool,
    /// The server owes an echo.
    echoing: bool,
    pong_due: bool,
}

impl Session {
    /// Opens a session, joins `/` and sends the first poll and the first event.
    fn open(address: SocketAddr) -> Outcome<Self> {
        let (mut poll, mut post) = (Connection::new(address)?, Connection::new(address)?);
        let opening = poll.exchange(&get("/socket.io/?EIO=4&transport=polling"))?;
        let packet: serde_json::Value =
            serde_json::from_slice(opening.strip_prefix(b"0").unwrap_or(&opening))?;
        let id = packet["sid"].as_str().ok_or("the open packet has no sid")?;
        let target = format!("/socket.io/?EIO=4&transport=polling&sid={id}");
        let poll_request = get(&target);
        post.exchange(&post_request(&target, "40"))?;
        let mut pong_due = false;
        loop {
            let body = poll.exchange(&poll_request)?;
            let mut packets = body.split(|&byte| byte == RECORD_SEPARATOR);
            pong_due |= packets.clone().any(|packet| packet == b"2");
            if packets.any(|packet| packet.starts_with(b"40")) {
                break;
            }
        }
        let echo_request = post_request(&target, &event());
        let (posting, echoing) = (false, false);
        let mut session = Self {
            poll,
            post,
            target,
            poll_request,
            echo_request,
            posting,
            echoing,
            pong_due,
        };
        session.poll.stream.set_nonblocking(true)?;
        session.post.stream.set_nonblocking(true)?;
        session.poll.stream.write_all(&session.poll_request)?;
        session.post_next()?;
        Ok(session)
    }

    /// Posts the next event once the last one is answered and its post is.
    fn post_next(&mut self) -> Outcome<()> {
        if self.posting || self.echoing {
            return Ok(());
        }
        // A request is far smaller than any socket buffer, so writing never has to wait.
        if std::mem::take(&mut self.pong_due) {
            let body = format!("3{}{}", char::from(RECORD_SEPARATOR), event());
            self.post.stream.write_all(&post_request(&self.target, &body))?;
        } else {
            self.post.stream.write_all(&self.echo_request)?;
        }
        (self.posting, self.echoing) = (true, true);
        Ok(())
    }

    /// Takes the packets of a poll and polls again.
    fn polled(&mut self, body: &[u8], reply: &[u8]) -> Outcome<()> {
        for packet in body.split(|&byte| byte == RECORD_SEPARATOR) {
            if packet == b"2" {
                self.pong_due = true;
            } else if packet == reply && self.echoing {
                self.echoing = false;
            } else {
                return Err(format!("a poll brought {}", String::from_utf8_lossy(packet)).into());
            }
        }
        self.poll.stream.write_all(&self.poll_request)?;
        self.post_next()
    }
}

fn event() -> String {
    format!(r#"4210["echo","{}"]"#, payload::small(""))
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n").into_bytes()
}

fn post_request(target: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\
         Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

struct Sessions {
    poller: Poller,
    /// The poll of session `n` has token `2 * n`, its post `2 * n + 1`.
    sessions: Vec<Session>,
    reply: Vec<u8>,
    buffer: Vec<u8>,
    ready: Vec<Ready>,
}

impl Sessions {
    fn run(&mut self, time: Duration) -> Outcome<u64> {
        let end = Instant::now() + time;
        let mut requests = 0;
        while Instant::now() < end {
            let mut ready = std::mem::take(&mut self.ready);
            self.poller.wait(Waiting::Spin, &mut ready)?;
            for event in &ready {
                requests += u64::from(self.serve(event.token)?);
            }
            self.ready = ready;
        }
        Ok(requests)
    }

    /// Whether a request was answered.
    fn serve(&mut self, token: usize) -> Outcome<bool> {
        let session = &mut self.sessions[token / 2];
        let connection = if token.is_multiple_of(2) {
            &mut session.poll
        } else {
            &mut session.post
        };
        let Some(body) = connection.receive(&mut self.buffer)? else {
            return Ok(false);
        };
        if token.is_multiple_of(2) {
            session.polled(&body, &self.reply)?;
        } else {
            session.posting = false;
            session.post_next()?;
        }
        Ok(true)
    }
}

pub(crate) fn polling(address: SocketAddr) -> Outcome<Run> {
    let poller = Poller::new()?;
    let mut sessions = Vec::with_capacity(SESSIONS);
    for index in 0..SESSIONS {
        let session = Session::open(address)?;
        poller.add(&session.poll.stream, 2 * index)?;
        poller.add(&session.post.stream, 2 * index + 1)?;
        sessions.push(session);
    }
    let reply = format!(r#"4310["{}"]"#, payload::small("")).into_bytes();
    let mut sessions = Sessions {
        poller,
        sessions,
        reply,
        buffer: vec![0; READ_BUFFER],
        ready: Vec::new(),
    };
    Ok(Box::new(move |time| sessions.run(time)))
}
