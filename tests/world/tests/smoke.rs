//! The world runs the real driver, and the same seed gives the same world.

use std::time::Duration;

use socketio_driver::client::{Client, TransportOrder};
use socketio_driver::{Arg, Reply, Server, engine};
use socketio_world::{NetworkConditions, World};

const SEEDS: u64 = 6;
/// Calls of each client, each longer than the one before.
const ROUNDS: usize = 12;

async fn make_calls(world: World, conditions: NetworkConditions) -> usize {
    let server_host = world.host(2);
    let listener = server_host.listen(80).expect("the port is free");
    world.set_conditions(listener.address(), conditions);
    let server = Server::builder()
        .on("echo", |Arg(text): Arg<String>| Reply(text))
        .build();
    let served = server.clone();
    let runtime = server_host.clone();
    server_host.run(async move {
        let _ = engine::serve(runtime, listener, served).await;
    });
    let orders = [
        TransportOrder::Polling,
        TransportOrder::WebSocket,
        TransportOrder::PollingFirst,
    ];
    let mut answers = 0;
    for (number, order) in (10..).zip(orders) {
        let builder = Client::builder("http://host-2").transports(order);
        let client = engine::connect(world.host(number), builder)
            .await
            .expect("it connects");
        for round in 0..ROUNDS {
            let text = "x".repeat(round * 97);
            let answer: String = client.call("echo", &text).await.expect("it answers");
            assert_eq!(answer, text);
            answers += 1;
        }
        world.sleep(Duration::from_secs(100)).await;
        assert!(client.connected());
        client.disconnect();
        client.closed().await;
    }
    server.shutdown(Duration::ZERO).expect("it is serving");
    answers
}

#[test]
fn calls_are_answered_on_networks_that_lose_nothing() {
    for conditions in [
        NetworkConditions::typical(),
        NetworkConditions::ideal(),
        NetworkConditions::bytewise(),
        NetworkConditions::narrow(),
    ] {
        for seed in 0..SEEDS {
            let conditions = conditions.clone();
            let (answers, _) = World::run(seed, |world| make_calls(world, conditions));
            assert_eq!(answers, 3 * ROUNDS);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in 0..SEEDS {
        let trace = || World::run(seed, |world| make_calls(world, NetworkConditions::typical())).1;
        assert_eq!(trace(), trace(), "seed {seed}");
    }
    let other = |seed| World::run(seed, |world| make_calls(world, NetworkConditions::typical())).1;
    assert_ne!(other(1), other(2));
}
