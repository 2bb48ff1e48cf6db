use std::convert::Infallible;
use std::marker::PhantomData;

use crate::handle::Server;
use crate::handler::marker;

/// The bindings that run futures: tokio, async-std, smol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Async {}

/// Bindings that run handlers on worker threads and have no async runtime. `S` is the binding's own server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocking<S = Server>(PhantomData<fn() -> S>, Infallible);

/// Which binding a server was built for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BindingKind {
    /// [`Async`].
    Async,
    /// [`Blocking`].
    Blocking,
}

/// The kind of a binding, as a type parameter of the builder; implemented by [`Async`] and [`Blocking`].
pub trait Kind: Sized + 'static {
    /// The same as a value.
    const KIND: BindingKind;

    /// What [`ServerBuilder::build`](crate::ServerBuilder::build) makes.
    type Server: From<Server>;
}

impl Kind for Async {
    const KIND: BindingKind = BindingKind::Async;
    type Server = Server;
}

impl<S: From<Server> + 'static> Kind for Blocking<S> {
    const KIND: BindingKind = BindingKind::Blocking;
    type Server = S;
}

/// Handlers of this shape can run on bindings of kind `K`: synchronous ones on all, asynchronous ones where
/// futures run.
///
/// ```compile_fail,E0277
/// # use socketio_driver::{Arg, Blocking, ServerBuilder};
/// ServerBuilder::<Blocking>::new().on("no", async |Arg(_): Arg<i64>| ());
/// ```
///
/// ```
/// # use socketio_driver::{Arg, Blocking, ServerBuilder};
/// ServerBuilder::<Blocking>::new().on("yes", |Arg(_): Arg<i64>| ());
/// ```
pub trait RunsOn<K> {}

/// Bindings that can run futures.
#[diagnostic::on_unimplemented(
    message = "the blocking binding cannot run async handlers",
    label = "async handler",
    note = "write a plain function or closure: it runs on a worker thread and may block there",
    note = "or use one of the async bindings (socketio-tokio, socketio-smol, socketio-async-std)"
)]
pub trait RunsFutures {}

impl RunsFutures for Async {}

impl<K: Kind, Arguments> RunsOn<K> for marker::Sync<Arguments> {}

// Conditional instead of `RunsOn<Async>`, so that the compiler takes the handler for what it is and then says
// that it cannot run, instead of taking it for a synchronous one.
impl<K: Kind + RunsFutures, Arguments> RunsOn<K> for marker::Async<Arguments> {}
