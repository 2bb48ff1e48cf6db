//! Many Socket.IO clients on one thread.
//!
//! The hub connects, upgrades, joins the namespace `/`, answers heartbeats, and hands every other message to the
//! [`Traffic`] of a scenario, which queues what to send in the [`Outbox`].

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::frame::{self, Opcode};
use crate::handshake::{self, Answer};
use crate::poller::{Interest, Poller, Ready, Waiting};

/// Handshakes under way at once; below the smallest backlog a listener is likely to have (128).
const HANDSHAKES_AT_ONCE: usize = 32;
const READ_BUFFER: usize = 256 * 1024;
const SETUP_DEADLINE: Duration = Duration::from_secs(20);

/// Index of a client in its hub.
pub(crate) type ClientId = usize;

/// A WebSocket message that is neither handshake nor heartbeat.
#[derive(Clone, Copy)]
pub(crate) enum Message<'a> {
    Text(&'a [u8]),
    Binary(&'a [u8]),
}

/// What a client does once it has joined.
pub(crate) enum Next {
    Stay,
    /// Closes the WebSocket connection and waits for the server to do the same.
    Leave,
}

/// What the clients of a scenario do.
pub(crate) trait Traffic {
    fn joined(&mut self, _client: ClientId, _outbox: &mut Outbox) -> Next {
        Next::Stay
    }

    /// Checks a message and queues what follows from it.
    fn message(&mut self, client: ClientId, message: Message<'_>, outbox: &mut Outbox) -> Outcome<()>;
}

/// Clients that expect no message.
pub(crate) struct Idle;

impl Traffic for Idle {
    fn message(&mut self, client: ClientId, message: Message<'_>, _outbox: &mut Outbox) -> Outcome<()> {
        Err(unexpected(client, message))
    }
}

/// The error for a message that no scenario expects.
pub(crate) fn unexpected(client: ClientId, message: Message<'_>) -> Box<dyn std::error::Error> {
    let (kind, bytes) = match message {
        Message::Text(bytes) => ("text", bytes),
        Message::Binary(bytes) => ("binary", bytes),
    };
    let start = String::from_utf8_lossy(bytes.get(..100).unwrap_or(bytes)).into_owned();
    format!(
        "client {client} did not expect {kind} of {} bytes: {start}",
        bytes.len()
    )
    .into()
}

/// Bytes waiting to be written, per client.
#[derive(Default)]
pub(crate) struct Outbox {
    queues: Vec<Queue>,
    /// Clients whose queue was empty and no longer is.
    dirty: Vec<ClientId>,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    written: usize,
}

impl Outbox {
    /// Queues a frame made by [`frame::masked`].
    pub(crate) fn push(&mut self, client: ClientId, frame: &[u8]) {
        let queue = &mut self.queues[client].bytes;
        if queue.is_empty() {
            self.dirty.push(client);
        }
        queue.extend_from_slice(frame);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waiting for the response `101`.
    Upgrading,
    /// Waiting for the Engine.IO packet `open`.
    Opening,
    /// Waiting for the namespace.
    Joining,
    Joined,
    Leaving,
    /// The server answered 503.
    Refused,
    Gone,
}

/// Whether a server may refuse clients because it has too many.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Capacity {
    /// A refusal is a failure.
    Enough,
    /// The first refusal ends the search.
    Sought,
    Reached,
}

struct Client {
    stream: TcpStream,
    phase: Phase,
    /// The incomplete message at the end of what was read.
    unread: Vec<u8>,
    interest: Interest,
}

pub(crate) struct Hub {
    address: SocketAddr,
    waiting: Waiting,
    poller: Poller,
    clients: Vec<Option<Client>>,
    free: Vec<ClientId>,
    handshaking: usize,
    capacity: Capacity,
    outbox: Outbox,
    read_buffer: Vec<u8>,
    ready: Vec<Ready>,
    pong: Vec<u8>,
}

impl Hub {
    pub(crate) fn new(address: SocketAddr, waiting: Waiting) -> Outcome<Self> {
        Ok(Self {
            address,
            waiting,
            poller: Poller::new()?,
            clients: Vec::new(),
            free: Vec::new(),
            handshaking: 0,
            capacity: Capacity::Enough,
            outbox: Outbox::default(),
            read_buffer: vec![0; READ_BUFFER],
            ready: Vec::new(),
            pong: frame::masked(Opcode::Text, b"3"),
        })
    }

    /// Clients that are connected, joined or not.
    pub(crate) fn connected(&self) -> usize {
        self.clients.len() - self.free.len()
    }

    /// The clients that are connected, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ClientId> {
        let clients = self.clients.iter().enumerate();
        clients.filter_map(|(id, client)| client.as_ref().map(|_| id))
    }

    /// Connects `count` more clients and returns once all have joined.
    pub(crate) fn join(&mut self, count: usize) -> Outcome<()> {
        self.fill(count)
    }

    /// Connects up to `count` more clients, fewer if the server answers 503, and returns once they have joined.
    pub(crate) fn join_at_most(&mut self, count: usize) -> Outcome<()> {
        self.capacity = Capacity::Sought;
        let filled = self.fill(count);
        self.capacity = Capacity::Enough;
        filled
    }

    fn fill(&mut self, count: usize) -> Outcome<()> {
        let deadline = Instant::now() + SETUP_DEADLINE;
        let wanted = self.connected() + count;
        let wants_more = |hub: &Self| hub.connected() < wanted && hub.capacity != Capacity::Reached;
        while wants_more(self) || self.handshaking > 0 {
            while wants_more(self) && self.handshaking < HANDSHAKES_AT_ONCE {
                self.connect()?;
            }
            self.turn(&mut Idle)?;
            if Instant::now() > deadline {
                return Err(format!("{count} clients did not join in {SETUP_DEADLINE:?}").into());
            }
        }
        Ok(())
    }

    /// Connects one client and sends its handshake.
    pub(crate) fn connect(&mut self) -> Outcome<()> {
        let stream = handshake::connect(self.address)?;
        stream.set_nonblocking(true)?;
        let id = self.free.pop().unwrap_or(self.clients.len());
        self.poller.add(&stream, id)?;
        let client = Client {
            stream,
            phase: Phase::Upgrading,
            unread: Vec::new(),
            interest: Interest::Read,
        };
        if id == self.clients.len() {
            self.clients.push(Some(client));
            self.outbox.queues.push(Queue::default());
        } else {
            self.clients[id] = Some(client);
            self.outbox.queues[id] = Queue::default();
        }
        self.handshaking += 1;
        Ok(())
    }

    /// Queues the first messages of a scenario and sends them.
    pub(crate) fn start(&mut self, queue: impl FnOnce(&mut Outbox)) -> Outcome<()> {
        queue(&mut self.outbox);
        self.flush()
    }

    /// Serves all clients for a time.
    pub(crate) fn run(&mut self, traffic: &mut impl Traffic, time: Duration) -> Outcome<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(traffic)?;
        }
        Ok(())
    }

    /// Waits until a client is ready and serves all that are.
    pub(crate) fn turn(&mut self, traffic: &mut impl Traffic) -> Outcome<()> {
        let mut ready = std::mem::take(&mut self.ready);
        self.poller.wait(self.waiting, &mut ready)?;
        for event in &ready {
            if event.writable {
                self.write(event.token)?;
            }
            if event.readable {
                self.read(event.token, traffic)?;
                self.flush()?;
            }
        }
        self.ready = ready;
        Ok(())
    }

    fn read(&mut self, id: ClientId, traffic: &mut impl Traffic) -> Outcome<()> {
        let Some(client) = &mut self.clients[id] else {
            return Ok(());
        };
        let length = match client.stream.read(&mut self.read_buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            // A server may reset a connection whose close it has seen.
            Err(_) if client.phase == Phase::Leaving => 0,
            Err(error) => return Err(format!("client {id} cannot read: {error}").into()),
        };
        if length == 0 {
            if client.phase != Phase::Leaving {
                return Err(format!("the server closed client {id}").into());
            }
            self.remove(id);
            return Ok(());
        }
        let before = client.phase;
        let mut unread = std::mem::take(&mut client.unread);
        let mut session = Session {
            id,
            pong: &self.pong,
            outbox: &mut self.outbox,
            traffic,
        };
        if unread.is_empty() {
            let bytes = &self.read_buffer[..length];
            let used = session.consume(&mut client.phase, bytes)?;
            unread.extend_from_slice(&bytes[used..]);
        } else {
            unread.extend_from_slice(&self.read_buffer[..length]);
            let used = session.consume(&mut client.phase, &unread)?;
            unread.drain(..used);
        }
        client.unread = unread;
        let is_over = |phase| !matches!(phase, Phase::Upgrading | Phase::Opening | Phase::Joining);
        self.handshaking -= usize::from(!is_over(before) && is_over(client.phase));
        match client.phase {
            Phase::Refused if self.capacity == Capacity::Enough => {
                return Err(format!("the server is full: it answered client {id} with 503").into());
            }
            Phase::Refused => {
                self.capacity = Capacity::Reached;
                self.remove(id);
            }
            Phase::Gone => self.remove(id),
            _ => {}
        }
        Ok(())
    }

    fn remove(&mut self, id: ClientId) {
        self.clients[id] = None;
        self.free.push(id);
    }

    fn flush(&mut self) -> Outcome<()> {
        while let Some(id) = self.outbox.dirty.pop() {
            self.write(id)?;
        }
        Ok(())
    }

    fn write(&mut self, id: ClientId) -> Outcome<()> {
        let Some(client) = &mut self.clients[id] else {
            return Ok(());
        };
        let queue = &mut self.outbox.queues[id];
        while queue.written < queue.bytes.len() {
            match client.stream.write(&queue.bytes[queue.written..]) {
                Ok(written) => queue.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) if client.phase == Phase::Leaving => return Ok(()),
                Err(error) => return Err(format!("client {id} cannot write: {error}").into()),
            }
        }
        let interest = if queue.written == queue.bytes.len() {
            queue.bytes.clear();
            queue.written = 0;
            Interest::Read
        } else {
            Interest::ReadAndWrite
        };
        if interest != client.interest {
            client.interest = interest;
            self.poller.change(&client.stream, id, interest)?;
        }
        Ok(())
    }
}

/// One client while the bytes it has read are looked at.
struct Session<'a, T> {
    id: ClientId,
    pong: &'a [u8],
    outbox: &'a mut Outbox,
    traffic: &'a mut T,
}

impl<T: Traffic> Session<'_, T> {
    /// Handles every complete message in `bytes` and returns their length.
    fn consume(&mut self, phase: &mut Phase, bytes: &[u8]) -> Outcome<usize> {
        let mut used = 0;
        if *phase == Phase::Upgrading {
            match handshake::answer(bytes)? {
                Answer::Incomplete => return Ok(0),
                Answer::Upgraded(head) => used = head,
                Answer::Full => {
                    *phase = Phase::Refused;
                    return Ok(bytes.len());
                }
            }
            *phase = Phase::Opening;
        }
        while *phase != Phase::Gone {
            let Some((frame, length)) = frame::first(&bytes[used..])? else {
                break;
            };
            used += length;
            match frame.opcode {
                Opcode::Text => self.text(phase, frame.payload)?,
                Opcode::Binary => {
                    self.traffic
                        .message(self.id, Message::Binary(frame.payload), self.outbox)?
                }
                Opcode::Ping => self
                    .outbox
                    .push(self.id, &frame::masked(Opcode::Pong, frame.payload)),
                Opcode::Pong => {}
                Opcode::Close if *phase == Phase::Leaving => *phase = Phase::Gone,
                Opcode::Close => return Err(format!("the server closed WebSocket client {}", self.id).into()),
            }
        }
        Ok(used)
    }

    fn text(&mut self, phase: &mut Phase, payload: &[u8]) -> Outcome<()> {
        match (*phase, payload) {
            (_, b"2") => self.outbox.push(self.id, self.pong),
            (Phase::Joined, _) => self
                .traffic
                .message(self.id, Message::Text(payload), self.outbox)?,
            (Phase::Opening, [b'0', b'{', ..]) => {
                self.outbox.push(self.id, &frame::masked(Opcode::Text, b"40"));
                *phase = Phase::Joining;
            }
            (Phase::Joining, [b'4', b'0', ..]) => match self.traffic.joined(self.id, self.outbox) {
                Next::Stay => *phase = Phase::Joined,
                Next::Leave => {
                    // 1000, normal closure.
                    self.outbox
                        .push(self.id, &frame::masked(Opcode::Close, &[0x03, 0xe8]));
                    *phase = Phase::Leaving;
                }
            },
            (Phase::Leaving, _) => {}
            _ => return Err(unexpected(self.id, Message::Text(payload))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    /// A server that takes as many clients as it is told and answers 503 to all others.
    fn server_of(clients: usize) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {}\r\n\r\n",
            handshake::ACCEPT
        );
        // Text frames: FIN and opcode 1, then the length.
        let joined = [head.as_bytes(), b"\x81\x030{}", b"\x81\x0440{}"].concat();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.extend(byte);
                }
                if held.len() < clients {
                    stream.write_all(&joined).unwrap();
                    held.push(stream);
                } else {
                    stream
                        .write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
                        .unwrap();
                }
            }
        });
        address
    }

    #[test]
    fn a_full_server_ends_the_search_for_its_capacity_and_fails_every_other_join() {
        let mut hub = Hub::new(server_of(3), Waiting::Sleep).unwrap();
        hub.join(2).unwrap();
        hub.join_at_most(100).unwrap();
        assert_eq!((hub.connected(), hub.ids().count()), (3, 3));
        let refusal = hub.join(1).unwrap_err().to_string();
        assert!(refusal.contains("503"), "{refusal}");
    }
}
