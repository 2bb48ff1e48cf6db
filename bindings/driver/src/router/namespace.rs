use std::marker::PhantomData;

use crate::core::is_reserved;
use crate::error::BuildError;
use crate::extract::{NamedType, Requirements};
use crate::handle::{Socket, Subject};
use crate::handler::{ConnectContext, DisconnectContext, ErasedHandler, EventContext, GuardContext, Handler};
use crate::router::{Kind, Routes, RunsOn};

/// The handlers of one namespace, being collected; see [`ServerBuilder::namespace`](crate::ServerBuilder::namespace)
/// and [`ClientBuilder::namespace`](crate::ClientBuilder::namespace). `S` says whose they are.
#[must_use = "handlers are only used when the builder is built"]
pub struct NamespaceBuilder<K, S: Subject = Socket> {
    pub(crate) routes: Routes<S>,
    /// What the guards need and leave, in their order.
    guards: Vec<Requirements>,
    /// What the other handlers need, with their names for error texts.
    handlers: Vec<(String, Requirements)>,
    pub(crate) errors: Vec<BuildError>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> NamespaceBuilder<K> {
    /// Asks `handler` before a client joins. Its `Err` is what the client gets as `connect_error`; what its
    /// `Ok` holds is the client's [`Data<T>`](crate::Data) from then on.
    ///
    /// Several guards are asked in order until one refuses. A later guard can extract what an earlier one
    /// returned; the last that returned anything but `()` leaves the data.
    ///
    /// A guard that fails, because its [`Auth`](crate::Auth) does not parse for one, gives the client the message
    /// `not allowed`; the reason goes to the error hook.
    pub fn guard<H, M>(mut self, handler: H) -> Self
    where
        H: Handler<GuardContext, M>,
        M: RunsOn<K>,
    {
        let mut requirements = Requirements::default();
        H::require(&mut requirements);
        self.guards.push(requirements);
        self.routes.entry.push(handler.erase());
        self
    }
}

/// Describes the namespace called `name`, further if it was described before.
pub(crate) fn describe<K: Kind, S: Subject>(
    namespaces: &mut Vec<NamespaceBuilder<K, S>>,
    name: &str,
    describe: impl FnOnce(NamespaceBuilder<K, S>) -> NamespaceBuilder<K, S>,
) {
    let known = namespaces.iter_mut().find(|namespace| namespace.name() == name);
    match known {
        Some(namespace) => {
            // Describing takes the builder by value; a placeholder keeps its position meanwhile.
            let before = std::mem::replace(namespace, NamespaceBuilder::new("/"));
            *namespace = describe(before);
        }
        None => namespaces.push(describe(NamespaceBuilder::new(name))),
    }
}

impl<K: Kind, S: Subject> NamespaceBuilder<K, S> {
    pub(crate) fn new(name: &str) -> Self {
        let mut errors = Vec::new();
        if !name.starts_with('/') || name.contains(|c: char| c == ',' || c == '?' || c.is_control()) {
            errors.push(BuildError::InvalidNamespace {
                namespace: name.to_owned(),
            });
        }
        Self {
            routes: Routes::new(name),
            guards: Vec::new(),
            handlers: Vec::new(),
            errors,
            kind: PhantomData,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.routes.name
    }

    /// Runs when a client has joined, before any of its events. A failure is reported and changes nothing: to keep
    /// clients out, use [`guard`](NamespaceBuilder::guard).
    ///
    /// On a client it runs each time the namespace was joined, the first time and after each reconnection.
    pub fn on_connect<H, M>(mut self, handler: H) -> Self
    where
        H: Handler<ConnectContext<S>, M>,
        M: RunsOn<K>,
    {
        let handler = self.erase("on_connect", handler);
        if self.routes.connect.replace(handler).is_some() {
            self.duplicate("on_connect");
        }
        self
    }

    /// Handles the event `name`. One handler each; further ones can [`observe`](Self::observe).
    ///
    /// A handler that fails (`Err`, a panic, an argument of another type) sends no acknowledgement and goes to the
    /// [error hook](crate::ServerBuilder::on_error). To tell the client "no", reply with a value of your own.
    pub fn on<H, M>(mut self, name: &str, handler: H) -> Self
    where
        H: Handler<EventContext<S>, M>,
        M: RunsOn<K>,
    {
        let (namespace, event) = (self.name().to_owned(), name.to_owned());
        if is_reserved(name) {
            self.errors.push(BuildError::ReservedEvent { namespace, event });
            return self;
        }
        let handler = self.erase(&format!("on({name:?})"), handler);
        if self.routes.events.insert(name.into(), handler).is_some() {
            self.errors.push(BuildError::DuplicateEvent { namespace, event });
        }
        self
    }

    /// Handles the events that have no handler of their own.
    ///
    /// This is the catch-all `'*'` of python-socketio; for `onAny` of JavaScript, which sees every event,
    /// see [`observe`](Self::observe).
    pub fn on_any<H, M>(mut self, handler: H) -> Self
    where
        H: Handler<EventContext<S>, M>,
        M: RunsOn<K>,
    {
        let handler = self.erase("on_any", handler);
        if self.routes.any.replace(handler).is_some() {
            self.duplicate("on_any");
        }
        self
    }

    /// Shows every event to `observer` before its handler runs: for logs and counters. Any number of
    /// observers; they run before the handler, where [it](crate::handler) does, and cannot answer.
    pub fn observe(mut self, observer: impl Fn(&EventContext<S>) + Send + Sync + 'static) -> Self {
        self.routes.observers.push(Box::new(observer));
        self
    }

    /// Runs exactly once when a client that had joined leaves, after all its events have begun.
    ///
    /// By then its rooms are left: keep what you need here in [`Data`](crate::Data).
    ///
    /// On a client it runs exactly once for each time the namespace was joined, when it is left or the connection is
    /// lost; [`ClientReason`](crate::ClientReason) says why and whether it comes back.
    pub fn on_disconnect<H, M>(mut self, handler: H) -> Self
    where
        H: Handler<DisconnectContext<S>, M>,
        M: RunsOn<K>,
    {
        let handler = self.erase("on_disconnect", handler);
        if self.routes.disconnect.replace(handler).is_some() {
            self.duplicate("on_disconnect");
        }
        self
    }

    /// Runs the handlers of one client, or of this namespace of ours on a client, strictly one at a time: the next
    /// event waits until the handler of the one before has finished. Otherwise they begin in order and may wait side by
    /// side.
    pub fn serial(mut self) -> Self {
        self.routes.serial = true;
        self
    }

    /// The routes, once everything the handlers need is there.
    pub(crate) fn finish(self, has_state: impl Fn(NamedType) -> bool) -> Result<Routes<S>, BuildError> {
        let Self {
            routes,
            guards,
            handlers,
            errors,
            ..
        } = self;
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        let mut data = None;
        for (index, guard) in guards.iter().enumerate() {
            check(guard, data, &has_state, || {
                format!("guard {} of {}", index + 1, routes.name)
            })?;
            data = guard.provided.or(data);
        }
        for (handler, requirements) in &handlers {
            check(requirements, data, &has_state, || {
                format!("{handler} of {}", routes.name)
            })?;
        }
        Ok(routes)
    }

    fn erase<C, H, M>(&mut self, name: &str, handler: H) -> Box<dyn ErasedHandler<C>>
    where
        C: crate::handler::HandlerContext,
        H: Handler<C, M>,
    {
        let mut requirements = Requirements::default();
        H::require(&mut requirements);
        self.handlers.push((name.to_owned(), requirements));
        handler.erase()
    }

    fn duplicate(&mut self, method: &'static str) {
        let namespace = self.name().to_owned();
        self.errors
            .push(BuildError::DuplicateHandler { namespace, method });
    }
}

fn check(
    requirements: &Requirements,
    data: Option<NamedType>,
    has_state: impl Fn(NamedType) -> bool,
    handler: impl Fn() -> String,
) -> Result<(), BuildError> {
    if let Some(state) = requirements.state.iter().find(|state| !has_state(**state)) {
        return Err(BuildError::MissingState {
            handler: handler(),
            state: state.name,
        });
    }
    match requirements
        .data
        .iter()
        .find(|needed| data.is_none_or(|data| data.id != needed.id))
    {
        Some(needed) => Err(BuildError::MissingData {
            handler: handler(),
            data: needed.name,
        }),
        None => Ok(()),
    }
}
