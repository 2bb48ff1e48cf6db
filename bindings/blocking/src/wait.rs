use socketio_driver::client::{Deliver, SimpleCall};
use socketio_driver::{Arguments, Call, CallError, Error, Ready};

use crate::threads::{Timeout, WouldDeadlock, wait_for, wait_ready};

/// Waiting for an answer: what `.await` is in the other bindings.
///
/// The thread sleeps until the answer is there, or the call has ended otherwise. In a handler that is fine: the events
/// of the same client go on meanwhile, on another worker, unless its namespace is
/// [serial](socketio_driver::NamespaceBuilder::serial), so that the answer may depend on them. They do not if 64 handlers of that client wait and 1,024 of
/// its events: then nothing of it is read, the answer neither
/// ([`Limits::handlers_in_flight`](socketio_driver::Limits::handlers_in_flight)).
///
/// Of `n` workers at most `n - 1` may wait at once, wherever those that answer are: one is left to call the handlers
/// that answers depend on. For one more it is [`Error::WouldDeadlock`] at once, and nothing is sent; a handler that
/// wants its own client to know replies so. The same is said on the I/O thread, where a
/// [`Connector`](socketio_driver::net::Connector) runs.
///
/// ```no_run
/// use std::time::Duration;
/// use socketio_blocking::{Arg, CallError, Reply, Server, Socket, Wait};
///
/// let server = Server::builder().on("quadruple", |socket: Socket, Arg(number): Arg<i64>| {
///     let twice: i64 = socket.call("double", &number).timeout(Duration::from_secs(5)).wait()?;
///     Ok::<_, CallError>(Reply(2 * twice))
/// });
/// # let _ = server.build();
/// ```
pub trait Wait {
    /// What is waited for.
    type Output;

    /// Sleeps until it is there.
    fn wait(self) -> Self::Output;
}

impl<T> Wait for Call<T> {
    type Output = Result<T, CallError>;

    fn wait(self) -> Self::Output {
        wait_for(self).unwrap_or_else(refused)
    }
}

impl<T: 'static> Wait for SimpleCall<T> {
    type Output = Result<T, CallError>;

    fn wait(self) -> Self::Output {
        wait_for(self.into_future()).unwrap_or_else(refused)
    }
}

impl Wait for Deliver {
    type Output = Result<Arguments, CallError>;

    fn wait(self) -> Self::Output {
        wait_for(self).unwrap_or_else(refused)
    }
}

/// It is waited for only if it is not ready at once.
impl Wait for Ready {
    type Output = Result<(), Error>;

    fn wait(self) -> Self::Output {
        match wait_ready(self, Timeout::Never) {
            Ok(Some(outcome)) => outcome,
            Ok(None) | Err(WouldDeadlock) => Err(Error::WouldDeadlock),
        }
    }
}

fn refused<T>(_: WouldDeadlock) -> Result<T, CallError> {
    Err(CallError::NotSent(Error::WouldDeadlock))
}
