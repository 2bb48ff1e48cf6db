//! The setup of a case, and what cases share.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socketio_tests::binding::Binding;
use socketio_tests::live::{Peer, eventually, within};
use socketio_tests::provision_process::ServerProcess;
use socketio_tokio::client::{Client, ClientBuilder, Reconnection, TransportOrder};
use socketio_tokio::{Async, Transport};

/// The transport of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Polling,
    WebSocket,
    Upgrade,
}

/// A client's binding, a server and the transport between them.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The client's.
    pub(crate) binding: Binding,
    pub(crate) peer: Peer,
    pub(crate) mode: Mode,
    url: Arc<str>,
}

/// A case for every setup.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Setup) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A list of [`Case`]s named after their functions.
macro_rules! cases {
    ($($function:ident),* $(,)?) => {
        pub(crate) const CASES: &[crate::support::Case] =
            &[$(crate::support::Case { name: stringify!($function), run: |setup| Box::pin($function(setup)) }),*];
    };
}
pub(crate) use cases;

impl Setup {
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

    /// A client that reconnects quickly.
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

    /// The client, when it is connected and on its final transport.
    pub(crate) async fn connect(&self, builder: ClientBuilder<Async>) -> Client {
        let client = within("the connection", self.binding.connect(builder)).await;
        let client = client.unwrap_or_else(|error| panic!("could not connect: {error}"));
        self.await_transport(&client).await;
        client
    }

    /// Waits for the final transport.
    pub(crate) async fn await_transport(&self, client: &Client) {
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

/// Delays short enough for a test, long enough to be distinguished from none.
pub(crate) fn quickly() -> Reconnection {
    let mut reconnection = Reconnection::default();
    reconnection.min = Duration::from_millis(40);
    reconnection.max = Duration::from_millis(250);
    reconnection
}
