use super::acks::Place;
use super::namespace::State;
use super::{Client, Config, Event};
use crate::Text;
use crate::json::Arguments;
use std::time::{Duration, Instant};

#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now()
}

#[test]
fn a_million_answered_acknowledgements_with_an_hour_to_go_leave_nothing() {
    let now = start();
    let mut client = Client::new(Config::default(), [1; 32], now);
    let namespace = client.add_namespace(now, "/").unwrap();
    let sid = Text::from_static("x");
    client.set_state(namespace, State::Joined { sid });
    let hour = now + Duration::from_secs(3_600);
    for number in 0..1_000_000 {
        let ack = client.owe(namespace, Place::Sent(number), Some(hour));
        client.remember_sent(namespace, number, ack);
        client.receive_ack(namespace, number, Arguments::default());
        assert!(matches!(client.poll_event(), Some(Event::Acked { .. })));
    }
    assert_eq!(client.acks.len(), 0);
    assert_eq!(client.acks.next_deadline(), None);
    assert!(client.acks.capacity() <= 8);
    let state = client.namespaces.first().unwrap();
    assert!(state.sent.is_empty());
    assert_eq!(state.owed, 0);
}
