//! Starting clients, on any runtime: what the functions of the bindings do with theirs.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::client::hub::{ClientStatus, ConnectionStatus, Membership};
use crate::client::inner::{ClientInner, sleep_of};
use crate::client::simple::{Pull, SimpleClient};
use crate::client::{Client, ClientBuilder, ClientReason, ConnectError, Push};
use crate::core::{ClientReasonKind, Initial, Rejoins};
use crate::engine::{self, Dial, Handlers};
use crate::net::{Connector, Direct, Proxy};
use crate::refusal::Refusal;
use crate::router::Kind;

/// Starts a client and does not wait: what is emitted before it is connected follows
/// [`offline`](ClientBuilder::offline).
///
/// # Errors
/// When the description contradicts itself, or the runtime has no randomness to give.
pub fn start<R: Dial, K: Kind>(runtime: R, builder: ClientBuilder<K, Push>) -> io::Result<Client> {
    Ok(launch(runtime, builder, R::HANDLERS)?)
}

/// Calls `callback` once, when the last handle of a client was dropped and the client has begun to disconnect: with a
/// future that ends when nothing is left of it, and the `close_timeout` it should take at most. For bindings whose
/// clients are waited for; only the first call counts.
pub fn on_last_drop(
    client: &Client,
    callback: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>, Duration) + Send + Sync + 'static,
) {
    client.set_on_last_drop(Box::new(callback));
}

/// Starts a client and waits until every namespace is joined.
///
/// Unless [`retry_initial`](ClientBuilder::retry_initial) says otherwise, the first attempt that fails is an error.
/// Dropping the future gives the attempt up.
///
/// # Errors
/// When the description contradicts itself, the connection cannot be made, or the server refuses a namespace. The
/// client is disconnected then.
pub async fn connect<R: Dial, K: Kind>(
    runtime: R,
    builder: ClientBuilder<K, Push>,
) -> Result<Client, ConnectError> {
    let client = launch(runtime, builder, R::HANDLERS)?;
    joined(&client).await?;
    Ok(client)
}

/// Starts a [`SimpleClient`] and waits until every namespace is joined, as [`connect`] does.
///
/// # Errors
/// As [`connect`].
pub async fn connect_simple<R: Dial, K: Kind>(
    runtime: R,
    builder: ClientBuilder<K, Pull>,
) -> Result<SimpleClient, ConnectError> {
    let (builder, inbox) = builder.with_inbox();
    // Its only handlers are ours, which fill the inbox and never block.
    let client = launch(runtime, builder, Handlers::InPlace)?;
    joined(&client).await?;
    Ok(SimpleClient::new(client, inbox))
}

fn launch<R: Dial, K: Kind, Style>(
    runtime: R,
    builder: ClientBuilder<K, Style>,
    handlers: Handlers,
) -> Result<Client, ConnectError> {
    let (router, connect_settings) = builder.finish()?;
    let connector: Arc<dyn Connector> = match connect_settings.connector {
        Some(connector) => connector,
        None => Arc::new(Direct::new(
            runtime.clone(),
            connect_settings.tls,
            connect_settings.proxy.unwrap_or(Proxy::None),
        )),
    };
    let inner = ClientInner::new(router, connector, sleep_of(runtime.clone()));
    let not_started = |error: io::Error| ConnectError::Runtime(error.to_string());
    engine::start_client(runtime, &inner, handlers).map_err(not_started)?;
    Client::new(inner).ok_or_else(|| ConnectError::Runtime("it has no namespace".to_owned()))
}

/// Waits until every namespace is joined, or one of them will not be.
async fn joined(client: &Client) -> Result<(), ConnectError> {
    let inner = Arc::clone(client.inner());
    let mut watch = inner.hub().watch();
    let judged = poll_fn(|task| watch.poll(task.waker(), |status| judge(&inner, status))).await;
    if judged.is_err() {
        client.disconnect();
    }
    judged
}

/// Whether all namespaces are decided, and how.
pub(super) fn judge(inner: &ClientInner, status: &ClientStatus) -> Option<Result<(), ConnectError>> {
    let names = || inner.router().namespaces();
    let refusals: Vec<(String, Refusal)> = names()
        .filter_map(|name| match status.membership(name) {
            Membership::Refused(refusal) => Some((name.to_owned(), refusal.clone())),
            _ => None,
        })
        .collect();
    match &status.connection {
        ConnectionStatus::Active => {}
        ConnectionStatus::Closed(_) | ConnectionStatus::Over(_) if !refusals.is_empty() => {
            return Some(Err(ConnectError::Refused(refusals)));
        }
        ConnectionStatus::Closed(reason) => return Some(Err(failed(reason.clone()))),
        ConnectionStatus::Over(_) => return Some(Err(ConnectError::Runtime("the runtime ended".to_owned()))),
    }
    let is_waiting = names().any(|name| *status.membership(name) == Membership::Awaited);
    if is_waiting {
        // A connection that is lost before all is joined comes back by itself, but only who asked for it waits.
        let gives_up = inner.router().config().reconnection.initial == Initial::GiveUp;
        let lost = status.failure().filter(|_| gives_up);
        return lost.map(|reason| Err(failed(reason.clone())));
    }
    match refusals.is_empty() {
        true => Some(Ok(())),
        false => Some(Err(ConnectError::Refused(refusals))),
    }
}

fn failed(reason: ClientReason) -> ConnectError {
    match (reason.kind, reason.detail) {
        (ClientReasonKind::Abandoned, Some(message)) => ConnectError::Callback(message),
        (kind, detail) => ConnectError::Failed(ClientReason::new(kind, detail, Rejoins::Never)),
    }
}
