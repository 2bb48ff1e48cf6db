//! Messages between clients and a server through a proxy, and a record of all that was sent and received.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use socketio_driver::client::{Client, ClientReason, ConnectionEvent, TransportOrder};
use socketio_driver::{Args, Auth, ClientSocket, Reason, Server, Socket, State, Transport, engine};
use socketio_world::proxy::{Proxy, ProxyConfig, ProxyStatistics};
use socketio_world::random::Random;
use socketio_world::{Host, NetworkConditions, World};

/// The host of the first client; the others follow.
const FIRST_HOST: u8 = 10;

/// A proxy, clients, and how they exchange messages with the server.
#[derive(Clone)]
pub(crate) struct Traffic {
    pub(crate) config: ProxyConfig,
    pub(crate) clients: Vec<TransportOrder>,
    /// Ping interval and ping timeout.
    pub(crate) heartbeat: (Duration, Duration),
    /// How often messages are sent.
    pub(crate) rounds: usize,
    /// The time between two rounds.
    pub(crate) pause: Range<Duration>,
    /// After half of the rounds nothing arrives on the open connections of this client any more.
    pub(crate) silent: Option<usize>,
}

/// One socket: a client from connecting to disconnecting.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) client_index: usize,
    pub(crate) client_sent: Vec<u64>,
    pub(crate) server_received: Vec<u64>,
    pub(crate) server_sent: Vec<u64>,
    pub(crate) client_received: Vec<u64>,
    /// Why it ended at the client.
    pub(crate) client_end: Option<ClientReason>,
    /// Why it ended at the server.
    pub(crate) server_end: Option<Reason>,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) sessions: Vec<Session>,
    pub(crate) statistics: ProxyStatistics,
    /// By client, before they disconnected: the transport of those that were connected.
    pub(crate) transports: Vec<Option<Transport>>,
    /// By client: all that happened to its connections.
    pub(crate) events: Vec<Vec<ConnectionEvent>>,
    /// What went wrong, other than lost messages.
    pub(crate) failures: Vec<String>,
}

/// What the server and all clients record.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<RecordState>>);

#[derive(Default)]
struct RecordState {
    sessions: BTreeMap<String, Session>,
    sockets: BTreeMap<usize, Socket>,
    events: BTreeMap<usize, Vec<ConnectionEvent>>,
    failures: Vec<String>,
    last_number: u64,
}

/// The state of a client, and the id of its socket while it is connected.
#[derive(Clone)]
struct ClientState {
    record: Record,
    client_index: usize,
    id: Arc<Mutex<Option<String>>>,
}

impl ClientState {
    fn id(&self) -> MutexGuard<'_, Option<String>> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, RecordState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, id: &str, update: impl FnOnce(&mut Session)) {
        update(self.lock().sessions.entry(id.to_owned()).or_default());
    }

    fn fail(&self, failure: String) {
        self.lock().failures.push(failure);
    }

    fn next_number(&self) -> u64 {
        let mut state = self.lock();
        state.last_number += 1;
        state.last_number
    }
}

/// The event of every message. Its name, and that of the auth field, are part of every trace.
const EVENT: &str = "letter";
/// The auth field with the index of the client.
const CLIENT_INDEX: &str = "person";

/// The content of every message: the id of its socket, its number, and bytes that follow from the number.
type Message = (String, u64, Bytes);

fn new_message(id: &str, number: u64, random: &mut Random) -> Message {
    // Most messages are small; some take many segments.
    let size = match random.in_range(0..32) {
        0 => 40_000,
        1..4 => 3_000,
        size => size as usize * 7,
    };
    (id.to_owned(), number, content(number, size))
}

fn content(number: u64, size: usize) -> Bytes {
    (0..size)
        .map(|position| (position as u64 * 7 + number) as u8)
        .collect()
}

fn check_message(record: &Record, own_id: &str, (id, number, bytes): &Message) -> u64 {
    if id != own_id {
        record.fail(format!("{own_id} received a message for {id}"));
    }
    if *bytes != content(*number, bytes.len()) {
        record.fail(format!("message {number} was corrupted"));
    }
    *number
}

impl Traffic {
    /// Clients with all transports behind this proxy.
    pub(crate) fn through(config: ProxyConfig) -> Self {
        Self {
            config,
            clients: vec![
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

    pub(crate) fn with_clients(mut self, clients: &[TransportOrder]) -> Self {
        self.clients = clients.to_vec();
        self
    }

    /// Runs in the world of a seed; gives the trace as well.
    pub(crate) fn run(&self, seed: u64) -> (Report, u64) {
        let traffic = self.clone();
        World::run(seed, |world| async move { traffic.exchange(world).await })
    }

    async fn exchange(self, world: World) -> Report {
        let record = Record::default();
        let server = self.start_server(&world, &record);
        let proxy = start_proxy(&world, self.config.clone());
        let mut clients = Vec::new();
        for (client_index, order) in self.clients.iter().enumerate() {
            clients.push(self.connect_client(&world, &record, client_index, *order));
        }
        let mut random = world.random("party");
        for round in 0..self.rounds {
            if let Some(client_index) = self.silent.filter(|_| round == self.rounds / 2) {
                world.silence(&world.host(FIRST_HOST + client_index as u8));
            }
            world.sleep(random.time(&self.pause)).await;
            let client_index = random.length(0..clients.len());
            for _ in 0..random.length(1..4) {
                if random.once_in(2) {
                    client_emits(&record, &clients[client_index], &mut random);
                } else {
                    server_emits(&record, client_index, &mut random);
                }
            }
        }
        // Everything is received, lost connections are detected, and requests without a response time out.
        let (interval, timeout) = self.heartbeat;
        world.sleep(interval + timeout + Duration::from_secs(30)).await;
        let transports = clients.iter().map(|(client, _)| client.transport()).collect();
        for (client, state) in &clients {
            if client.connected() && state.id().is_none() {
                record.fail(format!(
                    "client {} is connected without an id",
                    state.client_index
                ));
            }
            client.disconnect();
        }
        world.sleep(Duration::from_secs(20)).await;
        drop(clients);
        check_nothing_is_left(&world, &record, &server, &proxy).await;
        let mut state = record.lock();
        state.sockets.clear();
        Report {
            sessions: std::mem::take(&mut state.sessions).into_values().collect(),
            statistics: proxy.statistics(),
            transports,
            events: std::mem::take(&mut state.events).into_values().collect(),
            failures: std::mem::take(&mut state.failures),
        }
    }

    fn start_server(&self, world: &World, record: &Record) -> Server {
        let server_host = world.host(2);
        let listener = server_host.listen(80).expect("the port is free");
        world.set_conditions(listener.address(), NetworkConditions::typical());
        let server = Server::builder()
            .state(record.clone())
            .ping_interval(self.heartbeat.0)
            .ping_timeout(self.heartbeat.1)
            .on_connect(on_server_connect)
            .on(EVENT, on_server_message)
            .on_disconnect(on_server_disconnect)
            .build();
        let (runtime, served) = (server_host.clone(), server.clone());
        server_host.run(async move {
            let _ = engine::serve(runtime, listener, served).await;
        });
        server
    }

    fn connect_client(
        &self,
        world: &World,
        record: &Record,
        client_index: usize,
        order: TransportOrder,
    ) -> (Client, ClientState) {
        let host = world.host(FIRST_HOST + client_index as u8);
        let state = ClientState {
            record: record.clone(),
            client_index,
            id: Arc::default(),
        };
        let builder = Client::builder("http://host-3")
            .state(state.clone())
            .transports(order)
            .retry_initial(true)
            .auth(&BTreeMap::from([(CLIENT_INDEX, client_index)]))
            .on_connect(on_client_connect)
            .on(EVENT, on_client_message)
            .on_disconnect(on_client_disconnect);
        let client = engine::start(host.clone(), builder).expect("it can be built");
        record_events(&host, &client, record.clone(), client_index);
        (client, state)
    }
}

fn on_server_connect(
    socket: Socket,
    State(record): State<Record>,
    Auth(auth): Auth<BTreeMap<String, usize>>,
) {
    let client_index = auth.get(CLIENT_INDEX).copied().unwrap_or(usize::MAX);
    record.update(socket.id().as_str(), |session| {
        session.client_index = client_index
    });
    record.lock().sockets.insert(client_index, socket);
}

fn on_server_message(socket: Socket, State(record): State<Record>, Args(message): Args<Message>) {
    let number = check_message(&record, socket.id().as_str(), &message);
    record.update(socket.id().as_str(), |session| {
        session.server_received.push(number)
    });
}

fn on_server_disconnect(socket: Socket, State(record): State<Record>, reason: Reason) {
    record.update(socket.id().as_str(), |session| session.server_end = Some(reason));
}

fn on_client_connect(socket: ClientSocket, State(state): State<ClientState>) {
    *state.id() = socket.id().map(|id| id.as_str().to_owned());
}

fn on_client_message(State(state): State<ClientState>, Args(message): Args<Message>) {
    let id = state.id().clone().unwrap_or_default();
    let number = check_message(&state.record, &id, &message);
    state
        .record
        .update(&id, |session| session.client_received.push(number));
}

fn on_client_disconnect(State(state): State<ClientState>, reason: ClientReason) {
    let id = state.id().take().unwrap_or_default();
    state
        .record
        .update(&id, |session| session.client_end = Some(reason));
}

fn record_events(host: &Host, client: &Client, record: Record, client_index: usize) {
    let mut events = client.events();
    host.run(async move {
        while let Some(event) = events.next().await {
            record.lock().events.entry(client_index).or_default().push(event);
        }
    });
}

fn start_proxy(world: &World, config: ProxyConfig) -> Proxy {
    let host = world.host(3);
    let address = SocketAddr::new(host.address(), 80);
    world.set_conditions(address, NetworkConditions::typical());
    let server = SocketAddr::new(world.host(2).address(), 80);
    config.start(world, &host, 80, server).expect("the port is free")
}

fn client_emits(record: &Record, (client, state): &(Client, ClientState), random: &mut Random) {
    let (Some(id), Some(own_id)) = (client.id(), state.id().clone()) else {
        return;
    };
    let number = record.next_number();
    if own_id == id.as_str() && client.emit(EVENT, &new_message(&own_id, number, random)).is_ok() {
        record.update(&own_id, |session| session.client_sent.push(number));
    }
}

fn server_emits(record: &Record, client_index: usize, random: &mut Random) {
    let socket = record.lock().sockets.get(&client_index).cloned();
    let Some(socket) = socket else { return };
    let number = record.next_number();
    if socket
        .emit(EVENT, &new_message(socket.id().as_str(), number, random))
        .is_ok()
    {
        record.update(socket.id().as_str(), |session| session.server_sent.push(number));
    }
}

/// Checks that no socket, connection, byte or task is left.
async fn check_nothing_is_left(world: &World, record: &Record, server: &Server, proxy: &Proxy) {
    if let Ok(sockets) = server.of("/").sockets()
        && !sockets.is_empty()
    {
        record.fail(format!("{} sockets are left", sockets.len()));
    }
    proxy.close();
    world.sleep(Duration::from_secs(20)).await;
    let load = world.load();
    if load != (0, 0) {
        record.fail(format!("connections and bytes are left: {load:?}"));
    }
    record.lock().sockets.clear();
    server.shutdown(Duration::ZERO).expect("it is serving");
    world.sleep(Duration::from_secs(20)).await;
    let tasks = world.tasks();
    if tasks != 1 {
        record.fail(format!("{} tasks are left", tasks - 1));
    }
}
