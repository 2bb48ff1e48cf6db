use socketio_driver::Peer;
use socketio_driver::engine::Listener;
#[cfg(feature = "tls")]
use socketio_driver::net::tls::TlsListener;
use std::io;
use std::task::{Context, Poll, ready};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use crate::TokioStream;

/// What [`serve`](crate::serve) accepts connections from: a [`TcpListener`] of tokio or of the standard library, a
/// Unix listener of either, or one of those [with TLS](socketio_driver::net::tls::TlsServer::wrap). A listener of
/// your own implements this, and the driver's [`Listener`], for itself.
pub trait IntoListener {
    /// The driver's view of it.
    type Listener: Listener;

    /// Hands it over.
    ///
    /// # Errors
    /// When the operating system or the runtime refuses it.
    fn into_listener(self) -> io::Result<Self::Listener>;
}

/// A listening TCP socket.
#[derive(Debug)]
pub struct TokioListener(TcpListener);

impl From<TcpListener> for TokioListener {
    fn from(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl Listener for TokioListener {
    type Stream = TokioStream;

    fn poll_accept(&mut self, task: &mut Context<'_>) -> Poll<io::Result<(TokioStream, Peer)>> {
        let (stream, address) = ready!(self.0.poll_accept(task))?;
        Poll::Ready(Ok((TokioStream::tcp(stream), address.into())))
    }
}

impl IntoListener for TokioListener {
    type Listener = Self;

    fn into_listener(self) -> io::Result<Self> {
        Ok(self)
    }
}

impl IntoListener for TcpListener {
    type Listener = TokioListener;

    fn into_listener(self) -> io::Result<TokioListener> {
        Ok(TokioListener(self))
    }
}

impl IntoListener for std::net::TcpListener {
    type Listener = TokioListener;

    fn into_listener(self) -> io::Result<TokioListener> {
        self.set_nonblocking(true)?;
        TcpListener::from_std(self)?.into_listener()
    }
}

/// A listening Unix socket. Its clients have no address.
#[cfg(unix)]
#[derive(Debug)]
pub struct TokioUnixListener(UnixListener);

#[cfg(unix)]
impl From<UnixListener> for TokioUnixListener {
    fn from(listener: UnixListener) -> Self {
        Self(listener)
    }
}

#[cfg(unix)]
impl Listener for TokioUnixListener {
    type Stream = TokioStream<UnixStream>;

    fn poll_accept(&mut self, task: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, Peer)>> {
        let (stream, _) = ready!(self.0.poll_accept(task))?;
        Poll::Ready(Ok((TokioStream::new(stream), Peer::Unknown)))
    }
}

#[cfg(unix)]
impl IntoListener for TokioUnixListener {
    type Listener = Self;

    fn into_listener(self) -> io::Result<Self> {
        Ok(self)
    }
}

#[cfg(unix)]
impl IntoListener for UnixListener {
    type Listener = TokioUnixListener;

    fn into_listener(self) -> io::Result<TokioUnixListener> {
        Ok(TokioUnixListener(self))
    }
}

#[cfg(unix)]
impl IntoListener for std::os::unix::net::UnixListener {
    type Listener = TokioUnixListener;

    fn into_listener(self) -> io::Result<TokioUnixListener> {
        self.set_nonblocking(true)?;
        UnixListener::from_std(self)?.into_listener()
    }
}

#[cfg(feature = "tls")]
impl<L: IntoListener> IntoListener for TlsListener<L> {
    type Listener = TlsListener<L::Listener>;

    fn into_listener(self) -> io::Result<Self::Listener> {
        self.try_map(L::into_listener)
    }
}
