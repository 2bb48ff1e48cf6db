//! Handlers that ask the other side, whose handlers ask back, and so on: with every client on every server.
//!
//! ```text
//! client                       server
//!   call "first"  ─────────────►  asks "second"
//!   asks "third"  ◄────────────
//!                 ─────────────►  asks "fourth"
//!   asks "fifth"  ◄────────────
//!                 ─────────────►  answers
//! ```

use socketio_blocking::Blocking;
use socketio_driver::client::{ClientBuilder, TransportOrder};
use socketio_driver::{Arg, Async, Reply, Server, ServerBuilder};
use socketio_tests::apps::asking::{Asking, Relay};
use socketio_tests::binding::{Binding, Ground, Serving};
use socketio_tests::live::{Scheduler, within};

socketio_tests::on_every_client![handlers_ask_handlers_that_ask];

/// Chains at the same time.
const CHAINS: u32 = 10;

const fn relay(event: &'static str, asks: &'static str) -> Relay {
    Relay { event, asks }
}

fn server<K: Asking<Server: Into<Server>>>() -> Server {
    let builder = ServerBuilder::<K>::new().namespace("/", |main| {
        let main = K::relay(main, relay("first", "second"));
        K::relay(main, relay("third", "fourth")).on("fifth", |Arg(number): Arg<u32>| Reply(number))
    });
    builder.build().into()
}

fn client<K: Asking>(url: &str, order: TransportOrder) -> ClientBuilder<K> {
    let builder = ClientBuilder::<K>::new(url).transports(order);
    builder.namespace("/", |main| {
        let main = K::relay_back(main, relay("second", "third"));
        K::relay_back(main, relay("fourth", "fifth"))
    })
}

fn handlers_ask_handlers_that_ask(binding: Binding) {
    for ground in Ground::ALL {
        let server = match ground {
            Ground::Blocking => server::<Blocking>(),
            _ => server::<Async>(),
        };
        let serving = Serving::start(ground, server);
        for order in [
            TransportOrder::Polling,
            TransportOrder::WebSocket,
            TransportOrder::PollingFirst,
        ] {
            let runtime = Scheduler::MultiThread.runtime();
            runtime.block_on(async {
                let connected = match binding {
                    Binding::Blocking => binding.connect(client::<Blocking>(&serving.url(), order)).await,
                    _ => binding.connect(client::<Async>(&serving.url(), order)).await,
                };
                let client = connected.expect("it connects");
                let chains: Vec<_> = (0..CHAINS)
                    .map(|number| tokio::spawn(client.call::<u32>("first", &number)))
                    .collect();
                for (number, chain) in (0..).zip(chains) {
                    let answer = within("an answer", chain).await.expect("it does not panic");
                    assert_eq!(answer, Ok(number + 4), "on {ground:?} by {order:?}");
                }
            });
        }
    }
}
