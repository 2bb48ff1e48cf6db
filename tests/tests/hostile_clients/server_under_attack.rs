//! The server that is attacked, and what must hold meanwhile and afterwards.

use std::future::poll_fn;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use socketio_driver::net::tls::TlsServer;
use socketio_tests::apps::{epoll, interop};
use socketio_tests::binding::{Binding, RunningServer};
use socketio_tests::kit::{DEADLINE, wait_until};
use socketio_tests::resource_usage::{ResourceUsage, Tolerance};
use socketio_tests::testbed::{App, Target};
use socketio_tokio::{Arg, Arguments, Config, Counts, Limits, Reply, Server, Socket};

use crate::honest_clients::HonestClients;
use crate::raw_connection::RawConnection;

/// How long a head, and a body, may take, the time before an attacker's first byte included; the event loop's server has
/// the defaults.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// Most bytes queued for one client.
pub(crate) const QUEUED_BYTES: usize = 1024 * 1024;
/// Sessions of clients that are gone end after both of these.
const PING_INTERVAL: Duration = Duration::from_millis(300);
const PING_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How long a closed session waits for a poll that it can answer with that.
const LINGER: Duration = Duration::from_millis(300);

/// Echoes that each honest client must have received while an attack goes on.
const ECHOES: usize = 5;
/// How often an attack is repeated at most until they have.
const REPEATS: usize = 20;
/// How long its connections stay open for that, the last time excepted.
const ATTACK: Duration = Duration::from_millis(100);

/// What may be left after the first round: tables keep their capacity, and threads some buffers.
const FIRST_ROUND_TOLERANCE: Tolerance = Tolerance {
    bytes: 4 * 1024 * 1024,
    allocations: 2_000,
    threads: 0,
    files: 0,
};
/// What the second round may add: what is in transit for the honest clients, and the buffers of threads that had none
/// before, four read buffers of 32 KiB and an encoder of up to 256 KiB each. A leak shows in the number of allocations.
const SECOND_ROUND_TOLERANCE: Tolerance = Tolerance {
    bytes: 1024 * 1024,
    allocations: 150,
    threads: 0,
    files: 0,
};
/// How long what was left may stay: clients that vanish are noticed after a heartbeat, and a connection that the peer
/// does not close is flushed for five seconds.
const RETURN_TIMEOUT: Duration = Duration::from_secs(12);

const BEFORE_ATTACKS: &str = "before all attacks";
const AFTER_ATTACKS: &str = "after all attacks";

/// Memory is the process's, so that one server is attacked at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

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

/// What an attacker does; the connections returned stay open while honest clients must be answered.
pub(crate) type Attack = fn(&AttackContext) -> Vec<RawConnection>;

/// What an attack knows of its server.
pub(crate) struct AttackContext {
    pub(crate) target: Target,
    pub(crate) limits: ServerLimits,
    /// Which repetition of the attack this is, beginning with 1.
    pub(crate) number: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerLimits {
    /// Those of this file.
    Short,
    Default,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    First,
    Second,
}

/// The attacks of a module by their names.
macro_rules! attacks {
    ($($attack:ident),* $(,)?) => {
        pub(crate) const ATTACKS: &[(&str, crate::server_under_attack::Attack)] = &[$((stringify!($attack), $attack)),*];
    };
}
pub(crate) use attacks;

/// A running server with honest clients.
pub(crate) struct ServerUnderAttack {
    binding: Binding,
    target: Target,
    honest_clients: HonestClients,
    /// `None` for the event loop's, which has no counts.
    server: Option<(Server, RunningServer)>,
    _guard: MutexGuard<'static, ()>,
}

impl ServerUnderAttack {
    pub(crate) fn of(binding: Binding) -> Self {
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let server = (binding != Binding::Epoll).then(|| serve(binding, None));
        let target = match &server {
            Some((_, running)) => running.target(),
            None => EPOLL.clone(),
        };
        let honest_clients = HonestClients::connect(&target);
        honest_clients.await_echoes(ECHOES, BEFORE_ATTACKS);
        Self {
            binding,
            target,
            honest_clients,
            server,
            _guard: guard,
        }
    }

    /// One that speaks TLS, with the honest clients that `connect` makes.
    pub(crate) fn with_tls(
        binding: Binding,
        tls: TlsServer,
        connect: impl FnOnce(&Target) -> HonestClients,
    ) -> Self {
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let server = serve(binding, Some(tls));
        let target = server.1.target();
        let honest_clients = connect(&target);
        honest_clients.await_echoes(ECHOES, BEFORE_ATTACKS);
        Self {
            binding,
            target,
            honest_clients,
            server: Some(server),
            _guard: guard,
        }
    }

    /// Runs all attacks, one after the other, in two rounds.
    ///
    /// During each the honest clients must be answered; then its connections are closed. After a round the server must
    /// have as many connections, sessions, sockets, rooms and acknowledgements as before, and the process no more
    /// memory, threads and descriptors.
    #[track_caller]
    pub(crate) fn assert_withstands(self, attacks: &[(&str, Attack)]) {
        let (counts, before) = (self.counts_at_rest(), ResourceUsage::at_rest());
        self.run_round(Round::First, attacks);
        self.await_counts(counts);
        let after = self.await_return(&before, FIRST_ROUND_TOLERANCE, "the first round");
        self.run_round(Round::Second, attacks);
        self.await_counts(counts);
        let end = self.await_return(&after, SECOND_ROUND_TOLERANCE, "the second round");
        let (half, most) = self.honest_clients.latencies();
        println!(
            "{}: {} and {} bytes, {} and {} allocations left; echoes within {half:?}, 99 of 100 within {most:?}",
            self.binding.name(),
            more(before.bytes, after.bytes),
            more(after.bytes, end.bytes),
            more(before.allocations, after.allocations),
            more(after.allocations, end.allocations),
        );
        self.honest_clients.stop();
    }

    #[track_caller]
    fn run_round(&self, round: Round, attacks: &[(&str, Attack)]) {
        for (name, attack) in attacks {
            let started = Instant::now();
            let repeats = self.run_attack(round, name, *attack);
            println!(
                "{}: {name}: {repeats} in {:?}",
                self.binding.name(),
                started.elapsed()
            );
        }
    }

    /// Repeats the attack until each honest client was answered during it; returns how often it ran.
    #[track_caller]
    fn run_attack(&self, round: Round, name: &str, attack: Attack) -> usize {
        let before = self.honest_clients.echoes();
        for repeat in 1..=REPEATS {
            let context = AttackContext {
                target: self.target.clone(),
                limits: if self.server.is_some() {
                    ServerLimits::Short
                } else {
                    ServerLimits::Default
                },
                number: repeat + if round == Round::First { 0 } else { REPEATS },
            };
            let connections = attack(&context);
            // The attack may have been too quick for any echo.
            let patience = if repeat < REPEATS { ATTACK } else { DEADLINE };
            let started = Instant::now();
            while !self.honest_clients.have_received(ECHOES, &before) && started.elapsed() < patience {
                sleep(Duration::from_millis(2));
            }
            self.honest_clients.assert_connected(name);
            let is_enough = self.honest_clients.have_received(ECHOES, &before);
            drop(connections);
            if is_enough {
                self.honest_clients.await_echoes(ECHOES, name);
                return repeat;
            }
        }
        panic!("{name}: honest clients are not answered while {REPEATS} attacks go on");
    }

    fn counts(&self) -> Option<Counts> {
        let (server, _) = self.server.as_ref()?;
        Some(server.counts().expect("it is served"))
    }

    /// The counts between two echoes of the honest clients, when nothing is queued.
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
            self.honest_clients.assert_connected(AFTER_ATTACKS);
            assert!(
                started.elapsed() < RETURN_TIMEOUT,
                "the server has {:?} instead of {before:?}",
                self.counts()
            );
            sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn await_return(&self, before: &ResourceUsage, tolerance: Tolerance, cause: &str) -> ResourceUsage {
        let after = before.await_return(tolerance, RETURN_TIMEOUT);
        self.honest_clients.assert_connected(AFTER_ATTACKS);
        if let Err(now) = after {
            panic!("after {cause} there is {now:?} instead of {before:?}, with {tolerance:?}");
        }
        // Measured as `before` was, so that the next comparison does not start from the lowest moment.
        ResourceUsage::at_rest()
    }
}

/// Makes `count` calls at once, and waits until all have ended.
async fn call_often(socket: &Socket, count: usize) {
    let start = |number| {
        let call = socket.emit_with_ack("question", &number);
        call.timeout(Duration::from_millis(200))
    };
    let mut open: Vec<_> = (0..count).map(start).collect();
    // A call is sent when it is first polled.
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

/// A server with the events that the attacks need, under the names that they have on the event loop's.
fn serve(binding: Binding, tls: Option<TlsServer>) -> (Server, RunningServer) {
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
            call_often(&socket, count).await;
            socket.emit("no-answer", &())
        })
        .namespace("/custom", |custom| custom)
        // Errors are expected of hostile clients.
        .on_error(|_| ())
        .build();
    let running = RunningServer::start_with(binding.test_runtime(), server.clone(), tls);
    wait_until("the server is served", || server.sockets().is_ok());
    (server, running)
}
