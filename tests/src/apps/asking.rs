//! Handlers that ask the other side: the one place where applications for runtimes and for threads differ.

use std::time::Duration;

use socketio_blocking::Wait as _;
use socketio_driver::router::{Kind, NamespaceBuilder};
use socketio_driver::{
    Arg, Arguments, Async, Blocking, Call, CallError, ClientSocket, Error, Raw, Reply, Server, Socket,
};

/// A handler that asks its client a `question`, and tells it its answer.
#[derive(Clone, Copy, Debug)]
pub struct Inquiry {
    /// The event that makes it ask.
    pub event: &'static str,
    /// How long the answer may take.
    pub patience: Duration,
    /// What is emitted if none comes.
    pub unanswered: &'static str,
}

/// A handler that answers one more than the other side does.
#[derive(Clone, Copy, Debug)]
pub struct Relay {
    /// The event it answers; its argument is a number.
    pub event: &'static str,
    /// The event it asks the other side, with the same number.
    pub asks: &'static str,
}

/// A kind of binding whose handlers can wait for an answer.
pub trait Asking: Kind {
    /// The namespace with a handler that asks its client.
    fn inquire(namespace: NamespaceBuilder<Self>, inquiry: Inquiry) -> NamespaceBuilder<Self>;

    /// A server's namespace with a handler that asks its client.
    fn relay(namespace: NamespaceBuilder<Self>, relay: Relay) -> NamespaceBuilder<Self>;

    /// A client's namespace with a handler that asks its server.
    fn relay_back(
        namespace: NamespaceBuilder<Self, ClientSocket>,
        relay: Relay,
    ) -> NamespaceBuilder<Self, ClientSocket>;
}

impl Asking for Async {
    fn inquire(namespace: NamespaceBuilder<Self>, inquiry: Inquiry) -> NamespaceBuilder<Self> {
        namespace.on(inquiry.event, move |socket: Socket, question: Raw| async move {
            let answer = inquiry.question(&socket, &question).await;
            inquiry.tell(&socket, answer)
        })
    }

    fn relay(namespace: NamespaceBuilder<Self>, relay: Relay) -> NamespaceBuilder<Self> {
        namespace.on(
            relay.event,
            move |socket: Socket, Arg(number): Arg<u32>| async move {
                one_more(socket.call(relay.asks, &number).await)
            },
        )
    }

    fn relay_back(
        namespace: NamespaceBuilder<Self, ClientSocket>,
        relay: Relay,
    ) -> NamespaceBuilder<Self, ClientSocket> {
        namespace.on(
            relay.event,
            move |socket: ClientSocket, Arg(number): Arg<u32>| async move {
                one_more(socket.call(relay.asks, &number).await)
            },
        )
    }
}

impl<S: From<Server> + 'static> Asking for Blocking<S> {
    fn inquire(namespace: NamespaceBuilder<Self>, inquiry: Inquiry) -> NamespaceBuilder<Self> {
        namespace.on(inquiry.event, move |socket: Socket, question: Raw| {
            let answer = inquiry.question(&socket, &question).wait();
            inquiry.tell(&socket, answer)
        })
    }

    fn relay(namespace: NamespaceBuilder<Self>, relay: Relay) -> NamespaceBuilder<Self> {
        namespace.on(relay.event, move |socket: Socket, Arg(number): Arg<u32>| {
            one_more(socket.call(relay.asks, &number).wait())
        })
    }

    fn relay_back(
        namespace: NamespaceBuilder<Self, ClientSocket>,
        relay: Relay,
    ) -> NamespaceBuilder<Self, ClientSocket> {
        namespace.on(relay.event, move |socket: ClientSocket, Arg(number): Arg<u32>| {
            one_more(socket.call(relay.asks, &number).wait())
        })
    }
}

impl Inquiry {
    fn question(&self, socket: &Socket, question: &Raw) -> Call<Arguments> {
        socket.emit_with_ack("question", question).timeout(self.patience)
    }

    fn tell(&self, socket: &Socket, answer: Result<Arguments, CallError>) -> Result<(), Error> {
        match answer {
            Ok(answer) => socket.emit("answer", &answer),
            Err(_) => socket.emit(self.unanswered, &()),
        }
    }
}

fn one_more(answer: Result<u32, CallError>) -> Result<Reply<u32>, CallError> {
    answer.map(|number| Reply(number + 1))
}
