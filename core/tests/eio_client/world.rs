//! A client, its connections, a server at their other ends or the test itself, and a clock the test owns.

use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::eio::client::{self, Client, Config, Target};
use socketio_core::eio::{self, ConnId, Peer, Server, Transport};
use socketio_core::http::Headers;
use socketio_core::wire::{ClientItem, ClientWire, Flow, Item, Plain, Wire};
use std::time::{Duration, Instant};

mod applications;

pub(crate) struct World {
    pub(crate) client: Client,
    /// Without one the test writes the other end's bytes.
    pub(crate) server: Option<Server>,
    pub(crate) now: Instant,
    pub(crate) links: Vec<Link>,
    /// Events that no test has taken yet.
    pub(crate) events: Vec<client::Event>,
    pub(crate) server_events: Vec<eio::Event>,
    pub(crate) dialling: Dialling,
    /// How many bytes one read brings at most.
    pub(crate) read_size: usize,
    pub(crate) network: Network,
}

/// Whether the network takes what the client writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    Takes,
    Stalls,
}

/// What becomes of connections the client asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialling {
    Succeeds,
    Fails,
    Hangs,
}

/// One connection and the bytes under way on it.
pub(crate) struct Link {
    pub(crate) id: ConnId,
    pub(crate) transport: Transport,
    pub(crate) state: LinkState,
    wire: Option<ClientWire<Plain>>,
    out: OutBuf,
    server: Option<ServerEnd>,
    up: Pipe,
    down: Pipe,
}

struct ServerEnd {
    id: ConnId,
    wire: Wire<Plain>,
    out: OutBuf,
}

/// How the client sees a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    Dialling,
    Open,
    /// It has ended its side.
    Closing,
    Gone,
}

#[derive(Default)]
struct Pipe {
    bytes: BytesMut,
    has_ended: bool,
    /// Its end was read, too.
    is_over: bool,
}

/// Something that can happen next.
#[derive(Clone, Copy)]
enum Move {
    Make(usize),
    Up(usize),
    Down(usize),
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn target() -> Target {
    Target {
        authority: "a".to_owned(),
        security: client::Security::Plain,
        query: Vec::new(),
        headers: Headers::new(),
    }
}

impl World {
    /// A client and our own server.
    pub(crate) fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config, &mut eio::Config)) -> Self {
        let (mut config, mut server) = (Config::default(), eio::Config::default());
        change(&mut config, &mut server);
        let mut world = Self::scripted_with(|own| *own = config);
        world.server = Some(Server::new(server, [7; 32], world.now));
        world
    }

    /// A client, and a server whose bytes the test writes.
    pub(crate) fn scripted() -> Self {
        Self::scripted_with(|_| {})
    }

    pub(crate) fn scripted_with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        #[allow(clippy::disallowed_methods)] // The one reading of the clock, from which a test counts.
        let now = Instant::now();
        Self {
            client: Client::new(config, [9; 32], now),
            server: None,
            now,
            links: Vec::new(),
            events: Vec::new(),
            server_events: Vec::new(),
            dialling: Dialling::Succeeds,
            read_size: usize::MAX,
            network: Network::Takes,
        }
    }

    pub(crate) fn connect(&mut self) {
        self.connect_to(target());
    }

    pub(crate) fn connect_to(&mut self, target: Target) {
        assert!(self.client.connect(self.now, target));
        self.settle();
    }

    /// Everything under way arrives, until nothing moves any more.
    pub(crate) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100_000, "it never comes to rest");
            self.pump();
            let Some(next) = self.moves().into_iter().next() else {
                return;
            };
            self.perform(next, self.read_size);
        }
    }

    /// One of the things that can happen next happens; `false` when there is none.
    pub(crate) fn step(&mut self, choice: usize, size: usize) -> bool {
        self.pump();
        let moves = self.moves();
        let Some(next) = moves.get(choice % moves.len().max(1)) else {
            return false;
        };
        self.perform(*next, size);
        self.pump();
        true
    }

    /// Time passes, and timers fire on every deadline.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.settle();
        for wakes in 0.. {
            assert!(wakes < 10_000, "a deadline is due for ever");
            let Some(deadline) = self.next_deadline().filter(|deadline| *deadline <= end) else {
                break;
            };
            self.now = self.now.max(deadline);
            self.fire();
            self.settle();
        }
        self.now = end;
        self.fire();
        self.settle();
    }

    /// The network takes what the client has written meanwhile.
    pub(crate) fn resume(&mut self) {
        self.network = Network::Takes;
        for index in 0..self.links.len() {
            self.pump_link(index);
        }
        self.settle();
    }

    /// Time passes and nobody calls the client.
    pub(crate) fn sleep_through(&mut self, duration: Duration) {
        self.now += duration;
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let server = self.server.as_ref().and_then(Server::poll_timeout);
        self.client.poll_timeout().into_iter().chain(server).min()
    }

    pub(crate) fn fire(&mut self) {
        self.client.handle_timeout(self.now);
        if let Some(server) = &mut self.server {
            server.handle_timeout(self.now);
        }
        self.pump();
    }

    fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        for (index, link) in self.links.iter().enumerate() {
            if link.state == LinkState::Dialling && self.dialling != Dialling::Hangs {
                moves.push(Move::Make(index));
            }
            if link.server.is_some() && link.up.has_more() {
                moves.push(Move::Up(index));
            }
            if matches!(link.state, LinkState::Open | LinkState::Closing) && link.down.has_more() {
                moves.push(Move::Down(index));
            }
        }
        moves
    }

    fn perform(&mut self, next: Move, size: usize) {
        match next {
            Move::Make(index) if self.dialling == Dialling::Fails => self.lose(index),
            Move::Make(index) => self.make(index),
            Move::Up(index) => self.deliver_up(index, size),
            Move::Down(index) => self.deliver_down(index, size),
        }
    }

    /// A connection is made.
    pub(crate) fn make(&mut self, index: usize) {
        let link = &mut self.links[index];
        if !self.client.handle_open(self.now, link.id) {
            link.state = LinkState::Gone;
            return;
        }
        link.state = LinkState::Open;
        link.wire = Some(self.client.wire());
        link.server = self.server.as_mut().map(|server| ServerEnd {
            id: server.open(self.now, Peer::Unknown),
            wire: Wire::new(server.config().wire(), Plain),
            out: OutBuf::new(),
        });
        self.pump();
    }

    fn deliver_up(&mut self, index: usize, size: usize) {
        let (link, server) = (&mut self.links[index], self.server.as_mut().unwrap());
        let end = link.server.as_mut().unwrap();
        if link.up.bytes.is_empty() {
            link.up.is_over = true;
            link.down.has_ended = true;
            server.handle_lost(self.now, end.id);
            link.server = None;
            return;
        }
        let count = link.up.bytes.len().min(size.max(1));
        end.wire.handle_input(&mut link.up.bytes.split_to(count));
        let id = end.id;
        while let Some(item) = self.poll_server_item(index) {
            self.server.as_mut().unwrap().handle_item(self.now, id, item);
            self.pump_server();
        }
    }

    fn poll_server_item(&mut self, index: usize) -> Option<Item> {
        self.links[index].server.as_mut()?.wire.poll_item()
    }

    fn deliver_down(&mut self, index: usize, size: usize) {
        let link = &mut self.links[index];
        let wire = link.wire.as_mut().unwrap();
        if link.down.bytes.is_empty() {
            link.down.is_over = true;
            wire.handle_end();
            self.handle_items(index);
            self.lose(index);
            return;
        }
        let count = link.down.bytes.len().min(size.max(1));
        wire.handle_input(&mut link.down.bytes.split_to(count));
        self.handle_items(index);
    }

    fn handle_items(&mut self, index: usize) {
        let id = self.links[index].id;
        while let Some(item) = self.poll_item(index) {
            self.client.handle_item(self.now, id, item);
            self.pump();
        }
    }

    fn poll_item(&mut self, index: usize) -> Option<ClientItem> {
        let link = &mut self.links[index];
        match link.state {
            LinkState::Open => link.wire.as_mut()?.poll_item(),
            LinkState::Dialling | LinkState::Closing | LinkState::Gone => None,
        }
    }

    /// The client's end of a connection disappears, or is never made.
    pub(crate) fn lose(&mut self, index: usize) {
        let link = &mut self.links[index];
        if link.state != LinkState::Gone {
            link.state = LinkState::Gone;
            link.wire = None;
            link.up.has_ended = true;
            self.client.handle_lost(self.now, link.id);
            self.pump();
        }
    }

    /// Both ends of a connection disappear, with everything under way.
    pub(crate) fn cut(&mut self, index: usize) {
        let link = &mut self.links[index];
        link.up.bytes.clear();
        link.down.bytes.clear();
        self.lose(index);
    }

    /// Does what drivers do after every call.
    pub(crate) fn pump(&mut self) {
        self.pump_client();
        self.pump_server();
    }

    fn pump_client(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
        while let Some(dial) = self.client.poll_dial() {
            self.links.push(Link {
                id: dial.connection,
                transport: dial.transport,
                state: LinkState::Dialling,
                wire: None,
                out: OutBuf::new(),
                server: None,
                up: Pipe::default(),
                down: Pipe::default(),
            });
        }
        while let Some(id) = self.client.poll_ready() {
            let position = self
                .links
                .iter()
                .position(|link| link.id == id && link.state != LinkState::Gone);
            let index = position.expect("a connection that is there");
            if self.links[index].state == LinkState::Dialling {
                assert!(!self.client.is_wanted(id));
                self.lose(index);
            } else {
                self.pump_link(index);
            }
        }
        while let Some(event) = self.client.poll_event() {
            assert!(
                matches!(event, client::Event::Ready),
                "writing tells nothing else"
            );
            self.events.push(event);
        }
    }

    fn pump_link(&mut self, index: usize) {
        let link = &mut self.links[index];
        let Some(wire) = &mut link.wire else { return };
        loop {
            self.client.poll_transmit(link.id, wire);
            let flow = wire.poll_output(&mut link.out);
            let count = match self.network {
                Network::Takes => link.out.len(),
                Network::Stalls => 0,
            };
            link.out
                .take(count, |piece| link.up.bytes.extend_from_slice(piece));
            if count > 0 {
                // Tells the wire how much is still unwritten.
                let _ = wire.poll_output(&mut link.out);
                continue;
            }
            if flow == Flow::Closing && link.out.is_empty() {
                link.state = LinkState::Closing;
                link.up.has_ended = true;
            }
            return;
        }
    }

    fn pump_server(&mut self) {
        let Some(server) = &mut self.server else { return };
        while let Some(event) = server.poll_event() {
            self.server_events.push(event);
        }
        while let Some(id) = server.poll_ready() {
            let position = self.links.iter().position(|link| link.is_of(id));
            let Some(link) = position.and_then(|index| self.links.get_mut(index)) else {
                continue;
            };
            let end = link.server.as_mut().unwrap();
            loop {
                server.poll_transmit(id, &mut end.wire);
                let flow = end.wire.poll_output(&mut end.out);
                let count = end.out.len();
                end.out
                    .take(count, |piece| link.down.bytes.extend_from_slice(piece));
                if count > 0 {
                    let _ = end.wire.poll_output(&mut end.out);
                    continue;
                }
                if flow == Flow::Closing {
                    link.down.has_ended = true;
                    link.server = None;
                    server.handle_lost(self.now, id);
                }
                break;
            }
        }
    }
}

impl Link {
    /// Bytes that the network has not taken.
    pub(crate) fn unwritten(&self) -> usize {
        self.out.len()
    }

    fn is_of(&self, id: ConnId) -> bool {
        self.server.as_ref().is_some_and(|end| end.id == id)
    }
}

impl Pipe {
    fn has_more(&self) -> bool {
        !self.bytes.is_empty() || (self.has_ended && !self.is_over)
    }
}

/// The other end as a test writes it.
impl World {
    /// What the client has sent on a connection since the last look.
    pub(crate) fn sent(&mut self, index: usize) -> String {
        String::from_utf8(self.links[index].up.bytes.split().to_vec()).expect("text")
    }

    /// What the client has sent on a connection since the last look, if it is not text.
    pub(crate) fn sent_bytes(&mut self, index: usize) -> BytesMut {
        self.links[index].up.bytes.split()
    }

    /// Bytes of the server arrive on a connection.
    pub(crate) fn receive(&mut self, index: usize, bytes: impl AsRef<[u8]>) {
        self.links[index].down.bytes.extend_from_slice(bytes.as_ref());
        self.settle();
    }

    /// The server answers with status 200.
    pub(crate) fn answer(&mut self, index: usize, body: &str) {
        self.answer_with(index, "200 OK", "", body);
    }

    pub(crate) fn answer_with(&mut self, index: usize, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
        self.receive(index, head + body);
    }

    /// The server ends its side of a connection.
    pub(crate) fn end(&mut self, index: usize) {
        self.links[index].down.has_ended = true;
        self.settle();
    }

    /// Bytes of the server and the end of its side arrive, and the client reads both at once.
    pub(crate) fn answer_and_end(&mut self, index: usize, bytes: &str) {
        let wire = self.links[index].wire.as_mut().unwrap();
        wire.handle_input(&mut BytesMut::from(bytes));
        wire.handle_end();
        self.handle_items(index);
        self.lose(index);
        self.settle();
    }

    /// Whether the client has closed a connection.
    pub(crate) fn is_closed(&self, index: usize) -> bool {
        matches!(self.links[index].state, LinkState::Closing | LinkState::Gone)
    }

    /// The transports of the connections that were asked for.
    pub(crate) fn dialled(&self) -> Vec<Transport> {
        self.links.iter().map(|link| link.transport).collect()
    }
}
