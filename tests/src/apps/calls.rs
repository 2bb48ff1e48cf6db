//! Handlers that call the other side: the one place where applications for runtimes and for threads differ.

use std::time::Duration;

use socketio_blocking::Wait as _;
use socketio_driver::router::{Kind, NamespaceBuilder};
use socketio_driver::{
    Arg, Arguments, Async, Blocking, Call, CallError, ClientSocket, Error, Raw, Reply, Server, Socket,
};

/// A handler that calls `question` of its client, and emits the `answer` to it.
#[derive(Clone, Copy, Debug)]
pub struct ClientCall {
    /// The event that it handles.
    pub event: &'static str,
    /// How long the answer may take.
    pub timeout: Duration,
    /// The event that is emitted if none comes.
    pub no_answer_event: &'static str,
}

/// A handler that calls the other side with the number it was given, and acknowledges with one more than the answer.
#[derive(Clone, Copy, Debug)]
pub struct RelayedCall {
    /// The event that it handles.
    pub event: &'static str,
    /// The event that it calls.
    pub calls: &'static str,
}

/// A kind of binding whose handlers can wait for an answer.
pub trait CallingKind: Kind {
    /// The namespace with a handler that calls its client.
    fn call_client(namespace: NamespaceBuilder<Self>, call: ClientCall) -> NamespaceBuilder<Self>;

    /// A server's namespace with a handler that calls its client.
    fn relay_to_client(namespace: NamespaceBuilder<Self>, relay: RelayedCall) -> NamespaceBuilder<Self>;

    /// A client's namespace with a handler that calls its server.
    fn relay_to_server(
        namespace: NamespaceBuilder<Self, ClientSocket>,
        relay: RelayedCall,
    ) -> NamespaceBuilder<Self, ClientSocket>;
}

impl CallingKind for Async {
    fn call_client(namespace: NamespaceBuilder<Self>, call: ClientCall) -> NamespaceBuilder<Self> {
        namespace.on(call.event, move |socket: Socket, question: Raw| async move {
            let answer = call.start(&socket, &question).await;
            call.report(&socket, answer)
        })
    }

    fn relay_to_client(namespace: NamespaceBuilder<Self>, relay: RelayedCall) -> NamespaceBuilder<Self> {
        namespace.on(
            relay.event,
            move |socket: Socket, Arg(number): Arg<u32>| async move {
                one_more(socket.call(relay.calls, &number).await)
            },
        )
    }

    fn relay_to_server(
        namespace: NamespaceBuilder<Self, ClientSocket>,
        relay: RelayedCall,
    ) -> NamespaceBuilder<Self, ClientSocket> {
        namespace.on(
            relay.event,
            move |socket: ClientSocket, Arg(number): Arg<u32>| async move {
                one_more(socket.call(relay.calls, &number).await)
            },
        )
    }
}

impl<S: From<Server> + 'static> CallingKind for Blocking<S> {
    fn call_client(namespace: NamespaceBuilder<Self>, call: ClientCall) -> NamespaceBuilder<Self> {
        namespace.on(call.event, move |socket: Socket, question: Raw| {
            let answer = call.start(&socket, &question).wait();
            call.report(&socket, answer)
        })
    }

    fn relay_to_client(namespace: NamespaceBuilder<Self>, relay: RelayedCall) -> NamespaceBuilder<Self> {
        namespace.on(relay.event, move |socket: Socket, Arg(number): Arg<u32>| {
            one_more(socket.call(relay.calls, &number).wait())
        })
    }

    fn relay_to_server(
        namespace: NamespaceBuilder<Self, ClientSocket>,
        relay: RelayedCall,
    ) -> NamespaceBuilder<Self, ClientSocket> {
        namespace.on(relay.event, move |socket: ClientSocket, Arg(number): Arg<u32>| {
            one_more(socket.call(relay.calls, &number).wait())
        })
    }
}

impl ClientCall {
    fn start(&self, socket: &Socket, question: &Raw) -> Call<Arguments> {
        socket.emit_with_ack("question", question).timeout(self.timeout)
    }

    fn report(&self, socket: &Socket, answer: Result<Arguments, CallError>) -> Result<(), Error> {
        match answer {
            Ok(answer) => socket.emit("answer", &answer),
            Err(_) => socket.emit(self.no_answer_event, &()),
        }
    }
}

fn one_more(answer: Result<u32, CallError>) -> Result<Reply<u32>, CallError> {
    answer.map(|number| Reply(number + 1))
}
