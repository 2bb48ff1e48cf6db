//! A server that runs a script for each connection, on a thread of its own; the script may break every rule.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tungstenite::handshake::derive_accept_key;

/// More connections than this are closed unread: a client that reconnects too often ends up here.
const CONNECTIONS_AT_MOST: usize = 512;
/// No script waits longer for its peer.
const SILENT_AT_MOST: Duration = Duration::from_secs(30);

/// A listening server; its connections and its port are closed when it is dropped.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    accepted: AtomicUsize,
    streams: Mutex<Vec<TcpStream>>,
}

/// One connection as its script sees it.
#[derive(Debug)]
pub struct ScriptedConnection {
    stream: TcpStream,
    shared: Arc<Shared>,
    read: Vec<u8>,
}

/// A request that was received.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// `GET /socket.io/?EIO=4 HTTP/1.1` and the lines of headers.
    pub head: String,
    /// As many bytes as its Content-Length announces.
    pub body: Vec<u8>,
}

impl ReceivedRequest {
    /// Whether it asks for a session, and does not belong to one.
    #[must_use]
    pub fn is_handshake(&self) -> bool {
        let line = self.head.lines().next().unwrap_or_default();
        !line.contains("sid=")
    }

    /// Whether it is the opening handshake of a WebSocket.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        self.header("upgrade").is_some()
    }

    /// The value of a header, whose name is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }
}

impl ScriptedServer {
    /// Runs `script` for each connection.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub fn start(script: impl Fn(&mut ScriptedConnection) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("it is a socket");
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        let thread = thread::spawn(move || accept(&listener, &accepting, &Arc::new(script)));
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// As `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Closes its connections and releases the port.
    pub fn stop(self) {}
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for stream in self
            .shared
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    script: &Arc<impl Fn(&mut ScriptedConnection) + Send + Sync + 'static>,
) {
    while !shared.stopped.load(Ordering::SeqCst) {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(2));
            continue;
        };
        if shared.accepted.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS_AT_MOST {
            continue;
        }
        let prepared = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_read_timeout(Some(SILENT_AT_MOST)))
            .and_then(|()| stream.set_write_timeout(Some(SILENT_AT_MOST)))
            .and_then(|()| stream.set_nodelay(true))
            .and_then(|()| stream.try_clone());
        let Ok(other) = prepared else { continue };
        shared
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(other);
        let mut connection = ScriptedConnection {
            stream,
            shared: Arc::clone(shared),
            read: Vec::new(),
        };
        let script = Arc::clone(script);
        thread::spawn(move || {
            script(&mut connection);
            // The other handle would keep it open.
            let _ = connection.stream.shutdown(Shutdown::Both);
        });
    }
}

impl ScriptedConnection {
    /// The next request with its body; `None` when the client closed the connection or the script is stopped.
    pub fn request(&mut self) -> Option<ReceivedRequest> {
        let end = loop {
            match self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.read_more()?,
            }
        };
        let head = String::from_utf8_lossy(&self.read[..end]).into_owned();
        self.read.drain(..end);
        let mut request = ReceivedRequest {
            head,
            body: Vec::new(),
        };
        let length = request
            .header("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        while self.read.len() < length {
            self.read_more()?;
        }
        request.body = self.read.drain(..length).collect();
        Some(request)
    }

    fn read_more(&mut self) -> Option<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) if count > 0 => self.read.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
        Some(())
    }

    /// Writes bytes; `false` when the client does not take them any more.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Writes a whole response. `status` is such as `200 OK`; `headers` are whole lines.
    pub fn respond(&mut self, status: &str, headers: &str, body: impl AsRef<[u8]>) -> bool {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.send([head.as_bytes(), body].concat())
    }

    /// Accepts a WebSocket as it should be.
    pub fn accept(&mut self, request: &ReceivedRequest) -> bool {
        let key = derive_accept_key(request.header("sec-websocket-key").unwrap_or_default().as_bytes());
        self.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        ))
    }

    /// Writes one complete frame without a mask.
    pub fn frame(&mut self, opcode: u8, payload: impl AsRef<[u8]>) -> bool {
        self.send(frame(opcode, payload.as_ref()))
    }

    /// Writes a text message.
    pub fn text(&mut self, text: &str) -> bool {
        self.frame(1, text)
    }

    /// The next frame's opcode and payload; `None` as for [`request`](Self::request).
    pub fn read_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        while self.read.len() < 2 {
            self.read_more()?;
        }
        let (width, short) = match self.read[1] & 0x7f {
            126 => (2, 0),
            127 => (8, 0),
            short => (0, usize::from(short)),
        };
        while self.read.len() < 2 + width + 4 {
            self.read_more()?;
        }
        let long = self.read[2..2 + width]
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let start = 2 + width + 4;
        let end = start + short + long;
        while self.read.len() < end {
            self.read_more()?;
        }
        let opcode = self.read[0] & 0x0f;
        let mask = [0, 1, 2, 3].map(|index| self.read[2 + width + index]);
        let payload = self.read[start..end].iter().zip(mask.iter().cycle());
        let payload = payload.map(|(byte, mask)| byte ^ mask).collect();
        self.read.drain(..end);
        Some((opcode, payload))
    }

    /// Reads and forgets until the client closes the connection or the script is stopped.
    pub fn wait_for_end(&mut self) {
        let started = Instant::now();
        while started.elapsed() < SILENT_AT_MOST && self.read_more().is_some() {
            self.read.clear();
        }
    }

    /// Closes the connection.
    pub fn close(&self) {
        // It may be closed already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Reads nothing and keeps the connection open until the script is stopped.
    pub fn stall(&self) {
        let started = Instant::now();
        while started.elapsed() < SILENT_AT_MOST && !self.is_stopped() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the script is to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::SeqCst)
    }

    /// Forwards this connection to a real server, and copies both ways until one side ends.
    /// `request` is what was read already.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub fn forward(&mut self, server: SocketAddr, request: &ReceivedRequest) -> io::Result<()> {
        let mut upstream = TcpStream::connect(server)?;
        upstream.set_nodelay(true)?;
        let streams = &self.shared.streams;
        streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(upstream.try_clone()?);
        upstream.write_all(request.head.as_bytes())?;
        upstream.write_all(&request.body)?;
        upstream.write_all(&self.read)?;
        let (mut from_client, mut to_server) = (self.stream.try_clone()?, upstream.try_clone()?);
        let other = thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        // The side that ends first ends both; why does not matter.
        let _ = io::copy(&mut upstream, &mut self.stream);
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = other.join();
        Ok(())
    }
}

/// A final frame without a mask.
#[must_use]
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..126 => bytes.push(u8::try_from(length).unwrap_or(0)),
        length @ 126..0x1_0000 => {
            bytes.push(126);
            bytes.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}
