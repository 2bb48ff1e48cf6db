//! Tests of what a client is without a connection. What needs one is tested against real servers, with a binding.

mod builder;
mod handlers;
mod hub;
mod inbox;
mod waiting;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::client::hub::Hub;
use crate::client::inner::ClientInner;
use crate::client::{ClientBuilder, ClientReason, ConnectionEvent};
use crate::core::{ClientReasonKind, Rejoins, Text};
use crate::error::BuildError;
use crate::net::{Connecting, Connector, Endpoint};
use crate::router::Async;

/// A client that was not started, or why it can not be.
fn built<Style>(builder: ClientBuilder<Async, Style>) -> Result<Arc<ClientInner>, BuildError> {
    let (router, connect_settings) = builder.finish()?;
    let connector = connect_settings.connector.unwrap_or_else(|| Arc::new(Nowhere));
    let sleep = Box::new(|_| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    });
    Ok(ClientInner::new(router, connector, sleep))
}

/// Whose connections are never made.
struct Nowhere;

impl Connector for Nowhere {
    fn connect(&self, _: &Endpoint) -> Connecting {
        Box::pin(std::future::pending())
    }
}

fn reason(rejoins: Rejoins) -> ClientReason {
    ClientReason::new(ClientReasonKind::ServerDisconnect, None, rejoins)
}

fn text(text: &str) -> Text {
    Text::from(text)
}

/// What a future comes to when it is polled once.
fn polled<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn tell(hub: &Hub, event: ConnectionEvent) {
    for waker in hub.publish(&event) {
        waker.wake();
    }
}
