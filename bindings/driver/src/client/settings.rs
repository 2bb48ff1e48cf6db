use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::client::builder::invalid_header;
use crate::client::callback::{Callback, IntoEndpoint, erase};
use crate::client::router::{EndpointSource, Pairs};
use crate::client::{Attempts, ClientBuilder, Offline, Reconnection, TransportOrder};
use crate::core::{ClientConfig, Cookies, Initial, Limits, Remembered, TransportFallback, Upgrades};
use crate::net::{Connector, Proxy, TlsClient};
use crate::router::{Kind, RunsOn};

/// How connections are made, unless the application brings a connector of its own.
#[derive(Default)]
pub(crate) struct ConnectSettings {
    pub(super) tls: Option<TlsClient>,
    pub(super) proxy: Option<Proxy>,
    pub(super) connector: Option<Arc<dyn Connector>>,
}

impl fmt::Debug for ConnectSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ConnectSettings").finish_non_exhaustive()
    }
}

/// Where it connects to, and with what.
impl<K: Kind, Style> ClientBuilder<K, Style> {
    /// Asks `callback` for the server's URL before every attempt, instead of the URL the builder began with; see
    /// [`Callback`].
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use std::sync::atomic::{AtomicUsize, Ordering};
    /// # use socketio_driver::client::Client;
    /// static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
    /// let builder = Client::builder("http://a.example").url_with(|| {
    ///     let servers = ["http://a.example", "http://b.example"];
    ///     Ok::<_, Infallible>(servers[ATTEMPTS.fetch_add(1, Ordering::Relaxed) % servers.len()])
    /// });
    /// # let _ = builder;
    /// ```
    pub fn url_with<C, M>(mut self, callback: C) -> Self
    where
        C: Callback<M, Value: IntoEndpoint>,
        M: RunsOn<K>,
    {
        self.endpoint = Ok(EndpointSource::Callback(erase(
            callback,
            IntoEndpoint::into_endpoint,
        )));
        self
    }

    /// Sends a header with every request. `Host` takes the place of the URL's; headers that frame a request or belong to
    /// the WebSocket handshake are refused.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Err(error) = self.sources.headers.append(name.to_owned(), value.to_owned()) {
            self.errors.push(invalid_header(name, error));
        }
        self
    }

    /// Sends the headers `callback` makes for every attempt, after those of [`header`](Self::header); see [`Callback`].
    pub fn headers_with<C, M, N, V>(mut self, callback: C) -> Self
    where
        C: Callback<M, Value: IntoIterator<Item = (N, V)>>,
        M: RunsOn<K>,
        N: Into<String>,
        V: Into<String>,
    {
        self.sources.headers_with.push(erase(callback, pairs));
        self
    }

    /// Adds a parameter to the query of every request, after those of the URL.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.sources.query.push((name.into(), value.into()));
        self
    }

    /// Adds the parameters `callback` makes for every attempt, after those of [`query`](Self::query); see [`Callback`].
    pub fn query_with<C, M, N, V>(mut self, callback: C) -> Self
    where
        C: Callback<M, Value: IntoIterator<Item = (N, V)>>,
        M: RunsOn<K>,
        N: Into<String>,
        V: Into<String>,
    {
        self.sources.query_with.push(erase(callback, pairs));
        self
    }

    /// Where the server is mounted; default `/socket.io/`. A missing `/` at either end is added.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        let mut path = path.into();
        if !path.starts_with('/') {
            path.insert(0, '/');
        }
        if !path.ends_with('/') {
            path.push('/');
        }
        self.config.engine.path = path;
        self
    }

    /// How TLS is spoken with servers of `https` and `wss`; default with the system's roots.
    pub fn tls(mut self, tls: TlsClient) -> Self {
        self.connect_settings.tls = Some(tls);
        self
    }

    /// Connects through a proxy; default without. `Proxy::from_env()` reads the usual variables of the environment.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.connect_settings.proxy = Some(proxy);
        self
    }

    /// Makes every connection with `connector`: through a tunnel, a SOCKS proxy, or in memory. It speaks TLS itself if
    /// it should; [`tls`](Self::tls) and [`proxy`](Self::proxy) are not used then.
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.connect_settings.connector = Some(Arc::new(connector));
        self
    }
}

fn pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Pairs, String>
where
    N: Into<String>,
    V: Into<String>,
{
    let pairs = pairs.into_iter();
    Ok(pairs.map(|(name, value)| (name.into(), value.into())).collect())
}

/// Settings of the core.
impl<K: Kind, Style> ClientBuilder<K, Style> {
    /// Replaces all settings of the core at once.
    pub fn config(mut self, config: ClientConfig) -> Self {
        self.config = config;
        self
    }

    /// Which transports are tried, in which order; default polling, then WebSocket.
    pub fn transports(mut self, order: TransportOrder) -> Self {
        self.config.engine.transports = order;
        self
    }

    /// Whether a polling session moves to WebSocket; default it does.
    pub fn upgrade(mut self, upgrade: bool) -> Self {
        self.config.engine.upgrades = if upgrade {
            Upgrades::Allowed
        } else {
            Upgrades::Refused
        };
        self
    }

    /// Whether the next transport is tried, within the same attempt, when one cannot open a session; default it is.
    pub fn transport_fallback(mut self, fallback: bool) -> Self {
        self.config.engine.fallback = if fallback {
            TransportFallback::Next
        } else {
            TransportFallback::None
        };
        self
    }

    /// Whether attempts begin with WebSocket once an upgrade has succeeded; default they do not.
    pub fn remember_upgrade(mut self, remember: bool) -> Self {
        self.config.engine.remembered = if remember {
            Remembered::Upgrade
        } else {
            Remembered::Nothing
        };
        self
    }

    /// When and how often a lost connection is tried again; default without end, after 1 s, 2 s, 4 s, then every 5 s,
    /// each half as long or half as much longer by chance.
    pub fn reconnection(mut self, reconnection: Reconnection) -> Self {
        self.config.reconnection = reconnection;
        self
    }

    /// How often in a row a lost connection is tried again; [`Attempts::AtMost`]`(0)` is never.
    pub fn reconnection_attempts(mut self, attempts: Attempts) -> Self {
        self.config.reconnection.attempts = attempts;
        self
    }

    /// The first and the longest delay before a lost connection is tried again; default 1 s and 5 s.
    pub fn reconnection_delay(mut self, first: Duration, longest: Duration) -> Self {
        self.config.reconnection.min = first;
        self.config.reconnection.max = longest;
        self
    }

    /// Whether the first connection is tried again, too, when it fails; default it is not, and connecting is an error.
    pub fn retry_initial(mut self, retry: bool) -> Self {
        self.config.reconnection.initial = if retry { Initial::Retry } else { Initial::GiveUp };
        self
    }

    /// What happens to events that are emitted while their namespace is not joined; default they are refused.
    pub fn offline(mut self, offline: Offline) -> Self {
        self.config.offline = offline;
        self
    }

    /// How long an attempt may take until there is a session, the dial included; default 20 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.engine.connect_timeout = timeout;
        self
    }

    /// How long a POST of polling may go unanswered; default 20 seconds.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.config.engine.request_timeout = timeout;
        self
    }

    /// How long a namespace may take to be joined; default 20 seconds.
    pub fn join_timeout(mut self, timeout: Duration) -> Self {
        self.config.join_timeout = timeout;
        self
    }

    /// How long the change from polling to WebSocket may take, and how long a WebSocket is waited for before polling is
    /// tried instead, where that is the order, though no more than half of the
    /// [`connect_timeout`](Self::connect_timeout); default 10 seconds.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.config.engine.upgrade_timeout = timeout;
        self
    }

    /// How long what is queued may take to leave when the client disconnects; default 5 seconds.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.config.engine.close_timeout = timeout;
        self
    }

    /// The largest polling body and message taken from the server, in bytes; default 16 MiB.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.config.engine.max_payload = bytes;
        self
    }

    /// Whether cookies that the server sets are sent back to it; default they are.
    pub fn cookies(mut self, cookies: bool) -> Self {
        self.config.engine.cookies = if cookies { Cookies::Kept } else { Cookies::Ignored };
        self
    }

    /// Whether polling requests carry a parameter that keeps caches away; default they do, called `t`.
    pub fn timestamp_requests(mut self, timestamp: bool) -> Self {
        self.config.engine.timestamp = timestamp.then(|| "t".to_owned());
        self
    }

    /// Calls the parameter that keeps caches away `name` instead of `t`.
    pub fn timestamp_param(mut self, name: impl Into<String>) -> Self {
        self.config.engine.timestamp = Some(name.into());
        self
    }

    /// Offers WebSocket subprotocols (RFC 6455 section 1.9); default none.
    pub fn protocols(mut self, protocols: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.config.engine.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// The bounds of everything else a server controls.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.engine.limits = limits;
        self
    }
}
