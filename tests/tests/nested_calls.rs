//! Handlers that call the other side, whose handlers call back, and so on: with every client on every server.
//!
//! ```text
//! client                       server
//!   call "first"  ─────────────►  calls "second"
//!   calls "third" ◄────────────
//!                 ─────────────►  calls "fourth"
//!   calls "fifth" ◄────────────
//!                 ─────────────►  answers
//! ```

use socketio_blocking::Blocking;
use socketio_driver::client::{ClientBuilder, TransportOrder};
use socketio_driver::{Arg, Async, Reply, Server, ServerBuilder};
use socketio_tests::apps::calls::{CallingKind, RelayedCall};
use socketio_tests::binding::{Binding, RunningServer, TestRuntime};
use socketio_tests::live::{Scheduler, within};

socketio_tests::on_every_client![handlers_call_handlers_that_call];

/// Chains at the same time.
const CHAINS: u32 = 10;

const fn relay(event: &'static str, calls: &'static str) -> RelayedCall {
    RelayedCall { event, calls }
}

fn server<K: CallingKind<Server: Into<Server>>>() -> Server {
    let builder = ServerBuilder::<K>::new().namespace("/", |main| {
        let main = K::relay_to_client(main, relay("first", "second"));
        K::relay_to_client(main, relay("third", "fourth")).on("fifth", |Arg(number): Arg<u32>| Reply(number))
    });
    builder.build().into()
}

fn client<K: CallingKind>(url: &str, order: TransportOrder) -> ClientBuilder<K> {
    let builder = ClientBuilder::<K>::new(url).transports(order);
    builder.namespace("/", |main| {
        let main = K::relay_to_server(main, relay("second", "third"));
        K::relay_to_server(main, relay("fourth", "fifth"))
    })
}

fn handlers_call_handlers_that_call(binding: Binding) {
    for server_runtime in TestRuntime::ALL {
        let server = match server_runtime {
            TestRuntime::Blocking => server::<Blocking>(),
            _ => server::<Async>(),
        };
        let running = RunningServer::start(server_runtime, server);
        for order in [
            TransportOrder::Polling,
            TransportOrder::WebSocket,
            TransportOrder::PollingFirst,
        ] {
            let runtime = Scheduler::MultiThread.runtime();
            runtime.block_on(async {
                let connected = match binding {
                    Binding::Blocking => binding.connect(client::<Blocking>(&running.url(), order)).await,
                    _ => binding.connect(client::<Async>(&running.url(), order)).await,
                };
                let client = connected.expect("it connects");
                let chains: Vec<_> = (0..CHAINS)
                    .map(|number| tokio::spawn(client.call::<u32>("first", &number)))
                    .collect();
                for (number, chain) in (0..).zip(chains) {
                    let answer = within("an answer", chain).await.expect("it does not panic");
                    assert_eq!(answer, Ok(number + 4), "on {server_runtime:?} by {order:?}");
                }
            });
        }
    }
}
