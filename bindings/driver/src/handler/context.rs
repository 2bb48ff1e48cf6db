use crate::core::{AckToken, Arguments, EventName, Reason};
use crate::error::{ErrorReport, HandlerError, Stage};
use crate::extract::SocketData;
use crate::handle::Socket;
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

/// One event of a client.
#[derive(Debug)]
pub struct EventContext {
    pub(crate) socket: Socket,
    pub(crate) name: EventName,
    pub(crate) arguments: Arguments,
    pub(crate) ack: Option<AckToken>,
    pub(crate) detach: bool,
}

impl EventContext {
    /// From what the core said.
    pub fn new(socket: Socket, name: EventName, arguments: Arguments, ack: Option<AckToken>) -> Self {
        Self {
            socket,
            name,
            arguments,
            ack,
            detach: false,
        }
    }

    /// The client.
    pub fn socket(&self) -> &Socket {
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

    /// Whether the client waits for an acknowledgement that nobody has taken yet.
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
pub struct EventSink {
    pub(crate) socket: Socket,
    pub(crate) name: EventName,
    pub(crate) ack: Option<AckToken>,
}

impl HandlerContext for EventContext {
    type Outcome = EventOutcome;
    type Sink = EventSink;

    fn detach(&mut self) {
        self.detach = true;
    }

    fn into_sink(self) -> EventSink {
        EventSink {
            socket: self.socket,
            name: self.name,
            ack: self.ack,
        }
    }

    fn suspend(sink: &mut EventSink) {
        sink.name = sink.name.detach();
    }

    fn failed(sink: EventSink, error: HandlerError) -> EventOutcome {
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
pub struct SocketSink {
    socket: Socket,
    stage: Stage,
}

impl SocketSink {
    fn report(self, error: HandlerError) -> Box<ErrorReport> {
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
    ($stage:expr) => {
        type Sink = SocketSink;

        fn detach(&mut self) {}

        fn into_sink(self) -> SocketSink {
            SocketSink {
                socket: self.socket,
                stage: $stage,
            }
        }

        fn suspend(_: &mut SocketSink) {}
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
    socket_sink!(Stage::Guard);

    fn failed(sink: SocketSink, error: HandlerError) -> GuardOutcome {
        GuardOutcome::Failed(sink.report(error))
    }
}

/// A client that has just joined a namespace.
#[derive(Debug)]
pub struct ConnectContext {
    pub(crate) socket: Socket,
}

impl ConnectContext {
    /// From the accepted socket.
    pub fn new(socket: Socket) -> Self {
        Self { socket }
    }
}

impl HandlerContext for ConnectContext {
    type Outcome = LifecycleOutcome;
    socket_sink!(Stage::Connect);

    fn failed(sink: SocketSink, error: HandlerError) -> LifecycleOutcome {
        LifecycleOutcome::Failed(sink.report(error))
    }
}

/// A client that has left a namespace.
#[derive(Debug)]
pub struct DisconnectContext {
    pub(crate) socket: Socket,
    pub(crate) reason: Reason,
}

impl DisconnectContext {
    /// From what the core said.
    pub fn new(socket: Socket, reason: Reason) -> Self {
        Self { socket, reason }
    }
}

impl HandlerContext for DisconnectContext {
    type Outcome = LifecycleOutcome;
    socket_sink!(Stage::Disconnect);

    fn failed(sink: SocketSink, error: HandlerError) -> LifecycleOutcome {
        LifecycleOutcome::Failed(sink.report(error))
    }
}
