use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use crate::client::ClientSocket;
use crate::core::{Arguments, Encoded};
use crate::error::{CallError, Error};
use crate::handle::{Call, DEFAULT_TIMEOUT, any_answer};

/// A question of a [`SimpleClient`](crate::client::SimpleClient) to its server: awaited, it gives the answer.
///
/// It waits for a connection before it is sent, and that wait does not count. Once it is sent it ends with the answer,
/// with [`CallError::TimedOut`] after 60 seconds unless [`timeout`](Self::timeout) says otherwise, or with
/// [`CallError::Disconnected`] when the connection is lost: whether the server has heard it then, nobody can say.
///
/// ```no_run
/// # use std::time::Duration;
/// # use socketio_driver::client::SimpleClient;
/// # async fn run(client: SimpleClient) -> Result<(), socketio_driver::CallError> {
/// let name: String = client.call("whoami", &()).timeout(Duration::from_secs(5)).await?;
/// # Ok(()) }
/// ```
#[must_use = "a call is not sent unless it is awaited"]
#[derive(Debug)]
pub struct SimpleCall<T> {
    packet: Result<(ClientSocket, Encoded), Error>,
    timeout: Duration,
    finish: fn(&Arguments) -> Result<T, CallError>,
}

impl<T> SimpleCall<T> {
    pub(super) const fn new(
        packet: Result<(ClientSocket, Encoded), Error>,
        finish: fn(&Arguments) -> Result<T, CallError>,
    ) -> Self {
        Self {
            packet,
            timeout: DEFAULT_TIMEOUT,
            finish,
        }
    }

    /// How long to wait for the answer once the packet is sent; at most a year.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn run(self) -> Result<T, CallError> {
        let (socket, packet) = self.packet?;
        loop {
            socket.ready().await?;
            let call = Call::new(socket.any(), Ok(packet.clone()), any_answer).timeout(self.timeout);
            match call.await {
                // It was lost in between.
                Err(CallError::NotSent(Error::NotConnected)) => {}
                answered => return (self.finish)(&answered?),
            }
        }
    }
}

impl<T: 'static> IntoFuture for SimpleCall<T> {
    type Output = Result<T, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
