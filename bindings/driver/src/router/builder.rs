use std::any::TypeId;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::core::{ClientBundle, Config, Gate as GateMode, Peer, RequestHead, Response};
use crate::error::{BuildError, ErrorReport};
use crate::extract::NamedType;
use crate::handle::Server;
use crate::handler::{ConnectContext, DisconnectContext, EventContext, GuardContext, Handler};
use crate::refused::{Refused, RefusedHook};
use crate::router::{
    ErrorHook, Fallback, Gate, Kind, NamespaceBuilder, Router, RunsOn, StateMap, Table, describe_namespace,
    print_report,
};

/// A server being described: namespaces with their handlers, shared state, hooks and settings.
///
/// `K` is the kind of binding that will run it. The methods for handlers mean the main namespace `/`, which
/// always exists; they are the same as those of [`NamespaceBuilder`].
#[must_use = "a builder does nothing until it is built"]
pub struct ServerBuilder<K> {
    pub(crate) config: Config,
    /// `/` first.
    namespaces: Vec<NamespaceBuilder<K>>,
    state: StateMap,
    error_hook: Box<ErrorHook>,
    gate: Option<Box<Gate>>,
    fallback: Option<Box<Fallback>>,
    refused_hook: Option<Box<RefusedHook>>,
    client_bundle: Option<PathBuf>,
    errors: Vec<BuildError>,
}

impl<K: Kind> Default for ServerBuilder<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Kind> ServerBuilder<K> {
    /// No handlers, the settings of Socket.IO's own servers.
    pub fn new() -> Self {
        Self {
            config: Config::default(),
            namespaces: vec![NamespaceBuilder::new("/")],
            state: StateMap::default(),
            error_hook: Box::new(print_report),
            gate: None,
            fallback: None,
            refused_hook: None,
            client_bundle: None,
            errors: Vec::new(),
        }
    }

    /// Makes the server.
    ///
    /// # Panics
    /// When the program contradicts itself; [`try_build`](Self::try_build) says so without panicking.
    pub fn build(self) -> K::Server {
        match self.try_build() {
            Ok(server) => server,
            Err(error) => panic!("the server cannot be built: {error}"),
        }
    }

    /// Makes the server.
    ///
    /// # Errors
    /// The first contradiction that was found: an event with two handlers, a handler whose state nobody
    /// gave, and so on.
    pub fn try_build(self) -> Result<K::Server, BuildError> {
        let Self {
            mut config,
            namespaces,
            state,
            error_hook,
            gate,
            fallback,
            refused_hook,
            client_bundle,
            errors,
        } = self;
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        if gate.is_some() {
            config.engine.gate = GateMode::Ask;
        }
        if client_bundle.is_some() {
            config.engine.client_bundle = ClientBundle::Present;
        }
        let has_state = |needed: NamedType| state.contains_key(&needed.id);
        let namespaces: Result<Vec<_>, _> = namespaces
            .into_iter()
            .map(|namespace| namespace.finish(has_state))
            .collect();
        let namespaces = namespaces?;
        let kind = K::KIND;
        let router = Router {
            kind,
            config,
            table: Table {
                namespaces,
                state,
                error_hook,
            },
            gate,
            fallback,
            refused_hook,
            client_bundle,
        };
        Ok(Server::new(router).into())
    }

    /// Shares `state` with all handlers that take [`State<T>`](crate::State); one value for each type.
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        if self.state.insert(TypeId::of::<T>(), Arc::new(state)).is_some() {
            self.errors.push(BuildError::DuplicateState {
                state: std::any::type_name::<T>(),
            });
        }
        self
    }

    /// Adds a namespace, or handlers to one that was added before. Only these namespaces and `/` exist.
    pub fn namespace(
        mut self,
        name: &str,
        describe: impl FnOnce(NamespaceBuilder<K>) -> NamespaceBuilder<K>,
    ) -> Self {
        describe_namespace(&mut self.namespaces, name, describe);
        self
    }

    /// See [`NamespaceBuilder::guard`].
    pub fn guard<H, M>(self, handler: H) -> Self
    where
        H: Handler<GuardContext, M>,
        M: RunsOn<K>,
    {
        self.namespace("/", |main| main.guard(handler))
    }

    /// See [`NamespaceBuilder::on_connect`].
    pub fn on_connect<H, M>(self, handler: H) -> Self
    where
        H: Handler<ConnectContext, M>,
        M: RunsOn<K>,
    {
        self.namespace("/", |main| main.on_connect(handler))
    }

    /// See [`NamespaceBuilder::on`].
    pub fn on<H, M>(self, name: &str, handler: H) -> Self
    where
        H: Handler<EventContext, M>,
        M: RunsOn<K>,
    {
        self.namespace("/", |main| main.on(name, handler))
    }

    /// See [`NamespaceBuilder::on_any`].
    pub fn on_any<H, M>(self, handler: H) -> Self
    where
        H: Handler<EventContext, M>,
        M: RunsOn<K>,
    {
        self.namespace("/", |main| main.on_any(handler))
    }

    /// See [`NamespaceBuilder::observe`].
    pub fn observe(self, observer: impl Fn(&EventContext) + Send + Sync + 'static) -> Self {
        self.namespace("/", |main| main.observe(observer))
    }

    /// See [`NamespaceBuilder::on_disconnect`].
    pub fn on_disconnect<H, M>(self, handler: H) -> Self
    where
        H: Handler<DisconnectContext, M>,
        M: RunsOn<K>,
    {
        self.namespace("/", |main| main.on_disconnect(handler))
    }

    /// See [`NamespaceBuilder::serial`].
    pub fn serial(self) -> Self {
        self.namespace("/", NamespaceBuilder::serial)
    }

    /// Calls `hook` for every handler that failed, instead of printing a line to standard error. Panics of
    /// the hook are dropped.
    pub fn on_error(mut self, hook: impl Fn(&ErrorReport) + Send + Sync + 'static) -> Self {
        self.error_hook = Box::new(hook);
        self
    }

    /// Calls `hook` with everybody who was refused (`connection_error` in JS): connections and requests because of a
    /// limit or because they follow no protocol, handshakes, and clients that asked for one namespace too many. What
    /// guards refuse is theirs to tell.
    ///
    /// It runs where [handlers](crate::handler) do, one call at a time. When a flood comes faster than it takes it, some
    /// are only [counted](Refused::left_out). Panics of the hook are dropped.
    ///
    /// ```
    /// # use socketio_driver::Server;
    /// let builder = Server::builder().on_refused(|refused| eprintln!("{refused}"));
    /// # builder.build();
    /// ```
    pub fn on_refused(mut self, hook: impl Fn(&Refused) + Send + Sync + 'static) -> Self {
        self.refused_hook = Some(Box::new(hook));
        self
    }

    /// Asks `gate` before a session is opened; its `Err` is the message of the HTTP 403. Runs where
    /// [handlers](crate::handler) do. Guards, which may wait, are asked later for each namespace.
    ///
    /// This is the place to keep web pages of other origins out; [`cors`](Self::cors) has an example.
    pub fn gate(
        mut self,
        gate: impl Fn(&RequestHead, &Peer) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.gate = Some(Box::new(gate));
        self
    }

    /// Answers the HTTP requests that are not for Socket.IO, instead of 404. `None` is a request without a
    /// body.
    ///
    /// It runs where [handlers](crate::handler) do. HEAD requests come as [`Method::Head`](crate::http::Method)
    /// and are matched by hand. Bodies above [`max_payload`](Self::max_payload) are answered 413 before it is asked, and
    /// requests on connections beyond their [limits](crate::Limits) 503 or 429, whatever they are for.
    pub fn fallback(
        mut self,
        fallback: impl Fn(&RequestHead, Option<Bytes>) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.fallback = Some(Box::new(fallback));
        self
    }

    /// Serves the JavaScript client under the Socket.IO path: `path` is one bundle file, or the directory of
    /// all bundles and their source maps.
    pub fn client_bundle(mut self, path: impl Into<PathBuf>) -> Self {
        self.client_bundle = Some(path.into());
        self
    }
}
