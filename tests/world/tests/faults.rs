//! A peer that dies without a word is noticed within ping interval and timeout, on both sides and all transports.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socketio_driver::client::{Client, ClientReason, TransportOrder};
use socketio_driver::{Reason, Server, engine};
use socketio_world::{Weather, World};

const INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The links are silent; both sides are there.
    Silence,
    ClientDies,
    ServerDies,
}

/// When each side noticed, after the fault.
#[derive(Clone, Debug, Default, PartialEq)]
struct Noticed {
    server: Vec<Duration>,
    client: Vec<Duration>,
}

async fn notice(world: World, order: TransportOrder, fault: Fault) -> Noticed {
    let noticed = Arc::new(Mutex::new(Noticed::default()));
    let house = world.host(2);
    let listener = house.listen(80).expect("the port is free");
    world.set_weather(SocketAddr::new(house.address(), 80), Weather::fair());
    let (seen, clock) = (Arc::clone(&noticed), world.clone());
    let server = Server::builder()
        .ping_interval(INTERVAL)
        .ping_timeout(TIMEOUT)
        .on_disconnect(move |_: Reason| {
            let mut noticed = seen.lock().unwrap_or_else(PoisonError::into_inner);
            noticed.server.push(clock.age());
        })
        .build();
    let runtime = house.clone();
    house.run(async move {
        let _ = engine::serve(runtime, listener, server).await;
    });
    let (seen, clock) = (Arc::clone(&noticed), world.clone());
    let guest = world.host(10);
    let builder = Client::builder("http://host-2")
        .transports(order)
        .on_disconnect(move |_: ClientReason| {
            let mut noticed = seen.lock().unwrap_or_else(PoisonError::into_inner);
            noticed.client.push(clock.age());
        });
    let client = engine::connect(guest.clone(), builder)
        .await
        .expect("it connects");
    // Anywhere between two pings; a poll waits.
    let pause = world
        .chance("pause")
        .time(&(Duration::from_secs(2)..Duration::from_secs(20)));
    world.sleep(pause).await;
    assert!(client.connected());
    let broken = world.age();
    match fault {
        Fault::Silence => world.silence(&guest),
        Fault::ClientDies => {
            world.silence(&guest);
            world.kill(&guest);
        }
        Fault::ServerDies => {
            world.silence(&guest);
            world.kill(&house);
        }
    }
    world.sleep(INTERVAL + TIMEOUT + Duration::from_secs(1)).await;
    let mut noticed = noticed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for at in noticed.server.iter_mut().chain(&mut noticed.client) {
        *at -= broken;
    }
    noticed
}

#[test]
fn a_dead_peer_is_noticed_within_interval_and_timeout() {
    // A segment may have been under way.
    let longest = INTERVAL + TIMEOUT + Duration::from_millis(80);
    for fault in [Fault::Silence, Fault::ClientDies, Fault::ServerDies] {
        for order in [
            TransportOrder::Polling,
            TransportOrder::WebSocket,
            TransportOrder::PollingFirst,
        ] {
            for seed in 0..20 {
                let (noticed, _) = World::run(seed, |world| notice(world, order, fault));
                let about = format!("{fault:?} {order:?} seed {seed}: {noticed:?}");
                if fault != Fault::ServerDies {
                    assert!(
                        noticed.server.len() == 1 && noticed.server[0] <= longest,
                        "{about}"
                    );
                }
                if fault != Fault::ClientDies {
                    assert!(
                        noticed.client.len() == 1 && noticed.client[0] <= longest,
                        "{about}"
                    );
                }
            }
        }
    }
}
