//! A peer that vanishes is detected within ping interval and ping timeout, on both sides and with all transports.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socketio_driver::client::{Client, ClientReason, TransportOrder};
use socketio_driver::{Reason, Server, engine};
use socketio_world::{NetworkConditions, World};

const INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The connections fall silent; both sides still run.
    Silence,
    ClientKilled,
    ServerKilled,
}

/// When each side disconnected, after the fault.
#[derive(Clone, Debug, Default, PartialEq)]
struct DetectionTimes {
    server: Vec<Duration>,
    client: Vec<Duration>,
}

async fn detection_times(world: World, order: TransportOrder, fault: Fault) -> DetectionTimes {
    let detected = Arc::new(Mutex::new(DetectionTimes::default()));
    let server_host = world.host(2);
    let listener = server_host.listen(80).expect("the port is free");
    world.set_conditions(
        SocketAddr::new(server_host.address(), 80),
        NetworkConditions::typical(),
    );
    let (recorded, clock) = (Arc::clone(&detected), world.clone());
    let server = Server::builder()
        .ping_interval(INTERVAL)
        .ping_timeout(TIMEOUT)
        .on_disconnect(move |_: Reason| {
            let mut detected = recorded.lock().unwrap_or_else(PoisonError::into_inner);
            detected.server.push(clock.elapsed());
        })
        .build();
    let runtime = server_host.clone();
    server_host.run(async move {
        let _ = engine::serve(runtime, listener, server).await;
    });
    let (recorded, clock) = (Arc::clone(&detected), world.clone());
    let client_host = world.host(10);
    let builder = Client::builder("http://host-2")
        .transports(order)
        .on_disconnect(move |_: ClientReason| {
            let mut detected = recorded.lock().unwrap_or_else(PoisonError::into_inner);
            detected.client.push(clock.elapsed());
        });
    let client = engine::connect(client_host.clone(), builder)
        .await
        .expect("it connects");
    // At any time between two pings; a poll is open.
    let pause = world
        .random("pause")
        .time(&(Duration::from_secs(2)..Duration::from_secs(20)));
    world.sleep(pause).await;
    assert!(client.connected());
    let fault_time = world.elapsed();
    match fault {
        Fault::Silence => world.silence(&client_host),
        Fault::ClientKilled => {
            world.silence(&client_host);
            world.kill(&client_host);
        }
        Fault::ServerKilled => {
            world.silence(&client_host);
            world.kill(&server_host);
        }
    }
    world.sleep(INTERVAL + TIMEOUT + Duration::from_secs(1)).await;
    let mut detected = detected.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for at in detected.server.iter_mut().chain(&mut detected.client) {
        *at -= fault_time;
    }
    detected
}

#[test]
fn a_dead_peer_is_detected_within_interval_and_timeout() {
    // A segment may have been in transit.
    let longest = INTERVAL + TIMEOUT + Duration::from_millis(80);
    for fault in [Fault::Silence, Fault::ClientKilled, Fault::ServerKilled] {
        for order in [
            TransportOrder::Polling,
            TransportOrder::WebSocket,
            TransportOrder::PollingFirst,
        ] {
            for seed in 0..20 {
                let (detected, _) = World::run(seed, |world| detection_times(world, order, fault));
                let about = format!("{fault:?} {order:?} seed {seed}: {detected:?}");
                if fault != Fault::ServerKilled {
                    assert!(
                        detected.server.len() == 1 && detected.server[0] <= longest,
                        "{about}"
                    );
                }
                if fault != Fault::ClientKilled {
                    assert!(
                        detected.client.len() == 1 && detected.client[0] <= longest,
                        "{about}"
                    );
                }
            }
        }
    }
}
