//! What all handles of one client share.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::client::ClientSocket;
use crate::client::hub::{ConnectionStatus, Hub};
use crate::client::router::ClientRouter;
use crate::core::{ClientConfig, ClientCore, ClientTarget, Encoded, NamespaceId};
use crate::engine::{self, ClientMachine, Runtime, Shard};
use crate::error::Error;
use crate::inner::Calls;
use crate::net::{Connector, Endpoint};

/// The longest a timeout may be; a bound that keeps deadlines within the clock's range.
const LONGEST_SLEEP: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A client as its tasks and handles share it.
///
/// The tasks keep it until the client is closed, a [`ClientOwner`] keeps it and its connection. Sockets given to handlers
/// only point to it, because the strands behind the shard's lock hold such sockets themselves.
pub(crate) struct ClientInner {
    router: ClientRouter,
    shard: Shard<ClientMachine>,
    /// The core's ids of the router's namespaces, in the same order; set when the client starts.
    namespaces: OnceLock<Box<[NamespaceId]>>,
    /// What handlers get, by the position of the namespace.
    sockets: Box<[ClientSocket]>,
    calls: Calls,
    hub: Hub,
    connector: Arc<dyn Connector>,
    sleep: Box<Sleep>,
}

/// The runtime's sleep, with its type forgotten.
pub(crate) type Sleep = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// The sleep of `runtime`.
pub(crate) fn sleep_of<R: Runtime>(runtime: R) -> Box<Sleep> {
    Box::new(move |duration| {
        let deadline = runtime.now() + duration.min(LONGEST_SLEEP);
        let sleep = runtime.sleep_until(deadline);
        Box::pin(async move { drop(sleep.await) })
    })
}

impl ClientInner {
    pub(crate) fn new(router: ClientRouter, connector: Arc<dyn Connector>, sleep: Box<Sleep>) -> Arc<Self> {
        Arc::new_cyclic(|inner| {
            let names = router.namespaces().enumerate();
            let sockets = names.map(|(position, name)| ClientSocket::new(inner.clone(), position, name));
            Self {
                sockets: sockets.collect(),
                router,
                shard: Shard::new(),
                namespaces: OnceLock::new(),
                calls: Calls::default(),
                hub: Hub::default(),
                connector,
                sleep,
            }
        })
    }

    pub(crate) const fn router(&self) -> &ClientRouter {
        &self.router
    }

    pub(crate) const fn shard(&self) -> &Shard<ClientMachine> {
        &self.shard
    }

    pub(crate) const fn calls(&self) -> &Calls {
        &self.calls
    }

    pub(crate) const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Keeps the ids the core gave to the router's namespaces; only the first call counts.
    pub(crate) fn begin(&self, namespaces: Vec<NamespaceId>) {
        let _ = self.namespaces.set(namespaces.into());
    }

    /// The settings of the core.
    pub(crate) const fn config(&self) -> &ClientConfig {
        self.router.config()
    }

    /// The names of the namespaces, the main one first, in the order in which the core must be told of them.
    pub(crate) fn namespace_names(&self) -> impl Iterator<Item = &str> {
        self.router.namespaces()
    }

    /// What makes connections.
    pub(crate) const fn connector(&self) -> &Arc<dyn Connector> {
        &self.connector
    }

    /// The socket of the namespace at `position`, as handlers get it.
    pub(crate) fn socket(&self, position: usize) -> Option<&ClientSocket> {
        self.sockets.get(position)
    }

    /// Ends after `duration`.
    pub(crate) fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        (self.sleep)(duration)
    }

    /// Where the next attempt goes and with what; see [`ClientRouter::target`].
    pub(crate) fn target(
        self: &Arc<Self>,
    ) -> impl Future<Output = Result<(Endpoint, ClientTarget), String>> + Send + use<> {
        let inner = Arc::clone(self);
        async move { inner.router.target().await }
    }

    /// The CONNECT packet of a namespace; see [`ClientRouter::auth`].
    pub(crate) fn auth(
        self: &Arc<Self>,
        namespace: NamespaceId,
    ) -> impl Future<Output = Result<Encoded, String>> + Send + use<> {
        let inner = Arc::clone(self);
        async move { inner.router.auth(namespace.index()).await }
    }

    /// Runs core verbs under the shard's lock; what they leave to send or wake is done after unlock.
    ///
    /// `verbs` must not run application code: no `Serialize`, `Drop` or waker of the application.
    pub(crate) fn with_core<R>(
        self: &Arc<Self>,
        verbs: impl FnOnce(&mut ClientCore, Instant) -> R,
    ) -> Result<R, Error> {
        self.shard
            .with(self, |state, now| verbs(&mut state.machine.core, now))
    }

    /// The core's id of the router's namespace at `position`.
    pub(crate) fn namespace_id(&self, position: usize) -> Result<NamespaceId, Error> {
        let ids = self.namespaces.get().ok_or(Error::NotConnected)?;
        ids.get(position).copied().ok_or(Error::UnknownNamespace)
    }

    /// Wants a connection from now on.
    pub(crate) fn connect(self: &Arc<Self>) -> Result<(), Error> {
        let wakers = self.with_core(|core, now| {
            core.connect(now);
            self.hub.resume()
        })?;
        wakers.into_iter().for_each(std::task::Waker::wake);
        Ok(())
    }

    /// Leaves everything and wants no connection any more.
    pub(crate) fn close(self: &Arc<Self>) {
        // A client whose shard is poisoned has nothing to leave.
        let _ = self.with_core(|core, now| core.close(now));
    }
}

impl Drop for ClientInner {
    fn drop(&mut self) {
        self.hub.end().into_iter().for_each(std::task::Waker::wake);
    }
}

/// Keeps a client connected: when the last one is dropped the client disconnects.
pub(crate) struct ClientOwner {
    inner: Arc<ClientInner>,
    /// What a binding does after that.
    on_last_drop: OnceLock<Box<OnLastDrop>>,
}

/// Called when a client has begun to disconnect, with what ends when nothing is left of it, and the time that should
/// take at most.
pub(crate) type OnLastDrop = dyn Fn(Pin<Box<dyn Future<Output = ()> + Send>>, Duration) + Send + Sync;

impl ClientOwner {
    pub(crate) fn new(inner: Arc<ClientInner>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            on_last_drop: OnceLock::new(),
        })
    }

    pub(crate) const fn inner(&self) -> &Arc<ClientInner> {
        &self.inner
    }

    /// Sets what is called after the last drop; only the first call counts.
    pub(crate) fn set_on_last_drop(&self, callback: Box<OnLastDrop>) {
        let _ = self.on_last_drop.set(callback);
    }
}

impl Drop for ClientOwner {
    fn drop(&mut self) {
        engine::retire(&self.inner);
        if let Some(callback) = self.on_last_drop.take() {
            let mut watch = self.inner.hub().watch();
            let ended = poll_fn(move |task| {
                watch.poll(task.waker(), |status| {
                    matches!(status.connection, ConnectionStatus::Over(_)).then_some(())
                })
            });
            callback(Box::pin(ended), self.inner.config().engine.close_timeout);
        }
    }
}
