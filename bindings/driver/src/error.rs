use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::core::{AckError, ClientEmitError, EmitError, EncodeError, EventName, JsonError, RoomError, Sid};
use crate::handle::{Socket, Subject};

/// Why a verb of a handle did nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The socket has left; nothing can be sent to it any more. On a client: the client is gone, or a
    /// [`SimpleClient`](crate::client::SimpleClient) has ended.
    Disconnected,
    /// The namespace of a client is not joined, whether or not it comes back by itself: the
    /// [events](crate::client::Client::events) and [`ClientReason::will_reconnect`](crate::client::ClientReason::will_reconnect)
    /// say that.
    NotConnected,
    /// As many packets of a client wait for their namespace to be joined as may.
    BufferFull,
    /// The peer does not read and the queue of what is sent to it is full. A server has closed that client's session;
    /// the packet of a client was not queued, and it may try again when it is [ready](crate::ClientSocket::ready). Does
    /// not happen to who waits for that before each emit.
    QueueFull,
    /// Larger than the server takes.
    TooLarge {
        /// What it takes, in bytes.
        limit: u64,
    },
    /// As many calls to this peer wait for an answer as may.
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
    /// As many workers wait for answers as may: one has to be left to call handlers (blocking binding only). With one
    /// worker no handler can wait.
    WouldDeadlock,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disconnected => "the socket has disconnected; drop its handle",
            Self::NotConnected => {
                "the namespace is not joined; wait for ConnectionEvent::Joined or choose Offline::Buffer"
            }
            Self::BufferFull => {
                "too much waits for the namespace to be joined; send less or raise Offline::Buffer"
            }
            Self::QueueFull => {
                "the peer did not read and its queue is full; wait for ready() before, use volatile() or raise Limits::queued_bytes"
            }
            Self::TooLarge { limit } => {
                return write!(
                    formatter,
                    "the server takes at most {limit} bytes at once; send less or raise its max_payload"
                );
            }
            Self::TooManyCalls => {
                "too many calls to this peer wait; give them shorter timeouts or raise Limits::pending_acks"
            }
            Self::Encode(error) => return error.fmt(formatter),
            Self::Room(error) => return error.fmt(formatter),
            Self::UnknownNamespace => "no such namespace; add it with the builder's .namespace(..)",
            Self::NotServing => "the server is not running; pass it to serve() first",
            Self::AlreadyServing => "the server is served already; build another one",
            Self::Poisoned => "the server failed inside and cannot go on; restart it and report the panic",
            Self::WouldDeadlock => "as many workers wait for answers as may; raise the number of workers",
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

impl From<ClientEmitError> for Error {
    fn from(error: ClientEmitError) -> Self {
        match error {
            ClientEmitError::BufferFull => Self::BufferFull,
            ClientEmitError::QueueFull => Self::QueueFull,
            ClientEmitError::TooLarge { limit } => Self::TooLarge { limit },
            ClientEmitError::TooManyAcks => Self::TooManyCalls,
            _ => Self::NotConnected,
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

/// Why a call has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// Nobody answered before the deadline.
    TimedOut,
    /// The other side left before it answered.
    Disconnected,
    /// The call was never sent.
    NotSent(Error),
    /// The other side answered something else than what was expected; the text says what.
    Answer(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => {
                formatter.write_str("no answer in time; raise the timeout or check the other side")
            }
            Self::Disconnected => formatter.write_str("the other side left before it answered"),
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
    /// An event of a client that had waited could not be sent; see [`Stage::Emit`].
    Undelivered(Error),
}

impl fmt::Display for HandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extract(error) => error.fmt(formatter),
            Self::Returned(message) => write!(formatter, "the handler returned an error: {message}"),
            Self::Panicked(message) => write!(formatter, "the handler panicked: {message}"),
            Self::Encode(error) => write!(formatter, "the reply was not sent: {error}"),
            Self::Undelivered(error) => write!(formatter, "an event that had waited was not sent: {error}"),
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
    /// No handler: an event that a client had emitted while its namespace was not joined
    /// ([`Offline::Buffer`](crate::client::Offline)).
    Emit,
}

/// What the error hook gets: which handler failed, for whom, and why.
#[derive(Debug)]
pub struct ErrorReport<S: Subject = Socket> {
    pub(crate) stage: Stage,
    pub(crate) socket: S,
    pub(crate) event: Option<EventName>,
    pub(crate) error: HandlerError,
}

impl<S: Subject> ErrorReport<S> {
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
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// What went wrong.
    pub fn error(&self) -> &HandlerError {
        &self.error
    }
}

impl ErrorReport {
    /// The public id of that socket.
    pub fn sid(&self) -> Sid {
        self.socket.id()
    }
}

impl<S: Subject> fmt::Display for ErrorReport<S> {
    /// One line; names that a peer chose are escaped.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, id) = (self.namespace(), self.socket.public_id());
        match (&self.event, self.stage) {
            (Some(event), _) => write!(formatter, "event {:?}", event.as_str())?,
            (None, Stage::Emit) => formatter.write_str("emit")?,
            (None, stage) => write!(formatter, "{stage:?} handler")?,
        }
        write!(formatter, " of {namespace} for socket {id}: {}", self.error)
    }
}

/// A mistake in the program that [`ServerBuilder::try_build`](crate::ServerBuilder::try_build) or the start of a
/// [client](crate::client) found.
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
    /// The URL of a client names no server.
    InvalidUrl {
        /// What is wrong with it. The URL itself is not shown: it may hold a password.
        message: String,
    },
    /// A header of a client cannot be sent.
    InvalidHeader {
        /// Its name.
        name: String,
        /// Why not.
        message: String,
    },
    /// The auth of a client cannot be sent.
    InvalidAuth {
        /// The namespace it is for.
        namespace: String,
        /// Why not.
        message: String,
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
            Self::InvalidUrl { message } => write!(formatter, "the URL names no server: {message}"),
            Self::InvalidHeader { name, message } => {
                write!(formatter, "header {name:?} cannot be sent: {message}")
            }
            Self::InvalidAuth { namespace, message } => {
                write!(formatter, "the auth for {namespace} cannot be sent: {message}")
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

/// Shows a text that a peer or the system chose on one line: control characters are escaped.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|character| match character.is_control() {
                true => write!(formatter, "{}", character.escape_debug()),
                false => formatter.write_char(character),
            })
    }
}
