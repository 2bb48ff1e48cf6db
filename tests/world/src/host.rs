//! The runtime, dialler, listener and streams that the driver uses.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::BytesMut;
use socketio_driver::Peer;
use socketio_driver::engine::{Dial, Listener, Runtime, Stream};

use crate::World;
use crate::link::{Arrivals, Side};
use crate::network::{Dialled, LinkId};
use crate::pipe::Outcome;
use crate::world::Sleep;

/// A machine with an address and tasks. Clones are handles to the same machine.
#[derive(Clone)]
pub struct Host {
    world: World,
    address: IpAddr,
}

impl Host {
    pub(crate) const fn new(world: World, address: IpAddr) -> Self {
        Self { world, address }
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Listens at a port.
    ///
    /// # Errors
    /// When the port is in use.
    pub fn listen(&self, port: u16) -> io::Result<SimListener> {
        let address = SocketAddr::new(self.address, port);
        if !self.world.lock().network.listen(address) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        Ok(SimListener {
            world: self.world.clone(),
            address,
        })
    }

    /// Runs a task on this host.
    pub fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.world.spawn(self.address, Box::pin(task));
    }
}

impl Runtime for Host {
    type Stream = SimStream;
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        self.world.lock().read_clock()
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        self.world.sleep_until(deadline)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.run(task);
    }

    /// Another seed each time: a server that was restarted must not use the same ids again.
    fn seed(&self) -> io::Result<[u8; 32]> {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.world.seed().to_le_bytes());
        let number = {
            let mut state = self.world.lock();
            state.last_seed += 1;
            state.last_seed
        };
        seed[8..16].copy_from_slice(&number.to_le_bytes());
        for (target, byte) in seed[16..].iter_mut().zip(self.address.to_string().bytes()) {
            *target = byte;
        }
        Ok(seed)
    }
}

impl Dial for Host {
    /// The name of a host is `host-` and its number.
    fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static + use<> {
        let number: Option<u8> = host.trim_start_matches("host-").parse().ok();
        let address = number.map(|number| SocketAddr::from(([10, 0, 0, number], port)));
        async move { Ok(address.into_iter().collect()) }
    }

    fn dial(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<SimStream>> + Send + 'static + use<> {
        let (world, from) = (self.world.clone(), self.address);
        async move {
            let delay = {
                let mut state = world.lock();
                let now = state.now;
                state
                    .network
                    .dial_time(now, address)
                    .saturating_duration_since(now)
            };
            world.sleep(delay).await;
            let dialled = {
                let mut state = world.lock();
                let now = state.now;
                state.network.dial(now, from, address)
            };
            match dialled {
                Dialled::Lost => std::future::pending().await,
                Dialled::Refused => Err(io::ErrorKind::ConnectionRefused.into()),
                Dialled::Link(link) => {
                    let stream = SimStream {
                        world: world.clone(),
                        link,
                        side: Side::Dialler,
                    };
                    let (is_listening, acceptor) = world.lock().network.offer(link, address);
                    acceptor.into_iter().for_each(std::task::Waker::wake);
                    match is_listening {
                        true => Ok(stream),
                        false => Err(io::ErrorKind::ConnectionRefused.into()),
                    }
                }
            }
        }
    }
}

/// A listener; the port is free again when it is dropped.
pub struct SimListener {
    world: World,
    address: SocketAddr,
}

impl SimListener {
    /// Its address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl<R> Listener<R> for SimListener {
    type Stream = SimStream;

    async fn accept(&mut self) -> io::Result<(SimStream, Peer)> {
        let accepted = poll_fn(|task| {
            let accepted = self.world.lock().network.accept(self.address, task.waker());
            accepted.map_or(Poll::Pending, Poll::Ready)
        });
        let (link, from) = accepted.await;
        let stream = SimStream {
            world: self.world.clone(),
            link,
            side: Side::Acceptor,
        };
        Ok((stream, from.into()))
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        let waiting = self.world.lock().network.unlisten(self.address);
        for link in waiting {
            drop(SimStream {
                world: self.world.clone(),
                link,
                side: Side::Acceptor,
            });
        }
    }
}

/// One side of a connection.
pub struct SimStream {
    world: World,
    link: LinkId,
    side: Side,
}

impl SimStream {
    /// Resets the connection at once for both sides.
    pub fn reset(&self) {
        self.world.lock().reset_link(self.link);
    }

    fn poll_of(&self, outcome: Outcome) -> Poll<io::Result<usize>> {
        match outcome {
            Outcome::Done(count) => Poll::Ready(Ok(count)),
            Outcome::Wait => Poll::Pending,
            Outcome::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }
}

impl Stream for SimStream {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let space = buffer.capacity() - buffer.len();
        let (outcome, writer) = {
            let mut state = self.world.lock();
            match state.network.link(self.link) {
                Some(link) => link.read(self.side, space, buffer, task.waker()),
                None => (Outcome::Reset, None),
            }
        };
        writer.into_iter().for_each(std::task::Waker::wake);
        self.poll_of(outcome)
    }

    fn poll_write(&mut self, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut state = self.world.lock();
        let now = state.now;
        let mut arrivals = Arrivals::new();
        let outcome = match state.network.link(self.link) {
            Some(link) => link.write(now, self.side, slices, task.waker(), &mut arrivals),
            None => Outcome::Reset,
        };
        state.schedule_arrivals(self.link, arrivals);
        drop(state);
        self.poll_of(outcome)
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.world.lock();
        let now = state.now;
        let mut arrivals = Arrivals::new();
        if let Some(link) = state.network.link(self.link) {
            link.end(now, self.side, &mut arrivals);
        }
        state.schedule_arrivals(self.link, arrivals);
        Poll::Ready(Ok(()))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        let wakers = {
            let mut state = self.world.lock();
            let now = state.now;
            let mut arrivals = Arrivals::new();
            let wakers = state.network.close(now, self.link, self.side, &mut arrivals);
            state.schedule_arrivals(self.link, arrivals);
            wakers
        };
        wakers.into_iter().flatten().for_each(std::task::Waker::wake);
    }
}
