//! Clients that are dropped leave no task, no thread and no socket behind.
//!
//! A test binary of its own, with the server in another process: what is measured is the whole process.

use std::time::Duration;

use socketio_tests::binding::{Binding, CLIENTS};
use socketio_tests::live::{Peer, PeerOptions, eventually, within};
use socketio_tests::provision_process::ServerProcess;
use socketio_tests::resource_usage::{ResourceUsage, Tolerance};
use socketio_tokio::client::{Client, SimpleClient, TransportOrder};
use tokio::runtime::Handle;

const ORDERS: [TransportOrder; 3] = [
    TransportOrder::Polling,
    TransportOrder::WebSocket,
    TransportOrder::PollingFirst,
];

/// Memory is not measured here: there is no allocator that counts.
const NO_GROWTH: Tolerance = Tolerance {
    bytes: 0,
    allocations: 0,
    threads: 0,
    files: 0,
};

/// What this process uses at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Usage {
    tasks: usize,
    process: ResourceUsage,
}

impl Usage {
    fn measure() -> Self {
        Self {
            tasks: Handle::current().metrics().num_alive_tasks(),
            process: ResourceUsage::measure(),
        }
    }

    /// Waits until there are no more tasks, threads and descriptors than at this measurement.
    ///
    /// There may be fewer threads: the runtime keeps those that resolve names for a while.
    async fn await_return(self, what: &str) {
        eventually(what, || {
            let now = Self::measure();
            now.tasks <= self.tasks && now.process.is_within(&self.process, NO_GROWTH)
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

/// Clients that are connected when they are dropped.
async fn drop_connected_clients(binding: Binding, url: &str, order: TransportOrder) {
    let before = Usage::measure();
    drop(connect(binding, url, order).await);
    before.await_return("a dropped client left nothing").await;

    let client = connect(binding, url, order).await;
    for number in 0..100 {
        client.emit("note", &number).expect("it is connected");
    }
    drop(client);
    before
        .await_return("a client dropped while it sends left nothing")
        .await;

    let client = connect(binding, url, order).await;
    let calls: Vec<_> = (0..10).map(|_| client.call::<u32>("no-such-event", &1)).collect();
    let events = client.events();
    drop(client);
    drop(calls);
    drop(events);
    before
        .await_return("a client with calls pending left nothing")
        .await;

    let client = connect(binding, url, order).await;
    client.disconnect();
    within("the end", client.closed()).await;
    eventually("a client that was disconnected has no socket", || {
        Usage::measure().process.files <= before.process.files
    })
    .await;
    drop(client);
    before
        .await_return("a client that was disconnected left nothing")
        .await;
}

/// Clients that are dropped while they connect, or that are refused.
async fn drop_unconnected_clients(binding: Binding, url: &str, order: TransportOrder) {
    let before = Usage::measure();
    drop(
        binding
            .start(Client::builder(url).transports(order))
            .expect("it starts"),
    );
    before
        .await_return("a client dropped while it connects left nothing")
        .await;

    let connecting = binding.connect(Client::builder(url).transports(order));
    let _ = tokio::time::timeout(Duration::from_micros(500), connecting).await;
    before
        .await_return("an abandoned connection attempt left nothing")
        .await;

    let builder = SimpleClient::builder(url).transports(order);
    let simple = within("the connection", binding.connect_simple(builder))
        .await
        .expect("it connects");
    drop(simple);
    before.await_return("a simple client left nothing").await;

    let refused = Client::builder(url)
        .transports(order)
        .namespace("/deny", |namespace| namespace);
    assert!(within("the refusal", binding.connect(refused)).await.is_err());
    before
        .await_return("a client that was refused left nothing")
        .await;
}

/// Clients whose server is down.
async fn drop_clients_without_server(binding: Binding, server: &mut ServerProcess, order: TransportOrder) {
    let url = server.url();
    let before = Usage::measure();
    let client = connect(binding, &url, order).await;
    server.stop();
    eventually("it notices the loss", || !client.connected()).await;
    drop(client);
    before
        .await_return("a client dropped while it waits to reconnect left nothing")
        .await;
    let failed = binding.connect(Client::builder(&*url).transports(order));
    assert!(within("the failure", failed).await.is_err());
    before
        .await_return("a client that could not connect left nothing")
        .await;
    server.start_again();
}

#[test]
fn clients_leave_nothing_behind() {
    let testbed = Peer::Testbed(env!("CARGO_BIN_EXE_testbed"), Binding::Tokio);
    let mut server = testbed.start(PeerOptions::default()).expect("it needs nothing");
    for binding in CLIENTS {
        binding.run_test(async || {
            // Whatever is allocated once is allocated now.
            drop(connect(binding, &server.url(), TransportOrder::PollingFirst).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
            for order in ORDERS {
                drop_connected_clients(binding, &server.url(), order).await;
                drop_unconnected_clients(binding, &server.url(), order).await;
                drop_clients_without_server(binding, &mut server, order).await;
            }
        });
    }
}
