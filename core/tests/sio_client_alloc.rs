//! What events and acknowledgements cost a client in allocations, over WebSocket in the steady state.

use allocation_counter::{AllocationInfo, measure};
use socketio_core::sio::Delivery;
use socketio_core::sio::client::Event;
use std::time::Duration;
use websocket_client::WebSocketClient;
use websocket_handshake::frame;

mod websocket_client;
mod websocket_handshake;

struct Session {
    joined: WebSocketClient,
    next_number: u64,
}

impl Session {
    fn new() -> Self {
        Self {
            joined: WebSocketClient::joined(),
            next_number: 0,
        }
    }

    /// An event each way.
    fn events(&mut self) {
        let joined = &mut self.joined;
        joined.read(b"\x81\x0a42[\"a\",12]");
        while let Some(event) = joined.client.poll_event() {
            let Event::Event { arguments, name, .. } = event else {
                panic!("{event:?}");
            };
            let packet = joined.encoder.event("/", name.as_str(), &arguments).unwrap();
            joined
                .client
                .emit(joined.now, joined.main, &packet, Delivery::Reliable)
                .unwrap();
        }
        joined.write();
    }

    /// `window` events that are acknowledged, all under way at once.
    fn acknowledged_events(&mut self, window: u64, acknowledgements: &[Vec<u8>]) {
        let joined = &mut self.joined;
        let deadline = joined.now + Duration::from_secs(5);
        for _ in 0..window {
            let packet = joined.encoder.event("/", "a", &1).unwrap();
            joined
                .client
                .emit_with_ack(joined.now, joined.main, &packet, deadline)
                .unwrap();
        }
        joined.write();
        for _ in 0..window {
            joined.read(&acknowledgements[self.next_number as usize]);
            self.next_number += 1;
            let event = joined.client.poll_event();
            assert!(
                matches!(event, Some(Event::Acked { outcome: Ok(_), .. })),
                "{event:?}"
            );
        }
    }
}

#[test]
fn events_allocate_nothing_once_warm() {
    let mut session = Session::new();
    let mut rounds = |count: usize| {
        let AllocationInfo { count_total, .. } = measure(|| {
            for _ in 0..count {
                session.events();
            }
        });
        count_total
    };
    assert!(rounds(1_000) > 0, "the counter counts");
    assert_eq!(rounds(1_000), 0);
}

#[test]
fn an_acknowledgement_allocates_nothing_of_its_own() {
    let acknowledgements = (0..20_000)
        .map(|number| frame(&format!("43{number}[1]")))
        .collect::<Vec<_>>();
    // Trees of more than eleven entries split and merge their nodes: that much for sixteen of them.
    for (window, allowed) in [(1, 0), (8, 0), (16, 4)] {
        let mut session = Session::new();
        let mut rounds = |count: u64| {
            let AllocationInfo { count_total, .. } = measure(|| {
                for _ in 0..count {
                    session.acknowledged_events(window, &acknowledgements);
                }
            });
            count_total
        };
        rounds(500);
        let count = rounds(500);
        assert!(count <= 500 * allowed, "{count} in a window of {window}");
    }
}
