//! The events of a connection, and their order.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socketio_core::sio::client::Reason;
use socketio_tests::binding::Binding;
use socketio_tests::live::{LocalServer, Scheduler, event_channel, eventually, within};
use socketio_tokio::client::{
    Attempts, Client, ConnectError, ConnectionEvent, ConnectionEvents, Offline, TransportOrder,
};
use socketio_tokio::engine::BoxStream;
use socketio_tokio::net::{Connecting, Connector, Endpoint};
use socketio_tokio::{Auth, Reply};

use crate::{app, client, connect, quickly};

socketio_tests::on_every_client![
    connection_loss_reconnection_and_end_are_events_in_order,
    an_upgrade_is_an_event,
    attempts_are_limited,
    the_first_attempt_is_retried_only_when_configured,
    the_auth_callback_is_called_for_every_attempt,
    events_emitted_while_offline_follow_the_policy,
    a_connector_that_panics_fails_the_attempt_at_once,
];

/// The next event as text, without what differs between runs.
async fn next(events: &mut ConnectionEvents) -> String {
    let event = within("an event", events.next())
        .await
        .expect("the client still exists");
    match event {
        ConnectionEvent::Connecting { attempt } => format!("connecting {attempt}"),
        ConnectionEvent::Connected { .. } => "connected".to_owned(),
        ConnectionEvent::Joined { namespace, .. } => format!("joined {namespace}"),
        ConnectionEvent::Left { namespace, .. } => format!("left {namespace}"),
        ConnectionEvent::Disconnected { will_reconnect, .. } => format!("disconnected {will_reconnect}"),
        ConnectionEvent::AttemptFailed { attempt, .. } => format!("failed {attempt}"),
        ConnectionEvent::Reconnecting { attempt, delay } => {
            assert!(
                !delay.is_zero() && delay <= Duration::from_millis(100),
                "{delay:?}"
            );
            format!("reconnecting {attempt}")
        }
        ConnectionEvent::Closed { .. } => "closed".to_owned(),
        other => format!("{other:?}"),
    }
}

async fn expect(events: &mut ConnectionEvents, expected: &[&str]) {
    for expected in expected {
        assert_eq!(next(events).await, *expected);
    }
}

fn connection_loss_reconnection_and_end_are_events_in_order(binding: Binding) {
    for order in [TransportOrder::Polling, TransportOrder::WebSocket] {
        binding.run_test(|| async {
            let server = LocalServer::open(app());
            let port = server.address.port();
            let client = binding.start(client(&server, order)).expect("it starts");
            let mut events = client.events();
            // Whether the first is received depends on which is quicker.
            let first = next(&mut events).await;
            let rest = if first == "connecting 0" {
                next(&mut events).await
            } else {
                first
            };
            let mut beginning = [rest, next(&mut events).await];
            beginning.sort();
            assert_eq!(beginning, ["connected", "joined /"]);
            server.close();
            let mut ending = [next(&mut events).await, next(&mut events).await];
            ending.sort();
            assert_eq!(ending, ["disconnected true", "left /"]);
            expect(&mut events, &["reconnecting 1", "connecting 1"]).await;
            let server = tokio::task::spawn_blocking(move || LocalServer::open_at(app(), port));
            let server = server.await.expect("the port is free");
            // It may have failed some more times.
            let mut attempt = 1;
            loop {
                match next(&mut events).await.as_str() {
                    "joined /" | "connected" => break,
                    failed if failed == format!("failed {attempt}") => {
                        attempt += 1;
                        expect(
                            &mut events,
                            &[
                                &format!("reconnecting {attempt}"),
                                &format!("connecting {attempt}"),
                            ],
                        )
                        .await;
                    }
                    other => panic!("{other}"),
                }
            }
            let other = next(&mut events).await;
            assert!(["joined /", "connected"].contains(&other.as_str()), "{other}");
            client.disconnect();
            let mut ending = [next(&mut events).await, next(&mut events).await];
            ending.sort();
            assert_eq!(ending, ["disconnected false", "left /"]);
            expect(&mut events, &["closed"]).await;
            assert_eq!(
                within("the end", client.closed()).await.kind,
                Reason::ClientDisconnect
            );
            drop(server);
        });
    }
}

fn an_upgrade_is_an_event(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let client = binding
            .start(client(&server, TransportOrder::PollingFirst))
            .expect("it starts");
        let mut events = client.events();
        while next(&mut events).await != "Upgraded" {}
        assert_eq!(client.transport(), Some(socketio_tokio::Transport::WebSocket));
    });
}

fn attempts_are_limited(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let mut reconnection = quickly();
        reconnection.attempts = Attempts::AtMost(3);
        let client = connect(
            binding,
            client(&server, TransportOrder::WebSocket).reconnection(reconnection),
        )
        .await;
        let mut events = client.events();
        server.close();
        let mut names = Vec::new();
        while names.last().is_none_or(|last| last != "closed") {
            names.push(next(&mut events).await);
        }
        let failed = names.iter().filter(|event| event.starts_with("failed")).count();
        assert_eq!(failed, 3, "{names:?}");
        within("the end", client.closed()).await;
        assert!(!client.connected());
    });
}

fn the_first_attempt_is_retried_only_when_configured(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let port = server.address.port();
        let url_of = |server: &LocalServer| client(server, TransportOrder::WebSocket);
        let (once, again) = (url_of(&server), url_of(&server).retry_initial(true));
        server.close();
        eventually("the port is released", || {
            std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
        })
        .await;
        let failed = within("the failure", binding.connect(once)).await;
        assert!(
            matches!(failed, Err(ConnectError::Failed(_))),
            "{:?}",
            failed.err()
        );
        let connecting = tokio::spawn(binding.connect(again));
        tokio::time::sleep(Duration::from_millis(100)).await;
        let server = tokio::task::spawn_blocking(move || LocalServer::open_at(app(), port));
        let server = server.await.expect("the port is free");
        let client = within("the connection", connecting)
            .await
            .expect("it does not panic")
            .expect("it connects");
        assert!(client.connected());
        drop(server);
    });
}

fn the_auth_callback_is_called_for_every_attempt(binding: Binding) {
    binding.run_test(|| async {
        let serve = || app().on("whoami", |Auth(auth): Auth<Value>| Reply(auth));
        let mut server = LocalServer::open(serve());
        let port = server.address.port();
        let auth_calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&auth_calls);
        let builder = client(&server, TransportOrder::PollingFirst).auth_with(move || {
            let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(json!({"number": number}))
            }
        });
        let client = connect(
            binding,
            builder.offline(Offline::Buffer {
                packets: 10,
                bytes: 10_000,
            }),
        )
        .await;
        for _ in 0..3 {
            let seen: Value = within("whoami", client.call("whoami", &()))
                .await
                .expect("it answers");
            assert_eq!(seen["number"], auth_calls.load(Ordering::SeqCst));
            server.close();
            eventually("it notices the loss", || !client.connected()).await;
            let opening = tokio::task::spawn_blocking(move || LocalServer::open_at(serve(), port));
            server = opening.await.expect("the port is free");
            eventually("it reconnects", || client.connected()).await;
        }
        assert!(auth_calls.load(Ordering::SeqCst) > 3);
    });
}

fn events_emitted_while_offline_follow_the_policy(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let port = server.address.port();
        let (sender, mut events) = event_channel();
        let buffer = Offline::Buffer {
            packets: 3,
            bytes: 1_000,
        };
        let buffering = connect(
            binding,
            client(&server, TransportOrder::WebSocket)
                .offline(buffer)
                .on("said", sender.handler()),
        )
        .await;
        let refusing = connect(
            binding,
            client(&server, TransportOrder::WebSocket).offline(Offline::Refuse),
        )
        .await;
        let dropping = connect(
            binding,
            client(&server, TransportOrder::WebSocket).offline(Offline::Drop),
        )
        .await;
        server.close();
        for client in [&buffering, &refusing, &dropping] {
            eventually("it notices the loss", || !client.connected()).await;
        }
        for number in 1..=3 {
            buffering.emit("say", &number).expect("it is buffered");
        }
        assert!(buffering.emit("say", &4).is_err(), "more than the buffer holds");
        assert!(refusing.emit("say", &1).is_err());
        assert!(buffering.volatile().emit("say", &0).is_err() || events.drain().is_empty());
        // Whatever it returns, nothing arrives.
        let _ = dropping.emit("say", &1);
        let server = tokio::task::spawn_blocking(move || LocalServer::open_at(app(), port));
        let server = server.await.expect("the port is free");
        for number in 1..=3 {
            assert_eq!(events.first::<u32>().await, number);
        }
        drop(server);
    });
}

/// Reported, never asserted: other things run on this machine.
#[test]
fn how_long_it_takes_to_join_and_to_echo() {
    let runtime = Scheduler::CurrentThread.runtime();
    runtime.block_on(async {
        let server = LocalServer::open(app());
        for order in crate::ORDERS {
            let started = Instant::now();
            let client = connect(Binding::Tokio, client(&server, order)).await;
            let joined = started.elapsed();
            let mut slowest = Duration::ZERO;
            for number in 0..200_u32 {
                let started = Instant::now();
                assert_eq!(within("an echo", client.call("echo", &number)).await, Ok(number));
                slowest = slowest.max(started.elapsed());
            }
            println!("{order:?}: joined after {joined:?}, the slowest of 200 echoes took {slowest:?}");
        }
    });
}

/// An error that can not be displayed.
#[derive(Debug)]
struct PanickingDisplay;

impl std::fmt::Display for PanickingDisplay {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("it can not be displayed")
    }
}

impl std::error::Error for PanickingDisplay {}

/// A connector whose outcome is given.
struct FaultyConnector(fn() -> std::io::Result<BoxStream>);

impl Connector for FaultyConnector {
    fn connect(&self, _: &Endpoint) -> Connecting {
        let connect = self.0;
        Box::pin(async move { connect() })
    }
}

fn a_connector_that_panics_fails_the_attempt_at_once(binding: Binding) {
    binding.run_test(|| async {
        let faults: [fn() -> std::io::Result<BoxStream>; 2] = [
            || panic!("no connections today"),
            || Err(std::io::Error::other(PanickingDisplay)),
        ];
        for fault in faults {
            let builder = Client::builder("http://127.0.0.1:9")
                .connector(FaultyConnector(fault))
                .connect_timeout(Duration::from_secs(3600));
            let outcome = within("the failure", binding.connect(builder)).await;
            assert!(matches!(outcome, Err(ConnectError::Failed(_))), "{outcome:?}");
        }
    });
}
