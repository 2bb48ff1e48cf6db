//! Honest clients. They talk over polling and WebSocket until they are thanked, and never connect again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use socketio_tests::kit::{DEADLINE, Polling, WebSocketClient};
use socketio_tests::testbed::Target;

/// Between two echoes of one guest.
const PACE: Duration = Duration::from_millis(4);
/// What the application says to everybody who joins.
pub(crate) const WELCOME: &str = "42[\"welcome\"";

/// Honest clients that talk.
pub(crate) struct Guests {
    all: Vec<Guest>,
    is_over: Arc<AtomicBool>,
}

struct Guest {
    tally: Arc<Tally>,
    thread: JoinHandle<()>,
}

/// What one guest has done.
#[derive(Default)]
struct Tally {
    echoes: AtomicUsize,
    /// By the binary logarithm of microseconds.
    latencies: [AtomicU64; 32],
}

impl Tally {
    fn note(&self, latency: Duration) {
        let microseconds = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX).max(1);
        self.latencies[microseconds.ilog2() as usize].fetch_add(1, Ordering::Relaxed);
        self.echoes.fetch_add(1, Ordering::SeqCst);
    }
}

impl Guests {
    /// Two over each transport.
    pub(crate) fn invite(target: &Target) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut all = Vec::new();
        for _ in 0..2 {
            let mut socket = join(target);
            all.push(Guest::start(&is_over, move |number| {
                by_websocket(&mut socket, number)
            }));
            let mut session = join_by_polling(target);
            all.push(Guest::start(&is_over, move |number| {
                by_polling(&mut session, number)
            }));
        }
        Self { all, is_over }
    }

    /// Those whose echoes are made by `echo`, which panics if one is lost.
    pub(crate) fn of(echoes: Vec<Box<dyn FnMut(usize) + Send>>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let all = echoes
            .into_iter()
            .map(|echo| Guest::start(&is_over, echo))
            .collect();
        Self { all, is_over }
    }

    /// How many echoes each has had.
    pub(crate) fn echoes(&self) -> Vec<usize> {
        let count = |guest: &Guest| guest.tally.echoes.load(Ordering::SeqCst);
        self.all.iter().map(count).collect()
    }

    /// Whether each has had `count` since.
    pub(crate) fn have_had(&self, count: usize, since: &[usize]) -> bool {
        let mut pairs = self.echoes().into_iter().zip(since);
        pairs.all(|(now, before)| now >= before + count)
    }

    /// Panics if one has given up; `when` says what is going on.
    #[track_caller]
    pub(crate) fn assert_well(&self, when: &str) {
        let lost = self.all.iter().filter(|guest| guest.thread.is_finished()).count();
        assert_eq!(
            lost,
            0,
            "{when}: of {} honest clients so many were lost",
            self.all.len()
        );
    }

    /// Waits until each has had `count` more.
    #[track_caller]
    pub(crate) fn await_echoes(&self, count: usize, when: &str) {
        let (before, started) = (self.echoes(), Instant::now());
        while !self.have_had(count, &before) {
            self.assert_well(when);
            assert!(
                started.elapsed() < DEADLINE,
                "{when}: an honest client is not answered"
            );
            sleep(Duration::from_millis(2));
        }
    }

    /// Half of the echoes and all but a hundredth came within these times, of which the next power of two is told.
    pub(crate) fn latencies(&self) -> (Duration, Duration) {
        let mut sums = [0; 32];
        for guest in &self.all {
            for (sum, count) in sums.iter_mut().zip(&guest.tally.latencies) {
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

    /// Lets them go.
    #[track_caller]
    pub(crate) fn thank(self) {
        self.is_over.store(true, Ordering::SeqCst);
        for guest in self.all {
            assert!(guest.thread.join().is_ok(), "an honest client was lost");
        }
    }
}

impl Guest {
    fn start(is_over: &Arc<AtomicBool>, mut echo: impl FnMut(usize) + Send + 'static) -> Self {
        let tally = Arc::new(Tally::default());
        let (is_over, noted) = (Arc::clone(is_over), Arc::clone(&tally));
        let thread = thread::spawn(move || {
            for number in 0.. {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let started = Instant::now();
                echo(number);
                noted.note(started.elapsed());
                sleep(PACE);
            }
        });
        Self { tally, thread }
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
