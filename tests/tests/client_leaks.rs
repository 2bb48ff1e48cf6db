//! Clients that are dropped leave no task, no thread and no socket behind.
//!
//! A test binary of its own, with the server in another process: the whole process is looked at.

use std::fs;
use std::path::Path;
use std::time::Duration;

use socketio_tests::binding::{Binding, CLIENTS, THREADS_NAME};
use socketio_tests::live::{Peer, PeerOptions, eventually, within};
use socketio_tests::provision_process::ServerProcess;
use socketio_tokio::client::{Client, SimpleClient, TransportOrder};
use tokio::runtime::Handle;

const ORDERS: [TransportOrder; 3] = [
    TransportOrder::Polling,
    TransportOrder::WebSocket,
    TransportOrder::PollingFirst,
];

/// What this process has at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Belongings {
    tasks: usize,
    threads: usize,
    files: usize,
}

impl Belongings {
    fn count() -> Self {
        let entries = |folder: &str| fs::read_dir(Path::new(folder)).map_or(0, Iterator::count);
        // Those that have nothing to do wait for some seconds, if there is more.
        let workers = format!("{THREADS_NAME}-worker");
        let is_worker = |task: &fs::DirEntry| {
            fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == workers)
        };
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        Self {
            tasks: Handle::current().metrics().num_alive_tasks(),
            threads: tasks.filter(|task| !is_worker(task)).count(),
            files: entries("/proc/self/fd"),
        }
    }

    /// Resolving names may keep a thread of the runtime's own for a while, so that threads need not be fewer.
    async fn are_as_before(self, name: &str) {
        eventually(name, || {
            let now = Self::count();
            now.tasks <= self.tasks && now.threads <= self.threads && now.files <= self.files
        })
        .await;
    }
}

async fn connect(binding: Binding, url: &str, order: TransportOrder) -> Client {
    let builder = Client::builder(url)
        .transports(order)
        .on("said", |_: socketio_tokio::Arguments| ());
    within("the connection", binding.connect(builder))
        .await
        .expect("it connects")
}

/// Clients that are connected when they are left.
async fn leave_connected(binding: Binding, url: &str, order: TransportOrder) {
    let before = Belongings::count();
    drop(connect(binding, url, order).await);
    before.are_as_before("a dropped client left nothing").await;

    let client = connect(binding, url, order).await;
    for number in 0..100 {
        client.emit("note", &number).expect("it is connected");
    }
    drop(client);
    before
        .are_as_before("a client dropped in the middle of talking left nothing")
        .await;

    let client = connect(binding, url, order).await;
    let calls: Vec<_> = (0..10).map(|_| client.call::<u32>("no-such-event", &1)).collect();
    let events = client.events();
    drop(client);
    drop(calls);
    drop(events);
    before
        .are_as_before("a client with calls pending left nothing")
        .await;

    let client = connect(binding, url, order).await;
    client.disconnect();
    within("the end", client.closed()).await;
    eventually("a client that was disconnected has no socket", || {
        Belongings::count().files <= before.files
    })
    .await;
    drop(client);
    before
        .are_as_before("a client that was disconnected left nothing")
        .await;
}

/// Clients that are left while they connect, or that are not let in.
async fn leave_unconnected(binding: Binding, url: &str, order: TransportOrder) {
    let before = Belongings::count();
    drop(
        binding
            .start(Client::builder(url).transports(order))
            .expect("it starts"),
    );
    before
        .are_as_before("a client dropped while it connects left nothing")
        .await;

    let connecting = binding.connect(Client::builder(url).transports(order));
    let _ = tokio::time::timeout(Duration::from_micros(500), connecting).await;
    before
        .are_as_before("a connection that nobody waits for any more left nothing")
        .await;

    let builder = SimpleClient::builder(url).transports(order);
    let simple = within("the connection", binding.connect_simple(builder))
        .await
        .expect("it connects");
    drop(simple);
    before.are_as_before("a simple client left nothing").await;

    let refused = Client::builder(url)
        .transports(order)
        .namespace("/deny", |namespace| namespace);
    assert!(within("the refusal", binding.connect(refused)).await.is_err());
    before
        .are_as_before("a client that was refused left nothing")
        .await;
}

/// Clients whose server is away.
async fn leave_alone(binding: Binding, server: &mut ServerProcess, order: TransportOrder) {
    let url = server.url();
    let before = Belongings::count();
    let client = connect(binding, &url, order).await;
    server.stop();
    eventually("it notices", || !client.connected()).await;
    drop(client);
    before
        .are_as_before("a client dropped while it waits to reconnect left nothing")
        .await;
    let failed = binding.connect(Client::builder(&*url).transports(order));
    assert!(within("the failure", failed).await.is_err());
    before
        .are_as_before("a client that could not connect left nothing")
        .await;
    server.start_again();
}

#[test]
fn clients_leave_nothing_behind() {
    let testbed = Peer::Testbed(env!("CARGO_BIN_EXE_testbed"), Binding::Tokio);
    let mut server = testbed.start(PeerOptions::default()).expect("it needs nothing");
    for binding in CLIENTS {
        binding.run_test(async || {
            // Whatever is made once is made now.
            drop(connect(binding, &server.url(), TransportOrder::PollingFirst).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
            for order in ORDERS {
                leave_connected(binding, &server.url(), order).await;
                leave_unconnected(binding, &server.url(), order).await;
                leave_alone(binding, &mut server, order).await;
            }
        });
    }
}
