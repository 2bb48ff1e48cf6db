//! The server that is attacked, and what it must bear.

use std::future::poll_fn;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use socketio_driver::net::tls::TlsServer;
use socketio_tests::apps::{epoll, interop};
use socketio_tests::belongings::{Belongings, Slack};
use socketio_tests::binding::{Binding, Serving};
use socketio_tests::kit::DEADLINE;
use socketio_tests::testbed::{App, Target};
use socketio_tokio::{Arg, Arguments, Config, Counts, Limits, Reply, Server, Socket};

use crate::guests::Guests;
use crate::line::Line;

/// How long a head, and a body, may take; the event loop's server has the defaults.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_millis(250);
/// Most bytes queued for one client.
pub(crate) const QUEUED_BYTES: usize = 1024 * 1024;
/// Sessions of clients that are gone end after both.
const PING_INTERVAL: Duration = Duration::from_millis(300);
const PING_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How long a session that was closed waits for a poll that it can tell.
const LINGER: Duration = Duration::from_millis(300);

/// Echoes that each honest client must have had while an attack goes on.
const ECHOES: usize = 5;
/// How often an attack is repeated until they have, at most.
const REPEATS: usize = 20;

/// What the first wave may leave: tables keep the room they have grown to, and threads some buffers.
const GROWTH: Slack = Slack {
    bytes: 4 * 1024 * 1024,
    allocations: 2_000,
    threads: 0,
    files: 0,
};
/// What the same wave once more may add to that: what is in transit for the honest clients, and what threads keep that had
/// none before, four read buffers of 32 KiB and an encoder of up to 256 KiB each. What is left behind shows in the number of
/// allocations.
const SLACK: Slack = Slack {
    bytes: 1024 * 1024,
    allocations: 150,
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
        linger: LINGER,
        ..interop::Settings::default()
    };
    thread::spawn(move || epoll::serve(listener, "interop", settings));
    Target {
        address,
        app: App::Lab,
    }
});

/// What somebody hostile does; what is returned stays while honest clients must be answered.
pub(crate) type Attack = fn(&Siege) -> Vec<Line>;

/// What an attack is told.
pub(crate) struct Siege {
    pub(crate) target: Target,
    pub(crate) limits: SiegeLimits,
    /// Which of its repetitions this is, beginning with 1.
    pub(crate) number: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SiegeLimits {
    /// Those of this file.
    Short,
    Default,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wave {
    First,
    Second,
}

/// The attacks of a module by their names.
macro_rules! attacks {
    ($($attack:ident),* $(,)?) => {
        pub(crate) const ATTACKS: &[(&str, crate::fortress::Attack)] = &[$((stringify!($attack), $attack)),*];
    };
}
pub(crate) use attacks;

/// A live server with honest clients in it.
pub(crate) struct Fortress {
    binding: Binding,
    target: Target,
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
        guests.await_echoes(ECHOES, "before all attacks");
        Self {
            binding,
            target,
            guests,
            house: Some(house),
            _alone: alone,
        }
    }

    /// Bears all attacks, one after the other, and all of them once more.
    ///
    /// While each goes on honest clients must be answered, and what it returns goes after that. After all of them the
    /// server must have no more connections, sessions, sockets, rooms and acknowledgements than before, and the process no
    /// more memory, threads and descriptors.
    #[track_caller]
    pub(crate) fn withstand(self, attacks: &[(&str, Attack)]) {
        let (counts, before) = (self.counts_at_rest(), Belongings::at_rest());
        self.wave(Wave::First, attacks);
        self.await_counts(counts);
        let after = self.await_return(&before, GROWTH, "the first wave");
        self.wave(Wave::Second, attacks);
        self.await_counts(counts);
        let end = self.await_return(&after, SLACK, "the second wave");
        let (half, most) = self.guests.latencies();
        println!(
            "{}: {} and {} bytes, {} and {} allocations left; echoes within {half:?}, 99 of 100 within {most:?}",
            self.binding.name(),
            more(before.bytes, after.bytes),
            more(after.bytes, end.bytes),
            more(before.allocations, after.allocations),
            more(after.allocations, end.allocations),
        );
        self.guests.thank();
    }

    #[track_caller]
    fn wave(&self, wave: Wave, attacks: &[(&str, Attack)]) {
        for (name, attack) in attacks {
            let started = Instant::now();
            let repeats = self.bear(wave, name, *attack);
            println!(
                "{}: {name}: {repeats} in {:?}",
                self.binding.name(),
                started.elapsed()
            );
        }
    }

    /// Attacks until each honest client was answered meanwhile; how often that was.
    #[track_caller]
    fn bear(&self, wave: Wave, name: &str, attack: Attack) -> usize {
        let before = self.guests.echoes();
        for repeat in 1..=REPEATS {
            let siege = Siege {
                target: self.target.clone(),
                limits: if self.house.is_some() {
                    SiegeLimits::Short
                } else {
                    SiegeLimits::Default
                },
                number: repeat + if wave == Wave::First { 0 } else { REPEATS },
            };
            let held = attack(&siege);
            // Those who attack may have been too quick for anybody else to be heard.
            let started = Instant::now();
            while !self.guests.have_had(ECHOES, &before) && started.elapsed() < Duration::from_millis(100) {
                sleep(Duration::from_millis(2));
            }
            self.guests.assert_well(name);
            let is_enough = self.guests.have_had(ECHOES, &before);
            drop(held);
            if is_enough {
                self.guests.await_echoes(ECHOES, name);
                return repeat;
            }
        }
        panic!("{name}: honest clients are not answered while {REPEATS} attacks go on");
    }

    fn counts(&self) -> Option<Counts> {
        let (server, _) = self.house.as_ref()?;
        Some(server.counts().expect("it is served"))
    }

    /// What there is between two echoes of the honest clients: then nothing is queued.
    fn counts_at_rest(&self) -> Option<Counts> {
        let mut counts = self.counts()?;
        counts.queued_bytes = 0;
        Some(counts)
    }

    /// Waits until the server has as many of everything as before.
    #[track_caller]
    fn await_counts(&self, before: Option<Counts>) {
        let started = Instant::now();
        while self.counts() != before {
            self.guests.assert_well("after all attacks");
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
        self.guests.assert_well("after all attacks");
        if let Err(now) = after {
            panic!("after {cause} there is {now:?} instead of {before:?}, {slack:?} apart");
        }
        // Sampled as the one before was, so that one is not compared with the luckiest moment.
        Belongings::at_rest()
    }
}

/// Asks so many questions at once, and waits for what becomes of all.
async fn ask_often(socket: &Socket, count: usize) {
    let ask = |number| {
        let question = socket.emit_with_ack("question", &number);
        question.timeout(Duration::from_millis(200))
    };
    let mut open: Vec<_> = (0..count).map(ask).collect();
    // Asked by the first poll.
    poll_fn(|task| {
        open.retain_mut(|call| Pin::new(call).poll(task).is_pending());
        Poll::Ready(())
    })
    .await;
    for call in open {
        // Nobody answers.
        let _ = call.await;
    }
}

fn more(before: usize, after: usize) -> i128 {
    after as i128 - before as i128
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
    guests.await_echoes(ECHOES, "before all attacks");
    guests
}

/// A server with what all attacks need of an application, under the names that the event loop's has.
fn serve(binding: Binding, tls: Option<TlsServer>) -> (Server, Serving) {
    let mut limits = Limits::default();
    limits.head_timeout = HEAD_TIMEOUT;
    limits.body_timeout = HEAD_TIMEOUT;
    limits.queued_bytes = QUEUED_BYTES;
    let mut config = Config::default();
    config.engine.linger = LINGER;
    let server = Server::builder()
        .config(config)
        .limits(limits)
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .on_connect(|socket: Socket| socket.emit("welcome", &()))
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
        .on("ask-often", async |socket: Socket, Arg(count): Arg<usize>| {
            ask_often(&socket, count).await;
            socket.emit("no-answer", &())
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
