//! Handlers: plain functions and closures of up to eight extractors.
//!
//! A handler is `Fn(A, B, ..) -> R`, or `Fn(A, B, ..) -> Fut` with a `Fut: Future<Output = R> + Send`. Every argument
//! is an [extractor](crate::extract); what may be returned is [`IntoOutcome`]. A handler that panics is caught and
//! reported to the error hook.
//!
//! Where futures run, a handler without one runs in place, on the task of its connection, and must not block; neither
//! must gates, fallbacks, observers and error hooks. The blocking binding calls all of them on workers, where they may.
//!
//! Async closures that capture do not implement `Fn`. Take [`State<T>`](crate::State) instead, or clone into
//! an `async move` block:
//!
//! ```
//! # use socketio_driver::{Server, Arg};
//! # use std::sync::{Arc, Mutex};
//! let seen = Arc::new(Mutex::new(Vec::new()));
//! let builder = Server::builder().on("seen", move |Arg(name): Arg<String>| {
//!     let seen = seen.clone();
//!     async move { seen.lock().unwrap().push(name) }
//! });
//! # builder.build();
//! ```
//!
//! Handlers of a [client](crate::client) are the same, with its own socket in place of the server's:
//!
//! ```
//! # use socketio_driver::{Arg, Client, ClientSocket};
//! let builder = Client::builder("http://a").on("e", |_: ClientSocket, Arg(_): Arg<i64>| ());
//! # let _ = builder;
//! ```
//!
//! ```compile_fail,E0277
//! # use socketio_driver::{Client, Socket};
//! Client::builder("http://a").on("e", |_: Socket| ());
//! ```

mod context;
mod functions;
mod outcome;
mod run;

use std::task;

pub use context::{
    ConnectContext, DisconnectContext, EventContext, EventSink, GuardContext, HandlerContext, SocketSink,
};
pub use outcome::{EventOutcome, GuardOutcome, IntoOutcome, LifecycleOutcome, Reply};
pub use run::Suspended;
pub(crate) use run::catch;

use crate::extract::Requirements;

/// The two shapes of a handler, told apart by the compiler; never named by an application.
pub mod marker {
    use std::marker::PhantomData;

    /// Marks handlers that return their result.
    pub struct Sync<Arguments>(PhantomData<fn() -> Arguments>);

    /// Marks handlers that return a future of their result.
    pub struct Async<Arguments>(PhantomData<fn() -> Arguments>);
}

/// A function or closure that can handle what a `C` stands for: an event, a connection, a guard's question.
///
/// Implemented for every suitable `Fn`; see the [module](self) for what is suitable.
#[diagnostic::on_unimplemented(
    message = "this is not a handler for `{C}`",
    label = "not a handler",
    note = "every argument must be an extractor that works at this place, at most eight; everywhere: State; only for events: Arg, Args, Raw, Arguments, Attachments, Event, Ack",
    note = "on a server everywhere: Data, Auth, Handshake, Server; not in a guard: Socket; only in on_disconnect: Reason",
    note = "on a client everywhere: ClientSocket; only in on_disconnect: ClientReason",
    note = "event handlers return `()`, `Reply(value)`, or an `Option` or `Result` of these; on_connect and on_disconnect `()` or `Result<(), E>`; guards `()` or `Result<T, impl Into<Refusal>>`",
    note = "async closures that capture do not implement `Fn`: take `State<T>`, or clone into an `async move` block that a plain closure returns",
    note = "the future of an async handler must be `Send` and `'static`"
)]
pub trait Handler<C: HandlerContext, Marker>: Send + Sync + Sized + 'static {
    /// The handler with its argument types forgotten, as the router keeps it.
    fn erase(self) -> Box<dyn ErasedHandler<C>>;

    /// Adds what the arguments and the result need and provide.
    fn require(requirements: &mut Requirements);
}

/// A handler in the router.
pub trait ErasedHandler<C: HandlerContext>: Send + Sync {
    /// Runs the handler; an asynchronous one is polled once with `task`.
    ///
    /// Never panics because of the handler: what it throws is an outcome.
    fn call(&self, context: C, task: &mut task::Context<'_>) -> Step<C>;
}

/// How far one call of a handler came.
pub enum Step<C: HandlerContext> {
    /// The handler has finished.
    Done(C::Outcome),
    /// The handler waits for something: whoever called it polls or spawns the rest.
    Pending(Suspended<C>),
}

#[cfg(test)]
mod tests;
