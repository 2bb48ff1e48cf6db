//! Servers and clients that come and go, on any binding and with everything they do, leave nothing behind: neither memory
//! nor threads nor descriptors.
//!
//! A test binary of its own: what is counted is what the whole process has.

use std::alloc::System;
use std::panic;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use socketio_tests::belongings::{Belongings, Slack};
use socketio_tests::binding::{Binding, Ground, Serving};
use socketio_tests::kit::socketio::{join_main, join_main_by_polling};
use socketio_tests::kit::{DEADLINE, HttpConnection, Polling, WebSocketClient};
use socketio_tests::live::{Scheduler, within};
use socketio_tests::testbed::{App, Target};
use socketio_tokio::client::{Attempts, Client, TransportOrder};
use socketio_tokio::{Arg, Data, Handshake, Refusal, Reply, Server, Socket, State};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Memory is the process's, so that one binding is looked at at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Servers that come and go before the first count: whatever is made once is made by then.
const BEFORE: usize = 2;
/// And between the counts. What one of them leaves is there as often as this, so that it can not hide in the slack.
const BETWEEN: usize = 6;
/// What may have become more by then: timers of runtimes that are not due yet, and a buffer of a thread.
const SLACK: Slack = Slack {
    bytes: 40 * 1024,
    allocations: BETWEEN - 1,
    threads: 0,
    files: 0,
};
const PATIENCE: Duration = Duration::from_secs(15);

const ORDERS: [TransportOrder; 3] = [
    TransportOrder::Polling,
    TransportOrder::WebSocket,
    TransportOrder::PollingFirst,
];

/// What a handler panics with that is meant to.
const ON_PURPOSE: &str = "on purpose";

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is shut down, with clients in it.
    ShutDown,
    /// The future of `serve` is dropped, with clients in it.
    Dropped,
    /// Its runtime is dropped, with it.
    WithItsRuntime,
    /// Its clients have gone, and it is shut down.
    Abandoned,
}

/// What connections a client keeps until the server has ended.
type Kept = (
    Vec<Client>,
    Vec<WebSocketClient>,
    Vec<Polling>,
    Vec<HttpConnection>,
);

/// What handlers wait at that do not answer. A handler may run for as long as it likes, whatever becomes of its server or
/// client, so those of a test end when the test says so.
#[derive(Clone)]
struct Door(Arc<Semaphore>);

impl Door {
    fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    async fn pass(self) {
        // It is an error once nobody is to wait any more.
        let _ = self.0.acquire().await;
    }

    /// A handler that waits.
    fn handler(
        &self,
    ) -> impl Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + Clone + 'static {
        let door = self.clone();
        move || Box::pin(door.clone().pass())
    }
}

/// A door at which nobody waits any more when this is dropped.
struct Opened(Door);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.0.close();
    }
}

fn server(door: &Door) -> Server {
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
            socket.to("one").emit("said", &text)
        })
        .on("stuck", door.handler())
        .on("ask", async |socket: Socket| {
            socket.call::<u32>("question", &()).await.map(|_| ())
        })
        .on("panic", || -> () { panic!("{ON_PURPOSE}") })
        .on_disconnect(async |_: Socket| tokio::task::yield_now().await)
        .namespace("/other", |other| other.serial().on("stuck", door.handler()))
        // What becomes of handlers is not what is tested.
        .on_error(|_| ())
        .build()
}

/// A client of this project, after it has done everything, with two calls that are not answered.
async fn guest(binding: Binding, url: &str, door: &Door, order: TransportOrder) -> Client {
    let builder = Client::builder(url)
        .transports(order)
        .reconnection_attempts(Attempts::AtMost(0))
        .on("said", |Arg(_): Arg<String>| ())
        .on("question", door.handler())
        .namespace("/other", |other| other);
    let client = within("the connection", binding.connect(builder))
        .await
        .expect("it is let in");
    for number in 0..5 {
        let answer = within("an answer", client.call::<u32>("echo", &number)).await;
        assert_eq!(answer, Ok(number));
    }
    within("an answer", client.call::<()>("join", "a room"))
        .await
        .expect("it is let in");
    client.emit("shout", "hello").expect("it is connected");
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

/// Clients of all kinds come; those that stay are returned.
async fn visit(binding: Binding, target: &Target, door: &Door) -> Kept {
    let url = format!("http://{}", target.address);
    let mut kept = Kept::default();
    for order in ORDERS {
        let client = guest(binding, &url, door, order).await;
        client.disconnect();
        within("the end", client.closed()).await;
        drop(guest(binding, &url, door, order).await);
        kept.0.push(guest(binding, &url, door, order).await);
    }
    tokio::task::block_in_place(|| visit_raw(target, &mut kept));
    kept
}

/// Clients that do not say goodbye.
fn visit_raw(target: &Target, kept: &mut Kept) {
    for _ in 0..2 {
        let mut socket = join_main(target).0;
        socket.send("42[\"ask\"]");
        assert!(socket.text().ends_with("[\"question\"]"));
        socket.send("42[\"stuck\"]");
        kept.1.push(socket);
        let mut session = join_main_by_polling(target);
        session.deliver("42[\"stuck\"]\x1e42[\"panic\"]\x1e40/other,");
        kept.1.push(session.probe());
        session.send_get();
        kept.2.push(session);
        let mut connection = HttpConnection::open(target);
        connection.send_bytes(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHo");
        kept.3.push(connection);
        // Half of all leave at once.
        if kept.1.len() <= 2 {
            kept.1.clear();
            kept.2.clear();
            kept.3.clear();
        }
    }
}

/// A server from its beginning to its end.
fn cycle(runtime: &Runtime, binding: Binding, ground: Ground, end: End) {
    let door = Opened(Door::closed());
    let server = server(&door.0);
    let serving = Serving::start(ground, server.clone());
    let target = Target {
        address: serving.address,
        app: App::Lab,
    };
    until("the server is served", || server.sockets().is_ok());
    let mut kept = runtime.block_on(visit(binding, &target, &door.0));
    // Threads wait some seconds for handlers that have not ended; other runtimes drop them.
    let door = Some(door).filter(|_| ground != Ground::Blocking);
    match end {
        End::Abandoned => {
            drop(std::mem::take(&mut kept));
            until("nobody is left", || {
                server.counts().is_ok_and(|counts| counts.connections == 0)
            });
            server.shutdown(Duration::from_secs(5)).expect("it is served");
            assert!(serving.outcome(DEADLINE).is_ok());
        }
        End::ShutDown => {
            server.shutdown(Duration::from_millis(100)).expect("it is served");
            assert!(serving.outcome(DEADLINE).is_ok());
        }
        End::Dropped => serving.abort(),
        End::WithItsRuntime => return serving.end_ground(),
    }
    drop(server);
    drop(serving);
    drop(kept);
    drop(door);
}

#[track_caller]
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "not within the deadline: {what}");
        sleep(Duration::from_millis(2));
    }
}

/// Panics on purpose are not told, nor traced, which would fill tables.
fn say_nothing_of_panics_on_purpose() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let text = panic.payload().downcast_ref::<String>();
            if text.is_none_or(|text| text != ON_PURPOSE) {
                usual(panic);
            }
        }));
    });
}

#[track_caller]
fn leaves_nothing(binding: Binding, ground: Ground) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    say_nothing_of_panics_on_purpose();
    let runtime = Scheduler::MultiThread.runtime();
    let mut ends = vec![End::ShutDown, End::Dropped, End::Abandoned];
    if Ground::ENDING.contains(&ground) {
        ends.push(End::WithItsRuntime);
    }
    for end in ends {
        for _ in 0..BEFORE {
            cycle(&runtime, binding, ground, end);
        }
        // What ends by itself has to have ended before the count.
        sleep(Duration::from_millis(300));
        let before = Belongings::at_rest();
        for _ in 0..BETWEEN {
            cycle(&runtime, binding, ground, end);
        }
        match before.await_return(SLACK, PATIENCE) {
            Ok(after) => println!("{ground:?}, {end:?}: {before:?}, then {after:?}"),
            Err(after) => panic!("{ground:?}, {end:?}: {after:?} instead of {before:?}"),
        }
    }
}

#[test]
fn servers_and_clients_on_one_thread_of_tokio_leave_nothing() {
    leaves_nothing(Binding::Tokio, Ground::CurrentThread);
}

#[test]
fn servers_and_clients_on_tokio_leave_nothing() {
    leaves_nothing(Binding::Tokio, Ground::MultiThread);
}

#[test]
fn servers_and_clients_on_smol_leave_nothing() {
    leaves_nothing(Binding::Smol, Ground::Smol);
}

#[test]
fn servers_and_clients_on_async_std_leave_nothing() {
    leaves_nothing(Binding::AsyncStd, Ground::AsyncStd);
}

#[test]
fn servers_and_clients_on_threads_leave_nothing() {
    leaves_nothing(Binding::Blocking, Ground::Blocking);
}
