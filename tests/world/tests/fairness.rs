//! A connection that always has something to send lets others have their turn.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::BytesMut;
use socketio_driver::client::{Client, TransportOrder};
use socketio_driver::engine::{Listener, Stream};
use socketio_driver::{Peer, Server, Socket, engine};
use socketio_world::{Host, NetworkConditions, SimListener, SimStream, World};

/// How many events are emitted while the connection writes.
const EVENTS: u64 = 20_000;
/// Most writes before another task has had a turn; the scheduler is random, so some polls may follow each other.
const MOST: u64 = 2_000;

/// Emits another event whenever the connection has written, as a thread beside it may.
#[derive(Clone, Default)]
struct Emitter(Arc<State>);

#[derive(Default)]
struct State {
    socket: OnceLock<Socket>,
    is_started: AtomicBool,
    emitted: AtomicU64,
    /// Writes since another task had its turn.
    in_a_row: AtomicU64,
    most_in_a_row: AtomicU64,
}

impl Emitter {
    fn start(&self) {
        self.0.is_started.store(true, Ordering::Relaxed);
        let socket = self.0.socket.get().expect("it is connected");
        socket.emit("more", &()).expect("its client reads");
    }

    fn written(&self) {
        let started = self
            .0
            .socket
            .get()
            .filter(|_| self.0.is_started.load(Ordering::Relaxed));
        let Some(socket) = started else { return };
        let in_a_row = self.0.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.most_in_a_row.fetch_max(in_a_row, Ordering::Relaxed);
        if self.0.emitted.fetch_add(1, Ordering::Relaxed) < EVENTS {
            socket.emit("more", &()).expect("its client reads");
        }
    }

    fn is_over(&self) -> bool {
        self.0.emitted.load(Ordering::Relaxed) > EVENTS
    }
}

struct EmittingListener(SimListener, Emitter);

struct EmittingStream(SimStream, Emitter);

impl Listener<Host> for EmittingListener {
    type Stream = EmittingStream;

    async fn accept(&mut self) -> io::Result<(EmittingStream, Peer)> {
        let (stream, peer) = Listener::<Host>::accept(&mut self.0).await?;
        Ok((EmittingStream(stream, self.1.clone()), peer))
    }
}

impl Stream for EmittingStream {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.0.poll_read(task, buffer)
    }

    fn poll_write(&mut self, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = self.0.poll_write(task, slices);
        if written.is_ready() {
            self.1.written();
        }
        written
    }

    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(task)
    }
}

async fn most_writes_in_a_row(world: World) -> u64 {
    let emitter = Emitter::default();
    let host = world.host(2);
    let listener = host.listen(80).expect("the port is free");
    world.set_conditions(SocketAddr::new(host.address(), 80), NetworkConditions::ideal());
    let known = emitter.clone();
    let server = Server::builder()
        .on_connect(move |socket: Socket| drop(known.0.socket.set(socket)))
        .build();
    let (runtime, listener) = (host.clone(), EmittingListener(listener, emitter.clone()));
    host.run(async move {
        let _ = engine::serve(runtime, listener, server).await;
    });
    let builder = Client::builder("http://host-2").transports(TransportOrder::WebSocket);
    let _client = engine::connect(world.host(10), builder)
        .await
        .expect("it connects");
    emitter.start();
    while !emitter.is_over() {
        emitter.0.in_a_row.store(0, Ordering::Relaxed);
        yield_now().await;
    }
    emitter.0.most_in_a_row.load(Ordering::Relaxed)
}

/// Gives everybody else a turn while the clock stands still.
async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|task| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn a_connection_that_always_has_something_to_write_lets_others_go_on() {
    for seed in 0..5 {
        let (most, _) = World::run(seed, most_writes_in_a_row);
        assert!(most < MOST, "seed {seed}: {most} writes in a row");
    }
}
