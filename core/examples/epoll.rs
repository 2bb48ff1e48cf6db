//! A server on a bare event loop: this crate, mio and one thread; no runtime, no locks.
//!
//! ```text
//! cargo run --example epoll -- --app suite --port 3000
//! ```
//!
//! The official suites pass against `hurried-engine` and `hurried-suite`: they want short heartbeats.
//!
//! [`run`] is the loop. Each round of it sleeps until a socket or a deadline is due, gives every connection that has
//! something to do one turn ([`Connection::turn`]: one read, a batch of items, a write), and then sends what the turns
//! had to say to other connections ([`Loop::settle`]). Neither [`Loop`] nor [`Connection`] knows anything of the
//! protocol: they move bytes between sockets and wires, and items between wires and the server. What the server tells
//! goes to an [`App`].
//!
//! mio reports *edges*: readiness is told once, so it is kept (`is_readable`, `is_writable`) until the system says that
//! there is no more. On epoll and kqueue a read or write that falls short says so as well, which saves half of the reads;
//! on Windows only `WouldBlock` does.

// core/clippy.toml keeps clocks and sockets out of the core itself; they are the caller's, so here they are.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use mio::event::Event as Readiness;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use socketio_core::eio::{ConnId, Peer};
use socketio_core::sio::{Encoder, SocketIo};
use socketio_core::wire::{Codec, Flow, Item, Plain, Wire};
use socketio_core::{OutBuf, eio, sio};

#[path = "epoll/apps.rs"]
pub mod apps;

/// Room for reads, and with how little of it left there is a new buffer.
const READ: usize = 32 * 1024;
const LEAST_READ: usize = 8 * 1024;
/// Items of one turn: nobody waits longer for others.
const ITEMS: usize = 64;
/// While nothing may be handed over, so much is read that the end of the stream is seen.
const READ_AHEAD: usize = 64 * 1024;
/// With this much unwritten a peer is heard no further: who sends without reading the answers waits.
const BACKLOG: usize = 256 * 1024;
/// Slices of one vectored write.
const SLICES: usize = 64;
/// How long a connection that closes may take to write what is left and to see the peer's end. Whenever the peer has
/// taken `LAST_WORDS_PACE` bytes the time starts anew. Of what the peer still sends, `LAST_READ` bytes are discarded.
const LAST_WORDS: Duration = Duration::from_secs(5);
const LAST_WORDS_PACE: usize = 64 * 1024;
const LAST_READ: usize = 4 * 1024 * 1024;
/// Connections accepted in one round, and how long accepting pauses when the system has no room for more.
const ACCEPTS: usize = 64;
const NO_ROOM: Duration = Duration::from_millis(50);

const LISTENER: Token = Token(usize::MAX);

/// What is done with what a server tells.
pub trait App {
    /// The server below: Socket.IO, or Engine.IO alone.
    type Server: Server;

    /// Makes the server. All chance it will ever have is `seed`.
    fn server(&mut self, seed: [u8; 32], now: Instant) -> Self::Server;

    /// Something happened. Whatever the server is asked to do here is seen to at once.
    fn handle(&mut self, context: &mut Context<Self::Server>, event: <Self::Server as Server>::Event);
}

/// What an application works with: the server, and what its verbs take.
pub struct Context<S> {
    /// The server.
    pub server: S,
    /// Makes packets for it.
    pub encoder: Encoder,
    /// When this round of the loop began.
    pub now: Instant,
}

/// What the loop asks of [`sio::Server`] and [`eio::Server`], which have all of it under the same names.
#[allow(missing_docs)]
pub trait Server {
    type Codec: Codec;
    type Event;

    fn try_open(&mut self, now: Instant, peer: Peer) -> Option<ConnId>;
    fn wire(&self) -> Wire<Self::Codec>;
    fn handle_item(&mut self, now: Instant, id: ConnId, item: ItemOf<Self::Codec>);
    fn handle_lost(&mut self, now: Instant, id: ConnId);
    fn handle_timeout(&mut self, now: Instant);
    fn poll_event(&mut self) -> Option<Self::Event>;
    fn poll_ready(&mut self) -> Option<ConnId>;
    fn poll_transmit(&mut self, id: ConnId, wire: &mut Wire<Self::Codec>);
    fn poll_timeout(&self) -> Option<Instant>;
    fn recycle(&mut self, buffer: OutBuf);
}

type ItemOf<C> = Item<<C as Codec>::Message>;

// Each method is the server's own of that name.
#[rustfmt::skip]
macro_rules! impl_server {
    ($server:ty, $codec:ty, $event:ty) => {
        impl Server for $server {
            type Codec = $codec;
            type Event = $event;

            fn try_open(&mut self, now: Instant, peer: Peer) -> Option<ConnId> { self.try_open(now, peer) }
            fn wire(&self) -> Wire<$codec> { self.wire() }
            fn handle_item(&mut self, now: Instant, id: ConnId, item: ItemOf<$codec>) { self.handle_item(now, id, item); }
            fn handle_lost(&mut self, now: Instant, id: ConnId) { self.handle_lost(now, id); }
            fn handle_timeout(&mut self, now: Instant) { self.handle_timeout(now); }
            fn poll_event(&mut self) -> Option<$event> { self.poll_event() }
            fn poll_ready(&mut self) -> Option<ConnId> { self.poll_ready() }
            fn poll_transmit(&mut self, id: ConnId, wire: &mut Wire<$codec>) { self.poll_transmit(id, wire); }
            fn poll_timeout(&self) -> Option<Instant> { self.poll_timeout() }
            fn recycle(&mut self, buffer: OutBuf) { self.recycle(buffer); }
        }
    };
}

impl_server!(sio::Server, SocketIo, sio::Event);
impl_server!(eio::Server, Plain, eio::Event);

/// Serves `app` to whoever connects to `listener`. Returns only when polling or the listener fails for good.
pub fn run<A: App>(listener: std::net::TcpListener, app: A) -> io::Result<()> {
    let mut events = Events::with_capacity(1_024);
    let mut all = Loop::new(listener, app)?;
    loop {
        match all.poll.poll(&mut events, all.patience()) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => all.hub.context.now = Instant::now(),
        }
        all.handle_deadlines();
        for event in &events {
            all.handle_readiness(event);
        }
        all.accept()?;
        all.take_turns();
        all.settle();
    }
}

struct Loop<A: App> {
    poll: Poll,
    listener: TcpListener,
    accepting: Accepting,
    /// By the index of their ids.
    connections: Vec<Option<Connection<CodecOf<A>>>>,
    hub: Hub<A>,
}

/// What the connections share.
struct Hub<A: App> {
    app: A,
    context: Context<A::Server>,
    /// What everybody reads into, one after the other: initialised bytes, of which the wires cut off what was read.
    buffer: BytesMut,
    /// Connections that have something to do in the next round, each once.
    turns: VecDeque<ConnId>,
    /// When closing connections are cut off. All wait equally long, so the first is due first.
    last_words: VecDeque<(Instant, ConnId)>,
}

enum Accepting {
    /// Until the listener is readable.
    Asleep,
    Ready,
    /// The system has no room for another connection.
    Paused {
        until: Instant,
    },
}

type CodecOf<A> = <<A as App>::Server as Server>::Codec;

impl<A: App> Loop<A> {
    fn new(listener: std::net::TcpListener, mut app: A) -> io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        let now = Instant::now();
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let context = Context {
            server: app.server(seed, now),
            encoder: Encoder::new(),
            now,
        };
        let hub = Hub {
            app,
            context,
            buffer: BytesMut::new(),
            turns: VecDeque::new(),
            last_words: VecDeque::new(),
        };
        Ok(Self {
            poll,
            listener,
            accepting: Accepting::Ready,
            connections: Vec::new(),
            hub,
        })
    }

    /// How long to sleep at most.
    fn patience(&self) -> Option<Duration> {
        if !self.hub.turns.is_empty() || matches!(self.accepting, Accepting::Ready) {
            return Some(Duration::ZERO);
        }
        let last_words = self.hub.last_words.front().map(|(deadline, _)| *deadline);
        let accepting = match self.accepting {
            Accepting::Paused { until } => Some(until),
            Accepting::Asleep | Accepting::Ready => None,
        };
        let due = [self.hub.context.server.poll_timeout(), last_words, accepting]
            .into_iter()
            .flatten()
            .min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn handle_deadlines(&mut self) {
        let now = self.hub.context.now;
        self.hub.context.server.handle_timeout(now);
        while let Some((deadline, id)) = self.hub.last_words.front().copied() {
            if deadline > now {
                break;
            }
            self.hub.last_words.pop_front();
            let (connection, _) = self.find(id);
            if connection.is_some_and(|connection| connection.is_cut_off(now)) {
                self.lose(id);
            }
        }
        if matches!(self.accepting, Accepting::Paused { until } if until <= now) {
            self.accepting = Accepting::Ready;
        }
    }

    fn handle_readiness(&mut self, event: &Readiness) {
        if event.token() == LISTENER {
            self.accepting = Accepting::Ready;
        } else if let Some(Some(connection)) = self.connections.get_mut(event.token().0) {
            // It may be the successor of the one that was meant; a turn for nothing does no harm.
            connection.is_readable |= event.is_readable() || event.is_read_closed() || event.is_error();
            connection.is_writable |= event.is_writable() || event.is_write_closed() || event.is_error();
            connection.is_hung_up |= event.is_read_closed() || event.is_error();
            connection.ask_for_turn(&mut self.hub);
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            if !matches!(self.accepting, Accepting::Ready) {
                break;
            }
            match self.listener.accept() {
                Ok((stream, address)) => self.admit(stream, address),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.accepting = Accepting::Asleep,
                    // The peer was gone before it was accepted.
                    ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted => {}
                    ErrorKind::InvalidInput | ErrorKind::NotConnected => return Err(error),
                    _ => {
                        self.accepting = Accepting::Paused {
                            until: self.hub.context.now + NO_ROOM,
                        }
                    }
                },
            }
        }
        Ok(())
    }

    fn admit(&mut self, mut stream: TcpStream, address: SocketAddr) {
        let Context { server, now, .. } = &mut self.hub.context;
        // Without a handle there are far too many: closing the stream has to say so.
        let Some(id) = server.try_open(*now, address.into()) else {
            return;
        };
        // Without it small messages wait for others; a stream that refuses will fail soon enough.
        let _ = stream.set_nodelay(true);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self
            .poll
            .registry()
            .register(&mut stream, Token(id.index()), interest)
            .is_err()
        {
            return server.handle_lost(*now, id);
        }
        if id.index() >= self.connections.len() {
            self.connections.resize_with(id.index() + 1, || None);
        }
        self.connections[id.index()] = Some(Connection::new(id, stream, server.wire()));
    }

    /// One turn for each connection that has asked for one until now.
    fn take_turns(&mut self) {
        for _ in 0..self.hub.turns.len() {
            let Some(id) = self.hub.turns.pop_front() else {
                break;
            };
            let (connection, hub) = self.find(id);
            if connection.is_some_and(|connection| connection.turn(hub).is_err()) {
                self.lose(id);
            }
        }
    }

    /// Lets the application answer and connections send until nobody has anything left.
    fn settle(&mut self) {
        loop {
            self.hub.tell();
            let Some(id) = self.hub.context.server.poll_ready() else {
                break;
            };
            let (connection, hub) = self.find(id);
            let Some(connection) = connection else { continue };
            match connection.flush(hub) {
                Ok(true) => connection.ask_for_turn(hub),
                Ok(false) => {}
                Err(_) => self.lose(id),
            }
        }
    }

    /// Forgets a connection; dropping the stream closes it.
    fn lose(&mut self, id: ConnId) {
        self.connections[id.index()] = None;
        self.hub.context.server.handle_lost(self.hub.context.now, id);
    }

    /// Its index may be another connection's by now, which is why the ids are compared.
    fn find(&mut self, id: ConnId) -> (Option<&mut Connection<CodecOf<A>>>, &mut Hub<A>) {
        let connection = self.connections.get_mut(id.index()).and_then(Option::as_mut);
        (connection.filter(|connection| connection.id == id), &mut self.hub)
    }
}

impl<A: App> Hub<A> {
    /// Tells the application everything there is to tell.
    fn tell(&mut self) {
        while let Some(event) = self.context.server.poll_event() {
            self.app.handle(&mut self.context, event);
        }
    }
}

struct Connection<C> {
    id: ConnId,
    stream: TcpStream,
    wire: Wire<C>,
    output: OutBuf,
    flow: Flow,
    is_readable: bool,
    is_writable: bool,
    /// The system has announced the end of the stream, so a read that falls short was not the last.
    is_hung_up: bool,
    /// The peer has ended its side. What it sent before is handed over first.
    has_ended: bool,
    /// The last turn was over before the wire was empty.
    has_items: bool,
    has_asked: bool,
    closing: Option<Closing>,
}

struct Closing {
    deadline: Instant,
    /// What was left to write when the deadline was set.
    unwritten: usize,
    discarded: usize,
    is_shut: bool,
}

/// In all of it an error means that the connection is over.
impl<C: Codec> Connection<C> {
    fn new(id: ConnId, stream: TcpStream, wire: Wire<C>) -> Self {
        Self {
            id,
            stream,
            wire,
            output: OutBuf::new(),
            flow: Flow::Open,
            is_readable: false,
            is_writable: true,
            is_hung_up: false,
            has_ended: false,
            has_items: false,
            has_asked: false,
            closing: None,
        }
    }

    fn ask_for_turn<A: App>(&mut self, hub: &mut Hub<A>) {
        if !self.has_asked {
            self.has_asked = true;
            hub.turns.push_back(self.id);
        }
    }

    /// Reads at most once, hands over a batch of what was read, and writes.
    fn turn<A: App<Server: Server<Codec = C>>>(&mut self, hub: &mut Hub<A>) -> io::Result<()> {
        self.has_asked = false;
        if self.may_read() {
            self.read(&mut hub.buffer)?;
        }
        let mut budget = ITEMS;
        loop {
            let before = budget;
            self.hand_over(hub, &mut budget);
            // Answers let the next request in, so ask again after them.
            let may_go_on = self.flush(hub)? || budget < before;
            if budget == 0 || !may_go_on {
                break;
            }
        }
        self.has_items = budget == 0;
        if self.has_ended && !self.has_items {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if self.has_items || self.may_read() {
            self.ask_for_turn(hub);
        }
        Ok(())
    }

    /// Whether nothing may be handed over before something was answered or written.
    fn is_waiting(&self) -> bool {
        self.flow == Flow::Paused || self.output.len() >= BACKLOG
    }

    fn may_read(&self) -> bool {
        let has_room = !self.is_waiting() || self.wire.buffered() < READ_AHEAD;
        self.is_readable && !self.has_ended && !self.has_items && has_room
    }

    fn read(&mut self, buffer: &mut BytesMut) -> io::Result<()> {
        if buffer.len() < LEAST_READ {
            buffer.clear();
            // Nobody holds messages out of it any more, mostly, and the same memory serves again.
            if !buffer.try_reclaim(READ) {
                *buffer = BytesMut::with_capacity(READ);
            }
            buffer.resize(READ, 0);
        }
        match self.stream.read(buffer) {
            Ok(0) => self.has_ended = true,
            Ok(count) => {
                self.is_readable = count == buffer.len() || self.is_hung_up || cfg!(windows);
                self.wire.handle_input(&mut buffer.split_to(count));
                if let Some(closing) = &mut self.closing {
                    // The wire has discarded it.
                    closing.discarded += count;
                    if closing.discarded > LAST_READ {
                        return Err(ErrorKind::ConnectionAborted.into());
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_readable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // It was reset; what came before is still handed over.
            Err(_) => (self.has_ended, self.is_writable) = (true, false),
        }
        Ok(())
    }

    /// Hands items to the server and what they lead to to the application.
    fn hand_over<A: App<Server: Server<Codec = C>>>(&mut self, hub: &mut Hub<A>, budget: &mut usize) {
        while *budget > 0 && (self.has_ended || self.output.len() < BACKLOG) {
            let Some(item) = self.wire.poll_item() else { break };
            *budget -= 1;
            hub.context.server.handle_item(hub.context.now, self.id, item);
            hub.tell();
        }
    }

    /// Writes what there is for the peer; whether more may be handed over than before.
    fn flush<A: App<Server: Server<Codec = C>>>(&mut self, hub: &mut Hub<A>) -> io::Result<bool> {
        let was_waiting = self.is_waiting();
        loop {
            hub.context.server.poll_transmit(self.id, &mut self.wire);
            self.flow = self.wire.poll_output(&mut self.output);
            if self.output.is_empty() || !self.is_writable {
                break;
            }
            self.write()?;
            // Now the wire knows what was written and the server may have more.
            let _ = self.wire.poll_output(&mut self.output);
        }
        if let Some(spare) = self.output.take_spare() {
            hub.context.server.recycle(spare);
        }
        if self.flow == Flow::Closing {
            self.close(hub)?;
        }
        Ok(was_waiting && !self.is_waiting())
    }

    fn write(&mut self) -> io::Result<()> {
        let first = self.output.chunk();
        let (offered, outcome) = if first.len() == self.output.len() {
            (first.len(), self.stream.write(first))
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = self.output.chunks_vectored(&mut slices);
            let slices = &slices[..count];
            (
                slices.iter().map(|slice| slice.len()).sum(),
                self.stream.write_vectored(slices),
            )
        };
        match outcome {
            Ok(written) => {
                self.is_writable = written == offered || cfg!(windows);
                self.output.advance(written);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_writable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The last words are on their way: when they are written the peer is told so, and heard until it has ended its
    /// side too. Closing with unread input would make it lose what it has not read yet.
    fn close<A: App>(&mut self, hub: &mut Hub<A>) -> io::Result<()> {
        let left = self.output.len();
        let closing = self.closing.get_or_insert(Closing {
            deadline: hub.context.now,
            unwritten: usize::MAX,
            discarded: 0,
            is_shut: false,
        });
        if closing.unwritten.saturating_sub(left) >= LAST_WORDS_PACE {
            (closing.deadline, closing.unwritten) = (hub.context.now + LAST_WORDS, left);
            hub.last_words.push_back((closing.deadline, self.id));
        }
        if left == 0 && !closing.is_shut {
            closing.is_shut = true;
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    fn is_cut_off(&self, now: Instant) -> bool {
        self.closing
            .as_ref()
            .is_some_and(|closing| closing.deadline <= now)
    }
}

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1);
    let (mut app, mut port) = (String::from("suite"), 3000);
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match option.as_str() {
            "--app" => app = value,
            "--port" => port = value.parse().map_err(io::Error::other)?,
            "--lifeline" if value == "stdin" => end_with_stdin(),
            // What other servers that are tested and measured alike understand.
            "--threads" | "--data" | "--binding" => {}
            _ => return Err(io::Error::other(format!("there is no option {option} {value}"))),
        }
    }
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("listening on {}", listener.local_addr()?);
    match app.as_str() {
        "engine" => run(listener, apps::Engine(apps::Pace::Patient)),
        "hurried-engine" => run(listener, apps::Engine(apps::Pace::Hurried)),
        "suite" => run(listener, apps::Suite::new(apps::Pace::Patient)),
        "hurried-suite" => run(listener, apps::Suite::new(apps::Pace::Hurried)),
        "bench" => run(listener, apps::Bench::default()),
        _ => Err(io::Error::other(format!(
            "there is no app {app}: choose engine, suite, hurried-engine, hurried-suite or bench"
        ))),
    }
}

/// Ends this process when its standard input ends, however the process at the other end did.
fn end_with_stdin() {
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
}
