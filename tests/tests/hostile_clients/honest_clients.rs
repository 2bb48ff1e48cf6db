//! Honest clients. They exchange echoes over polling and WebSocket until they are stopped, and never reconnect.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use socketio_tests::kit::{DEADLINE, Polling, WebSocketClient};
use socketio_tests::testbed::Target;

/// Between two echoes of one client.
const ECHO_INTERVAL: Duration = Duration::from_millis(4);
/// The event that the application emits to every socket that joins.
pub(crate) const WELCOME: &str = "42[\"welcome\"";

/// Honest clients, each on a thread of its own.
pub(crate) struct HonestClients {
    all: Vec<HonestClient>,
    is_stopped: Arc<AtomicBool>,
}

struct HonestClient {
    statistics: Arc<Statistics>,
    thread: JoinHandle<()>,
}

/// The echoes of one client.
#[derive(Default)]
struct Statistics {
    echoes: AtomicUsize,
    /// By the binary logarithm of microseconds.
    latencies: [AtomicU64; 32],
}

impl Statistics {
    fn record(&self, latency: Duration) {
        let microseconds = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX).max(1);
        self.latencies[microseconds.ilog2() as usize].fetch_add(1, Ordering::Relaxed);
        self.echoes.fetch_add(1, Ordering::SeqCst);
    }
}

impl HonestClients {
    /// Two over each transport.
    pub(crate) fn connect(target: &Target) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let mut all = Vec::new();
        for _ in 0..2 {
            let mut socket = join(target);
            all.push(HonestClient::start(&is_stopped, move |number| {
                by_websocket(&mut socket, number)
            }));
            let mut session = join_by_polling(target);
            all.push(HonestClient::start(&is_stopped, move |number| {
                by_polling(&mut session, number)
            }));
        }
        Self { all, is_stopped }
    }

    /// One for each function, which makes one echo and panics if it does not come.
    pub(crate) fn of(echoes: Vec<Box<dyn FnMut(usize) + Send>>) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let all = echoes
            .into_iter()
            .map(|echo| HonestClient::start(&is_stopped, echo))
            .collect();
        Self { all, is_stopped }
    }

    /// How many echoes each has received.
    pub(crate) fn echoes(&self) -> Vec<usize> {
        let count = |client: &HonestClient| client.statistics.echoes.load(Ordering::SeqCst);
        self.all.iter().map(count).collect()
    }

    /// Whether each has received `count` since.
    pub(crate) fn have_received(&self, count: usize, since: &[usize]) -> bool {
        let mut pairs = self.echoes().into_iter().zip(since);
        pairs.all(|(now, before)| now >= before + count)
    }

    /// Panics if one has failed; `when` says what is going on.
    #[track_caller]
    pub(crate) fn assert_connected(&self, when: &str) {
        let lost = self
            .all
            .iter()
            .filter(|client| client.thread.is_finished())
            .count();
        assert_eq!(
            lost,
            0,
            "{when}: of {} honest clients so many were lost",
            self.all.len()
        );
    }

    /// Waits until each has received `count` more.
    #[track_caller]
    pub(crate) fn await_echoes(&self, count: usize, when: &str) {
        let (before, started) = (self.echoes(), Instant::now());
        while !self.have_received(count, &before) {
            self.assert_connected(when);
            assert!(
                started.elapsed() < DEADLINE,
                "{when}: an honest client is not answered"
            );
            sleep(Duration::from_millis(2));
        }
    }

    /// The median and the 99th percentile of the latencies, each rounded up to a power of two microseconds.
    pub(crate) fn latencies(&self) -> (Duration, Duration) {
        let mut sums = [0; 32];
        for client in &self.all {
            for (sum, count) in sums.iter_mut().zip(&client.statistics.latencies) {
                *sum += count.load(Ordering::Relaxed);
            }
        }
        let total: u64 = sums.iter().sum();
        let below = |share: u64| {
            let mut seen = 0;
            let place = sums.iter().position(|count| {
                seen += count;
                seen * 100 >= total * share
            });
            Duration::from_micros(2 << place.unwrap_or_default())
        };
        (below(50), below(99))
    }

    /// Stops them; none may have failed.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        for client in self.all {
            assert!(client.thread.join().is_ok(), "an honest client was lost");
        }
    }
}

impl HonestClient {
    fn start(is_stopped: &Arc<AtomicBool>, mut echo: impl FnMut(usize) + Send + 'static) -> Self {
        let statistics = Arc::new(Statistics::default());
        let (is_stopped, recorded) = (Arc::clone(is_stopped), Arc::clone(&statistics));
        let thread = thread::spawn(move || {
            for number in 0.. {
                if is_stopped.load(Ordering::SeqCst) {
                    break;
                }
                let started = Instant::now();
                echo(number);
                recorded.record(started.elapsed());
                sleep(ECHO_INTERVAL);
            }
        });
        Self { statistics, thread }
    }
}

fn join(target: &Target) -> WebSocketClient {
    let mut socket = WebSocketClient::open_session(target).0;
    socket.send("40");
    for beginning in ["40", WELCOME] {
        let packet = socket.text();
        assert!(packet.starts_with(beginning), "{packet}");
    }
    socket
}

fn join_by_polling(target: &Target) -> Polling {
    let mut session = Polling::open(target);
    session.deliver("40");
    let packets = session.collect(2);
    assert!(packets[1].starts_with(WELCOME), "{packets:?}");
    session
}

fn by_websocket(socket: &mut WebSocketClient, number: usize) {
    let echo = format!("42[\"echo\",{number}]");
    socket.send(&echo);
    socket.expect_text(&echo);
}

fn by_polling(session: &mut Polling, number: usize) {
    let echo = format!("42[\"echo\",{number}]");
    session.deliver(&echo);
    assert_eq!(session.poll(), [echo]);
}
