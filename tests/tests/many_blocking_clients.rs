//! Two thousand clients of the blocking binding, which share their threads, stay connected to a server of it and echo
//! while some handlers are slow; and when both end, every thread has ended.
//!
//! A test binary of its own: the threads of the whole process are counted. It runs for five seconds, or as many as
//! the environment sets: `MANY_CLIENTS_SECONDS=60 cargo test --test many_blocking_clients -- --nocapture`.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};
use socketio_blocking::client::TransportOrder;
use socketio_blocking::{Arg, Client, ClientBuilder, Reply, Server, Serving, Socket, Wait as _};

const CLIENTS: usize = 2_000;
/// Threads of the test, each of which has its share of the clients.
const CLIENT_THREADS: usize = 8;
/// One client in so many is on long-polling.
const POLLING: usize = 20;
/// Handlers of slow clients that wait at the same time, here and at the server.
const SLOW: usize = 20;
/// How long an answer may take before the client counts as stalled.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long the server may flush its connections.
const GRACE: Duration = Duration::from_secs(5);
/// What a busy machine may take in addition.
const MARGIN: Duration = Duration::from_secs(20);

/// A latch that slow handlers, which block their threads, wait at.
#[derive(Clone, Default)]
struct Latch(Arc<(Mutex<Waiting>, Condvar)>);

#[derive(Default)]
struct Waiting {
    count: usize,
    is_open: bool,
}

impl Latch {
    fn wait(&self) {
        let mut waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.count += 1;
        self.0.1.notify_all();
        while !waiting.is_open {
            waiting = self.0.1.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).is_open = true;
        self.0.1.notify_all();
    }

    fn wait_for(&self, count: usize) {
        let mut waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.count < count {
            let (guard, timeout) = self
                .0
                .1
                .wait_timeout(waiting, ANSWER_WITHIN)
                .unwrap_or_else(PoisonError::into_inner);
            waiting = guard;
            assert!(!timeout.timed_out(), "only {} wait", waiting.count);
        }
    }
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// Each client has a socket at both ends.
fn allow_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the limit may be raised to what is allowed");
}

fn serve(latch: &Latch) -> (Serving, Server, String) {
    let latch = latch.clone();
    let server = Server::builder()
        .on("echo", |Arg(number): Arg<u64>| Reply(number))
        .on("wait", move || latch.wait())
        .on("make me wait", |socket: Socket| socket.emit("wait", &()))
        .build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let serving = socketio_blocking::start_server(listener, server.clone()).expect("it is served");
    (serving, server, url)
}

fn builder(url: &str, number: usize) -> ClientBuilder<socketio_blocking::Blocking> {
    let order = match number % POLLING {
        0 => TransportOrder::Polling,
        _ => TransportOrder::WebSocket,
    };
    Client::builder(url).transports(order)
}

/// Connects a share of the clients, has all of them echo in turns until `time` is over, and gives them back.
fn echo_in_turns(url: &str, share: usize, time: Duration) -> (Vec<Client>, u64) {
    let clients: Vec<_> = (0..share)
        .map(|number| socketio_blocking::connect(builder(url, number)).expect("it connects"))
        .collect();
    let ids: Vec<_> = clients.iter().map(|client| client.id()).collect();
    let (begun, mut rounds) = (Instant::now(), 0);
    while rounds == 0 || begun.elapsed() < time {
        for client in &clients {
            let echo = client.call::<u64>("echo", &rounds).timeout(ANSWER_WITHIN).wait();
            assert_eq!(echo, Ok(rounds), "in round {rounds}");
        }
        rounds += 1;
    }
    let now: Vec<_> = clients.iter().map(|client| client.id()).collect();
    assert!(now == ids, "some were lost and connected again");
    (clients, rounds)
}

#[test]
fn two_thousand_clients_echo_while_some_are_slow_and_all_threads_end() {
    let seconds = std::env::var("MANY_CLIENTS_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(5));
    allow_files();
    let before = threads();
    let latch = Latch::default();
    let (serving, server, url) = serve(&latch);

    // Half of them wait in a handler of the server, half in one of their own.
    let slow: Vec<_> = (0..SLOW)
        .map(|number| {
            let latch = latch.clone();
            let builder = builder(&url, number).on("wait", move || latch.wait());
            let client = socketio_blocking::connect(builder).expect("it connects");
            let event = if number % 2 == 0 { "wait" } else { "make me wait" };
            client.emit(event, &()).expect("it is connected");
            client
        })
        .collect();
    latch.wait_for(SLOW);

    let threads_of_clients: Vec<_> = (0..CLIENT_THREADS)
        .map(|_| {
            let url = url.clone();
            thread::spawn(move || echo_in_turns(&url, CLIENTS / CLIENT_THREADS, time))
        })
        .collect();
    let shares: Vec<_> = threads_of_clients
        .into_iter()
        .map(|thread| thread.join().expect("no client was stalled"))
        .collect();
    let echoes: u64 = shares
        .iter()
        .map(|(clients, rounds)| clients.len() as u64 * rounds)
        .sum();
    assert_eq!(server.sockets().map(|sockets| sockets.len()), Ok(CLIENTS + SLOW));
    println!(
        "{CLIENTS} clients echoed {echoes} times in {time:?}; {} threads, {before} before",
        threads()
    );

    latch.open();
    let begun = Instant::now();
    serving.shutdown(GRACE);
    serving.join().expect("it was served");
    let took = begun.elapsed();
    println!("the server ended after {took:?}; {} threads are left", threads());
    assert!(took < GRACE + MARGIN, "its deadline was {GRACE:?}");

    let begun = Instant::now();
    drop((slow, shares, server));
    println!("the clients ended after {:?}", begun.elapsed());
    while threads() > before {
        assert!(
            begun.elapsed() < MARGIN * 2,
            "{} threads, {before} before",
            threads()
        );
        thread::sleep(Duration::from_millis(10));
    }
}
