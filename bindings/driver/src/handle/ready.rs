//! Waiting until a peer is ready for more.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use crate::bare::Session;
use crate::client::ClientSocket;
use crate::client::hub::{ConnectionStatus, Watch};
use crate::core::{Readiness, SessionId, SocketId};
use crate::error::Error;
use crate::handle::Socket;

/// Waiting until a peer takes more: until less than [`Limits::ready_bytes`](crate::Limits::ready_bytes) (256 KiB) is on
/// its way to it. `Ok` is ready, [`Error::Disconnected`] is gone.
///
/// Whoever waits before each emit never fills a queue, however slowly the peer reads, and never has more than that and
/// one message in memory for it. Any number may wait for one peer; each looks again when it is woken, so that those who
/// emit at once after waiting do not all do so on top of each other. What others send meanwhile, and a
/// [`Reply`](crate::Reply) after the last emit, count as well: after a large last message wait once more.
///
/// A client that answers nothing is gone after ping interval and ping timeout. One that sends pongs and reads nothing
/// may keep this waiting as long as it stays: give it a deadline with the runtime's own means. In the blocking binding
/// there is none, and it holds a worker meanwhile.
///
/// Dropping it forgets that it waited; polled after it was ready it waits anew.
///
/// ```no_run
/// # use std::{fs::File, io::Read};
/// # use socketio_driver::{Bytes, Socket};
/// /// Sends a file of any size in pieces, as fast as the client takes them.
/// async fn send_file(socket: Socket, mut file: File) -> Result<(), Box<dyn std::error::Error>> {
///     let mut piece = vec![0; 64 * 1024];
///     loop {
///         let length = file.read(&mut piece)?;
///         if length == 0 {
///             break;
///         }
///         socket.ready().await?;
///         socket.emit("piece", &Bytes::copy_from_slice(&piece[..length]))?;
///     }
///     Ok(socket.emit("end", &())?)
/// }
/// ```
#[must_use = "nothing is waited for unless it is awaited, or waited for in the blocking binding"]
pub struct Ready(Peer);

enum Peer {
    Socket(Socket, Option<WaiterId>),
    Session(Session, Option<WaiterId>),
    Client(ClientSocket, Option<Watch>),
}

impl Ready {
    pub(crate) const fn of_socket(socket: Socket) -> Self {
        Self(Peer::Socket(socket, None))
    }

    pub(crate) const fn of_session(session: Session) -> Self {
        Self(Peer::Session(session, None))
    }

    pub(crate) const fn of_client(socket: ClientSocket) -> Self {
        Self(Peer::Client(socket, None))
    }
}

impl Future for Ready {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match &mut self.get_mut().0 {
            Peer::Socket(socket, waiter) => {
                let (inner, id) = (socket.inner(), socket.socket_id());
                let mut registration = Registration::new(inner.ready_waiters(), id, waiter, task.waker());
                inner.with_core(|core, now| registration.update(core.watch_ready(now, id)))
            }
            Peer::Session(session, waiter) => {
                let (inner, id) = (session.inner(), session.id());
                let mut registration = Registration::new(inner.ready_waiters(), id, waiter, task.waker());
                inner.with_core(|core, now| registration.update(core.watch_ready(now, id)))
            }
            Peer::Client(socket, watch) => ready!(poll_client(socket, watch, task.waker())),
        };
        match outcome {
            Ok(Readiness::Ready) => Poll::Ready(Ok(())),
            Ok(Readiness::Awaited) => Poll::Pending,
            Ok(Readiness::Never) => Poll::Ready(Err(Error::Disconnected)),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        let left = match &self.0 {
            Peer::Socket(socket, Some(waiter)) => {
                socket.inner().ready_waiters().leave(socket.socket_id(), *waiter)
            }
            Peer::Session(session, Some(waiter)) => {
                session.inner().ready_waiters().leave(session.id(), *waiter)
            }
            Peer::Socket(_, None) | Peer::Session(_, None) | Peer::Client(..) => None,
        };
        drop(left);
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer: &dyn fmt::Debug = match &self.0 {
            Peer::Socket(socket, _) => socket,
            Peer::Session(session, _) => session,
            Peer::Client(socket, _) => socket,
        };
        formatter.debug_tuple("Ready").field(peer).finish()
    }
}

/// Whether the namespace of a client is ready; `Pending` while it is not.
fn poll_client(
    socket: &ClientSocket,
    watch: &mut Option<Watch>,
    waker: &Waker,
) -> Poll<Result<Readiness, Error>> {
    let ask = || socket.with_core(|core, namespace, now| core.watch_ready(now, namespace));
    if watch.is_none() {
        match ask() {
            Ok(Readiness::Awaited) => {}
            outcome => return Poll::Ready(outcome),
        }
        match socket.inner() {
            Ok(inner) => *watch = Some(inner.hub().watch()),
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    // Before the core is asked, so that whatever changes after that wakes.
    let end = watch.as_mut().map(|watch| {
        watch.poll(waker, |status| {
            matches!(status.connection, ConnectionStatus::Over(_)).then_some(Error::Disconnected)
        })
    });
    if let Some(Poll::Ready(error)) = end {
        return Poll::Ready(Err(error));
    }
    match ask() {
        Ok(Readiness::Awaited) => Poll::Pending,
        outcome => {
            *watch = None;
            Poll::Ready(outcome)
        }
    }
}

/// Tells those apart who wait for the same peer.
type WaiterId = u64;

/// Who waits for the clients of a server to be ready.
///
/// The lock is a leaf: taken under the shard's lock or alone, and nothing of the application runs under it. Wakers come
/// back from every method, because neither waking nor dropping one may happen under a lock.
pub(crate) struct ReadyWaiters<K>(Mutex<Waiting<K>>);

struct Waiting<K> {
    last: WaiterId,
    wakers: BTreeMap<(K, WaiterId), Waker>,
}

impl<K> Default for ReadyWaiters<K> {
    fn default() -> Self {
        Self(Mutex::new(Waiting {
            last: 0,
            wakers: BTreeMap::new(),
        }))
    }
}

impl<K: Copy + Ord> ReadyWaiters<K> {
    /// Everybody who waits for `peer`, to be woken now.
    #[must_use = "whoever waits must be woken, outside every lock"]
    pub(crate) fn take(&self, peer: K) -> Vec<Waker> {
        let mut waiting = self.lock();
        let theirs = waiting.wakers.range((peer, 0)..=(peer, WaiterId::MAX));
        let theirs: Vec<_> = theirs.map(|(key, _)| *key).collect();
        let wakers = theirs.iter().filter_map(|key| waiting.wakers.remove(key));
        wakers.collect()
    }

    fn enter(&self, peer: K, waiter: &mut Option<WaiterId>, waker: Waker) -> Option<Waker> {
        let mut waiting = self.lock();
        waiting.last += 1;
        let next = waiting.last;
        let waiter = waiter.get_or_insert(next);
        waiting.wakers.insert((peer, *waiter), waker)
    }

    fn leave(&self, peer: K, waiter: WaiterId) -> Option<Waker> {
        self.lock().wakers.remove(&(peer, waiter))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<K>> {
        // Nothing that can panic runs under the lock, so the state is whole even if a thread died.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One wait's entry in [`ReadyWaiters`], updated under the shard's lock: what the core says and who waits for it
/// agree. The wakers that are not needed are dropped with it, outside the lock.
struct Registration<'a, K> {
    ready_waiters: &'a ReadyWaiters<K>,
    peer: K,
    waiter: &'a mut Option<WaiterId>,
    waker: Option<Waker>,
    replaced: Option<Waker>,
}

impl<'a, K: Copy + Ord> Registration<'a, K> {
    fn new(
        ready_waiters: &'a ReadyWaiters<K>,
        peer: K,
        waiter: &'a mut Option<WaiterId>,
        waker: &Waker,
    ) -> Self {
        Self {
            ready_waiters,
            peer,
            waiter,
            waker: Some(waker.clone()),
            replaced: None,
        }
    }

    /// Enters who has to wait, and lets out who waited.
    fn update(&mut self, readiness: Readiness) -> Readiness {
        self.replaced = match (readiness, self.waker.take()) {
            (Readiness::Awaited, Some(waker)) => self.ready_waiters.enter(self.peer, self.waiter, waker),
            (_, waker) => {
                self.waker = waker;
                self.waiter
                    .and_then(|waiter| self.ready_waiters.leave(self.peer, waiter))
            }
        };
        readiness
    }
}

/// Who waits for the sockets of a server.
pub(crate) type SocketReadyWaiters = ReadyWaiters<SocketId>;

/// Who waits for the sessions of a bare server.
pub(crate) type SessionReadyWaiters = ReadyWaiters<SessionId>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn everybody_who_waits_for_a_peer_is_taken_and_nobody_else() {
        let waiting = ReadyWaiters::<u32>::default();
        let counters: Vec<_> = (0..4).map(|_| Arc::new(Counter::default())).collect();
        let mut waiters = [None; 4];
        for (index, peer) in [5, 5, 6, 4].into_iter().enumerate() {
            let waker = Waker::from(Arc::clone(&counters[index]));
            assert!(waiting.enter(peer, &mut waiters[index], waker).is_none());
        }
        waiting.take(5).into_iter().for_each(Waker::wake);
        assert!(waiting.take(5).is_empty());
        let woken: Vec<_> = counters
            .iter()
            .map(|counter| counter.0.load(Ordering::SeqCst))
            .collect();
        assert_eq!(woken, [1, 1, 0, 0]);
        assert!(waiting.leave(6, waiters[2].unwrap()).is_some());
        assert!(waiting.take(6).is_empty());
        assert_eq!(waiting.take(4).len(), 1);
    }

    #[test]
    fn who_waits_again_is_entered_once() {
        let waiting = ReadyWaiters::<u32>::default();
        let (mut first, mut second) = (None, None);
        assert!(waiting.enter(1, &mut first, Waker::noop().clone()).is_none());
        assert_eq!(waiting.take(1).len(), 1);
        assert!(waiting.enter(1, &mut second, Waker::noop().clone()).is_none());
        assert!(waiting.enter(1, &mut first, Waker::noop().clone()).is_none());
        assert!(waiting.enter(1, &mut first, Waker::noop().clone()).is_some());
        assert_eq!(waiting.take(1).len(), 2);
    }
}
