//! Servers and clients that end, on any binding and after everything they can do, leave nothing behind: neither memory
//! nor threads nor descriptors.
//!
//! A test binary of its own: what is measured is what the whole process uses.

use std::alloc::System;
use std::panic;
use std::pin::Pin;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use socketio_tests::binding::{Binding, RunningServer, TestRuntime};
use socketio_tests::kit::socketio::{join_main, join_main_by_polling};
use socketio_tests::kit::{DEADLINE, HttpConnection, Polling, WebSocketClient, wait_until};
use socketio_tests::latch::Latch;
use socketio_tests::live::{Scheduler, within};
use socketio_tests::resource_usage::{ResourceUsage, Tolerance};
use socketio_tests::testbed::Target;
use socketio_tokio::client::{Attempts, Client, TransportOrder};
use socketio_tokio::{Arg, Data, Handshake, Refusal, Reply, Server, Socket, State};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Memory is the process's, so that one binding is tested at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Cycles of a server before the first measurement: whatever is allocated once is allocated by then.
const WARM_UP_CYCLES: usize = 2;
/// Cycles between the measurements: as often as this is what one of them leaves, so that it exceeds the tolerance.
const MEASURED_CYCLES: usize = 6;
/// What may be more by then: timers of runtimes that are not due yet, and a buffer of a thread.
const TOLERANCE: Tolerance = Tolerance {
    bytes: 40 * 1024,
    allocations: MEASURED_CYCLES - 1,
    threads: 0,
    files: 0,
};
/// How long what was left may stay.
const RETURN_TIMEOUT: Duration = Duration::from_secs(15);

const ORDERS: [TransportOrder; 3] = [
    TransportOrder::Polling,
    TransportOrder::WebSocket,
    TransportOrder::PollingFirst,
];

/// What the handler panics with that is meant to.
const INTENDED_PANIC: &str = "on purpose";

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is shut down while clients are connected.
    ShutDown,
    /// The future of `serve` is dropped while clients are connected.
    Dropped,
    /// Its runtime is stopped while `serve` runs.
    RuntimeStopped,
    /// It is shut down after its clients have disconnected.
    AfterItsClients,
}

/// Connections that are kept until the server has ended.
#[derive(Default)]
struct KeptConnections {
    clients: Vec<Client>,
    websockets: Vec<WebSocketClient>,
    polling: Vec<Polling>,
    http: Vec<HttpConnection>,
}

/// A handler that waits at the latch.
fn waiting(
    latch: &Latch,
) -> impl Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + Clone + 'static {
    let latch = latch.clone();
    move || {
        let latch = latch.clone();
        Box::pin(async move { latch.wait().await })
    }
}

/// Opens the latch when it is dropped.
struct OpenOnDrop(Latch);

impl Drop for OpenOnDrop {
    fn drop(&mut self) {
        self.0.open();
    }
}

fn server(latch: &Latch) -> Server {
    Server::builder()
        .state(String::from("a state"))
        .guard(|_: Handshake| Ok::<_, Refusal>(vec![0_u8; 64]))
        .on_connect(async |socket: Socket, Data(_): Data<Vec<u8>>| {
            tokio::task::yield_now().await;
            socket.join(["one", "two"])
        })
        .on("echo", |State(_): State<String>, Arg(number): Arg<u32>| {
            Reply(number)
        })
        .on("join", |socket: Socket, Arg(room): Arg<String>| {
            socket.join(&room).map(|()| Reply(()))
        })
        .on("shout", |socket: Socket, Arg(text): Arg<String>| {
            socket.to("one").emit("said", &text).map(|()| Reply(()))
        })
        .on("stuck", waiting(latch))
        .on("ask", async |socket: Socket| {
            socket.call::<u32>("question", &()).await.map(|_| ())
        })
        .on("panic", || -> () { panic!("{INTENDED_PANIC}") })
        .on_disconnect(async |_: Socket| tokio::task::yield_now().await)
        .namespace("/other", |other| other.serial().on("stuck", waiting(latch)))
        // How handlers end is not what is tested.
        .on_error(|_| ())
        .build()
}

/// A client of this project, after it has used everything, with two calls that are not answered.
async fn busy_client(binding: Binding, url: &str, latch: &Latch, order: TransportOrder) -> Client {
    let builder = Client::builder(url)
        .transports(order)
        .reconnection_attempts(Attempts::AtMost(0))
        .on("said", |Arg(_): Arg<String>| ())
        .on("question", waiting(latch))
        .namespace("/other", |other| other);
    let client = within("the connection", binding.connect(builder))
        .await
        .expect("it is connected");
    for number in 0..5 {
        let answer = within("an answer", client.call::<u32>("echo", &number)).await;
        assert_eq!(answer, Ok(number));
    }
    within("an answer", client.call::<()>("join", "a room"))
        .await
        .expect("it is connected");
    // It is answered after the broadcast, which raw clients that join later must not receive.
    within("an answer", client.call::<()>("shout", "hello"))
        .await
        .expect("it is connected");
    client.emit("panic", &()).expect("it is connected");
    client.emit("ask", &()).expect("it is connected");
    let other = client.of("/other").expect("it asked for it");
    for socket in [client.of("/").expect("it asked for it"), other.clone()] {
        socket.emit("stuck", &()).expect("it is connected");
        let mut stuck = Box::pin(socket.call::<u32>("stuck", &()).into_future());
        let outcome = tokio::time::timeout(Duration::from_millis(1), Pin::as_mut(&mut stuck)).await;
        assert!(outcome.is_err(), "nobody answers");
    }
    other.disconnect();
    client
}

/// Connects clients of all kinds; those that stay are returned.
async fn connect_clients(binding: Binding, target: &Target, latch: &Latch) -> KeptConnections {
    let url = format!("http://{}", target.address);
    let mut kept = KeptConnections::default();
    for order in ORDERS {
        let client = busy_client(binding, &url, latch, order).await;
        client.disconnect();
        within("the end", client.closed()).await;
        drop(busy_client(binding, &url, latch, order).await);
        kept.clients.push(busy_client(binding, &url, latch, order).await);
    }
    tokio::task::block_in_place(|| connect_raw_clients(target, &mut kept));
    kept
}

/// Connects clients that never disconnect by themselves.
fn connect_raw_clients(target: &Target, kept: &mut KeptConnections) {
    for stays in [false, true] {
        let mut socket = join_main(target).0;
        socket.send("42[\"ask\"]");
        assert!(socket.text().ends_with("[\"question\"]"));
        socket.send("42[\"stuck\"]");
        kept.websockets.push(socket);
        let mut session = join_main_by_polling(target);
        session.deliver("42[\"stuck\"]\x1e42[\"panic\"]\x1e40/other,");
        kept.websockets.push(session.probe());
        session.send_get();
        kept.polling.push(session);
        let mut connection = HttpConnection::open(target);
        connection.send_bytes(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHo");
        kept.http.push(connection);
        // Half of them close at once.
        if !stays {
            kept.websockets.clear();
            kept.polling.clear();
            kept.http.clear();
        }
    }
}

/// Starts a server, connects clients and ends it.
fn run_cycle(runtime: &Runtime, binding: Binding, server_runtime: TestRuntime, end: End) {
    let latch = OpenOnDrop(Latch::closed());
    let server = server(&latch.0);
    let running = RunningServer::start(server_runtime, server.clone());
    let target = running.target();
    wait_until("the server is served", || server.sockets().is_ok());
    let mut kept = runtime.block_on(connect_clients(binding, &target, &latch.0));
    // Threads wait some seconds for handlers that have not ended; other runtimes drop them.
    let latch = Some(latch).filter(|_| server_runtime != TestRuntime::Blocking);
    match end {
        End::AfterItsClients => {
            drop(std::mem::take(&mut kept));
            wait_until("no connection is left", || {
                server.counts().is_ok_and(|counts| counts.connections == 0)
            });
            server.shutdown(Duration::from_secs(5)).expect("it is served");
            assert!(running.outcome(DEADLINE).is_ok());
        }
        End::ShutDown => {
            server.shutdown(Duration::from_millis(100)).expect("it is served");
            assert!(running.outcome(DEADLINE).is_ok());
        }
        End::Dropped => running.abort(),
        End::RuntimeStopped => return running.stop_runtime(),
    }
    drop(server);
    drop(running);
    drop(kept);
    drop(latch);
}

/// Intended panics are not printed, nor traced, which would fill tables.
fn silence_intended_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let default_hook = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let text = panic.payload().downcast_ref::<String>();
            if text.is_none_or(|text| text != INTENDED_PANIC) {
                default_hook(panic);
            }
        }));
    });
}

#[track_caller]
fn assert_leaves_nothing(binding: Binding, server_runtime: TestRuntime) {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    silence_intended_panics();
    let runtime = Scheduler::MultiThread.runtime();
    let mut ends = vec![End::ShutDown, End::Dropped, End::AfterItsClients];
    if TestRuntime::STOPPABLE.contains(&server_runtime) {
        ends.push(End::RuntimeStopped);
    }
    for end in ends {
        for _ in 0..WARM_UP_CYCLES {
            run_cycle(&runtime, binding, server_runtime, end);
        }
        // What ends by itself has to have ended before the measurement.
        sleep(Duration::from_millis(300));
        let before = ResourceUsage::at_rest();
        for _ in 0..MEASURED_CYCLES {
            run_cycle(&runtime, binding, server_runtime, end);
        }
        match before.await_return(TOLERANCE, RETURN_TIMEOUT) {
            Ok(after) => println!("{server_runtime:?}, {end:?}: {before:?}, then {after:?}"),
            Err(after) => panic!("{server_runtime:?}, {end:?}: {after:?} instead of {before:?}"),
        }
    }
}

#[test]
fn servers_and_clients_on_one_thread_of_tokio_leave_nothing() {
    assert_leaves_nothing(Binding::Tokio, TestRuntime::CurrentThread);
}

#[test]
fn servers_and_clients_on_tokio_leave_nothing() {
    assert_leaves_nothing(Binding::Tokio, TestRuntime::MultiThread);
}

#[test]
fn servers_and_clients_on_smol_leave_nothing() {
    assert_leaves_nothing(Binding::Smol, TestRuntime::Smol);
}

#[test]
fn servers_and_clients_on_async_std_leave_nothing() {
    assert_leaves_nothing(Binding::AsyncStd, TestRuntime::AsyncStd);
}

#[test]
fn servers_and_clients_on_threads_leave_nothing() {
    assert_leaves_nothing(Binding::Blocking, TestRuntime::Blocking);
}
