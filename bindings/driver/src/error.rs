use std::borrow::Cow;
use std::fmt;

use crate::core::{AckError, EmitError, EncodeError, EventName, JsonError, RoomError, Sid};
use crate::handle::Socket;

/// Why a verb of a handle did nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The socket has left; nothing can be sent to it any more.
    Disconnected,
    /// The client does not read; its outbound queue was full and its session is closed now.
    QueueFull,
    /// As many calls to this client wait for an answer as may.
    TooManyCalls,
    /// A value could not be written as a packet.
    Encode(EncodeError),
    /// A room could not be joined.
    Room(RoomError),
    /// No such namespace was registered with the builder.
    UnknownNamespace,
    /// The server has not been handed to a binding's `serve`, or has been shut down.
    NotServing,
    /// The server is served already, or was; build another.
    AlreadyServing,
    /// A bug made the server's state unusable; every verb answers this from then on.
    Poisoned,
    /// Every worker waits for an answer and nobody is left to receive one (blocking binding only).
    WouldDeadlock,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disconnected => "the socket has disconnected; drop its handle",
            Self::QueueFull => {
                "the client did not read and was closed; send less, use volatile() or raise Limits::queued_bytes"
            }
            Self::TooManyCalls => {
                "too many calls to this client wait; give them shorter timeouts or raise Limits::pending_acks"
            }
            Self::Encode(error) => return error.fmt(formatter),
            Self::Room(error) => return error.fmt(formatter),
            Self::UnknownNamespace => "no such namespace; register it with ServerBuilder::namespace",
            Self::NotServing => "the server is not running; pass it to serve() first",
            Self::AlreadyServing => "the server is served already; build another one",
            Self::Poisoned => "the server failed inside and cannot go on; restart it and report the panic",
            Self::WouldDeadlock => "all workers wait for answers; raise the number of workers",
        })
    }
}

impl std::error::Error for Error {}

impl From<EmitError> for Error {
    fn from(error: EmitError) -> Self {
        match error {
            EmitError::QueueFull => Self::QueueFull,
            EmitError::TooManyAcks => Self::TooManyCalls,
            _ => Self::Disconnected,
        }
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Self::Encode(EncodeError::Arguments(error))
    }
}

impl From<RoomError> for Error {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Disconnected => Self::Disconnected,
            error => Self::Room(error),
        }
    }
}

/// Why a call to a client has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// Nobody answered before the deadline.
    TimedOut,
    /// The client left before it answered.
    Disconnected,
    /// The call was never sent.
    NotSent(Error),
    /// The client answered something else than what was expected; the text says what.
    Answer(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => formatter.write_str("no answer in time; raise the timeout or check the client"),
            Self::Disconnected => formatter.write_str("the client left before it answered"),
            Self::NotSent(error) => write!(formatter, "the call was not sent: {error}"),
            Self::Answer(message) => write!(formatter, "the answer has another shape: {message}"),
        }
    }
}

impl std::error::Error for CallError {}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        match error {
            Error::Disconnected => Self::Disconnected,
            error => Self::NotSent(error),
        }
    }
}

impl From<AckError> for CallError {
    fn from(error: AckError) -> Self {
        match error {
            AckError::TimedOut => Self::TimedOut,
            _ => Self::Disconnected,
        }
    }
}

/// Why an extractor could not make its value, so that the handler did not run.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ExtractError {
    /// The arguments of the event have another shape.
    Arguments(String),
    /// The client's `auth` has another shape, or it sent none.
    Auth(String),
    /// No such state was given to [`ServerBuilder::state`](crate::ServerBuilder::state).
    State(&'static str),
    /// No guard of the namespace returned such a value.
    Data(&'static str),
    /// An extractor of the application failed; the text is its own.
    Custom(Cow<'static, str>),
}

impl ExtractError {
    /// For extractors of the application.
    pub fn custom(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Custom(message.into())
    }
}

impl fmt::Display for ExtractError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arguments(message) => write!(formatter, "the arguments have another shape: {message}"),
            Self::Auth(message) => write!(formatter, "the auth payload has another shape: {message}"),
            Self::State(name) => write!(formatter, "there is no state {name}; add it with .state(..)"),
            Self::Data(name) => write!(formatter, "there is no data {name}; return it from a guard"),
            Self::Custom(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for ExtractError {}

/// Why a handler did not finish its work.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HandlerError {
    /// An argument could not be made, so the handler did not run.
    Extract(ExtractError),
    /// The handler returned `Err`; its text.
    Returned(String),
    /// The handler panicked; the panic's message.
    Panicked(String),
    /// The reply could not be written as a packet.
    Encode(EncodeError),
}

impl fmt::Display for HandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extract(error) => error.fmt(formatter),
            Self::Returned(message) => write!(formatter, "the handler returned an error: {message}"),
            Self::Panicked(message) => write!(formatter, "the handler panicked: {message}"),
            Self::Encode(error) => write!(formatter, "the reply was not sent: {error}"),
        }
    }
}

impl std::error::Error for HandlerError {}

impl From<ExtractError> for HandlerError {
    fn from(error: ExtractError) -> Self {
        Self::Extract(error)
    }
}

impl From<EncodeError> for HandlerError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

/// Which handler failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stage {
    /// A guard: the client was refused.
    Guard,
    /// `on_connect`: the client stays connected.
    Connect,
    /// An event's handler, `on_any` or an observer.
    Event,
    /// `on_disconnect`.
    Disconnect,
}

/// What the error hook gets: which handler failed, for whom, and why.
#[derive(Debug)]
pub struct ErrorReport {
    pub(crate) stage: Stage,
    pub(crate) socket: Socket,
    pub(crate) event: Option<EventName>,
    pub(crate) error: HandlerError,
}

impl ErrorReport {
    /// Which kind of handler failed.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The namespace, `/` for the main one.
    pub fn namespace(&self) -> &str {
        self.socket.namespace_name()
    }

    /// The event that was being handled; `None` outside [`Stage::Event`].
    pub fn event(&self) -> Option<&str> {
        self.event.as_ref().map(EventName::as_str)
    }

    /// The socket whose handler failed; in [`Stage::Guard`] it is not connected yet.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The public id of that socket.
    pub fn sid(&self) -> Sid {
        self.socket.id()
    }

    /// What went wrong.
    pub fn error(&self) -> &HandlerError {
        &self.error
    }
}

impl fmt::Display for ErrorReport {
    /// One line; names that a peer chose are escaped.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, sid) = (self.namespace(), self.sid());
        match (&self.event, self.stage) {
            (Some(event), _) => write!(formatter, "event {:?}", event.as_str())?,
            (None, stage) => write!(formatter, "{stage:?} handler")?,
        }
        write!(formatter, " of {namespace} for socket {sid}: {}", self.error)
    }
}

/// A mistake in the program that [`ServerBuilder::try_build`](crate::ServerBuilder::try_build) found.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// One event of a namespace has two handlers.
    DuplicateEvent {
        /// The namespace.
        namespace: String,
        /// The event.
        event: String,
    },
    /// A namespace has two `on_connect`, `on_disconnect` or `on_any`.
    DuplicateHandler {
        /// The namespace.
        namespace: String,
        /// The name of the builder's method.
        method: &'static str,
    },
    /// Socket.IO reserves this name; no client can send it.
    ReservedEvent {
        /// The namespace.
        namespace: String,
        /// The event.
        event: String,
    },
    /// A namespace must begin with `/` and must not contain `,`, `?` or control characters.
    InvalidNamespace {
        /// The namespace.
        namespace: String,
    },
    /// A handler takes `State<T>` and there is no such state.
    MissingState {
        /// Where the handler is.
        handler: String,
        /// `T`.
        state: &'static str,
    },
    /// Two values of one type were given to `.state(..)`.
    DuplicateState {
        /// Their type.
        state: &'static str,
    },
    /// A handler takes `Data<T>` and the guards of its namespace leave something else.
    MissingData {
        /// Where the handler is.
        handler: String,
        /// `T`.
        data: &'static str,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateEvent { namespace, event } => {
                write!(
                    formatter,
                    "event {event:?} of {namespace} has two handlers; use observe() for a second"
                )
            }
            Self::DuplicateHandler { namespace, method } => {
                write!(formatter, "{method} of {namespace} was called twice; keep one")
            }
            Self::ReservedEvent { namespace, event } => {
                write!(
                    formatter,
                    "{event:?} in {namespace} is reserved; use on_connect or on_disconnect"
                )
            }
            Self::InvalidNamespace { namespace } => {
                write!(
                    formatter,
                    "namespace {namespace:?} must begin with '/' and contain no ',', '?' or control character"
                )
            }
            Self::MissingState { handler, state } => {
                write!(
                    formatter,
                    "{handler} takes State<{state}>; add it with .state(..)"
                )
            }
            Self::DuplicateState { state } => {
                write!(
                    formatter,
                    ".state(..) got {state} twice; wrap one of them in a type of its own"
                )
            }
            Self::MissingData { handler, data } => {
                write!(
                    formatter,
                    "{handler} takes Data<{data}>; return it from the last guard of the namespace"
                )
            }
        }
    }
}

impl std::error::Error for BuildError {}
