use std::sync::Arc;
use std::task;

use crate::client::ClientSocket;
use crate::client::callback::{AuthSource, Produce, add_header};
use crate::core::{ClientConfig, ClientSecurity, ClientTarget, EncodeError, Encoded, Headers, NamespaceId};
use crate::encoding;
use crate::error::ErrorReport;
use crate::handler::{ConnectContext, DisconnectContext, EventContext, Step};
use crate::net::{Endpoint, Security};
use crate::router::Table;

/// All handlers, callbacks and settings of a client. Immutable once built.
pub(crate) struct ClientRouter {
    pub(super) config: ClientConfig,
    /// The main namespace first.
    pub(super) table: Table<ClientSocket>,
    pub(super) sources: Sources,
    pub(super) endpoint: EndpointSource,
}

/// What each attempt carries.
pub(crate) struct Sources {
    pub(crate) headers: Headers,
    pub(crate) headers_with: Vec<Produce<Pairs>>,
    pub(crate) query: Pairs,
    pub(crate) query_with: Vec<Produce<Pairs>>,
}

/// Names and their values, in order.
pub(crate) type Pairs = Vec<(String, String)>;

/// The server of each attempt.
pub(crate) enum EndpointSource {
    Fixed(Endpoint),
    Callback(Produce<Endpoint>),
}

impl ClientRouter {
    /// The settings of the core.
    pub(crate) const fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// The names of the namespaces, the main one first, in the order in which the core must be told of them.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.table.names()
    }

    /// Whether the handlers of this namespace run strictly one at a time.
    pub(crate) fn is_serial(&self, namespace: NamespaceId) -> bool {
        self.table.is_serial(namespace.index())
    }

    /// Runs the observers and then the event's handler, or `on_any` if it has none.
    pub(crate) fn event(
        &self,
        context: EventContext<ClientSocket>,
        task: &mut task::Context<'_>,
    ) -> Step<EventContext<ClientSocket>> {
        self.table.event(context, task)
    }

    /// Runs `on_connect`. No event of the namespace may be handled before it is done.
    pub(crate) fn connect(
        &self,
        context: ConnectContext<ClientSocket>,
        task: &mut task::Context<'_>,
    ) -> Step<ConnectContext<ClientSocket>> {
        self.table.connect(context, task)
    }

    /// Runs `on_disconnect`.
    pub(crate) fn disconnect(
        &self,
        context: DisconnectContext<ClientSocket>,
        task: &mut task::Context<'_>,
    ) -> Step<DisconnectContext<ClientSocket>> {
        self.table.disconnect(context, task)
    }

    /// Tells the error hook; what the hook throws is dropped.
    pub(crate) fn report(&self, report: &ErrorReport<ClientSocket>) {
        self.table.report(report);
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.table.find(name)
    }

    pub(crate) fn name(&self, position: usize) -> &str {
        self.table.name(position)
    }

    pub(crate) fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.table.state()
    }

    /// Where the next attempt goes and with what: runs the application's callbacks, outside every lock.
    ///
    /// # Errors
    /// The text of the first callback that failed, with its name.
    pub(crate) async fn target(&self) -> Result<(Endpoint, ClientTarget), String> {
        let sources = &self.sources;
        let endpoint = match &self.endpoint {
            EndpointSource::Fixed(endpoint) => endpoint.clone(),
            EndpointSource::Callback(produce) => {
                produce().await.map_err(|error| failed("url_with", &error))?
            }
        };
        let mut query = endpoint.query().to_vec();
        query.extend_from_slice(&sources.query);
        for produce in &sources.query_with {
            query.extend(produce().await.map_err(|error| failed("query_with", &error))?);
        }
        let mut headers = sources.headers.clone();
        for produce in &sources.headers_with {
            for (name, value) in produce().await.map_err(|error| failed("headers_with", &error))? {
                add_header(&mut headers, &name, &value).map_err(|error| failed("headers_with", &error))?;
            }
        }
        if let Some(authorization) = endpoint.authorization()
            && headers.get("authorization").is_none()
        {
            add_header(&mut headers, "Authorization", authorization)?;
        }
        let target = ClientTarget {
            authority: endpoint.authority().to_owned(),
            security: match endpoint.security() {
                Security::Plain => ClientSecurity::Plain,
                Security::Tls => ClientSecurity::Tls,
            },
            query,
            headers,
        };
        Ok((endpoint, target))
    }

    /// The CONNECT packet of the namespace at `position`: runs the application's callback, outside every lock.
    ///
    /// # Errors
    /// The text of a callback that failed, or whose value can not be sent.
    pub(crate) async fn auth(&self, position: usize) -> Result<Encoded, String> {
        let name = self.name(position);
        let auth = match self.table.routes(position).map(|routes| &routes.entry) {
            None | Some(AuthSource::None) => None,
            Some(AuthSource::Fixed(auth)) => Some(auth.clone()),
            Some(AuthSource::Callback(produce)) => {
                let auth = produce().await;
                auth.map_err(|error| failed(&format!("auth_with of {name}"), &error))?
            }
        };
        let packet: Result<_, EncodeError> = encoding::connect(name, auth.as_deref());
        packet.map_err(|error| error.to_string())
    }
}

fn failed(callback: &str, error: &str) -> String {
    format!("{callback} failed: {error}")
}
