use std::sync::Arc;
use std::task::Waker;

use super::built;
use crate::client::SimpleClient;
use crate::client::simple::{Inbox, InboxReceiver, Taken};
use crate::core::{Arguments, EventName};
use crate::handler::{EventContext, Step};
use crate::testing::event_name;

/// An inbox of this size, and what the server has to do to fill it.
fn inbox(capacity: usize) -> (Arc<Inbox>, impl Fn(&str, u32)) {
    let builder = SimpleClient::builder("http://127.0.0.1:3000").inbox(capacity);
    let (builder, inbox) = builder.with_inbox();
    let inner = built(builder).unwrap();
    let send = move |name: &str, number: u32| {
        let (name, arguments): (EventName, _) = (event_name(name), Arguments::from_values(&[number]));
        let socket = inner.socket(0).unwrap().clone();
        let context = EventContext::new(socket, name, arguments.unwrap(), None);
        let mut task = std::task::Context::from_waker(Waker::noop());
        assert!(matches!(inner.router().event(context, &mut task), Step::Done(_)));
    };
    (inbox, send)
}

fn take(inbox: &Arc<Inbox>) -> Taken {
    InboxReceiver::new(inbox).take(Waker::noop())
}

fn number(inbox: &Arc<Inbox>) -> Option<u32> {
    match take(inbox) {
        Taken::Event(event) => {
            assert_eq!(
                (event.namespace(), event.name(), event.wants_ack()),
                ("/", "n", false)
            );
            Some(event.arg().unwrap())
        }
        Taken::Lagged(_) | Taken::Nothing => None,
    }
}

#[test]
fn events_are_taken_in_their_order() {
    let (inbox, send) = inbox(8);
    send("n", 1);
    send("n", 2);
    assert_eq!(number(&inbox), Some(1));
    assert_eq!(number(&inbox), Some(2));
    assert!(matches!(take(&inbox), Taken::Nothing));
}

#[test]
fn a_full_inbox_drops_the_oldest_and_says_so_once() {
    let (inbox, send) = inbox(2);
    for number in 0..5 {
        send("n", number);
    }
    assert!(matches!(take(&inbox), Taken::Lagged(3)));
    assert_eq!(number(&inbox), Some(3));
    assert_eq!(number(&inbox), Some(4));
    assert!(matches!(take(&inbox), Taken::Nothing));
}

#[test]
fn an_inbox_holds_at_least_one_event() {
    let (inbox, send) = inbox(0);
    send("n", 7);
    assert_eq!(number(&inbox), Some(7));
}
