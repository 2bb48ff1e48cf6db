use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::executor::{Executor, Task};
use crate::host::Host;
use crate::link::{Arrivals, Side};
use crate::network::{LinkId, Network};
use crate::weather::{Tally, Weather};

/// So many turns of tasks while the clock stands still are a loop that does not end.
const TURNS: u64 = 5_000_000;
/// Where the test's own task is.
const TEST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// A world; see the [crate](crate). Clones are handles to the same.
#[derive(Clone)]
pub struct World(Arc<Shared>);

pub(crate) struct Shared {
    state: Mutex<State>,
    seed: u64,
    begun: Instant,
}

pub(crate) struct State {
    pub(crate) now: Instant,
    pub(crate) network: Network,
    schedule: BTreeMap<(Instant, u64), Due>,
    last_due: u64,
    spawned: Vec<(IpAddr, Task)>,
    killed: Vec<IpAddr>,
    trace: u64,
    segments: u64,
    /// Tasks that have begun and not ended.
    running: usize,
    /// How many seeds were given to hosts.
    pub(crate) last_seed: u64,
}

/// What happens at a moment.
pub(crate) enum Due {
    Wake(Waker),
    /// Something has arrived for this side of a link.
    Arrive(LinkId, Side),
}

impl World {
    /// Runs `test` in the world of a seed, to its end, on a thread of its own; gives what it gives, and the trace of all
    /// that was sent.
    ///
    /// # Panics
    /// If the test does, if it waits while nothing can happen any more, or if time stands still for ever.
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
        let (test, place) = (test(world.clone()), Arc::clone(&output));
        executor.spawn(
            TEST,
            Box::pin(async move {
                let output = test.await;
                *unpoisoned(&place) = Some(output);
            }),
        );
        let mut turns = 0;
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
                turns += 1;
                assert!(
                    turns < TURNS,
                    "seed {seed}: tasks run and run while the clock stands still"
                );
            } else {
                turns = 0;
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
                network: Network::new(seed),
                schedule: BTreeMap::new(),
                last_due: 0,
                spawned: Vec::new(),
                killed: Vec::new(),
                trace: seed,
                segments: 0,
                running: 0,
                last_seed: 0,
            }),
            seed,
            begun: now,
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

    /// A stream of chance for the test, apart from all others.
    #[must_use]
    pub fn chance(&self, name: &str) -> Chance {
        Chance::of(self.0.seed, name, 0)
    }

    /// How connections to `address` fare from now on; those that are open stay as they are.
    pub fn set_weather(&self, address: SocketAddr, weather: Weather) {
        self.lock().network.set_weather(address, weather);
    }

    /// How long the world has lasted.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.lock().now - self.0.begun
    }

    /// A number for all that was sent so far, when and where: worlds that differ in anything differ in it.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.lock().trace
    }

    /// How many segments have arrived anywhere.
    #[must_use]
    pub fn segments(&self) -> u64 {
        self.lock().segments
    }

    /// How often each thing that the weather does has happened.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.lock().network.tally()
    }

    /// Open connections, and the bytes on them that nobody has read.
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

    /// Lets the open connections of a host die without a word: nothing arrives on them any more, and nobody is told.
    pub fn silence(&self, host: &Host) {
        let mut state = self.lock();
        for id in state.network.links_of(host.address()) {
            if let Some(link) = state.network.link(id) {
                link.silence();
            }
        }
    }

    /// Ends a host as a power cut does: its tasks are gone, its connections are reset.
    pub fn kill(&self, host: &Host) {
        let mut state = self.lock();
        for address in state.network.listeners_of(host.address()) {
            state.network.unlisten(address);
        }
        for id in state.network.links_of(host.address()) {
            state.cut(id);
        }
        state.killed.push(host.address());
    }

    /// Waits.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let deadline = self.lock().now + duration;
        self.sleep_until(deadline)
    }

    pub(crate) fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep {
            world: self.clone(),
            deadline,
            scheduled: None,
        }
    }

    pub(crate) fn spawn(&self, host: IpAddr, task: Task) {
        self.lock().spawned.push((host, task));
    }

    pub(crate) fn seed(&self) -> u64 {
        self.0.seed
    }

    /// Moves the clock to the next moment at which something is due and lets it happen; whether there was one.
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
                state.happen(due, self.0.begun, &mut wakers);
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
    scheduled: Option<(Instant, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let world = self.world.clone();
        let mut state = world.lock();
        if let Some(key) = self.scheduled.take() {
            state.schedule.remove(&key);
        }
        if state.now >= self.deadline {
            return Poll::Ready(());
        }
        self.scheduled = Some(state.schedule(self.deadline, Due::Wake(task.waker().clone())));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.scheduled.take() {
            self.world.lock().schedule.remove(&key);
        }
    }
}

impl State {
    pub(crate) fn schedule(&mut self, at: Instant, due: Due) -> (Instant, u64) {
        self.last_due += 1;
        let key = (at, self.last_due);
        self.schedule.insert(key, due);
        key
    }

    /// What a write or a close led to on a link.
    pub(crate) fn expect(&mut self, link: LinkId, arrivals: Arrivals) {
        for (due, side) in arrivals {
            self.schedule(due, Due::Arrive(link, side));
        }
    }

    /// Breaks a link at once for both sides.
    pub(crate) fn cut(&mut self, link: LinkId) {
        let mut arrivals = Arrivals::new();
        if let Some(broken) = self.network.link(link) {
            broken.cut(self.now, &mut arrivals);
        }
        self.expect(link, arrivals);
    }

    fn happen(&mut self, due: Due, begun: Instant, wakers: &mut Vec<Waker>) {
        match due {
            Due::Wake(waker) => wakers.push(waker),
            Due::Arrive(id, side) => {
                let now = self.now;
                let Some(link) = self.network.link(id) else { return };
                if let Some((bytes, reader)) = link.arrive(now, side) {
                    wakers.extend(reader);
                    if link.is_reset(side) {
                        wakers.extend(link.wake_writer(side));
                        // What arrives where nobody reads any more has made room for the next.
                        wakers.extend(link.wake_writer(side.other()));
                    }
                    let elapsed = (now - begun).as_nanos() as u64;
                    self.segments += 1;
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

/// FNV-1a with whole words: tells traces apart, keeps nobody out.
fn mix(trace: u64, word: u64) -> u64 {
    (trace ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29)
}

fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
