//! Clients whose application, runtime or way to the server behaves badly.

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
    a_client_that_is_stuck_on_its_way_goes_with_its_last_handle,
    attempts_that_fail_at_once_leave_room_for_others_and_end_when_told,
    callbacks_that_never_answer_are_waited_for_only_so_long,
    a_poll_whose_answer_was_cut_off_is_not_sent_again,
    a_handler_may_drop_the_last_handle_and_leave_or_return,
    what_serialising_and_dropping_do_with_the_client_harms_nobody,
];

/// Never connects, and counts.
struct Nowhere {
    dials: Arc<AtomicUsize>,
    fate: fn() -> Connecting,
}

impl Connector for Nowhere {
    fn connect(&self, _: &Endpoint) -> Connecting {
        self.dials.fetch_add(1, Ordering::Relaxed);
        (self.fate)()
    }
}

/// Starts a client that is stuck on its way, drops it, and waits for the last of it to go.
async fn assert_goes(binding: Binding, name: &'static str, builder: ClientBuilder<Async>) {
    let witness = Arc::new(());
    let client = binding
        .start(builder.state(Arc::clone(&witness)))
        .expect("it starts");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let closed = client.closed();
    drop(client);
    within(name, closed).await;
    eventually(name, || Arc::strong_count(&witness) == 1).await;
}

fn a_client_that_is_stuck_on_its_way_goes_with_its_last_handle(binding: Binding) {
    binding.run_test(|| async {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let silent = silent.local_addr().expect("it is bound");
        let server = LocalServer::open(app());
        let stuck = || Nowhere {
            dials: Arc::default(),
            fate: || Box::pin(pending()),
        };
        let mut cases = Vec::new();
        for order in ORDERS {
            let to = |url: String| Client::builder(url).transports(order);
            cases.push(("dialling", to(server.url()).connector(stuck())));
            cases.push(("a handshake", to(format!("http://{silent}"))));
            cases.push(("TLS", to(format!("https://{silent}"))));
            let asks = async || pending::<Result<&'static str, Infallible>>().await;
            cases.push(("the URL", to(server.url()).url_with(asks)));
            let asks = async || pending::<Result<(), Infallible>>().await;
            cases.push(("the auth", to(server.url()).auth_with(asks)));
        }
        // A peer that says nothing is given some seconds for its farewell.
        socketio_tests::live::all_of(
            cases
                .into_iter()
                .map(|(name, builder)| (name, assert_goes(binding, name, builder)))
                .collect(),
        )
        .await;
    });
}

fn attempts_that_fail_at_once_leave_room_for_others_and_end_when_told(binding: Binding) {
    binding.run_test(|| async {
        let dials = Arc::new(AtomicUsize::new(0));
        let connector = Nowhere {
            dials: Arc::clone(&dials),
            fate: || Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) }),
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
        let made = dials.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(dials.load(Ordering::Relaxed) <= made + 1);
    });
}

fn callbacks_that_never_answer_are_waited_for_only_so_long(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let soon = Duration::from_millis(50);
        let asks = async || pending::<Result<&'static str, Infallible>>().await;
        let builder = Client::builder(server.url()).connect_timeout(soon).url_with(asks);
        let outcome = within("the end", binding.connect(builder)).await;
        let error = outcome.expect_err("it never learns where to").to_string();
        assert!(error.contains("connect_timeout"), "{error}");
        let asks = async || pending::<Result<(), Infallible>>().await;
        let builder = Client::builder(server.url()).join_timeout(soon).auth_with(asks);
        let outcome = within("the end", binding.connect(builder)).await;
        let error = outcome.expect_err("it never learns as whom").to_string();
        assert!(error.contains("join_timeout"), "{error}");
    });
}

/// A server that exists only here: it opens a session, and breaks off in the middle of the head that answers the poll.
struct BreaksOff {
    polls: Arc<AtomicUsize>,
}

impl Connector for BreaksOff {
    fn connect(&self, _: &Endpoint) -> Connecting {
        let polls = Arc::clone(&self.polls);
        let stream = Breaking {
            polls,
            says: Vec::new(),
            is_broken: false,
            waker: None,
        };
        Box::pin(async move { Ok(Box::new(stream) as BoxStream) })
    }
}

struct Breaking {
    polls: Arc<AtomicUsize>,
    says: Vec<u8>,
    is_broken: bool,
    waker: Option<Waker>,
}

impl Stream for Breaking {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let said = std::mem::take(&mut self.says);
        if !said.is_empty() {
            buffer.extend_from_slice(&said);
            return Poll::Ready(Ok(said.len()));
        }
        if self.is_broken {
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
            self.says.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Le");
            self.is_broken = true;
        } else if text.starts_with("GET") {
            let body =
                r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            self.says.extend_from_slice(answer.as_bytes());
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

fn a_poll_whose_answer_was_cut_off_is_not_sent_again(binding: Binding) {
    binding.run_test(|| async {
        let polls = Arc::new(AtomicUsize::new(0));
        let connector = BreaksOff {
            polls: Arc::clone(&polls),
        };
        let builder = Client::builder("http://127.0.0.1:9").connector(connector);
        let outcome = within("the end", binding.connect(builder)).await;
        let error = outcome.expect_err("it can not join").to_string();
        assert!(error.contains("lost"), "{error}");
        assert_eq!(
            polls.load(Ordering::Relaxed),
            1,
            "what was cut off may have held events"
        );
    });
}

#[test]
fn a_client_whose_runtime_is_gone_is_closed_and_says_so() {
    for scheduler in Scheduler::BOTH {
        for order in ORDERS {
            let server = LocalServer::open(app());
            let runtime = scheduler.runtime();
            let (made, mut call) = runtime.block_on(async {
                let made = connect(Binding::Tokio, client(&server, order)).await;
                let mut call = Box::pin(made.call::<()>("never", &()));
                assert!(futures_now(&mut call).await.is_none());
                (made, call)
            });
            runtime.shutdown_timeout(Duration::from_secs(5));
            scheduler.runtime().block_on(async {
                within("the end", made.closed()).await;
                let ended = within("the call", &mut call).await;
                assert!(matches!(ended, Err(CallError::Disconnected)), "{ended:?}");
                assert!(!made.connected());
                assert!(made.emit("say", &1).is_err());
                made.connect();
                made.disconnect();
                within("the end", made.closed()).await;
                drop(made);
            });
        }
    }
}

/// What a future comes to at once.
async fn futures_now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    tokio::time::timeout(Duration::ZERO, future).await.ok()
}

fn a_handler_may_drop_the_last_handle_and_leave_or_return(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let kept: Arc<Mutex<Option<Client>>> = Arc::default();
            let (dropped, left) = (Arc::clone(&kept), Arc::new(AtomicUsize::new(0)));
            let counted = Arc::clone(&left);
            let builder = client(&server, order)
                .on("said", move |socket: ClientSocket| {
                    // Leaves, comes back, and loses its last handle, all in one handler.
                    socket.disconnect_client();
                    socket.connect();
                    drop(dropped.lock().unwrap().take());
                })
                .on_disconnect(move || {
                    counted.fetch_add(1, Ordering::Relaxed);
                });
            let made = connect(binding, builder).await;
            let closed = made.closed();
            {
                // The handler waits for the handle it is to drop.
                let mut slot = kept.lock().unwrap();
                made.emit("say", &1).expect("it is connected");
                *slot = Some(made);
            }
            within("the end", closed).await;
            eventually("on_disconnect", || left.load(Ordering::Relaxed) == 1).await;
        }
    });
}

fn what_serialising_and_dropping_do_with_the_client_harms_nobody(binding: Binding) {
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
        let made = connect(binding, client(&server, TransportOrder::WebSocket)).await;
        let busy = Busy(made.clone());
        assert_eq!(within("an echo", made.call::<u32>("echo", &busy)).await, Ok(7));
        let delivered = within("a delivery", made.deliver("echo", &busy)).await;
        assert_eq!(
            delivered.expect("it answers").first::<u32>().expect("a number"),
            7
        );
        drop(busy);
        assert_eq!(within("an echo", made.call::<u32>("echo", &8)).await, Ok(8));
    });
}
