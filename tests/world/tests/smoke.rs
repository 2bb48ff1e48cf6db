//! The world itself: it runs the real driver, and the same seed gives the same world.

use std::time::Duration;

use socketio_driver::client::{Client, TransportOrder};
use socketio_driver::{Arg, Reply, Server, engine};
use socketio_world::{Weather, World};

const SEEDS: u64 = 6;
/// Questions of each client, each longer than the one before.
const ROUNDS: usize = 12;

async fn talk(world: World, weather: Weather) -> usize {
    let house = world.host(2);
    let listener = house.listen(80).expect("the port is free");
    world.set_weather(listener.address(), weather);
    let server = Server::builder()
        .on("echo", |Arg(text): Arg<String>| Reply(text))
        .build();
    let served = server.clone();
    let runtime = house.clone();
    house.run(async move {
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
    server.shutdown(Duration::ZERO).expect("it is served");
    answers
}

#[test]
fn clients_talk_in_weather_that_loses_nothing() {
    for weather in [
        Weather::fair(),
        Weather::still(),
        Weather::dripping(),
        Weather::narrow(),
    ] {
        for seed in 0..SEEDS {
            let weather = weather.clone();
            let (answers, _) = World::run(seed, |world| talk(world, weather));
            assert_eq!(answers, 3 * ROUNDS);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in 0..SEEDS {
        let trace = || World::run(seed, |world| talk(world, Weather::fair())).1;
        assert_eq!(trace(), trace(), "seed {seed}");
    }
    let other = |seed| World::run(seed, |world| talk(world, Weather::fair())).1;
    assert_ne!(other(1), other(2));
}
