//! Accepting and making connections.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;

use mio::Interest;
use mio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use mio::net::{UnixListener, UnixStream};
use socketio_driver::Peer;
use socketio_driver::engine::Listener;

use super::handle::ThreadsHandle;
use super::shared::Shared;
use super::source::{Direction, Extent, Readiness, Socket, SocketStream, Source};

/// A listening socket, TCP or Unix, on the I/O thread.
pub struct SocketListener<L: SocketSource> {
    source: Source<L>,
}

/// A listening socket.
pub trait SocketSource: mio::event::Source + Send + Sync + 'static {
    /// What it accepts.
    type Socket: Socket;

    /// Accepts one connection.
    ///
    /// # Errors
    /// Those of the socket.
    fn accept(&self) -> io::Result<(Self::Socket, Peer)>;
}

impl SocketSource for TcpListener {
    type Socket = TcpStream;

    fn accept(&self) -> io::Result<(TcpStream, Peer)> {
        let (stream, address) = self.accept()?;
        Ok((immediate(stream), address.into()))
    }
}

#[cfg(unix)]
impl SocketSource for UnixListener {
    type Socket = UnixStream;

    /// Clients have no address.
    fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = self.accept()?;
        Ok((stream, Peer::Unknown))
    }
}

impl<L: SocketSource> SocketListener<L> {
    /// Over a socket that listens and does not block.
    pub(crate) fn new(handle: &ThreadsHandle, listener: L) -> io::Result<Self> {
        let readiness = Readiness::untold();
        Ok(Self {
            source: Source::new(handle.shared(), listener, readiness, Interest::READABLE)?,
        })
    }
}

impl<L: SocketSource> Listener<ThreadsHandle> for SocketListener<L> {
    type Stream = SocketStream<L::Socket>;

    async fn accept(&mut self) -> io::Result<(Self::Stream, Peer)> {
        let source = &self.source;
        let accepting = poll_fn(|task| {
            let accept = || Ok((source.io.accept()?, Extent::Full));
            source.readiness.attempt(Direction::Read, task, accept)
        });
        let (stream, peer) = accepting.await?;
        Ok((SocketStream::new(source.shared(), stream)?, peer))
    }
}

impl<L: SocketSource> std::fmt::Debug for SocketListener<L> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SocketListener").finish_non_exhaustive()
    }
}

/// Connects by TCP.
pub(super) async fn dial(shared: Arc<Shared>, address: SocketAddr) -> io::Result<SocketStream<TcpStream>> {
    let stream = dialling(&shared, TcpStream::connect(address)?)?;
    let source = &stream.0;
    connected(source, || {
        failure(source.io.take_error())?;
        source.io.peer_addr().map(drop)
    })
    .await?;
    // A socket that can not be told so is gone already.
    let _ = stream.0.io.set_nodelay(true);
    Ok(stream)
}

/// Connects to a Unix socket.
#[cfg(unix)]
pub(super) async fn dial_unix(shared: Arc<Shared>, path: &Path) -> io::Result<SocketStream<UnixStream>> {
    let stream = dialling(&shared, UnixStream::connect(path)?)?;
    let source = &stream.0;
    connected(source, || {
        failure(source.io.take_error())?;
        source.io.peer_addr().map(drop)
    })
    .await?;
    Ok(stream)
}

/// The error that a socket was asked for, as one.
fn failure(taken: io::Result<Option<io::Error>>) -> io::Result<()> {
    taken?.map_or(Ok(()), Err)
}

fn dialling<S: Socket>(shared: &Arc<Shared>, io: S) -> io::Result<SocketStream<S>> {
    let interest = Interest::READABLE | Interest::WRITABLE;
    Ok(SocketStream(Source::new(
        shared,
        io,
        Readiness::unready(),
        interest,
    )?))
}

/// Waits until a connection is made, or has failed: `look` says which.
async fn connected<S: Socket>(source: &Source<S>, look: impl Fn() -> io::Result<()>) -> io::Result<()> {
    poll_fn(|task| {
        source.readiness.attempt(Direction::Write, task, || match look() {
            Err(error) if is_unfinished(&error) => Err(io::ErrorKind::WouldBlock.into()),
            looked => looked.map(|()| ((), Extent::Full)),
        })
    })
    .await
}

fn is_unfinished(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotConnected
}

/// Small packets must not wait for each other; a socket that can not be told so is gone already.
fn immediate(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    stream
}
