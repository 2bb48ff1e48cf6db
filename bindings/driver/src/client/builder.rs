use std::any::TypeId;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use crate::client::callback::{Callback, IntoEndpoint, auth_payload, erase};
use crate::client::router::{ClientRouter, EndpointSource, Sources};
use crate::client::settings::ConnectSettings;
use crate::client::{AuthSource, ClientSocket};
use crate::core::{ClientConfig, Headers};
use crate::error::{BuildError, ErrorReport};
use crate::extract::NamedType;
use crate::handler::{ConnectContext, DisconnectContext, EventContext, Handler};
use crate::router::{
    ErrorHook, Kind, NamespaceBuilder, RunsOn, StateMap, Table, describe_namespace, print_report,
};

/// Marks builders of clients with handlers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Push {}

/// A client being described: where it connects to and how, its namespaces with their handlers, shared state.
///
/// `K` is the kind of binding that will run it. `Style` is [`Push`] for clients whose handlers are called, made by
/// [`Client::builder`](crate::client::Client::builder), and [`Pull`](crate::client::Pull) for the
/// [`SimpleClient`](crate::client::SimpleClient), whose events are taken; both have the same settings.
///
/// The methods for handlers are those of [`NamespaceBuilder`], and mean the namespace `/`; the extractors and
/// outcomes are those of servers, with [`ClientSocket`] and [`ClientReason`](crate::client::ClientReason) instead of
/// `Socket` and `Reason`. What is wrong with a description is said when the client starts.
///
/// ```
/// use socketio_driver::client::{Client, ClientReason, ClientSocket};
/// use socketio_driver::{Arg, Reply};
///
/// let builder = Client::builder("http://127.0.0.1:3000")
///     .header("x-client", "docs")
///     .on_connect(async |socket: ClientSocket| socket.emit("hello", &()))
///     .on("said", |Arg(text): Arg<String>| println!("{text}"))
///     .on("ask", |Arg(number): Arg<i64>| Reply(number + 1))
///     .on_disconnect(|reason: ClientReason| println!("left: {reason}"))
///     .namespace("/chat", |ns| ns.on("said", |Arg(text): Arg<String>| println!("chat: {text}")));
/// # let _ = builder;
/// ```
#[must_use = "a builder does nothing until the client is started"]
pub struct ClientBuilder<K, Style = Push> {
    pub(super) config: ClientConfig,
    pub(super) endpoint: Result<EndpointSource, String>,
    pub(super) sources: Sources,
    pub(super) connect_settings: ConnectSettings,
    /// `/` first.
    pub(super) namespaces: Vec<NamespaceBuilder<K, ClientSocket>>,
    pub(super) main: Main,
    state: StateMap,
    error_hook: Box<ErrorHook<ClientSocket>>,
    pub(super) errors: Vec<BuildError>,
    pub(super) inbox: usize,
    style: PhantomData<fn() -> Style>,
}

/// Whether anything was said of the namespace `/`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Main {
    /// It is joined if no other is.
    Unmentioned,
    Wanted,
}

impl<K: Kind, Style> ClientBuilder<K, Style> {
    /// A client of the server at `url` with the settings of the JavaScript client; see
    /// [`Client::builder`](crate::client::Client::builder).
    pub fn new(url: impl IntoEndpoint) -> Self {
        Self {
            config: ClientConfig::default(),
            endpoint: url.into_endpoint().map(EndpointSource::Fixed),
            sources: Sources {
                headers: Headers::new(),
                headers_with: Vec::new(),
                query: Vec::new(),
                query_with: Vec::new(),
            },
            connect_settings: ConnectSettings::default(),
            namespaces: vec![NamespaceBuilder::new("/")],
            main: Main::Unmentioned,
            state: StateMap::default(),
            error_hook: Box::new(print_report),
            errors: Vec::new(),
            inbox: crate::client::simple::DEFAULT_INBOX,
            style: PhantomData,
        }
    }

    /// Asks a server's guards to be let into `/` with this: any value that serialises to a JSON object, or to `null`
    /// for none. For other namespaces there is [`NamespaceBuilder::auth`].
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use socketio_driver::client::Client;
    /// let builder = Client::builder("http://127.0.0.1:3000").auth(&BTreeMap::from([("token", "abc")]));
    /// # let _ = builder;
    /// ```
    pub fn auth<T: Serialize + ?Sized>(self, auth: &T) -> Self {
        self.describe("/", |main| main.auth(auth))
    }

    /// Asks a server's guards to be let into `/` with what `callback` says each time; see [`Callback`].
    ///
    /// ```
    /// # use socketio_driver::client::Client;
    /// # use std::collections::BTreeMap;
    /// # async fn fresh_token() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// let builder = Client::builder("http://127.0.0.1:3000").auth_with(async || {
    ///     let token = fresh_token().await?;
    ///     Ok::<_, std::io::Error>(BTreeMap::from([("token", token)]))
    /// });
    /// # let _ = builder;
    /// ```
    pub fn auth_with<C, M>(self, callback: C) -> Self
    where
        C: Callback<M, Value: Serialize>,
        M: RunsOn<K>,
    {
        self.describe("/", |main| main.auth_with(callback))
    }

    pub(super) fn describe(
        mut self,
        name: &str,
        describe: impl FnOnce(NamespaceBuilder<K, ClientSocket>) -> NamespaceBuilder<K, ClientSocket>,
    ) -> Self {
        if name == "/" {
            self.main = Main::Wanted;
        }
        describe_namespace(&mut self.namespaces, name, describe);
        self
    }

    /// What was described, and how the client reaches its server.
    pub(super) fn finish(self) -> Result<(ClientRouter, ConnectSettings), BuildError> {
        let Self {
            config,
            endpoint,
            sources,
            connect_settings,
            mut namespaces,
            main,
            state,
            error_hook,
            errors,
            ..
        } = self;
        let endpoint = endpoint.map_err(|message| BuildError::InvalidUrl { message })?;
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        if main == Main::Unmentioned && namespaces.len() > 1 {
            drop(namespaces.remove(0));
        }
        let has_state = |needed: NamedType| state.contains_key(&needed.id);
        let namespaces: Result<Vec<_>, _> = namespaces
            .into_iter()
            .map(|namespace| namespace.finish(has_state))
            .collect();
        let router = ClientRouter {
            config,
            table: Table {
                namespaces: namespaces?,
                state,
                error_hook,
            },
            sources,
            endpoint,
        };
        Ok((router, connect_settings))
    }
}

impl<K: Kind> ClientBuilder<K> {
    /// Adds a namespace, or handlers to one that was added before.
    ///
    /// All namespaces share one connection, and are joined whenever there is one. `/` is joined if it is mentioned in
    /// any way (a handler, its auth, or `.namespace("/", |ns| ns)`), or if no other namespace is. The first namespace
    /// is the main one, which the verbs of [`Client`](crate::client::Client) mean: `/` if it is joined.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use socketio_driver::{Arg, client::Client};
    /// let builder = Client::builder("http://127.0.0.1:3000").namespace("/admin", |ns| ns
    ///     .auth(&BTreeMap::from([("token", "abc")]))
    ///     .on("alarm", |Arg(text): Arg<String>| println!("{text}")));
    /// # let _ = builder;
    /// ```
    pub fn namespace(
        self,
        name: &str,
        describe: impl FnOnce(NamespaceBuilder<K, ClientSocket>) -> NamespaceBuilder<K, ClientSocket>,
    ) -> Self {
        self.describe(name, describe)
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

    /// Calls `hook` for every handler that failed, instead of printing a line to standard error. Panics of
    /// the hook are dropped.
    pub fn on_error(mut self, hook: impl Fn(&ErrorReport<ClientSocket>) + Send + Sync + 'static) -> Self {
        self.error_hook = Box::new(hook);
        self
    }

    /// Runs each time `/` was joined; see [`NamespaceBuilder::on_connect`].
    pub fn on_connect<H, M>(self, handler: H) -> Self
    where
        H: Handler<ConnectContext<ClientSocket>, M>,
        M: RunsOn<K>,
    {
        self.describe("/", |main| main.on_connect(handler))
    }

    /// Handles the event `name` in `/`; see [`NamespaceBuilder::on`].
    pub fn on<H, M>(self, name: &str, handler: H) -> Self
    where
        H: Handler<EventContext<ClientSocket>, M>,
        M: RunsOn<K>,
    {
        self.describe("/", |main| main.on(name, handler))
    }

    /// Handles the events of `/` that have no handler; see [`NamespaceBuilder::on_any`].
    pub fn on_any<H, M>(self, handler: H) -> Self
    where
        H: Handler<EventContext<ClientSocket>, M>,
        M: RunsOn<K>,
    {
        self.describe("/", |main| main.on_any(handler))
    }

    /// Shows every event of `/` to `observer`; see [`NamespaceBuilder::observe`].
    pub fn observe(self, observer: impl Fn(&EventContext<ClientSocket>) + Send + Sync + 'static) -> Self {
        self.describe("/", |main| main.observe(observer))
    }

    /// Runs each time `/` was left; see [`NamespaceBuilder::on_disconnect`].
    pub fn on_disconnect<H, M>(self, handler: H) -> Self
    where
        H: Handler<DisconnectContext<ClientSocket>, M>,
        M: RunsOn<K>,
    {
        self.describe("/", |main| main.on_disconnect(handler))
    }

    /// Runs the handlers of `/` strictly one at a time; see [`NamespaceBuilder::serial`].
    pub fn serial(self) -> Self {
        self.describe("/", NamespaceBuilder::serial)
    }
}

/// What only namespaces of clients have.
impl<K: Kind> NamespaceBuilder<K, ClientSocket> {
    /// Asks the server's guards to be let in with this: any value that serialises to a JSON object, or to `null` for
    /// none. The last `auth` or [`auth_with`](Self::auth_with) counts.
    pub fn auth<T: Serialize + ?Sized>(mut self, auth: &T) -> Self {
        match auth_payload(auth) {
            Ok(None) => self.routes.entry = AuthSource::None,
            Ok(Some(payload)) => self.routes.entry = AuthSource::Fixed(payload),
            Err(message) => {
                let namespace = self.name().to_owned();
                self.errors.push(BuildError::InvalidAuth { namespace, message });
            }
        }
        self
    }

    /// Asks the server's guards to be let in with what `callback` says each time; see [`Callback`].
    pub fn auth_with<C, M>(mut self, callback: C) -> Self
    where
        C: Callback<M, Value: Serialize>,
        M: RunsOn<K>,
    {
        self.routes.entry = AuthSource::Callback(erase(callback, |auth| auth_payload(&auth)));
        self
    }
}

/// The error of a header that cannot be sent.
pub(super) fn invalid_header(name: &str, message: impl Display) -> BuildError {
    BuildError::InvalidHeader {
        name: name.to_owned(),
        message: message.to_string(),
    }
}
