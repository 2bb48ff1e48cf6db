//! The server that is attacked, and what it must bear.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use socketio_driver::net::tls::TlsServer;
use socketio_tests::apps::{epoll, interop};
use socketio_tests::belongings::{Belongings, Slack};
use socketio_tests::binding::{Binding, Serving};
use socketio_tests::kit::DEADLINE;
use socketio_tests::testbed::{App, Target};
use socketio_tokio::{Arg, Arguments, Counts, Limits, Reply, Server, Socket};

use crate::guests::Guests;

/// How long a head, and a body, may take; the event loop's server has the defaults.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_millis(700);
/// Most bytes queued for one client.
pub(crate) const QUEUED_BYTES: usize = 1024 * 1024;
/// Sessions of clients that are gone end after both.
const PING_INTERVAL: Duration = Duration::from_millis(400);
const PING_TIMEOUT: Duration = Duration::from_millis(1_600);

/// Echoes that each honest client must have had while an attack goes on.
const ECHOES: usize = 5;
/// How often an attack is repeated until they have, at most.
const REPEATS: usize = 20;

/// What the first wave may leave: tables keep the room they have grown to, and threads some buffers.
const GROWTH: Slack = Slack {
    bytes: 2 * 1024 * 1024,
    allocations: 2_000,
    threads: 0,
    files: 0,
};
/// What the same wave once more may add to that: what is in transit for the honest clients.
const SLACK: Slack = Slack {
    bytes: 64 * 1024,
    allocations: 100,
    threads: 0,
    files: 0,
};
/// How long what was left may stay: clients that are gone without a word are noticed after a heartbeat, and a connection
/// that nobody closes says its last words for five seconds.
const PATIENCE: Duration = Duration::from_secs(12);

/// Memory is the process's, so that one server is attacked at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The server of the event loop, which never ends.
static EPOLL: LazyLock<Target> = LazyLock::new(|| {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let settings = interop::Settings {
        ping_interval: PING_INTERVAL,
        ping_timeout: PING_TIMEOUT,
        ..interop::Settings::default()
    };
    thread::spawn(move || epoll::serve(listener, "interop", settings));
    Target {
        address,
        app: App::Lab,
    }
});

/// A live server with honest clients in it.
pub(crate) struct Fortress {
    pub(crate) binding: Binding,
    pub(crate) target: Target,
    guests: Guests,
    /// The event loop's tells nothing of itself.
    house: Option<(Server, Serving)>,
    _alone: MutexGuard<'static, ()>,
}

impl Fortress {
    pub(crate) fn of(binding: Binding) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let house = (binding != Binding::Epoll).then(|| serve(binding, None));
        let target = match &house {
            Some((_, serving)) => target(serving),
            None => EPOLL.clone(),
        };
        let guests = welcome(&target);
        Self {
            binding,
            target,
            guests,
            house,
            _alone: alone,
        }
    }

    /// One that speaks TLS, with honest clients made by `invite` for its URL.
    pub(crate) fn with_tls(binding: Binding, tls: TlsServer, invite: impl FnOnce(&Target) -> Guests) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let house = serve(binding, Some(tls));
        let target = target(&house.1);
        let guests = invite(&target);
        Self {
            binding,
            target,
            guests,
            house: Some(house),
            _alone: alone,
        }
    }

    /// Whether its limits are those of this file.
    pub(crate) const fn has_limits(&self) -> bool {
        self.house.is_some()
    }

    /// Attacks in waves. What an attack returns stays while honest clients must still be answered, and goes then.
    ///
    /// After each wave the server must have no more connections, sessions, sockets, rooms and acknowledgements than
    /// before, and the process no more memory, threads and descriptors.
    #[track_caller]
    pub(crate) fn withstand<T>(self, mut attack: impl FnMut(&Target) -> T) {
        self.guests.await_echoes(ECHOES);
        let (counts, before) = (self.counts(), Belongings::at_rest());
        let first = self.wave(&mut attack);
        self.await_counts(counts);
        let after = self.await_return(&before, GROWTH, "one wave");
        self.await_counts(counts);
        let second = self.wave(&mut attack);
        self.await_counts(counts);
        let end = self.await_return(&after, SLACK, "the second wave");
        let (half, most) = self.guests.latencies();
        println!(
            "{}: {first} and {second} attacks; {} and {} bytes left; echoes within {half:?}, 99 of 100 within {most:?}",
            self.binding.name(),
            after.bytes as i64 - before.bytes as i64,
            end.bytes as i64 - after.bytes as i64,
        );
        self.guests.thank();
    }

    /// Attacks until each honest client was answered meanwhile; how often that was.
    #[track_caller]
    fn wave<T>(&self, attack: &mut impl FnMut(&Target) -> T) -> usize {
        let before = self.guests.echoes();
        for number in 1..=REPEATS {
            let held = attack(&self.target);
            // Those who attack may have been too quick for anybody else to be heard.
            let started = Instant::now();
            while !self.guests.have_had(ECHOES, &before) && started.elapsed() < Duration::from_millis(100) {
                sleep(Duration::from_millis(2));
            }
            self.guests.assert_well();
            let is_enough = self.guests.have_had(ECHOES, &before);
            drop(held);
            if is_enough {
                self.guests.await_echoes(ECHOES);
                return number;
            }
        }
        panic!("honest clients are not answered while {REPEATS} attacks go on");
    }

    fn counts(&self) -> Option<Counts> {
        let (server, _) = self.house.as_ref()?;
        Some(server.counts().expect("it is served"))
    }

    /// Waits until the server has as many of everything as before.
    #[track_caller]
    fn await_counts(&self, before: Option<Counts>) {
        let started = Instant::now();
        while self.counts() != before {
            self.guests.assert_well();
            assert!(
                started.elapsed() < PATIENCE,
                "the server has {:?} instead of {before:?}",
                self.counts()
            );
            sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn await_return(&self, before: &Belongings, slack: Slack, cause: &str) -> Belongings {
        let after = before.await_return(slack, PATIENCE);
        self.guests.assert_well();
        if let Err(now) = after {
            panic!("after {cause} there is {now:?} instead of {before:?}, {slack:?} apart");
        }
        // Sampled as the one before was, so that one is not compared with the luckiest moment.
        Belongings::at_rest()
    }
}

fn target(serving: &Serving) -> Target {
    Target {
        address: serving.address,
        app: App::Lab,
    }
}

/// Honest clients that have been answered.
fn welcome(target: &Target) -> Guests {
    let guests = Guests::invite(target);
    guests.await_echoes(ECHOES);
    guests
}

/// A server with what all attacks need of an application, under the names that the event loop's has.
fn serve(binding: Binding, tls: Option<TlsServer>) -> (Server, Serving) {
    let mut limits = Limits::default();
    limits.head_timeout = HEAD_TIMEOUT;
    limits.body_timeout = HEAD_TIMEOUT;
    limits.queued_bytes = QUEUED_BYTES;
    let server = Server::builder()
        .limits(limits)
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .on("echo", |socket: Socket, arguments: Arguments| {
            socket.emit("echo", &arguments)
        })
        .on("echo-ack", |arguments: Arguments| Reply(arguments))
        .on("join", |socket: Socket, Arg(room): Arg<String>| {
            socket.join(&room).map(|()| Reply(()))
        })
        .on("ask-briefly", async |socket: Socket, arguments: Arguments| {
            let question = socket.emit_with_ack("question", &arguments);
            match question.timeout(Duration::from_millis(200)).await {
                Ok(answer) => socket.emit("answer", &answer),
                Err(_) => socket.emit("no-answer", &()),
            }
        })
        .namespace("/custom", |custom| custom)
        // That clients are hostile is what is tested.
        .on_error(|_| ())
        .build();
    let serving = Serving::start_with(binding.ground(), server.clone(), tls);
    let started = Instant::now();
    while server.sockets().is_err() {
        assert!(started.elapsed() < DEADLINE, "it is not served");
        sleep(Duration::from_millis(1));
    }
    (server, serving)
}
