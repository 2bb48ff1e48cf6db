//! Every client, and a server on tokio, over every transport: what one side sends, the other receives.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use socketio_tests::binding::Binding;
use socketio_tokio::client::{
    Attempts, Client, ClientReason, ClientSocket, ConnectError, ConnectionEvent, Reconnection, TransportOrder,
};
use socketio_tokio::net::{Connecting, Connector, Endpoint};
use socketio_tokio::{Arg, Limits, Reply, Server, Socket, State, Transport};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

socketio_tests::on_every_client![
    a_client_echoes_over_polling,
    a_client_echoes_over_websocket,
    a_client_upgrades_to_websocket,
    neither_side_waits_for_the_other_to_read,
    a_simple_client_takes_events,
    a_refused_connection_is_reported_with_the_text_of_the_system,
    a_failed_auth_callback_fails_the_attempt,
    a_lost_connection_is_retried_and_reported,
    a_dropped_client_disconnects_and_leaves_nothing_behind,
    a_client_that_is_still_connecting_can_be_dropped,
];

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// A server on a free port, and its URL.
async fn serve() -> (Server, String) {
    let server = Server::builder()
        .on("echo", |Arg(text): Arg<String>| Reply(text))
        .on("bytes", |Arg(data): Arg<Bytes>| Reply(data))
        .on("ask me", async |socket: Socket, Arg(number): Arg<i64>| {
            let answer: i64 = socket.call("double", &number).await?;
            socket.emit("answer", &answer)?;
            Ok::<_, socketio_tokio::CallError>(())
        })
        .on("back", |socket: Socket, Arg(text): Arg<String>| {
            socket.emit("forth", &text)
        })
        .build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(socketio_tokio::serve(listener, server.clone()));
    (server, url)
}

type CallSender = UnboundedSender<String>;

/// A client that records the calls of its handlers.
fn builder(
    url: &str,
) -> (
    socketio_tokio::ClientBuilder<socketio_tokio::Async>,
    UnboundedReceiver<String>,
) {
    let (sender, calls) = unbounded_channel();
    let builder = Client::builder(url)
        .state::<CallSender>(sender)
        .on_connect(async |socket: ClientSocket, State(sender): State<CallSender>| {
            tokio::task::yield_now().await;
            assert!(socket.connected());
            let _ = sender.send("connect".to_owned());
        })
        .on("double", |Arg(number): Arg<i64>| Reply(number * 2))
        .on(
            "answer",
            |Arg(number): Arg<i64>, State(sender): State<CallSender>| {
                let _ = sender.send(format!("answer {number}"));
            },
        )
        .on_disconnect(|reason: ClientReason, State(sender): State<CallSender>| {
            let _ = sender.send(format!("disconnect, back: {}", reason.will_reconnect()));
        });
    (builder, calls)
}

async fn next_call(calls: &mut UnboundedReceiver<String>) -> String {
    timeout(DEADLINE, calls.recv())
        .await
        .expect("in time")
        .expect("a handler is called")
}

#[track_caller]
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime can be made").block_on(async {
        timeout(Duration::from_secs(30), test)
            .await
            .expect("the test ends")
    });
}

async fn echo_and_disconnect(binding: Binding, order: TransportOrder, upgrade: bool, last: Transport) {
    let (_server, url) = serve().await;
    let (builder, mut calls) = builder(&url);
    let client = timeout(
        DEADLINE,
        binding.connect(builder.transports(order).upgrade(upgrade)),
    );
    let client = client.await.expect("in time").expect("it connects");
    assert_eq!(next_call(&mut calls).await, "connect");
    for round in 0..50 {
        let text = format!("{round} {}", "x".repeat(round * 100));
        let answer: String = client
            .call("echo", &text)
            .timeout(DEADLINE)
            .await
            .expect("an answer");
        assert_eq!(answer, text);
    }
    let data = Bytes::from(vec![7; 70_000]);
    let answer: Bytes = client
        .call("bytes", &data)
        .timeout(DEADLINE)
        .await
        .expect("an answer");
    assert_eq!(answer, data);
    client.emit("ask me", &21).expect("it is connected");
    assert_eq!(next_call(&mut calls).await, "answer 42");
    for _ in 0..500 {
        if client.transport() == Some(last) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(client.transport(), Some(last));
    client.disconnect();
    let reason = timeout(DEADLINE, client.closed()).await.expect("it closes");
    assert_eq!(reason.kind, socketio_tokio::client::Reason::ClientDisconnect);
    assert_eq!(next_call(&mut calls).await, "disconnect, back: false");
}

fn a_client_echoes_over_polling(binding: Binding) {
    run(echo_and_disconnect(
        binding,
        TransportOrder::Polling,
        false,
        Transport::Polling,
    ));
}

fn a_client_echoes_over_websocket(binding: Binding) {
    run(echo_and_disconnect(
        binding,
        TransportOrder::WebSocket,
        false,
        Transport::WebSocket,
    ));
}

fn a_client_upgrades_to_websocket(binding: Binding) {
    run(echo_and_disconnect(
        binding,
        TransportOrder::PollingFirst,
        true,
        Transport::WebSocket,
    ));
}

fn neither_side_waits_for_the_other_to_read(binding: Binding) {
    run(async {
        const MESSAGES: usize = 400;
        let (_server, url) = serve().await;
        let (sender, mut calls) = unbounded_channel();
        let mut limits = Limits::default();
        limits.queued_bytes = 64 * 1024 * 1024;
        let builder = Client::builder(&url)
            .transports(TransportOrder::WebSocket)
            .limits(limits)
            .on("forth", move |Arg(text): Arg<String>| {
                let _ = sender.send(text);
            });
        let client = binding.connect(builder).await.expect("it connects");
        let text = "x".repeat(50_000);
        for _ in 0..MESSAGES {
            client.emit("back", &text).expect("there is room");
        }
        for _ in 0..MESSAGES {
            assert_eq!(next_call(&mut calls).await.len(), text.len());
        }
    });
}

fn a_simple_client_takes_events(binding: Binding) {
    run(async {
        let (_server, url) = serve().await;
        let client = binding.connect_simple(&url).await.expect("it connects");
        client.emit("ask me", &4).await.expect("it is connected");
        let asked = timeout(DEADLINE, client.recv())
            .await
            .expect("in time")
            .expect("an event");
        assert_eq!((asked.name(), asked.arg::<i64>().ok()), ("double", Some(4)));
        asked.ack(&8).expect("it is connected");
        let answer = timeout(DEADLINE, client.recv())
            .await
            .expect("in time")
            .expect("an event");
        assert_eq!((answer.name(), answer.arg::<i64>().ok()), ("answer", Some(8)));
        client.disconnect().await;
    });
}

fn a_refused_connection_is_reported_with_the_text_of_the_system(binding: Binding) {
    run(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        drop(listener);
        let (builder, _calls) = builder(&url);
        let failed = timeout(DEADLINE, binding.connect(builder))
            .await
            .expect("in time");
        let Err(ConnectError::Failed(reason)) = failed else {
            panic!("{failed:?}");
        };
        let detail = reason.detail.as_deref().unwrap_or_default();
        assert!(detail.contains("refused"), "{reason}");
    });
}

fn a_failed_auth_callback_fails_the_attempt(binding: Binding) {
    run(async {
        let (_server, url) = serve().await;
        let (builder, _calls) = builder(&url);
        let builder = builder.auth_with(|| Err::<(), _>("no token today"));
        let failed = timeout(DEADLINE, binding.connect(builder))
            .await
            .expect("in time");
        let Err(ConnectError::Callback(text)) = failed else {
            panic!("{failed:?}");
        };
        assert!(text.contains("no token today"), "{text}");
    });
}

fn a_lost_connection_is_retried_and_reported(binding: Binding) {
    run(async {
        let (server, url) = serve().await;
        let (builder, mut calls) = builder(&url);
        let mut reconnection = Reconnection::default();
        reconnection.attempts = Attempts::AtMost(2);
        reconnection.min = Duration::from_millis(20);
        let client = binding
            .connect(builder.reconnection(reconnection))
            .await
            .expect("it connects");
        assert_eq!(next_call(&mut calls).await, "connect");
        let mut events = client.events();
        server.shutdown(Duration::ZERO).expect("it is served");
        assert_eq!(next_call(&mut calls).await, "disconnect, back: true");
        let mut names = Vec::new();
        while let Some(event) = timeout(DEADLINE, events.next()).await.expect("in time") {
            let is_last = matches!(event, ConnectionEvent::Closed { .. });
            names.push(match event {
                ConnectionEvent::Upgraded | ConnectionEvent::UpgradeFailed { .. } => continue,
                ConnectionEvent::Left { .. } => "left",
                ConnectionEvent::Disconnected {
                    will_reconnect: true, ..
                } => "disconnected",
                ConnectionEvent::Reconnecting { .. } => "reconnecting",
                ConnectionEvent::Connecting { .. } => "connecting",
                ConnectionEvent::AttemptFailed { .. } => "failed",
                ConnectionEvent::Closed { .. } => "closed",
                other => panic!("{other:?}"),
            });
            if is_last {
                break;
            }
        }
        let attempt = ["reconnecting", "connecting", "failed"];
        let expected: Vec<_> = ["left", "disconnected"]
            .into_iter()
            .chain(attempt)
            .chain(attempt)
            .chain(["closed"])
            .collect();
        assert_eq!(names, expected);
    });
}

fn a_dropped_client_disconnects_and_leaves_nothing_behind(binding: Binding) {
    for order in [
        TransportOrder::Polling,
        TransportOrder::WebSocket,
        TransportOrder::PollingFirst,
    ] {
        run(async move {
            let (server, url) = serve().await;
            let (builder, mut calls) = builder(&url);
            let state = Arc::new(());
            let weak: Weak<()> = Arc::downgrade(&state);
            let builder = builder.state(state).transports(order);
            let client = binding.connect(builder).await.expect("it connects");
            assert_eq!(next_call(&mut calls).await, "connect");
            client.emit("ask me", &1).expect("it is connected");
            assert_eq!(next_call(&mut calls).await, "answer 2");
            drop(client);
            assert_eq!(next_call(&mut calls).await, "disconnect, back: false");
            for _ in 0..100 {
                if weak.strong_count() == 0 && server.sockets().is_ok_and(|sockets| sockets.is_empty()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("left: {} of the client", weak.strong_count());
        });
    }
}

/// A connector that never connects.
struct NeverConnects;

impl Connector for NeverConnects {
    fn connect(&self, _: &Endpoint) -> Connecting {
        Box::pin(std::future::pending())
    }
}

fn a_client_that_is_still_connecting_can_be_dropped(binding: Binding) {
    run(async {
        for asks_for_headers in [true, false] {
            let state = Arc::new(());
            let weak: Weak<()> = Arc::downgrade(&state);
            let builder = Client::builder("http://127.0.0.1:1")
                .state(state)
                .connector(NeverConnects);
            let builder = if asks_for_headers {
                builder.headers_with(std::future::pending::<Result<[(String, String); 0], Infallible>>)
            } else {
                builder
            };
            let client = binding.start(builder).expect("it starts");
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(client);
            for _ in 0..100 {
                if weak.strong_count() == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(weak.strong_count(), 0, "headers_with: {asks_for_headers}");
        }
    });
}

#[test]
fn a_client_whose_runtime_was_dropped_leaves_nothing_behind() {
    for order in [TransportOrder::Polling, TransportOrder::WebSocket] {
        let weak = {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
            let state = Arc::new(());
            let weak: Weak<()> = Arc::downgrade(&state);
            let client = runtime.block_on(async {
                let (_server, url) = serve().await;
                let (builder, mut calls) = builder(&url);
                let builder = builder.state(state).transports(order);
                let client = socketio_tokio::connect(builder).await.expect("it connects");
                assert_eq!(next_call(&mut calls).await, "connect");
                client
            });
            drop(runtime);
            assert!(!client.connected());
            weak
        };
        assert_eq!(weak.strong_count(), 0);
    }
}
