//! The handlers of all namespaces, and how they are found and run: the same for both sides.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::task;

use crate::error::{ErrorReport, HandlerError, Stage};
use crate::handle::{Side, Socket, Subject};
use crate::handler::{
    ConnectContext, DisconnectContext, ErasedHandler, EventContext, EventOutcome, LifecycleOutcome, Step,
};
use crate::hash::FixedMap;

pub(crate) type ErrorHook<S = Socket> = dyn Fn(&ErrorReport<S>) + Send + Sync;
pub(crate) type Observer<S = Socket> = dyn Fn(&EventContext<S>) + Send + Sync;
pub(crate) type StateMap = FixedMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// The handlers of one namespace.
pub(crate) struct Routes<S: Subject = Socket> {
    pub(super) name: String,
    pub(super) serial: bool,
    pub(crate) entry: <S as Side>::Entry,
    pub(super) connect: Option<Box<dyn ErasedHandler<ConnectContext<S>>>>,
    pub(super) events: FixedMap<Box<str>, Box<dyn ErasedHandler<EventContext<S>>>>,
    pub(super) any: Option<Box<dyn ErasedHandler<EventContext<S>>>>,
    pub(super) observers: Vec<Box<Observer<S>>>,
    pub(super) disconnect: Option<Box<dyn ErasedHandler<DisconnectContext<S>>>>,
}

impl<S: Subject> Routes<S> {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            serial: false,
            entry: Default::default(),
            connect: None,
            events: FixedMap::default(),
            any: None,
            observers: Vec::new(),
            disconnect: None,
        }
    }
}

/// All handlers of a server or a client, with what they share.
pub(crate) struct Table<S: Subject = Socket> {
    /// In the order in which the core is told of them: the position is `NamespaceId::index`.
    pub(crate) namespaces: Vec<Routes<S>>,
    pub(crate) state: StateMap,
    pub(crate) error_hook: Box<ErrorHook<S>>,
}

impl<S: Subject> Table<S> {
    pub(crate) fn routes(&self, position: usize) -> Option<&Routes<S>> {
        self.namespaces.get(position)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|routes| routes.name.as_str())
    }

    /// The position of the namespace called `name`.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.namespaces.iter().position(|routes| routes.name == name)
    }

    /// The name of the namespace at `position`.
    pub(crate) fn name(&self, position: usize) -> &str {
        self.routes(position).map_or("", |routes| &routes.name)
    }

    pub(crate) fn is_serial(&self, position: usize) -> bool {
        self.routes(position).is_some_and(|routes| routes.serial)
    }

    pub(crate) fn state<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(self.state.get(&TypeId::of::<T>())?).downcast().ok()
    }

    /// Runs the observers and then the event's handler, or `on_any` if it has none.
    pub(crate) fn event(
        &self,
        context: EventContext<S>,
        task: &mut task::Context<'_>,
    ) -> Step<EventContext<S>> {
        let Some(routes) = self.routes(context.socket.position()) else {
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

    /// Runs `on_connect`.
    pub(crate) fn connect(
        &self,
        context: ConnectContext<S>,
        task: &mut task::Context<'_>,
    ) -> Step<ConnectContext<S>> {
        let routes = self.routes(context.socket.position());
        match routes.and_then(|routes| routes.connect.as_ref()) {
            Some(handler) => handler.call(context, task),
            None => Step::Done(LifecycleOutcome::Done),
        }
    }

    /// Runs `on_disconnect`.
    pub(crate) fn disconnect(
        &self,
        context: DisconnectContext<S>,
        task: &mut task::Context<'_>,
    ) -> Step<DisconnectContext<S>> {
        let routes = self.routes(context.socket.position());
        match routes.and_then(|routes| routes.disconnect.as_ref()) {
            Some(handler) => handler.call(context, task),
            None => Step::Done(LifecycleOutcome::Done),
        }
    }

    /// Tells the error hook; what the hook throws is dropped.
    pub(crate) fn report(&self, report: &ErrorReport<S>) {
        let _ = crate::handler::catch(|| {
            (self.error_hook)(report);
            Ok(())
        });
    }

    fn observe(&self, observer: &Observer<S>, context: &EventContext<S>) {
        let observed = crate::handler::catch(|| {
            observer(context);
            Ok(())
        });
        if let Err(error) = observed {
            self.report_observer(context, error);
        }
    }

    fn report_observer(&self, context: &EventContext<S>, error: HandlerError) {
        let (socket, event) = (context.socket.clone(), Some(context.name.clone()));
        self.report(&ErrorReport {
            stage: Stage::Event,
            socket,
            event,
            error,
        });
    }
}

/// The error hook unless another is set: silence would hide why a handler never runs.
pub(crate) fn print_report<S: Subject>(report: &ErrorReport<S>) {
    eprintln!("socketio: {report}");
}
