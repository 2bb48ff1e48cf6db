//! Attacks on a client, and what it must do.

use std::time::{Duration, Instant};

use socketio_core::eio::client::CloseReason;
use socketio_core::sio::client::Reason;
use socketio_tests::binding::Binding;
use socketio_tests::live::{LocalServer, ScriptedConnection, ScriptedServer, within};
use socketio_tokio::client::{
    Client, ClientBuilder, ClientReason, ConnectionEvent, Reconnection, TransportOrder,
};
use socketio_tokio::{Arguments, Async, Reply, Server, ServerBuilder};

/// The client's limits of time in these tests.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(600);
/// The same for joining: the attacks before it have reasons of their own, which a busy machine must not overtake.
const JOIN_TIMEOUT: Duration = Duration::from_secs(2);
/// How much later an error may come: the machine runs the other attacks meanwhile.
pub(crate) const MARGIN: Duration = Duration::from_secs(4);

/// What a server does, and which error the client must report.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    order: TransportOrder,
    script: Box<dyn Fn(&mut ScriptedConnection) + Send + Sync>,
    expected: Expected,
    detail: &'static str,
}

/// Which reason is the right one.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// This one.
    Reason(Reason),
    /// One for which this holds.
    Any(fn(Reason) -> bool),
    /// One that ends the connection below Socket.IO, for which this holds.
    Engine(fn(CloseReason) -> bool),
}

/// An attack on a client that begins with polling and stays with it.
pub(crate) fn polling(
    name: &'static str,
    script: impl Fn(&mut ScriptedConnection) + Send + Sync + 'static,
    expected: impl Into<Expected>,
) -> Attack {
    Attack {
        name,
        order: TransportOrder::Polling,
        script: Box::new(script),
        expected: expected.into(),
        detail: "",
    }
}

/// An attack on a client that uses WebSocket alone.
pub(crate) fn websocket(
    name: &'static str,
    script: impl Fn(&mut ScriptedConnection) + Send + Sync + 'static,
    expected: impl Into<Expected>,
) -> Attack {
    Attack {
        order: TransportOrder::WebSocket,
        ..polling(name, script, expected)
    }
}

impl From<CloseReason> for Expected {
    fn from(reason: CloseReason) -> Self {
        Self::Reason(Reason::Engine(reason))
    }
}

impl From<Reason> for Expected {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl From<fn(CloseReason) -> bool> for Expected {
    fn from(holds: fn(CloseReason) -> bool) -> Self {
        Self::Engine(holds)
    }
}

impl From<fn(Reason) -> bool> for Expected {
    fn from(holds: fn(Reason) -> bool) -> Self {
        Self::Any(holds)
    }
}

/// Whatever was wrong with the bytes.
pub(crate) const BAD_RESPONSE: fn(CloseReason) -> bool =
    |reason| matches!(reason, CloseReason::BadResponse(_));

/// A client that retries soon and has short timeouts.
pub(crate) fn client(url: &str, order: TransportOrder) -> ClientBuilder<Async> {
    let mut reconnection = Reconnection::default();
    reconnection.min = Duration::from_millis(100);
    reconnection.max = Duration::from_millis(200);
    Client::builder(url)
        .transports(order)
        .reconnection(reconnection)
        .retry_initial(true)
        .connect_timeout(TIMEOUT)
        .request_timeout(TIMEOUT)
        .join_timeout(JOIN_TIMEOUT)
}

/// A server that keeps to the protocol.
pub(crate) fn good_server() -> ServerBuilder<Async> {
    Server::builder().on("echo", |arguments: Arguments| Reply(arguments))
}

impl Attack {
    /// The reason's detail has to contain this.
    pub(crate) fn with_detail(mut self, detail: &'static str) -> Self {
        self.detail = detail;
        self
    }

    /// Attacks a client, which has to report the reason in time and to recover.
    pub(crate) async fn run(self, binding: Binding) {
        let Self {
            order,
            script,
            expected,
            detail,
            ..
        } = self;
        let scripted = ScriptedServer::start(script);
        let started = Instant::now();
        let client = binding.start(client(&scripted.url(), order)).expect("it starts");
        let reason = first_failure(&client).await;
        let took = started.elapsed();
        let known = match expected {
            Expected::Reason(expected) => reason.kind == expected,
            Expected::Any(holds) => holds(reason.kind),
            Expected::Engine(holds) => matches!(reason.kind, Reason::Engine(reason) if holds(reason)),
        };
        assert!(known, "{:?}: {reason}", reason.kind);
        let text = reason.detail.as_deref().unwrap_or_default();
        assert!(text.contains(detail), "{text:?} does not contain {detail:?}");
        assert!(text.len() <= 512, "a detail of {} bytes", text.len());
        // A handshake, a join and a heartbeat may each use up their time.
        assert!(took < TIMEOUT * 2 + JOIN_TIMEOUT + MARGIN, "only after {took:?}");
        assert_recovers(&client, scripted).await;
    }
}

/// Why the first attempt, or its connection, failed.
pub(crate) async fn first_failure(client: &Client) -> ClientReason {
    let mut events = client.events();
    loop {
        match within("a failure", events.next())
            .await
            .expect("the client still exists")
        {
            ConnectionEvent::AttemptFailed { error, .. } => return error,
            ConnectionEvent::Disconnected { reason, .. } => return reason,
            ConnectionEvent::Closed { reason } => panic!("closed for good: {reason}"),
            _ => {}
        }
    }
}

/// Starts a good server on the port, to which the client must reconnect.
async fn assert_recovers(client: &Client, scripted: ScriptedServer) {
    let port = scripted.address().port();
    let connections = scripted.connections();
    assert!(
        connections < 200,
        "it reconnects too often: {connections} connections"
    );
    // Stopping joins threads.
    let server = tokio::task::spawn_blocking(move || {
        scripted.stop();
        LocalServer::open_at(good_server(), port)
    });
    let server = server.await.expect("the port is released");
    let echo = async {
        loop {
            // A call made before the connection is refused, or lost with the bad server's.
            if let Ok(echo) = client.call::<u32>("echo", &7).timeout(TIMEOUT).await {
                return echo;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(within("the recovery", echo).await, 7);
    server.close();
}
