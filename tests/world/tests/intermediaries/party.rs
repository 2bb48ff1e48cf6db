//! Clients that talk with a server through an intermediary, and a book of all that was said and heard.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use socketio_driver::client::{Client, ClientReason, ConnectionEvent, TransportOrder};
use socketio_driver::{Args, Auth, ClientSocket, Reason, Server, Socket, State, Transport, engine};
use socketio_world::chance::Chance;
use socketio_world::intermediary::{Intermediary, Proxy, Tally};
use socketio_world::{Host, Weather, World};

/// The host of the first guest; the others follow.
const FIRST_HOST: u8 = 10;

/// What is to happen.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) quirks: Intermediary,
    pub(crate) guests: Vec<TransportOrder>,
    /// Time between two pings, and how long one may go unanswered.
    pub(crate) heartbeat: (Duration, Duration),
    /// How many times somebody says something.
    pub(crate) rounds: usize,
    /// Between two rounds.
    pub(crate) pause: Range<Duration>,
    /// After half of the rounds, what is sent on this guest's open connections arrives nowhere any more.
    pub(crate) silent: Option<usize>,
}

/// One socket: a client from joining to leaving.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) person: usize,
    pub(crate) said: Vec<u64>,
    pub(crate) taken: Vec<u64>,
    pub(crate) sent: Vec<u64>,
    pub(crate) heard: Vec<u64>,
    /// Why, as the client was told.
    pub(crate) client_end: Option<ClientReason>,
    /// Why, as the server was told.
    pub(crate) server_end: Option<Reason>,
}

/// How it went.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) sessions: Vec<Session>,
    pub(crate) tally: Tally,
    /// By guest, before they left: whether it was connected, and on what.
    pub(crate) transports: Vec<Option<Transport>>,
    /// By guest, all that happened to its connections.
    pub(crate) events: Vec<Vec<ConnectionEvent>>,
    /// What was wrong at once.
    pub(crate) wrongs: Vec<String>,
}

#[derive(Clone, Default)]
struct Book(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    sessions: BTreeMap<String, Session>,
    sockets: BTreeMap<usize, Socket>,
    events: BTreeMap<usize, Vec<ConnectionEvent>>,
    wrongs: Vec<String>,
    last: u64,
}

/// A guest's notes.
#[derive(Clone)]
struct Own {
    book: Book,
    person: usize,
    id: Arc<Mutex<Option<String>>>,
}

impl Own {
    fn id(&self) -> MutexGuard<'_, Option<String>> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on(&self, id: &str, note: impl FnOnce(&mut Session)) {
        note(self.lock().sessions.entry(id.to_owned()).or_default());
    }

    fn wrong(&self, wrong: String) {
        self.lock().wrongs.push(wrong);
    }

    fn number(&self) -> u64 {
        let mut pages = self.lock();
        pages.last += 1;
        pages.last
    }
}

/// What every message carries: for whom or from whom it is, its number, and bytes that follow from it.
type Letter = (String, u64, Bytes);

fn letter(id: &str, number: u64, chance: &mut Chance) -> Letter {
    // Most are small; some take many segments.
    let size = match chance.in_range(0..32) {
        0 => 40_000,
        1..4 => 3_000,
        size => size as usize * 7,
    };
    (id.to_owned(), number, filling(number, size))
}

fn filling(number: u64, size: usize) -> Bytes {
    (0..size).map(|place| (place as u64 * 7 + number) as u8).collect()
}

fn read(book: &Book, own: &str, (id, number, bytes): &Letter) -> u64 {
    if id != own {
        book.wrong(format!("{own} heard what was for {id}"));
    }
    if *bytes != filling(*number, bytes.len()) {
        book.wrong(format!("message {number} was spoiled"));
    }
    *number
}

impl Party {
    /// Guests of all kinds.
    pub(crate) fn of(quirks: Intermediary) -> Self {
        Self {
            quirks,
            guests: vec![
                TransportOrder::Polling,
                TransportOrder::PollingFirst,
                TransportOrder::WebSocketFirst,
                TransportOrder::WebSocket,
            ],
            heartbeat: (Duration::from_secs(6), Duration::from_secs(5)),
            rounds: 40,
            pause: Duration::ZERO..Duration::from_millis(1_500),
            silent: None,
        }
    }

    pub(crate) fn with_guests(mut self, guests: &[TransportOrder]) -> Self {
        self.guests = guests.to_vec();
        self
    }

    /// Takes place in the world of a seed; gives the trace as well.
    pub(crate) fn take_place(&self, seed: u64) -> (Story, u64) {
        let party = self.clone();
        World::run(seed, |world| async move { party.run(world).await })
    }

    async fn run(self, world: World) -> Story {
        let book = Book::default();
        let server = self.open_house(&world, &book);
        let proxy = open_intermediary(&world, self.quirks.clone());
        let mut guests = Vec::new();
        for (person, order) in self.guests.iter().enumerate() {
            guests.push(self.invite(&world, &book, person, *order));
        }
        let mut chance = world.chance("party");
        for round in 0..self.rounds {
            if let Some(person) = self.silent.filter(|_| round == self.rounds / 2) {
                world.silence(&world.host(FIRST_HOST + person as u8));
            }
            world.sleep(chance.time(&self.pause)).await;
            let person = chance.length(0..guests.len());
            for _ in 0..chance.length(1..4) {
                if chance.once_in(2) {
                    say(&book, &guests[person], &mut chance);
                } else {
                    send(&book, person, &mut chance);
                }
            }
        }
        // Everything is heard, lost connections are noticed, requests that are not answered are given up.
        let (interval, timeout) = self.heartbeat;
        world.sleep(interval + timeout + Duration::from_secs(30)).await;
        let transports = guests.iter().map(|(client, _)| client.transport()).collect();
        for (client, own) in &guests {
            if client.connected() && own.id().is_none() {
                book.wrong(format!("guest {} is connected without an id", own.person));
            }
            client.disconnect();
        }
        world.sleep(Duration::from_secs(20)).await;
        drop(guests);
        clean_up(&world, &book, &server, &proxy).await;
        let mut pages = book.lock();
        pages.sockets.clear();
        Story {
            sessions: std::mem::take(&mut pages.sessions).into_values().collect(),
            tally: proxy.tally(),
            transports,
            events: std::mem::take(&mut pages.events).into_values().collect(),
            wrongs: std::mem::take(&mut pages.wrongs),
        }
    }

    fn open_house(&self, world: &World, book: &Book) -> Server {
        let house = world.host(2);
        let listener = house.listen(80).expect("the port is free");
        world.set_weather(listener.address(), Weather::fair());
        let server = Server::builder()
            .state(book.clone())
            .ping_interval(self.heartbeat.0)
            .ping_timeout(self.heartbeat.1)
            .on_connect(server_connects)
            .on("letter", server_reads)
            .on_disconnect(server_parts)
            .build();
        let (runtime, served) = (house.clone(), server.clone());
        house.run(async move {
            let _ = engine::serve(runtime, listener, served).await;
        });
        server
    }

    fn invite(&self, world: &World, book: &Book, person: usize, order: TransportOrder) -> (Client, Own) {
        let host = world.host(FIRST_HOST + person as u8);
        let own = Own {
            book: book.clone(),
            person,
            id: Arc::default(),
        };
        let builder = Client::builder("http://host-3")
            .state(own.clone())
            .transports(order)
            .retry_initial(true)
            .auth(&BTreeMap::from([("person", person)]))
            .on_connect(guest_connects)
            .on("letter", guest_reads)
            .on_disconnect(guest_parts);
        let client = engine::start(host.clone(), builder).expect("it can be built");
        observe(&host, &client, book.clone(), person);
        (client, own)
    }
}

fn server_connects(socket: Socket, State(book): State<Book>, Auth(who): Auth<BTreeMap<String, usize>>) {
    let person = who.get("person").copied().unwrap_or(usize::MAX);
    book.on(socket.id().as_str(), |session| session.person = person);
    book.lock().sockets.insert(person, socket);
}

fn server_reads(socket: Socket, State(book): State<Book>, Args(letter): Args<Letter>) {
    let number = read(&book, socket.id().as_str(), &letter);
    book.on(socket.id().as_str(), |session| session.taken.push(number));
}

fn server_parts(socket: Socket, State(book): State<Book>, reason: Reason) {
    book.on(socket.id().as_str(), |session| session.server_end = Some(reason));
}

fn guest_connects(socket: ClientSocket, State(own): State<Own>) {
    *own.id() = socket.id().map(|id| id.as_str().to_owned());
}

fn guest_reads(State(own): State<Own>, Args(letter): Args<Letter>) {
    let id = own.id().clone().unwrap_or_default();
    let number = read(&own.book, &id, &letter);
    own.book.on(&id, |session| session.heard.push(number));
}

fn guest_parts(State(own): State<Own>, reason: ClientReason) {
    let id = own.id().take().unwrap_or_default();
    own.book.on(&id, |session| session.client_end = Some(reason));
}

fn observe(host: &Host, client: &Client, book: Book, person: usize) {
    let mut events = client.events();
    host.run(async move {
        while let Some(event) = events.next().await {
            book.lock().events.entry(person).or_default().push(event);
        }
    });
}

fn open_intermediary(world: &World, quirks: Intermediary) -> Proxy {
    let host = world.host(3);
    let address = SocketAddr::new(host.address(), 80);
    world.set_weather(address, Weather::fair());
    let server = SocketAddr::new(world.host(2).address(), 80);
    quirks.open(world, &host, 80, server).expect("the port is free")
}

fn say(book: &Book, (client, own): &(Client, Own), chance: &mut Chance) {
    let (Some(id), Some(known)) = (client.id(), own.id().clone()) else {
        return;
    };
    let number = book.number();
    if known == id.as_str() && client.emit("letter", &letter(&known, number, chance)).is_ok() {
        book.on(&known, |session| session.said.push(number));
    }
}

fn send(book: &Book, person: usize, chance: &mut Chance) {
    let socket = book.lock().sockets.get(&person).cloned();
    let Some(socket) = socket else { return };
    let number = book.number();
    if socket
        .emit("letter", &letter(socket.id().as_str(), number, chance))
        .is_ok()
    {
        book.on(socket.id().as_str(), |session| session.sent.push(number));
    }
}

/// Nothing may be left: no socket, no connection, no byte, no task.
async fn clean_up(world: &World, book: &Book, server: &Server, proxy: &Proxy) {
    if let Ok(sockets) = server.of("/").sockets()
        && !sockets.is_empty()
    {
        book.wrong(format!("{} sockets are left", sockets.len()));
    }
    proxy.close();
    world.sleep(Duration::from_secs(20)).await;
    let load = world.load();
    if load != (0, 0) {
        book.wrong(format!("connections and bytes are left: {load:?}"));
    }
    book.lock().sockets.clear();
    server.shutdown(Duration::ZERO).expect("it is served");
    world.sleep(Duration::from_secs(20)).await;
    let tasks = world.tasks();
    if tasks != 1 {
        book.wrong(format!("{} tasks are left", tasks - 1));
    }
}
