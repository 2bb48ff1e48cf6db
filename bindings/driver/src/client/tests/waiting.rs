//! Who waits for a client and then no longer does leaves nothing behind: a quiet connection lives for months.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::{built, tell, text};
use crate::client::{Client, ClientBuilder, ConnectionEvent, SimpleClient};

/// A task of which nothing is left when nobody would wake it.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

/// How many would wake a task that waited for `future` and gave up.
fn left_behind(future: impl Future) -> usize {
    let task = Arc::new(Task);
    let waker = Waker::from(Arc::clone(&task));
    let mut future = Box::pin(future);
    for _ in 0..2 {
        assert!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    drop((future, waker));
    Arc::strong_count(&task) - 1
}

fn simple() -> SimpleClient {
    let builder: ClientBuilder<_, _> = SimpleClient::builder("http://127.0.0.1:3000");
    let (builder, inbox) = builder.with_inbox();
    SimpleClient::new(Client::new(built(builder).unwrap()).unwrap(), inbox)
}

#[test]
fn who_gives_up_waiting_for_the_end_is_forgotten() {
    let client = Client::new(built(Client::builder("http://127.0.0.1:3000")).unwrap()).unwrap();
    assert_eq!(left_behind(client.closed()), 0);
}

#[test]
fn who_gives_up_waiting_for_an_event_is_forgotten() {
    let client = simple();
    assert_eq!(left_behind(client.recv()), 0);
    let mut events = client.events();
    assert_eq!(left_behind(events.next()), 1, "the one entry of the stream");
    drop(events);
}

#[test]
fn everybody_who_waits_is_woken() {
    struct Flag(std::sync::atomic::AtomicUsize);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let client = simple();
    let flag = Arc::new(Flag(0.into()));
    let waker = Waker::from(Arc::clone(&flag));
    let mut futures: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for _ in 0..3 {
        let (received, closed) = (client.recv(), client.client().closed());
        futures.push(Box::pin(async { drop(received.await) }));
        futures.push(Box::pin(async { drop(closed.await) }));
    }
    for round in 1..=2 {
        for future in &mut futures {
            assert_eq!(
                future.as_mut().poll(&mut Context::from_waker(&waker)),
                Poll::Pending
            );
        }
        let namespace = text("/");
        tell(
            client.client().inner().hub(),
            ConnectionEvent::Joined {
                namespace,
                id: text("id"),
            },
        );
        let woken = flag.0.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(woken, 6 * round);
    }
}
