use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::instance::Instance;
use super::link::Link;
use super::runtime::{Handlers, Listener, Runtime, Stream};
use super::server::{ServerInstance, ServerMachine};
use super::shard::Host;
use super::state::Stage;
use super::timer;
use super::work::yield_now;
use crate::core::Peer;
use crate::error::Error;

/// Connections accepted before others get their turn: not every runtime sees to that.
const ACCEPTED: usize = 64;
/// How long accepting pauses when the process has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(50);

/// Serves connections of `listener` until the instance is shut down, or its serving fails for good.
pub(super) async fn serve_instance<R: Runtime, L: Listener<R>, I: ServerInstance>(
    runtime: R,
    mut listener: L,
    instance: Arc<I>,
    machine: I::Machine,
) -> io::Result<()> {
    start(&runtime, &instance, machine)?;
    let _ends = EndOnDrop(Arc::clone(&instance));
    let mut accepted = 0;
    loop {
        accepted += 1;
        if accepted > ACCEPTED {
            accepted = 0;
            yield_now().await;
        }
        match accept(&instance, &mut listener).await {
            Accepted::Connection(stream, peer) => admit(&runtime, &instance, stream, peer),
            Accepted::Gone => {}
            Accepted::NoRoom => drop(runtime.sleep_until(runtime.now() + NO_ROOM).await),
            Accepted::End { deadline } => {
                drop(listener);
                finish(&runtime, &instance, deadline).await;
                return Ok(());
            }
            Accepted::Failed(error) => return Err(error),
        }
    }
}

/// Begins to serve connections that a host brings. The future ends as [`serve_instance`] does; dropping it ends
/// everything at once.
pub(super) fn host_instance<R: Runtime, I: ServerInstance>(
    runtime: R,
    instance: Arc<I>,
    machine: I::Machine,
) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    start(&runtime, &instance, machine)?;
    let ends = EndOnDrop(instance);
    Ok(async move {
        let instance = &ends.0;
        // A poisoned shard has ended already.
        if let Ok(deadline) = poll_fn(|task| poll_end(instance, task)).await {
            finish(&runtime, instance, deadline).await;
        }
    })
}

/// Puts a machine behind the lock and makes the task of its timer, so that connections can be served.
fn start<R: Runtime, I: Instance>(runtime: &R, instance: &Arc<I>, machine: I::Machine) -> io::Result<()> {
    install(runtime, instance, machine, R::HANDLERS)?;
    runtime.spawn(timer::run(runtime.clone(), Arc::clone(instance)));
    Ok(())
}

/// Puts a machine behind the lock; `handlers` says where its handlers run.
pub(super) fn install<R: Runtime, I: Instance>(
    runtime: &R,
    instance: &Arc<I>,
    machine: I::Machine,
    handlers: Handlers,
) -> io::Result<()> {
    let (clock, spawner, workers) = (runtime.clone(), runtime.clone(), runtime.clone());
    let host = Host {
        now: Box::new(move || clock.now()),
        spawn: Box::new(move |task| spawner.spawn(task)),
        spawn_handlers: Box::new(move |task| workers.spawn_handlers(task)),
        handlers,
    };
    instance.shard().start(machine, host).map_err(io::Error::other)
}

fn admit<R: Runtime, I: ServerInstance>(runtime: &R, instance: &Arc<I>, stream: impl Stream, peer: Peer) {
    let opened = instance.shard().with(instance, |state, now| {
        let connection = state.try_open(now, peer)?;
        Some((connection, state.machine.wire()))
    });
    // A poisoned shard serves nobody; dropping the stream says so.
    if let Ok(Some((id, wire))) = opened {
        let link = Link::new(Arc::clone(instance), id, wire);
        runtime.spawn(Connection::new(link, runtime.clone(), stream));
    }
}

enum Accepted<S> {
    Connection(S, Peer),
    /// The peer was gone before it was accepted.
    Gone,
    /// The process or the system has no room for another connection at the moment.
    NoRoom,
    End {
        deadline: Instant,
    },
    Failed(io::Error),
}

/// The next connection, or why there is none.
async fn accept<R, L: Listener<R>, I: Instance>(instance: &Arc<I>, listener: &mut L) -> Accepted<L::Stream> {
    let mut connection = pin!(listener.accept());
    poll_fn(|task| match poll_end(instance, task) {
        Poll::Pending => connection.as_mut().poll(task).map(Accepted::from),
        Poll::Ready(Ok(deadline)) => Poll::Ready(Accepted::End { deadline }),
        Poll::Ready(Err(error)) => Poll::Ready(Accepted::Failed(io::Error::other(error))),
    })
    .await
}

impl<S> From<io::Result<(S, Peer)>> for Accepted<S> {
    fn from(accepted: io::Result<(S, Peer)>) -> Self {
        match accepted {
            Ok((stream, peer)) => Self::Connection(stream, peer),
            Err(error) => match error.kind() {
                io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::Interrupted => Self::Gone,
                io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected => Self::Failed(error),
                _ => Self::NoRoom,
            },
        }
    }
}

/// Until when connections may go on, once the instance is shut down.
fn poll_end<I: Instance>(instance: &Arc<I>, task: &Context<'_>) -> Poll<Result<Instant, Error>> {
    let waker = task.waker().clone();
    let stage = instance.shard().with(instance, |state, now| match state.stage {
        Stage::Serving => (Poll::Pending, state.acceptor.replace(waker)),
        Stage::Ending { deadline } => (Poll::Ready(deadline), None),
        Stage::Aborted => (Poll::Ready(now), None),
    });
    match stage {
        Ok((Poll::Pending, _replaced)) => Poll::Pending,
        Ok((Poll::Ready(deadline), _)) => Poll::Ready(Ok(deadline)),
        Err(error) => Poll::Ready(Err(error)),
    }
}

/// Waits for the last connection, or until the deadline.
async fn finish<R: Runtime, I: Instance>(runtime: &R, instance: &Arc<I>, deadline: Instant) {
    let mut sleep = pin!(runtime.sleep_until(deadline));
    poll_fn(|task| {
        if sleep.as_mut().poll(task).is_ready() {
            return Poll::Ready(());
        }
        let waker = task.waker().clone();
        let open = instance
            .shard()
            .with(instance, |state, _| (state.open, state.acceptor.replace(waker)));
        if open.is_ok_and(|(open, _replaced)| open > 0) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// However serving ends, its connections end with it.
struct EndOnDrop<I: Instance>(Arc<I>);

impl<I: Instance> Drop for EndOnDrop<I> {
    fn drop(&mut self) {
        // A poisoned shard has no connections any more.
        let _ = self.0.shard().with(&self.0, super::state::State::abort);
    }
}
