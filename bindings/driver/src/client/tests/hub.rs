use std::task::{Poll, Waker};

use super::{built, polled, reason, tell, text};
use crate::client::hub::{ConnectionStatus, EVENTS_PER_SUBSCRIBER, Hub, Membership};
use crate::client::start::judge;
use crate::client::{Client, ConnectError, ConnectionEvent, ConnectionEvents};
use crate::core::Rejoins;
use crate::refusal::Refusal;
use crate::testing::ready;

fn joined(namespace: &str) -> ConnectionEvent {
    ConnectionEvent::Joined {
        namespace: text(namespace),
        id: text("id"),
    }
}

fn refused(namespace: &str) -> ConnectionEvent {
    ConnectionEvent::Refused {
        namespace: text(namespace),
        message: "no".to_owned(),
        data: None,
    }
}

fn left(namespace: &str, rejoins: Rejoins) -> ConnectionEvent {
    ConnectionEvent::Left {
        namespace: text(namespace),
        reason: reason(rejoins),
    }
}

fn closed() -> ConnectionEvent {
    ConnectionEvent::Closed {
        reason: reason(Rejoins::Never),
    }
}

#[test]
fn subscribers_hear_what_happens_after_they_came() {
    let hub = Hub::default();
    tell(&hub, ConnectionEvent::Upgraded);
    let mut events = ConnectionEvents::new(&hub);
    assert!(polled(&mut Box::pin(events.next())).is_pending());
    tell(&hub, joined("/"));
    assert_eq!(ready(events.next()), Some(joined("/")));
    let mut second = ConnectionEvents::new(&hub);
    tell(&hub, ConnectionEvent::Upgraded);
    for events in [&mut events, &mut second] {
        assert_eq!(ready(events.next()), Some(ConnectionEvent::Upgraded));
    }
}

#[test]
fn a_subscriber_that_does_not_listen_loses_the_oldest_and_hears_how_many() {
    let hub = Hub::default();
    let mut events = ConnectionEvents::new(&hub);
    for attempt in 0..EVENTS_PER_SUBSCRIBER as u32 + 3 {
        tell(&hub, ConnectionEvent::Connecting { attempt });
    }
    assert_eq!(ready(events.next()), Some(ConnectionEvent::Lagged(3)));
    assert_eq!(
        ready(events.next()),
        Some(ConnectionEvent::Connecting { attempt: 3 })
    );
}

#[test]
fn events_end_with_the_client_after_what_is_queued() {
    let hub = Hub::default();
    let mut events = ConnectionEvents::new(&hub);
    tell(&hub, closed());
    drop(hub.end());
    assert_eq!(ready(events.next()), Some(closed()));
    assert_eq!(ready(events.next()), None);
}

#[test]
fn the_status_follows_from_the_events() {
    let hub = Hub::default();
    let look = |name: &str| {
        let found = hub
            .watch()
            .poll(Waker::noop(), |status| Some(status.membership(name).clone()));
        match found {
            Poll::Ready(membership) => membership,
            Poll::Pending => panic!("it always finds something"),
        }
    };
    assert_eq!(look("/"), Membership::Awaited);
    tell(&hub, joined("/"));
    tell(&hub, refused("/a"));
    assert_eq!(look("/"), Membership::Joined);
    assert_eq!(look("/a"), Membership::Refused(Refusal::new("no")));
    tell(&hub, left("/", Rejoins::Later));
    assert_eq!(look("/"), Membership::Awaited);
    tell(&hub, left("/", Rejoins::Never));
    assert_eq!(look("/"), Membership::Left);
    tell(&hub, ConnectionEvent::Connecting { attempt: 1 });
    assert_eq!(look("/a"), Membership::Refused(Refusal::new("no")));
    tell(&hub, closed());
    tell(&hub, ConnectionEvent::Connecting { attempt: 0 });
    assert_eq!(look("/a"), Membership::Awaited);
}

#[test]
fn who_waits_for_the_status_is_woken_by_every_event() {
    let hub = Hub::default();
    let mut watch = hub.watch();
    let mut is_closed = || {
        watch.poll(Waker::noop(), |status| {
            matches!(status.connection, ConnectionStatus::Closed(_)).then_some(())
        })
    };
    assert!(is_closed().is_pending());
    assert_eq!(hub.publish(&ConnectionEvent::Upgraded).len(), 1);
    assert!(is_closed().is_pending());
    assert_eq!(hub.publish(&closed()).len(), 1);
    assert!(is_closed().is_ready());
    assert!(hub.resume().is_empty());
    assert!(is_closed().is_pending());
}

/// What connecting with `/` and `/a` says after these events.
fn judged(retry_initial: bool, events: &[ConnectionEvent]) -> Option<Result<(), ConnectError>> {
    let builder = Client::builder("http://127.0.0.1:3000")
        .retry_initial(retry_initial)
        .namespace("/", |ns| ns)
        .namespace("/a", |ns| ns);
    let inner = built(builder).unwrap();
    for event in events {
        tell(inner.hub(), event.clone());
    }
    match inner
        .hub()
        .watch()
        .poll(Waker::noop(), |status| judge(&inner, status))
    {
        Poll::Ready(judged) => Some(judged),
        Poll::Pending => None,
    }
}

#[test]
fn connecting_waits_for_all_namespaces_and_fails_with_the_first_failure() {
    let failed = || ConnectionEvent::AttemptFailed {
        attempt: 0,
        error: reason(Rejoins::Later),
    };
    let refusal = || ConnectError::Refused(vec![("/a".to_owned(), Refusal::new("no"))]);
    assert_eq!(judged(false, &[]), None);
    assert_eq!(judged(false, &[joined("/")]), None);
    assert_eq!(judged(false, &[joined("/"), joined("/a")]), Some(Ok(())));
    assert_eq!(judged(false, &[refused("/a")]), None);
    assert_eq!(judged(false, &[refused("/a"), joined("/")]), Some(Err(refusal())));
    assert_eq!(judged(false, &[refused("/a"), closed()]), Some(Err(refusal())));
    let lost = ConnectError::Failed(reason(Rejoins::Never));
    assert_eq!(judged(false, &[failed()]), Some(Err(lost.clone())));
    assert_eq!(judged(true, &[failed()]), None);
    assert_eq!(judged(true, &[failed(), joined("/"), joined("/a")]), Some(Ok(())));
    assert_eq!(judged(true, &[failed(), closed()]), Some(Err(lost)));
}
