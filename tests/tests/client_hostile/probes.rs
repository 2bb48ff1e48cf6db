//! A proxy between client and server that does not let WebSockets through: the session stays on polling, and nothing
//! is lost.

use std::net::SocketAddr;
use std::time::Duration;

use socketio_tests::binding::Binding;
use socketio_tests::live::{
    LocalServer, ReceivedRequest, ScriptedConnection, ScriptedServer, eventually, within,
};
use socketio_tokio::Transport;
use socketio_tokio::client::{ConnectionEvent, Reason, TransportOrder};

use crate::support::{TIMEOUT, client, good_server};

socketio_tests::on_every_client![
    a_failed_probe_leaves_the_session_on_polling,
    a_websocket_that_was_refused_falls_back_to_polling,
];

/// How the proxy responds to the opening handshake of a WebSocket.
type UpgradeResponse = fn(&mut ScriptedConnection, &ReceivedRequest, SocketAddr);

const UPGRADE_RESPONSES: &[(&str, UpgradeResponse)] = &[
    ("closed at once", |_, _, _| ()),
    ("never answered", |client, _, _| client.stall()),
    ("forbidden", |client, _, _| {
        client.respond("403 Forbidden", "", "no websockets here");
    }),
    ("stripped of its upgrade", |client, request, server| {
        let head = request
            .head
            .replace("Upgrade", "X-Upgrade")
            .replace("upgrade", "x-upgrade");
        let request = ReceivedRequest {
            head,
            body: Vec::new(),
        };
        let _ = client.forward(server, &request);
    }),
    ("accepted without any message", |client, request, _| {
        client.accept(request);
        client.wait_for_end();
    }),
    ("accepted with another message", |client, request, _| {
        client.accept(request);
        client.text("3other");
        client.wait_for_end();
    }),
    ("accepted and closed", |client, request, _| {
        client.accept(request);
    }),
    (
        "answered and closed before the client upgraded",
        |client, request, _| {
            client.accept(request);
            client.read_frame();
            client.text("3probe");
        },
    ),
];

/// A proxy for `server` that answers opening handshakes of WebSockets itself.
fn proxy(server: SocketAddr, respond: UpgradeResponse) -> ScriptedServer {
    ScriptedServer::start(move |client| {
        let Some(request) = client.request() else { return };
        if request.is_websocket() {
            respond(client, &request, server);
        } else {
            let _ = client.forward(server, &request);
        }
    })
}

async fn stays_on_polling(binding: Binding, name: &str, respond: UpgradeResponse) {
    let server = LocalServer::open(good_server().ping_interval(Duration::from_millis(200)));
    let proxy = proxy(server.address, respond);
    let builder = client(&proxy.url(), TransportOrder::PollingFirst).upgrade_timeout(TIMEOUT);
    let client = binding.start(builder).expect("it starts");
    let mut events = client.events();
    eventually("the connection", || client.connected()).await;
    let id = client.id();
    // Longer than the probe may take.
    for number in 0..60_u32 {
        let echo = within("an echo", client.call("echo", &number)).await;
        assert_eq!(echo, Ok(number), "{name}");
        tokio::time::sleep(TIMEOUT / 30).await;
    }
    assert_eq!(client.id(), id, "{name}: it was lost and connected again");
    assert_eq!(client.transport(), Some(Transport::Polling), "{name}");
    client.disconnect();
    within("the end", client.closed()).await;
    let mut failures = 0;
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(10), events.next()).await {
        match event {
            Some(ConnectionEvent::Closed { .. }) | None => break,
            Some(ConnectionEvent::Upgraded) => panic!("{name}: upgraded"),
            Some(ConnectionEvent::UpgradeFailed { reason }) => {
                assert!(matches!(reason.kind, Reason::Engine(_)), "{name}: {reason}");
                failures += 1;
            }
            Some(_) => {}
        }
    }
    assert_eq!(failures, 1, "{name}");
}

fn a_failed_probe_leaves_the_session_on_polling(binding: Binding) {
    binding.run_test(|| {
        let cases = UPGRADE_RESPONSES
            .iter()
            .map(|(name, respond)| (*name, stays_on_polling(binding, name, *respond)));
        socketio_tests::live::all_of(cases.collect())
    });
}

fn a_websocket_that_was_refused_falls_back_to_polling(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(good_server());
        let proxy = proxy(server.address, |client, _, _| {
            client.respond("403 Forbidden", "", "no");
        });
        let builder =
            client(&proxy.url(), TransportOrder::WebSocketFirst).connect_timeout(Duration::from_secs(5));
        let client = within("the connection", binding.connect(builder))
            .await
            .expect("it falls back");
        assert_eq!(within("an echo", client.call("echo", &1)).await, Ok(1));
        eventually("it is on polling", || {
            client.transport() == Some(Transport::Polling)
        })
        .await;
    });
}
