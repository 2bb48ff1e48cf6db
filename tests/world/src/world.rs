use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::{Clock, Ticks};
use crate::conditions::{NetworkConditions, Statistics};
use crate::executor::{Executor, Task};
use crate::host::Host;
use crate::link::{Arrivals, Side};
use crate::network::{LinkId, Network};
use crate::random::Random;

/// More polls than this before tasks come to rest are an endless loop.
const MAX_POLLS: u64 = 5_000_000;
/// The host of the test's own task.
const TEST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// A world; see the [crate](crate). Clones are handles to the same world.
#[derive(Clone)]
pub struct World(Arc<Shared>);

pub(crate) struct Shared {
    state: Mutex<State>,
    seed: u64,
    started: Instant,
}

pub(crate) struct State {
    pub(crate) now: Instant,
    ticks: Ticks,
    pub(crate) network: Network,
    schedule: BTreeMap<(Instant, u64), Due>,
    last_due: u64,
    spawned: Vec<(IpAddr, Task)>,
    killed: Vec<IpAddr>,
    trace: u64,
    /// Tasks that have started and not ended.
    running: usize,
    /// How many seeds were given to hosts.
    pub(crate) last_seed: u64,
}

/// What happens at a point in time.
pub(crate) enum Due {
    Wake(Waker),
    /// Something arrives at this side of a link.
    Arrive(LinkId, Side),
}

impl World {
    /// Runs `test` to its end in the world of a seed, on a thread of its own; gives its output, and the trace of all
    /// that was sent.
    ///
    /// # Panics
    /// If the test panics, if it waits while nothing can happen any more, or if tasks never come to rest.
    pub fn run<T, F>(seed: u64, test: impl FnOnce(Self) -> F + Send) -> (T, u64)
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        thread::scope(|scope| {
            let running = scope.spawn(|| Self::run_here(seed, test));
            running
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn run_here<T, F>(seed: u64, test: impl FnOnce(Self) -> F) -> (T, u64)
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let world = Self::new(seed);
        let mut executor = Executor::new(seed);
        let output = Arc::new(Mutex::new(None));
        let (test, result) = (test(world.clone()), Arc::clone(&output));
        executor.spawn(
            TEST,
            Box::pin(async move {
                let output = test.await;
                *unpoisoned(&result) = Some(output);
            }),
        );
        let mut polls = 0;
        loop {
            let output = unpoisoned(&output).take();
            if let Some(output) = output {
                return (output, world.trace());
            }
            let (spawned, killed) = {
                let mut state = world.lock();
                (
                    std::mem::take(&mut state.spawned),
                    std::mem::take(&mut state.killed),
                )
            };
            for (host, task) in spawned {
                executor.spawn(host, task);
            }
            for host in killed {
                executor.kill(host);
            }
            world.lock().running = executor.tasks();
            if executor.run_one() {
                polls += 1;
                assert!(polls < MAX_POLLS, "seed {seed}: tasks never come to rest");
            } else {
                polls = 0;
                assert!(
                    world.advance(),
                    "seed {seed}: the test waits and nothing can happen any more"
                );
            }
        }
    }

    fn new(seed: u64) -> Self {
        let now = Instant::now();
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                now,
                ticks: Ticks::of(seed),
                network: Network::new(seed),
                schedule: BTreeMap::new(),
                last_due: 0,
                spawned: Vec::new(),
                killed: Vec::new(),
                trace: 0,
                running: 0,
                last_seed: 0,
            }),
            seed,
            started: now,
        }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        unpoisoned(&self.0.state)
    }

    /// A host at `10.0.0.NUMBER`.
    #[must_use]
    pub fn host(&self, number: u8) -> Host {
        Host::new(self.clone(), IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)))
    }

    /// A random stream for the test, apart from all others.
    #[must_use]
    pub fn random(&self, name: &str) -> Random {
        Random::of(self.0.seed, name, 0)
    }

    /// Sets the conditions of later connections to `address`; open connections keep theirs.
    pub fn set_conditions(&self, address: SocketAddr, conditions: NetworkConditions) {
        self.lock().network.set_conditions(address, conditions);
    }

    /// How the clock moves from now on.
    pub fn set_clock(&self, clock: Clock) {
        self.lock().ticks.set(clock);
    }

    /// The simulated time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.lock().now - self.0.started
    }

    /// A hash of all bytes that were sent so far, with their times, links and directions. It says nothing of what was
    /// done without sending anything.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.lock().trace
    }

    /// What the network has done so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.lock().network.statistics()
    }

    /// The number of open connections, and of the bytes on them that were not read.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.lock().network.load()
    }

    /// Tasks of all hosts that have not ended, the test's own included.
    #[must_use]
    pub fn tasks(&self) -> usize {
        let state = self.lock();
        state.running + state.spawned.len()
    }

    /// From now on nothing arrives on the open connections of a host, and neither side sees an error.
    pub fn silence(&self, host: &Host) {
        let mut state = self.lock();
        for id in state.network.links_of(host.address()) {
            if let Some(link) = state.network.link(id) {
                link.silence();
            }
        }
    }

    /// Switches a host off: its tasks are dropped, its connections are reset.
    pub fn kill(&self, host: &Host) {
        let mut state = self.lock();
        for address in state.network.listeners_of(host.address()) {
            state.network.unlisten(address);
        }
        for id in state.network.links_of(host.address()) {
            state.reset_link(id);
        }
        state.killed.push(host.address());
    }

    /// Waits for some simulated time.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let deadline = self.lock().now + duration;
        self.sleep_until(deadline)
    }

    pub(crate) fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep {
            world: self.clone(),
            deadline,
            state: SleepState::Unscheduled,
        }
    }

    pub(crate) fn spawn(&self, host: IpAddr, task: Task) {
        self.lock().spawned.push((host, task));
    }

    pub(crate) fn seed(&self) -> u64 {
        self.0.seed
    }

    /// Moves the clock to when something is due next, unless it is past that already, and does it; false if nothing is
    /// due.
    fn advance(&self) -> bool {
        let mut wakers = Vec::new();
        {
            let mut state = self.lock();
            let Some(((at, _), _)) = state.schedule.first_key_value() else {
                return false;
            };
            let at = *at;
            state.now = state.now.max(at);
            while let Some(entry) = state.schedule.first_entry()
                && entry.key().0 <= at
            {
                let due = entry.remove();
                state.handle_due(due, self.0.started, &mut wakers);
            }
        }
        wakers.into_iter().for_each(Waker::wake);
        true
    }
}

/// A wait; see [`World::sleep`].
pub struct Sleep {
    world: World,
    deadline: Instant,
    state: SleepState,
}

#[derive(Clone, Copy)]
enum SleepState {
    Unscheduled,
    Scheduled((Instant, u64)),
    Over,
}

impl Future for Sleep {
    type Output = ();

    /// # Panics
    /// If it is over already: what comes of that is for each runtime to say.
    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let world = self.world.clone();
        let mut state = world.lock();
        match self.state {
            SleepState::Unscheduled => {}
            SleepState::Scheduled(key) => drop(state.schedule.remove(&key)),
            SleepState::Over => panic!("a sleep that was over is polled again"),
        }
        if state.read_clock() >= self.deadline {
            self.state = SleepState::Over;
            return Poll::Ready(());
        }
        let key = state.schedule(self.deadline, Due::Wake(task.waker().clone()));
        self.state = SleepState::Scheduled(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let SleepState::Scheduled(key) = self.state {
            self.world.lock().schedule.remove(&key);
        }
    }
}

impl State {
    /// The time, as somebody reads it who runs on a host.
    pub(crate) fn read_clock(&mut self) -> Instant {
        self.now += self.ticks.next();
        self.now
    }

    pub(crate) fn schedule(&mut self, at: Instant, due: Due) -> (Instant, u64) {
        self.last_due += 1;
        let key = (at, self.last_due);
        self.schedule.insert(key, due);
        key
    }

    /// Schedules what was sent on a link.
    pub(crate) fn schedule_arrivals(&mut self, link: LinkId, arrivals: Arrivals) {
        for (due, side) in arrivals {
            self.schedule(due, Due::Arrive(link, side));
        }
    }

    /// Resets a link at once for both sides.
    pub(crate) fn reset_link(&mut self, link: LinkId) {
        let mut arrivals = Arrivals::new();
        if let Some(link) = self.network.link(link) {
            link.reset(self.now, &mut arrivals);
        }
        self.schedule_arrivals(link, arrivals);
    }

    fn handle_due(&mut self, due: Due, started: Instant, wakers: &mut Vec<Waker>) {
        match due {
            Due::Wake(waker) => wakers.push(waker),
            Due::Arrive(id, side) => {
                let now = self.now;
                let Some(link) = self.network.link(id) else { return };
                if let Some((bytes, reader)) = link.arrive(now, side) {
                    wakers.extend(reader);
                    if link.is_reset(side) {
                        wakers.extend(link.take_writer(side));
                        // The reset has made space in the window of the other direction.
                        wakers.extend(link.take_writer(side.other()));
                    }
                    let elapsed = (now - started).as_nanos() as u64;
                    self.trace = mix(self.trace, elapsed);
                    self.trace = mix(self.trace, id.0 * 2 + u64::from(side == Side::Acceptor));
                    self.trace = bytes
                        .iter()
                        .fold(self.trace, |trace, byte| mix(trace, u64::from(*byte)));
                }
            }
        }
    }
}

/// FNV-1a with whole words: enough to tell traces apart.
fn mix(trace: u64, word: u64) -> u64 {
    (trace ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29)
}

fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
