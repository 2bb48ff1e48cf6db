//! Where a case runs, and what cases share.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socketio_tests::binding::Binding;
use socketio_tests::live::{Peer, eventually, within};
use socketio_tests::provision_process::ServerProcess;
use socketio_tokio::client::{Client, ClientBuilder, Reconnection, TransportOrder};
use socketio_tokio::{Async, Transport};

/// What carries the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Polling,
    WebSocket,
    Upgrade,
}

/// A client's binding, a server and how to reach it.
#[derive(Clone, Debug)]
pub(crate) struct At {
    /// The client's.
    pub(crate) binding: Binding,
    pub(crate) peer: Peer,
    pub(crate) mode: Mode,
    url: Arc<str>,
}

/// Something to try at a server.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(At) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A list of [`Case`]s named after their functions.
macro_rules! cases {
    ($($function:ident),* $(,)?) => {
        pub(crate) const CASES: &[crate::support::Case] =
            &[$(crate::support::Case { name: stringify!($function), run: |at| Box::pin($function(at)) }),*];
    };
}
pub(crate) use cases;

impl At {
    pub(crate) fn new(binding: Binding, peer: Peer, server: &ServerProcess, mode: Mode) -> Self {
        Self {
            binding,
            peer,
            mode,
            url: server.url().into(),
        }
    }

    /// Where the server listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A client that comes back quickly.
    pub(crate) fn client(&self) -> ClientBuilder<Async> {
        let order = match self.mode {
            Mode::Polling => TransportOrder::Polling,
            Mode::WebSocket => TransportOrder::WebSocket,
            Mode::Upgrade => TransportOrder::PollingFirst,
        };
        Client::builder(&*self.url)
            .transports(order)
            .reconnection(quickly())
    }

    /// The client, when it is connected and where it will stay.
    pub(crate) async fn connect(&self, builder: ClientBuilder<Async>) -> Client {
        let client = within("the connection", self.binding.connect(builder)).await;
        let client = client.unwrap_or_else(|error| panic!("could not connect: {error}"));
        self.settled(&client).await;
        client
    }

    /// Waits for the transport that is wanted.
    pub(crate) async fn settled(&self, client: &Client) {
        let wanted = match self.mode {
            Mode::Polling => Transport::Polling,
            Mode::WebSocket | Mode::Upgrade => Transport::WebSocket,
        };
        eventually("the transport is the one wanted", || {
            client.transport() == Some(wanted)
        })
        .await;
    }

    /// A client without handlers.
    pub(crate) async fn plain(&self) -> Client {
        self.connect(self.client()).await
    }
}

/// Delays short enough for a test, long enough to be told from none.
pub(crate) fn quickly() -> Reconnection {
    let mut reconnection = Reconnection::default();
    reconnection.min = Duration::from_millis(40);
    reconnection.max = Duration::from_millis(250);
    reconnection
}
