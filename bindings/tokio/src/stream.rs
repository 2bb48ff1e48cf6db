use bytes::BytesMut;
use socketio_driver::engine::{Runtime, Stream};
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

/// A tokio runtime. It is named rather than looked up, because handles of the application are used on any thread and
/// lead to tasks, too.
#[derive(Clone, Debug)]
pub struct Tokio(Handle);

impl Tokio {
    /// The runtime of the current task.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn current() -> Self {
        Self(Handle::current())
    }
}

impl Runtime for Tokio {
    type Stream = TokioStream;
    type Sleep = tokio::time::Sleep;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        tokio::time::sleep_until(deadline.into())
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(task));
    }
}

/// A byte stream of tokio's: a TCP connection, or what a host gives out after an upgrade.
#[derive(Debug)]
pub struct TokioStream<S = TcpStream>(S);

impl<S> TokioStream<S> {
    /// The driver's view of a stream.
    pub const fn new(stream: S) -> Self {
        Self(stream)
    }
}

impl TokioStream {
    /// Small packets must not wait for each other; a socket that can not be told so is gone already.
    pub(crate) fn tcp(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        Self(stream)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for TokioStream<S> {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        pin!(self.0.read_buf(buffer)).poll(task)
    }

    fn poll_write(&mut self, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match slices {
            [slice] => Pin::new(&mut self.0).poll_write(task, slice),
            slices => Pin::new(&mut self.0).poll_write_vectored(task, slices),
        }
    }

    fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(task)
    }

    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(task)
    }
}
