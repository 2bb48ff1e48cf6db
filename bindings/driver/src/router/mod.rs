//! What the builder makes: which handler runs for what. Immutable once built, so dispatch takes no lock and
//! allocates nothing.

mod admission;
mod builder;
mod kind;
mod namespace;
mod settings;

use std::any::{Any, TypeId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task;

use bytes::Bytes;

pub use admission::{Admission, Verdict};
pub use builder::ServerBuilder;
pub use kind::{Async, BindingKind, Blocking, Kind, RunsFutures, RunsOn};
pub use namespace::NamespaceBuilder;

use crate::core::{Config, NamespaceId, Peer, RequestHead, Response};
use crate::error::{ErrorReport, HandlerError, Stage};
use crate::handler::{
    ConnectContext, DisconnectContext, ErasedHandler, EventContext, EventOutcome, GuardContext,
    LifecycleOutcome, Step,
};
use crate::hash::FixedMap;

pub(crate) type Gate = dyn Fn(&RequestHead, &Peer) -> Result<(), String> + Send + Sync;
pub(crate) type Fallback = dyn Fn(&RequestHead, Option<Bytes>) -> Response + Send + Sync;
pub(crate) type ErrorHook = dyn Fn(&ErrorReport) + Send + Sync;
pub(crate) type Observer = dyn Fn(&EventContext) + Send + Sync;
pub(crate) type StateMap = FixedMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// All handlers, hooks and settings of a server.
pub struct Router {
    kind: BindingKind,
    config: Config,
    /// In the order in which the core is told of them, `/` first: the position is `NamespaceId::index`.
    namespaces: Vec<Routes>,
    state: StateMap,
    error_hook: Box<ErrorHook>,
    gate: Option<Box<Gate>>,
    fallback: Option<Box<Fallback>>,
    client_bundle: Option<PathBuf>,
}

/// The handlers of one namespace.
pub(crate) struct Routes {
    name: String,
    serial: bool,
    guards: Vec<Box<dyn ErasedHandler<GuardContext>>>,
    connect: Option<Box<dyn ErasedHandler<ConnectContext>>>,
    events: FixedMap<Box<str>, Box<dyn ErasedHandler<EventContext>>>,
    any: Option<Box<dyn ErasedHandler<EventContext>>>,
    observers: Vec<Box<Observer>>,
    disconnect: Option<Box<dyn ErasedHandler<DisconnectContext>>>,
}

impl Routes {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            serial: false,
            guards: Vec::new(),
            connect: None,
            events: FixedMap::default(),
            any: None,
            observers: Vec::new(),
            disconnect: None,
        }
    }
}

impl Router {
    /// The kind of binding the server was built for.
    pub fn kind(&self) -> BindingKind {
        self.kind
    }

    /// The settings of the core.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The names of the namespaces, `/` first, in the order in which the core must be told of them.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|routes| routes.name.as_str())
    }

    /// Whether the handlers of this namespace run strictly one at a time for each client.
    pub fn is_serial(&self, namespace: NamespaceId) -> bool {
        self.routes(namespace).is_some_and(|routes| routes.serial)
    }

    /// Runs the observers and then the event's handler, or `on_any` if it has none.
    pub fn event(&self, context: EventContext, task: &mut task::Context<'_>) -> Step<EventContext> {
        let Some(routes) = self.routes(context.socket.namespace_id()) else {
            return Step::Done(EventOutcome::Nothing);
        };
        for observer in &routes.observers {
            self.observe(observer, &context);
        }
        match routes.events.get(context.name()).or(routes.any.as_ref()) {
            Some(handler) => handler.call(context, task),
            None => Step::Done(EventOutcome::Nothing),
        }
    }

    /// Runs `on_connect`. No event of the socket may be handled before it is done.
    pub fn connect(&self, context: ConnectContext, task: &mut task::Context<'_>) -> Step<ConnectContext> {
        match self
            .routes(context.socket.namespace_id())
            .and_then(|routes| routes.connect.as_ref())
        {
            Some(handler) => handler.call(context, task),
            None => Step::Done(LifecycleOutcome::Done),
        }
    }

    /// Runs `on_disconnect`.
    pub fn disconnect(
        &self,
        context: DisconnectContext,
        task: &mut task::Context<'_>,
    ) -> Step<DisconnectContext> {
        match self
            .routes(context.socket.namespace_id())
            .and_then(|routes| routes.disconnect.as_ref())
        {
            Some(handler) => handler.call(context, task),
            None => Step::Done(LifecycleOutcome::Done),
        }
    }

    /// Tells the error hook; what the hook throws is dropped.
    pub fn report(&self, report: &ErrorReport) {
        let _ = crate::handler::catch(|| {
            (self.error_hook)(report);
            Ok(())
        });
    }

    /// Asks the gate whether a handshake may go on; the error is the message of the refusal.
    pub fn gate(&self) -> Option<&Gate> {
        self.gate.as_deref()
    }

    /// What answers HTTP requests that are not for Socket.IO.
    pub fn fallback(&self) -> Option<&Fallback> {
        self.fallback.as_deref()
    }

    /// The file or directory of the client bundle that is served under the Socket.IO path.
    pub fn client_bundle(&self) -> Option<&Path> {
        self.client_bundle.as_deref()
    }

    /// The position of the namespace called `name`.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.namespaces.iter().position(|routes| routes.name == name)
    }

    /// The name of the namespace at `position`.
    pub(crate) fn name(&self, position: usize) -> &str {
        self.namespaces.get(position).map_or("", |routes| &routes.name)
    }

    pub(crate) fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(self.state.get(&TypeId::of::<T>())?).downcast().ok()
    }

    pub(crate) fn guard(
        &self,
        index: usize,
        context: GuardContext,
        task: &mut task::Context<'_>,
    ) -> Option<Step<GuardContext>> {
        let handler = self.routes(context.socket.namespace_id())?.guards.get(index)?;
        Some(handler.call(context, task))
    }

    fn routes(&self, namespace: NamespaceId) -> Option<&Routes> {
        self.namespaces.get(namespace.index())
    }

    fn observe(&self, observer: &Observer, context: &EventContext) {
        let observed = crate::handler::catch(|| {
            observer(context);
            Ok(())
        });
        if let Err(error) = observed {
            self.report_observer(context, error);
        }
    }

    fn report_observer(&self, context: &EventContext, error: HandlerError) {
        let (socket, event) = (context.socket.clone(), Some(context.name.clone()));
        self.report(&ErrorReport {
            stage: Stage::Event,
            socket,
            event,
            error,
        });
    }
}

#[cfg(test)]
mod tests;
