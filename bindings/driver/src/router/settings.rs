use std::time::Duration;

use crate::core::{Config, Cookie, Cors, Limits, Transports, Upgrades};
use crate::router::{Kind, ServerBuilder};

/// Settings of the core.
impl<K: Kind> ServerBuilder<K> {
    /// Replaces all settings at once.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How often the server pings; default 25 seconds.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.config.engine.ping_interval = interval;
        self
    }

    /// How long a client may take to answer a ping before it counts as gone; default 20 seconds.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.config.engine.ping_timeout = timeout;
        self
    }

    /// The largest message or request body in bytes; default 1,000,000.
    ///
    /// Over polling, binary travels as base64 and takes 4/3 of its size: at the default about 750,000 bytes of
    /// attachment get through.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.config.engine.max_payload = bytes;
        self
    }

    /// The path of the HTTP requests that are for Socket.IO; default `/socket.io/`. A missing `/` at
    /// its end is added.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        let mut path = path.into();
        if !path.ends_with('/') {
            path.push('/');
        }
        self.config.engine.path = path;
        self
    }

    /// Which web pages of other origins may read the answers to polling; default none.
    ///
    /// This keeps nobody out: requests are answered as ever, and browsers do not apply CORS to WebSockets, which
    /// any page may open. To keep origins out, check `Origin` in [`gate`](Self::gate):
    ///
    /// ```
    /// # use socketio_driver::Server;
    /// let builder = Server::builder().gate(|request, _| match request.origin() {
    ///     Some(b"https://example.com") => Ok(()),
    ///     None => Ok(()), // Polling from a page of this very origin, or no browser.
    ///     Some(_) => Err("this origin may not connect".to_owned()),
    /// });
    /// # builder.build();
    /// ```
    pub fn cors(mut self, cors: Cors) -> Self {
        self.config.engine.cors = Some(cors);
        self
    }

    /// Sends the session id as a cookie, for load balancers; default off.
    pub fn cookie(mut self, cookie: Cookie) -> Self {
        self.config.engine.cookie = Some(cookie);
        self
    }

    /// Which transports clients may use; default all.
    pub fn transports(mut self, transports: Transports) -> Self {
        self.config.engine.transports = transports;
        self
    }

    /// Whether clients may change from polling to WebSocket; default they may.
    pub fn upgrades(mut self, upgrades: Upgrades) -> Self {
        self.config.engine.upgrades = upgrades;
        self
    }

    /// How long a session may last without joining a namespace; default 45 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout = timeout;
        self
    }

    /// How long a change of transport may take; default 10 seconds.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.config.engine.upgrade_timeout = timeout;
        self
    }

    /// The bounds of everything a peer controls. Begin with [`Limits::default`] and set its fields;
    /// [`on_refused`](crate::ServerBuilder::on_refused) hears of those who meet them.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.engine.limits = limits;
        self
    }
}
