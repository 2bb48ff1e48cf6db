use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::de::value::{Error as ValueError, UnitDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::core::{Arguments, Encoded};
use crate::error::{CallError, Error};
use crate::handle::{AnySocket, PendingCall};

/// How long a call waits unless told otherwise.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest a call may wait; a bound that keeps deadlines within the clock's range.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A question to the other side, a server's to a client or a client's to its server: a future of the answer.
///
/// The arguments are serialised at once, the packet is sent when the future is first polled. It always ends:
/// with the answer, [`CallError::TimedOut`] (after 60 seconds unless [`timeout`](Self::timeout) says
/// otherwise), or [`CallError::Disconnected`]. Dropping it gives up the answer.
///
/// The answer wakes whoever waits for it at once; handlers of events that came before it may be about to run. Where they
/// must have run, let a last event say so.
///
/// ```no_run
/// # use socketio_driver::{Socket, CallError};
/// # use std::time::Duration;
/// # async fn ask(socket: Socket) -> Result<(), CallError> {
/// let name: String = socket.call("whoami", &()).timeout(Duration::from_secs(5)).await?;
/// # Ok(()) }
/// ```
#[must_use = "a call is not sent unless it is awaited, or waited for in the blocking binding"]
#[derive(Debug)]
pub struct Call<T> {
    pending: PendingCall,
    timeout: Duration,
    finish: fn(&Arguments) -> Result<T, CallError>,
}

impl<T> Call<T> {
    pub(crate) const fn new(
        socket: AnySocket,
        packet: Result<Encoded, Error>,
        finish: fn(&Arguments) -> Result<T, CallError>,
    ) -> Self {
        Self {
            pending: PendingCall::new(socket, packet),
            timeout: DEFAULT_TIMEOUT,
            finish,
        }
    }

    /// How long to wait, from the moment the packet is handed to the queue of what is sent; at most a year. A client's
    /// call that waits for its namespace ([`Offline::Buffer`](crate::client::Offline::Buffer)) spends that time as well,
    /// and is not sent any more once it has timed out.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(MAX_TIMEOUT);
        self
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let timeout = this.timeout;
        let outcome = ready!(
            this.pending
                .poll(task, |socket, packet| socket.ask(packet, timeout))
        );
        Poll::Ready(outcome.and_then(|arguments| (this.finish)(&arguments)))
    }
}

/// The answer as it came.
pub(crate) fn any_answer(arguments: &Arguments) -> Result<Arguments, CallError> {
    Ok(arguments.detach())
}

/// The answer's first argument; an empty answer reads as `null`.
pub(crate) fn first_answer<T: DeserializeOwned>(arguments: &Arguments) -> Result<T, CallError> {
    if arguments.is_empty() {
        let nothing: UnitDeserializer<ValueError> = ().into_deserializer();
        return T::deserialize(nothing).map_err(|_| CallError::Answer("it is empty".to_owned()));
    }
    arguments
        .first()
        .map_err(|error| CallError::Answer(error.to_string()))
}
