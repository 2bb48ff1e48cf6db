use std::any::TypeId;
use std::fmt::Display;
use std::sync::Arc;

use crate::core::{Encoded, WriteArguments};
use crate::encoding;
use crate::error::{ErrorReport, HandlerError};
use crate::extract::{Requirements, SocketData};
use crate::handle::{Socket, Subject};
use crate::handler::{
    ConnectContext, DisconnectContext, EventContext, EventSink, GuardContext, HandlerContext,
};
use crate::refusal::Refusal;

/// Answers the event: returned from a handler, its value is sent as the acknowledgement.
///
/// Only a tuple makes several arguments, as everywhere: of `Reply((a, b))` JavaScript's `emitWithAck` shows `a`
/// alone, so send an array or a struct to be seen as one. When the client asked for no acknowledgement, or the
/// handler took the [`Ack`](crate::Ack) itself, nothing is serialised or sent.
///
/// ```
/// # use socketio_driver::{Arg, Reply, Server};
/// let builder = Server::builder().on("sum", |Arg(numbers): Arg<Vec<i64>>| Reply(numbers.iter().sum::<i64>()));
/// # builder.build();
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply<T>(pub T);

/// What an event's handler came to.
#[derive(Debug)]
pub enum EventOutcome<S: Subject = Socket> {
    /// It finished and has nothing to say.
    Nothing,
    /// It finished and its reply is ready to be sent.
    Reply {
        /// The acknowledgement that is still to be given.
        token: S::Token,
        /// Its packet.
        packet: Encoded,
    },
    /// It failed: for [`Router::report`](crate::Router::report). No acknowledgement is sent.
    Failed(Box<ErrorReport<S>>),
}

/// What a guard came to.
#[derive(Debug)]
pub enum GuardOutcome {
    /// The client may go on, with what the guard learned.
    Admitted(Option<SocketData>),
    /// The client is told why it may not join.
    Refused(Refusal),
    /// The guard failed: the client is refused without being told why, the report is for
    /// [`Router::report`](crate::Router::report).
    Failed(Box<ErrorReport>),
}

/// What `on_connect` or `on_disconnect` came to.
#[derive(Debug)]
pub enum LifecycleOutcome<S: Subject = Socket> {
    /// It finished.
    Done,
    /// It failed: for [`Router::report`](crate::Router::report). The socket stays as it is.
    Failed(Box<ErrorReport<S>>),
}

/// What a handler may return: `()`, [`Reply`], `Option` and `Result` of these; from a guard, `()` or
/// `Result<T, impl Into<Refusal>>`.
///
/// An `Err` goes to the error hook and sends no acknowledgement; a guard's `Err` is what the client is told.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a handler for `{C}`",
    label = "not an outcome",
    note = "an event's handler returns `()`, `Reply(value)`, or an `Option` or `Result` of these",
    note = "on_connect and on_disconnect return `()` or `Result<(), E>`",
    note = "a guard returns `()` or `Result<T, impl Into<Refusal>>`"
)]
pub trait IntoOutcome<C: HandlerContext> {
    /// Makes the outcome; runs outside every lock, for asynchronous handlers when they complete.
    fn into_outcome(self, sink: &mut C::Sink) -> Result<C::Outcome, HandlerError>;

    /// Notes what this result leaves for later handlers.
    fn provide(_: &mut Requirements) {}
}

impl<S: Subject> IntoOutcome<EventContext<S>> for () {
    fn into_outcome(self, _: &mut EventSink<S>) -> Result<EventOutcome<S>, HandlerError> {
        Ok(EventOutcome::Nothing)
    }
}

impl<S: Subject, T: WriteArguments> IntoOutcome<EventContext<S>> for Reply<T> {
    fn into_outcome(self, sink: &mut EventSink<S>) -> Result<EventOutcome<S>, HandlerError> {
        let Some(token) = sink.ack.take() else {
            return Ok(EventOutcome::Nothing);
        };
        let packet = encoding::ack(sink.socket.namespace_name(), S::number(&token), &self.0)?;
        Ok(EventOutcome::Reply { token, packet })
    }
}

impl<S: Subject, R: IntoOutcome<EventContext<S>>> IntoOutcome<EventContext<S>> for Option<R> {
    fn into_outcome(self, sink: &mut EventSink<S>) -> Result<EventOutcome<S>, HandlerError> {
        self.map_or(Ok(EventOutcome::Nothing), |value| value.into_outcome(sink))
    }
}

impl<S: Subject, R: IntoOutcome<EventContext<S>>, E: Display> IntoOutcome<EventContext<S>> for Result<R, E> {
    fn into_outcome(self, sink: &mut EventSink<S>) -> Result<EventOutcome<S>, HandlerError> {
        self.map_err(returned)?.into_outcome(sink)
    }
}

impl IntoOutcome<GuardContext> for () {
    fn into_outcome(
        self,
        _: &mut <GuardContext as HandlerContext>::Sink,
    ) -> Result<GuardOutcome, HandlerError> {
        Ok(GuardOutcome::Admitted(None))
    }
}

impl<T, E> IntoOutcome<GuardContext> for Result<T, E>
where
    T: Send + Sync + 'static,
    E: Into<Refusal>,
{
    fn into_outcome(
        self,
        _: &mut <GuardContext as HandlerContext>::Sink,
    ) -> Result<GuardOutcome, HandlerError> {
        match self {
            Ok(_) if is_unit::<T>() => Ok(GuardOutcome::Admitted(None)),
            Ok(data) => Ok(GuardOutcome::Admitted(Some(Arc::new(data)))),
            Err(refusal) => Ok(GuardOutcome::Refused(refusal.into())),
        }
    }

    fn provide(requirements: &mut Requirements) {
        if !is_unit::<T>() {
            requirements.provide_data::<T>();
        }
    }
}

fn is_unit<T: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<()>()
}

fn returned(error: impl Display) -> HandlerError {
    HandlerError::Returned(error.to_string())
}

/// `on_connect` and `on_disconnect` return the same things.
macro_rules! lifecycle {
    ($context:ident) => {
        impl<S: Subject> IntoOutcome<$context<S>> for () {
            fn into_outcome(
                self,
                _: &mut <$context<S> as HandlerContext>::Sink,
            ) -> Result<LifecycleOutcome<S>, HandlerError> {
                Ok(LifecycleOutcome::Done)
            }
        }

        impl<S: Subject, E: Display> IntoOutcome<$context<S>> for Result<(), E> {
            fn into_outcome(
                self,
                _: &mut <$context<S> as HandlerContext>::Sink,
            ) -> Result<LifecycleOutcome<S>, HandlerError> {
                self.map(|()| LifecycleOutcome::Done).map_err(returned)
            }
        }
    };
}

lifecycle!(ConnectContext);
lifecycle!(DisconnectContext);
