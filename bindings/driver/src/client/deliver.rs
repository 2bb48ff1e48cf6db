use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::core::{Arguments, Encoded, Retry};
use crate::error::{CallError, Error};
use crate::handle::{AnySocket, MAX_TIMEOUT, PendingCall};

/// How long each sending waits for its acknowledgement unless told otherwise.
const DEFAULT_ACK_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is sent again unless told otherwise.
const DEFAULT_RETRIES: u32 = 3;

/// An event that is delivered at least once: a future of the server's acknowledgement.
///
/// It is sent again when the acknowledgement does not come in time or the connection is lost, so the server may see it
/// more than once: give it a key by which the server can tell. Those of one namespace leave in order, each when the one
/// before was acknowledged; while the namespace is not joined they wait and nothing counts.
///
/// The arguments are serialised at once, and queued when the future is first polled. It ends with the arguments of the
/// acknowledgement, with [`CallError::TimedOut`] or [`CallError::Disconnected`] when all sendings are used up, or with
/// [`CallError::NotSent`]. Dropping it gives up: what was not sent yet is not sent any more.
///
/// ```no_run
/// # use std::time::Duration;
/// # use socketio_driver::client::Client;
/// # async fn order(client: Client) -> Result<(), socketio_driver::CallError> {
/// let order = ("order-4711", 3);
/// client.deliver("order", &order).ack_timeout(Duration::from_secs(2)).retries(10).await?;
/// # Ok(()) }
/// ```
#[must_use = "nothing is delivered unless this is polled"]
#[derive(Debug)]
pub struct Deliver {
    pending: PendingCall,
    retry: Retry,
}

impl Deliver {
    pub(crate) fn new(socket: AnySocket, packet: Result<Encoded, Error>) -> Self {
        Self {
            pending: PendingCall::new(socket, packet),
            retry: Retry {
                ack_timeout: DEFAULT_ACK_TIMEOUT,
                retries: DEFAULT_RETRIES,
            },
        }
    }

    /// How long each sending waits for its acknowledgement. Default 10 seconds, at most a year.
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.retry.ack_timeout = timeout.min(MAX_TIMEOUT);
        self
    }

    /// How often it is sent again. Default 3.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retry.retries = retries;
        self
    }
}

impl Future for Deliver {
    type Output = Result<Arguments, CallError>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let retry = this.retry;
        this.pending
            .poll(task, |socket, packet| socket.deliver(packet, retry))
    }
}
