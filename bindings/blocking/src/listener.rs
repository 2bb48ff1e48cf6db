use std::io;
use std::net::TcpListener;
#[cfg(unix)]
use std::os::unix::net::UnixListener;

use socketio_driver::engine::Listener;
#[cfg(feature = "tls")]
use socketio_driver::net::tls::TlsListener;

use crate::threads::{SocketListener, ThreadsHandle};

/// What can be served: a [`TcpListener`] of the standard library, a `UnixListener`, or one of these
#[cfg_attr(
    feature = "tls",
    doc = "[with TLS](socketio_driver::net::tls::TlsServer::wrap)."
)]
#[cfg_attr(
    not(feature = "tls"),
    doc = "with TLS, for which the feature `tls` is needed."
)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no listener of this binding",
    note = "give a `std::net::TcpListener`, a `std::os::unix::net::UnixListener`, or `tls.wrap(..)` of one of them"
)]
pub trait IntoListener {
    /// The same on the threads.
    type Listener: Listener<ThreadsHandle>;

    /// Begins to listen on the threads.
    ///
    /// # Errors
    /// When the operating system does not watch the socket.
    fn into_listener(self, threads: &ThreadsHandle) -> io::Result<Self::Listener>;
}

impl IntoListener for TcpListener {
    type Listener = SocketListener<mio::net::TcpListener>;

    fn into_listener(self, threads: &ThreadsHandle) -> io::Result<Self::Listener> {
        self.set_nonblocking(true)?;
        SocketListener::new(threads, mio::net::TcpListener::from_std(self))
    }
}

#[cfg(unix)]
impl IntoListener for UnixListener {
    type Listener = SocketListener<mio::net::UnixListener>;

    fn into_listener(self, threads: &ThreadsHandle) -> io::Result<Self::Listener> {
        self.set_nonblocking(true)?;
        SocketListener::new(threads, mio::net::UnixListener::from_std(self))
    }
}

#[cfg(feature = "tls")]
impl<L: IntoListener> IntoListener for TlsListener<L> {
    type Listener = TlsListener<L::Listener>;

    fn into_listener(self, threads: &ThreadsHandle) -> io::Result<Self::Listener> {
        self.try_map(|listener| listener.into_listener(threads))
    }
}
