use crate::core::{Arguments, EventName};
use crate::error::{ErrorReport, HandlerError, Stage};
use crate::extract::SocketData;
use crate::handle::{Socket, Subject};
use crate::handler::{EventOutcome, GuardOutcome, LifecycleOutcome};

/// What a handler is called with: extractors take their values out of it.
pub trait HandlerContext: Send + 'static {
    /// What a call comes to.
    type Outcome: Send + 'static;
    /// What is needed once the handler has returned.
    type Sink: Send + 'static;

    /// The handler is asynchronous: what it takes must not keep a read buffer alive while it waits.
    fn detach(&mut self);

    /// Keeps what the result needs.
    fn into_sink(self) -> Self::Sink;

    /// The handler has to wait: the sink must not keep a read buffer alive either.
    fn suspend(sink: &mut Self::Sink);

    /// The outcome of a handler that did not finish.
    fn failed(sink: Self::Sink, error: HandlerError) -> Self::Outcome;
}

/// One event of the other side.
#[derive(Debug)]
pub struct EventContext<S: Subject = Socket> {
    pub(crate) socket: S,
    pub(crate) name: EventName,
    pub(crate) arguments: Arguments,
    pub(crate) ack: Option<S::Token>,
    pub(crate) detach: bool,
}

impl<S: Subject> EventContext<S> {
    /// From what the core said.
    pub fn new(socket: S, name: EventName, arguments: Arguments, ack: Option<S::Token>) -> Self {
        Self {
            socket,
            name,
            arguments,
            ack,
            detach: false,
        }
    }

    /// Whose event it is: the client on a server, our own socket on a client.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// The name of the event.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// All arguments; a clone shares the buffer they arrived in.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Whether the other side waits for an acknowledgement that nobody has taken yet.
    pub fn wants_ack(&self) -> bool {
        self.ack.is_some()
    }

    /// The arguments for an extractor that keeps them, in a buffer of their own if the handler may wait.
    pub(crate) fn kept_arguments(&self) -> Arguments {
        if self.detach {
            self.arguments.detach()
        } else {
            self.arguments.clone()
        }
    }
}

/// What is left of an event while its handler runs.
#[derive(Debug)]
pub struct EventSink<S: Subject = Socket> {
    pub(crate) socket: S,
    pub(crate) name: EventName,
    pub(crate) ack: Option<S::Token>,
}

impl<S: Subject> HandlerContext for EventContext<S> {
    type Outcome = EventOutcome<S>;
    type Sink = EventSink<S>;

    fn detach(&mut self) {
        self.detach = true;
    }

    fn into_sink(self) -> EventSink<S> {
        EventSink {
            socket: self.socket,
            name: self.name,
            ack: self.ack,
        }
    }

    fn suspend(sink: &mut EventSink<S>) {
        sink.name = sink.name.detach();
    }

    fn failed(sink: EventSink<S>, error: HandlerError) -> EventOutcome<S> {
        let EventSink { socket, name, .. } = sink;
        EventOutcome::Failed(Box::new(ErrorReport {
            stage: Stage::Event,
            socket,
            event: Some(name),
            error,
        }))
    }
}

/// What is left of any other call while its handler runs.
#[derive(Debug)]
pub struct SocketSink<S: Subject = Socket> {
    socket: S,
    stage: Stage,
}

impl<S: Subject> SocketSink<S> {
    fn report(self, error: HandlerError) -> Box<ErrorReport<S>> {
        Box::new(ErrorReport {
            stage: self.stage,
            socket: self.socket,
            event: None,
            error,
        })
    }
}

/// The parts of [`HandlerContext`] that all contexts without arguments share.
macro_rules! socket_sink {
    ($socket:ty, $stage:expr) => {
        type Sink = SocketSink<$socket>;

        fn detach(&mut self) {}

        fn into_sink(self) -> SocketSink<$socket> {
            SocketSink {
                socket: self.socket,
                stage: $stage,
            }
        }

        fn suspend(_: &mut SocketSink<$socket>) {}
    };
}

/// A client that asks to join a namespace.
#[derive(Debug)]
pub struct GuardContext {
    /// Not connected yet; guards cannot extract it.
    pub(crate) socket: Socket,
    /// What the guards before this one left.
    pub(crate) data: Option<SocketData>,
}

impl GuardContext {
    /// From the socket that asks and what earlier guards left.
    pub fn new(socket: Socket, data: Option<SocketData>) -> Self {
        Self { socket, data }
    }
}

impl HandlerContext for GuardContext {
    type Outcome = GuardOutcome;
    socket_sink!(Socket, Stage::Guard);

    fn failed(sink: SocketSink, error: HandlerError) -> GuardOutcome {
        GuardOutcome::Failed(sink.report(error))
    }
}

/// A socket that has just joined a namespace.
#[derive(Debug)]
pub struct ConnectContext<S: Subject = Socket> {
    pub(crate) socket: S,
}

impl<S: Subject> ConnectContext<S> {
    /// From the socket that joined.
    pub fn new(socket: S) -> Self {
        Self { socket }
    }
}

impl<S: Subject> HandlerContext for ConnectContext<S> {
    type Outcome = LifecycleOutcome<S>;
    socket_sink!(S, Stage::Connect);

    fn failed(sink: SocketSink<S>, error: HandlerError) -> LifecycleOutcome<S> {
        LifecycleOutcome::Failed(sink.report(error))
    }
}

/// A socket that has left a namespace.
#[derive(Debug)]
pub struct DisconnectContext<S: Subject = Socket> {
    pub(crate) socket: S,
    pub(crate) reason: S::Reason,
}

impl<S: Subject> DisconnectContext<S> {
    /// From what the core said.
    pub fn new(socket: S, reason: S::Reason) -> Self {
        Self { socket, reason }
    }
}

impl<S: Subject> HandlerContext for DisconnectContext<S> {
    type Outcome = LifecycleOutcome<S>;
    socket_sink!(S, Stage::Disconnect);

    fn failed(sink: SocketSink<S>, error: HandlerError) -> LifecycleOutcome<S> {
        LifecycleOutcome::Failed(sink.report(error))
    }
}
