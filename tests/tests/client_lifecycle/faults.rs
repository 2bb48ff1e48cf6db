//! Clients whose application, runtime or connector misbehaves.

use std::convert::Infallible;
use std::future::pending;
use std::io::{self, IoSlice};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socketio_tests::binding::Binding;
use socketio_tests::live::{LocalServer, Scheduler, eventually, within};
use socketio_tokio::bytes::BytesMut;
use socketio_tokio::client::{Client, ClientBuilder, ClientSocket, Reconnection, TransportOrder};
use socketio_tokio::engine::{BoxStream, Stream};
use socketio_tokio::net::{Connecting, Connector, Endpoint};
use socketio_tokio::{Async, CallError};
use tokio::net::TcpListener;

use crate::{ORDERS, app, client, connect};

socketio_tests::on_every_client![
    a_client_that_can_not_finish_connecting_ends_with_its_last_handle,
    attempts_that_fail_at_once_leave_room_for_others_and_end_when_told,
    callbacks_that_never_answer_time_out,
    a_poll_whose_response_was_truncated_is_not_sent_again,
    a_handler_may_drop_the_last_handle_and_disconnect_or_connect,
    arguments_may_emit_while_they_are_serialised_and_dropped,
];

/// A connector that never connects, and counts its attempts.
struct NeverConnects {
    dials: Arc<AtomicUsize>,
    outcome: fn() -> Connecting,
}

impl Connector for NeverConnects {
    fn connect(&self, _: &Endpoint) -> Connecting {
        self.dials.fetch_add(1, Ordering::Relaxed);
        (self.outcome)()
    }
}

/// Starts a client that can not finish connecting, drops it, and waits until nothing holds its state.
async fn assert_ends_when_dropped(binding: Binding, name: &'static str, builder: ClientBuilder<Async>) {
    let state = Arc::new(());
    let client = binding
        .start(builder.state(Arc::clone(&state)))
        .expect("it starts");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let closed = client.closed();
    drop(client);
    within(name, closed).await;
    eventually(name, || Arc::strong_count(&state) == 1).await;
}

fn a_client_that_can_not_finish_connecting_ends_with_its_last_handle(binding: Binding) {
    binding.run_test(|| async {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let silent = silent.local_addr().expect("it is bound");
        let server = LocalServer::open(app());
        let stuck = || NeverConnects {
            dials: Arc::default(),
            outcome: || Box::pin(pending()),
        };
        let mut cases = Vec::new();
        for order in ORDERS {
            let to = |url: String| Client::builder(url).transports(order);
            cases.push(("dialling", to(server.url()).connector(stuck())));
            cases.push(("a handshake", to(format!("http://{silent}"))));
            cases.push(("TLS", to(format!("https://{silent}"))));
            let never_answers = async || pending::<Result<&'static str, Infallible>>().await;
            cases.push(("the URL", to(server.url()).url_with(never_answers)));
            let never_answers = async || pending::<Result<(), Infallible>>().await;
            cases.push(("the auth", to(server.url()).auth_with(never_answers)));
        }
        // A silent peer is given some seconds to close.
        socketio_tests::live::all_of(
            cases
                .into_iter()
                .map(|(name, builder)| (name, assert_ends_when_dropped(binding, name, builder)))
                .collect(),
        )
        .await;
    });
}

fn attempts_that_fail_at_once_leave_room_for_others_and_end_when_told(binding: Binding) {
    binding.run_test(|| async {
        let dials = Arc::new(AtomicUsize::new(0));
        let connector = NeverConnects {
            dials: Arc::clone(&dials),
            outcome: || Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) }),
        };
        let mut reconnection = Reconnection::default();
        (reconnection.min, reconnection.max) = (Duration::ZERO, Duration::ZERO);
        let builder = Client::builder("http://127.0.0.1:9")
            .connector(connector)
            .reconnection(reconnection)
            .retry_initial(true);
        let client = binding.start(builder).expect("it starts");
        eventually("it tries", || dials.load(Ordering::Relaxed) > 100).await;
        client.disconnect();
        within("the end", client.closed()).await;
        let attempts = dials.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(dials.load(Ordering::Relaxed) <= attempts + 1);
    });
}

fn callbacks_that_never_answer_time_out(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let soon = Duration::from_millis(50);
        let never_answers = async || pending::<Result<&'static str, Infallible>>().await;
        let builder = Client::builder(server.url())
            .connect_timeout(soon)
            .url_with(never_answers);
        let outcome = within("the end", binding.connect(builder)).await;
        let error = outcome.expect_err("it has no URL").to_string();
        assert!(error.contains("connect_timeout"), "{error}");
        let never_answers = async || pending::<Result<(), Infallible>>().await;
        let builder = Client::builder(server.url())
            .join_timeout(soon)
            .auth_with(never_answers);
        let outcome = within("the end", binding.connect(builder)).await;
        let error = outcome.expect_err("it has no auth").to_string();
        assert!(error.contains("join_timeout"), "{error}");
    });
}

/// A server without a socket: it opens a session, and resets the connection in the middle of the response to the poll.
struct TruncatingConnector {
    polls: Arc<AtomicUsize>,
}

impl Connector for TruncatingConnector {
    fn connect(&self, _: &Endpoint) -> Connecting {
        let polls = Arc::clone(&self.polls);
        let stream = TruncatedStream {
            polls,
            response: Vec::new(),
            is_truncated: false,
            waker: None,
        };
        Box::pin(async move { Ok(Box::new(stream) as BoxStream) })
    }
}

struct TruncatedStream {
    polls: Arc<AtomicUsize>,
    response: Vec<u8>,
    is_truncated: bool,
    waker: Option<Waker>,
}

impl Stream for TruncatedStream {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let bytes = std::mem::take(&mut self.response);
        if !bytes.is_empty() {
            buffer.extend_from_slice(&bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        if self.is_truncated {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.waker = Some(task.waker().clone());
        Poll::Pending
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let request = slices.iter().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>();
        let text = String::from_utf8_lossy(&request);
        if text.starts_with("GET") && text.contains("sid=") {
            self.polls.fetch_add(1, Ordering::Relaxed);
            self.response.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Le");
            self.is_truncated = true;
        } else if text.starts_with("GET") {
            let body =
                r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            self.response.extend_from_slice(answer.as_bytes());
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Poll::Ready(Ok(request.len()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn a_poll_whose_response_was_truncated_is_not_sent_again(binding: Binding) {
    binding.run_test(|| async {
        let polls = Arc::new(AtomicUsize::new(0));
        let connector = TruncatingConnector {
            polls: Arc::clone(&polls),
        };
        let builder = Client::builder("http://127.0.0.1:9").connector(connector);
        let outcome = within("the end", binding.connect(builder)).await;
        let error = outcome.expect_err("it can not join").to_string();
        assert!(error.contains("lost"), "{error}");
        assert_eq!(
            polls.load(Ordering::Relaxed),
            1,
            "what was truncated may have held events"
        );
    });
}

#[test]
fn a_client_whose_runtime_is_dropped_reports_that_it_is_closed() {
    for scheduler in Scheduler::BOTH {
        for order in ORDERS {
            let server = LocalServer::open(app());
            let runtime = scheduler.runtime();
            let (client, mut call) = runtime.block_on(async {
                let client = connect(Binding::Tokio, client(&server, order)).await;
                let mut call = Box::pin(client.call::<()>("never", &()));
                assert!(poll_once(&mut call).await.is_none());
                (client, call)
            });
            runtime.shutdown_timeout(Duration::from_secs(5));
            scheduler.runtime().block_on(async {
                within("the end", client.closed()).await;
                let ended = within("the call", &mut call).await;
                assert!(matches!(ended, Err(CallError::Disconnected)), "{ended:?}");
                assert!(!client.connected());
                assert!(client.emit("say", &1).is_err());
                client.connect();
                client.disconnect();
                within("the end", client.closed()).await;
                drop(client);
            });
        }
    }
}

/// The output of a future that is ready at once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    tokio::time::timeout(Duration::ZERO, future).await.ok()
}

fn a_handler_may_drop_the_last_handle_and_disconnect_or_connect(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let kept: Arc<Mutex<Option<Client>>> = Arc::default();
            let (dropped, left) = (Arc::clone(&kept), Arc::new(AtomicUsize::new(0)));
            let counted = Arc::clone(&left);
            let builder = client(&server, order)
                .on("said", move |socket: ClientSocket| {
                    // Disconnects, reconnects, and drops the last handle, all in one handler.
                    socket.disconnect_client();
                    socket.connect();
                    drop(dropped.lock().unwrap().take());
                })
                .on_disconnect(move || {
                    counted.fetch_add(1, Ordering::Relaxed);
                });
            let client = connect(binding, builder).await;
            let closed = client.closed();
            {
                // The handler waits for the handle it is to drop.
                let mut slot = kept.lock().unwrap();
                client.emit("say", &1).expect("it is connected");
                *slot = Some(client);
            }
            within("the end", closed).await;
            eventually("on_disconnect", || left.load(Ordering::Relaxed) == 1).await;
        }
    });
}

fn arguments_may_emit_while_they_are_serialised_and_dropped(binding: Binding) {
    /// Emits while it is serialised, and when it is dropped.
    struct Busy(Client);
    impl serde::Serialize for Busy {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.emit("count to", &0).expect("it is connected");
            serializer.serialize_u32(7)
        }
    }
    impl Drop for Busy {
        fn drop(&mut self) {
            let _ = self.0.emit("count to", &0);
        }
    }
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let client = connect(binding, client(&server, TransportOrder::WebSocket)).await;
        let busy = Busy(client.clone());
        assert_eq!(within("an echo", client.call::<u32>("echo", &busy)).await, Ok(7));
        let delivered = within("a delivery", client.deliver("echo", &busy)).await;
        assert_eq!(
            delivered.expect("it answers").first::<u32>().expect("a number"),
            7
        );
        drop(busy);
        assert_eq!(within("an echo", client.call::<u32>("echo", &8)).await, Ok(8));
    });
}
