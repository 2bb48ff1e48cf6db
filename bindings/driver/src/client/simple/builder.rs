use std::sync::Arc;

use serde::Serialize;

use crate::client::callback::{Callback, IntoEndpoint};
use crate::client::simple::{Inbox, Incoming};
use crate::client::{ClientBuilder, ClientSocket};
use crate::extract::{Ack, Event};
use crate::router::{Async, Kind, NamespaceBuilder, RunsOn};

/// Marks builders of clients whose events are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pull {}

/// A [`SimpleClient`](crate::client::SimpleClient) being described: the settings of [`ClientBuilder`], and no
/// handlers.
///
/// ```
/// use std::collections::BTreeMap;
/// use socketio_driver::client::SimpleClient;
///
/// let builder = SimpleClient::builder("http://127.0.0.1:3000")
///     .namespace("/news")
///     .namespace_auth("/admin", &BTreeMap::from([("token", "abc")]))
///     .inbox(100);
/// # let _ = builder;
/// ```
pub type SimpleClientBuilder<K = Async> = ClientBuilder<K, Pull>;

impl<K: Kind> ClientBuilder<K, Pull> {
    /// Adds a namespace. `/` is joined if its [`auth`](Self::auth) is given, if it is named here, or if no other
    /// namespace is. The first one is the main one, which the verbs of the client mean: `/` if it is joined.
    pub fn namespace(self, name: &str) -> Self {
        self.describe(name, |namespace| namespace)
    }

    /// Adds a namespace whose guards are asked with `auth`; see [`NamespaceBuilder::auth`].
    pub fn namespace_auth<T: Serialize + ?Sized>(self, name: &str, auth: &T) -> Self {
        self.describe(name, |namespace| namespace.auth(auth))
    }

    /// Adds a namespace whose guards are asked with what `callback` says each time; see
    /// [`NamespaceBuilder::auth_with`].
    pub fn namespace_auth_with<C, M>(self, name: &str, callback: C) -> Self
    where
        C: Callback<M, Value: Serialize>,
        M: RunsOn<K>,
    {
        self.describe(name, |namespace| namespace.auth_with(callback))
    }

    /// Most events that wait to be taken, at least one; default 1,024. When there are more the oldest are dropped, and
    /// [`RecvError::Lagged`](crate::client::RecvError::Lagged) says how many.
    pub fn inbox(mut self, events: usize) -> Self {
        self.inbox = events;
        self
    }

    /// The events of all namespaces go into one inbox.
    pub(crate) fn with_inbox(mut self) -> (Self, Arc<Inbox>) {
        let inbox = Arc::new(Inbox::new(self.inbox));
        self.namespaces = self
            .namespaces
            .into_iter()
            .map(|namespace| filling(namespace, &inbox))
            .collect();
        (self, inbox)
    }
}

fn filling<K: Kind>(
    namespace: NamespaceBuilder<K, ClientSocket>,
    inbox: &Arc<Inbox>,
) -> NamespaceBuilder<K, ClientSocket> {
    let inbox = Arc::clone(inbox);
    namespace.on_any(move |socket: ClientSocket, event: Event, ack: Ack| {
        inbox.push(Incoming::new(socket.namespace_name().to_owned(), event, ack));
    })
}

/// With the settings it has unless told otherwise, so that a URL alone describes a client.
impl<K: Kind, U: IntoEndpoint> From<U> for ClientBuilder<K, Pull> {
    fn from(url: U) -> Self {
        Self::new(url)
    }
}
