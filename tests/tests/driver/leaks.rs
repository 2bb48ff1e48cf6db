//! Clients that are gone and servers that have ended leave nothing behind.

use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::socketio::join_main_by_polling;
use socketio_tests::kit::{HttpConnection, Polling, WebSocketClient, wait_until};
use socketio_tokio::{
    Arg, Async, Data, Handshake, Limits, Refusal, Reply, Server, ServerBuilder, Socket, State,
};

use crate::support::TestServer;

crate::on_every_runtime![
    clients_that_are_gone_leave_nothing_behind,
    a_server_that_was_shut_down_leaves_nothing_behind,
    a_server_whose_serving_was_dropped_leaves_nothing_behind,
    a_server_whose_runtime_was_dropped_leaves_nothing_behind,
    a_server_without_clients_leaves_nothing_behind,
    a_client_that_never_reads_is_cut_off_when_serving_ends,
];

/// The default.
const USUAL_INTERVAL: Duration = Duration::from_secs(25);

/// A value whose instances are counted.
struct Counted(Arc<AtomicIsize>);

impl Counted {
    fn new(count: &Arc<AtomicIsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A server that counts its clients' data, and its state.
fn start(runtime: TestRuntime, ping_interval: Duration) -> (TestServer, Arc<AtomicIsize>, Weak<Counted>) {
    let (builder, count, weak) = builder(ping_interval);
    (TestServer::start(runtime, builder), count, weak)
}

fn builder(ping_interval: Duration) -> (ServerBuilder<Async>, Arc<AtomicIsize>, Weak<Counted>) {
    let count = Arc::new(AtomicIsize::new(0));
    let clients = count.clone();
    let state = Arc::new(Counted::new(&Arc::default()));
    let weak = Arc::downgrade(&state);
    let builder = Server::builder()
        .ping_interval(ping_interval)
        .ping_timeout(Duration::from_secs(2))
        .state(state)
        .guard(move |_: Handshake| Ok::<_, Refusal>(Counted::new(&clients)))
        .on_connect(async |socket: Socket, Data(_): Data<Counted>| {
            tokio::task::yield_now().await;
            socket.join(["one", "two"])
        })
        .on("echo", |_: State<Arc<Counted>>, Arg(number): Arg<u32>| {
            Reply(number)
        })
        .on("ask", async |socket: Socket| {
            socket.call::<u32>("question", &()).await.map(|_| ())
        })
        .on_disconnect(async |_: Socket| tokio::task::yield_now().await)
        // Calls are not answered here.
        .on_error(|_| ());
    (builder, count, weak)
}

/// Connects a client and disconnects it; how, depends on `number`.
fn use_briefly(server: &TestServer, number: usize) {
    let target = &server.target;
    match number % 10 {
        0 => drop(HttpConnection::open(target)),
        1 => HttpConnection::open(target)
            .send_bytes(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHo"),
        2 => drop(WebSocketClient::open_session(target)),
        3 => WebSocketClient::open_session(target).0.send("40"),
        4 => drop(Polling::open(target)),
        5 => {
            let mut polling = join_main_by_polling(target);
            polling.send_get();
        }
        6 => {
            let mut polling = join_main_by_polling(target);
            polling.deliver("41\x1e1");
        }
        7 => {
            let polling = join_main_by_polling(target);
            drop(polling.probe());
        }
        8 => {
            let mut client = server.join();
            client.send("42[\"ask\"]");
            assert!(client.text().ends_with("[\"question\"]"));
        }
        _ => {
            let mut client = server.join();
            client.send("421[\"echo\",1]");
            client.expect_text("431[1]");
            client.close();
        }
    }
}

fn clients_that_are_gone_leave_nothing_behind(runtime: TestRuntime) {
    let (server, clients, _) = start(runtime, Duration::from_millis(300));
    for number in 0..500 {
        use_briefly(&server, number);
    }
    wait_until("no socket is left", || {
        server.handle.sockets().is_ok_and(|all| all.is_empty())
    });
    wait_until("no data of a client is left", || {
        clients.load(Ordering::SeqCst) == 0
    });
    assert_eq!(server.handle.of("/").sockets_in("one").expect("it is served"), []);
    // It still serves.
    let mut client = server.join();
    client.send("421[\"echo\",7]");
    client.expect_text("431[7]");
}

/// The state of an ended server must be dropped although the runtime goes on.
#[track_caller]
fn assert_is_dropped(mut server: TestServer, clients: &Arc<AtomicIsize>, state: &Weak<Counted>) {
    wait_until("no data of a client is left", || {
        clients.load(Ordering::SeqCst) == 0
    });
    server.handle = Server::builder().build();
    wait_until("the server's state is dropped", || state.strong_count() == 0);
}

fn a_server_that_was_shut_down_leaves_nothing_behind(runtime: TestRuntime) {
    let (server, clients, state) = start(runtime, USUAL_INTERVAL);
    for number in 0..20 {
        use_briefly(&server, number);
    }
    let client = server.join();
    server
        .handle
        .shutdown(Duration::from_millis(200))
        .expect("it is served");
    assert!(server.outcome(Duration::from_secs(5)).is_ok());
    drop(client);
    assert_is_dropped(server, &clients, &state);
}

fn a_server_whose_serving_was_dropped_leaves_nothing_behind(runtime: TestRuntime) {
    let (server, clients, state) = start(runtime, USUAL_INTERVAL);
    for number in 0..20 {
        use_briefly(&server, number);
    }
    let client = server.join();
    server.abort();
    assert_is_dropped(server, &clients, &state);
    drop(client);
}

/// Runtimes that belong to the process can not be stopped.
fn a_server_whose_runtime_was_dropped_leaves_nothing_behind(runtime: TestRuntime) {
    if !TestRuntime::STOPPABLE.contains(&runtime) {
        return;
    }
    let (builder, clients, state) = builder(USUAL_INTERVAL);
    let doomed = TestServer::start(runtime, builder);
    let polling = join_main_by_polling(&doomed.target);
    let mut asking = WebSocketClient::open_session(&doomed.target).0;
    asking.send("40");
    assert!(asking.text().starts_with("40"));
    asking.send("42[\"ask\"]");
    assert!(asking.text().ends_with("[\"question\"]"));
    doomed.stop_runtime();
    assert_eq!(clients.load(Ordering::SeqCst), 0, "data of clients is left");
    assert_eq!(state.strong_count(), 0, "the server's state is left");
    drop((polling, asking));
}

fn a_server_without_clients_leaves_nothing_behind(runtime: TestRuntime) {
    let (server, clients, state) = start(runtime, USUAL_INTERVAL);
    server
        .handle
        .shutdown(Duration::from_millis(200))
        .expect("it is served");
    assert!(server.outcome(Duration::from_secs(5)).is_ok());
    assert_is_dropped(server, &clients, &state);
}

fn a_client_that_never_reads_is_cut_off_when_serving_ends(runtime: TestRuntime) {
    let mut limits = Limits::default();
    limits.queued_bytes = 64 * 1024 * 1024;
    let state = Arc::new(Counted::new(&Arc::default()));
    let weak = Arc::downgrade(&state);
    let mut server = TestServer::start(runtime, Server::builder().limits(limits).state(state));
    let client = server.join();
    for _ in 0..1_000 {
        server
            .handle
            .emit("e", &"x".repeat(20_000))
            .expect("it is served");
    }
    server
        .handle
        .shutdown(Duration::from_millis(200))
        .expect("it is served");
    assert!(server.outcome(Duration::from_secs(5)).is_ok());
    server.handle = Server::builder().build();
    let ended = Instant::now();
    wait_until("the connection is dropped", || weak.strong_count() == 0);
    // A connection's last words take 5 s.
    assert!(
        ended.elapsed() < Duration::from_secs(4),
        "only after {:?}",
        ended.elapsed()
    );
    drop(client);
}

#[test]
fn a_server_that_is_never_served_leaves_nothing_behind() {
    let state = Arc::new(Counted::new(&Arc::default()));
    let weak = Arc::downgrade(&state);
    let server = Server::builder().state(state).build();
    let other = server.clone();
    drop((server, other));
    assert_eq!(weak.strong_count(), 0);
}
