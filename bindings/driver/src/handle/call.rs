use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::de::value::{Error as ValueError, UnitDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::core::{AckId, Arguments, Encoded};
use crate::error::{CallError, Error};
use crate::handle::Socket;

/// How long a call waits unless told otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest a call may wait; a bound that keeps deadlines within the clock's range.
const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A question to a client: a future of its answer.
///
/// The arguments are serialised at once, the packet is sent when the future is first polled. It always ends:
/// with the answer, [`CallError::TimedOut`] (after 60 seconds unless [`timeout`](Self::timeout) says
/// otherwise), or [`CallError::Disconnected`]. Dropping it gives up the answer.
///
/// ```no_run
/// # use socketio_driver::{Socket, CallError};
/// # use std::time::Duration;
/// # async fn ask(socket: Socket) -> Result<(), CallError> {
/// let name: String = socket.call("whoami", &()).timeout(Duration::from_secs(5)).await?;
/// # Ok(()) }
/// ```
#[must_use = "a call is not sent unless it is polled"]
#[derive(Debug)]
pub struct Call<T> {
    socket: Socket,
    state: State,
    timeout: Duration,
    finish: fn(&Arguments) -> Result<T, CallError>,
}

#[derive(Debug)]
enum State {
    Unsent(Result<Encoded, Error>),
    Waiting(AckId),
    Finished,
}

impl<T> Call<T> {
    pub(crate) fn new(
        socket: Socket,
        packet: Result<Encoded, Error>,
        finish: fn(&Arguments) -> Result<T, CallError>,
    ) -> Self {
        Self {
            socket,
            state: State::Unsent(packet),
            timeout: DEFAULT_TIMEOUT,
            finish,
        }
    }

    /// How long to wait, from the moment the packet is handed to the client's queue; at most a year.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(MAX_TIMEOUT);
        self
    }

    fn send(&self, packet: &Encoded) -> Result<AckId, Error> {
        let inner = self.socket.inner();
        let sent = inner.with_core(|core, now| {
            let ack = core.emit_with_ack(now, self.socket.socket_id(), packet, now + self.timeout)?;
            inner.calls().register(ack);
            Ok::<_, Error>(ack)
        });
        sent?
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let ack = match std::mem::replace(&mut this.state, State::Finished) {
            State::Unsent(packet) => match packet.and_then(|packet| this.send(&packet)) {
                Ok(ack) => ack,
                Err(error) => return Poll::Ready(Err(error.into())),
            },
            State::Waiting(ack) => ack,
            State::Finished => return Poll::Pending,
        };
        this.state = State::Waiting(ack);
        let outcome = ready!(this.socket.inner().calls().poll(ack, context.waker()));
        this.state = State::Finished;
        Poll::Ready(
            outcome
                .map_err(CallError::from)
                .and_then(|arguments| (this.finish)(&arguments)),
        )
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        if let State::Waiting(ack) = self.state
            && self.socket.inner().calls().forget(ack)
        {
            // A server that has ended has nothing left to forget.
            let _ = self.socket.inner().with_core(|core, _| core.forget_ack(ack));
        }
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
