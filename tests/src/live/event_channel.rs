//! Events that handlers receive, for the test to wait for.

use serde::de::DeserializeOwned;
use socketio_tokio::Arguments;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::within;

/// Sends the arguments of events to its [`EventReceiver`].
#[derive(Clone, Debug)]
pub struct EventSender(UnboundedSender<Arguments>);

/// The arguments of the events that came, in order.
#[derive(Debug)]
pub struct EventReceiver(UnboundedReceiver<Arguments>);

/// A channel from handlers to the test.
#[must_use]
pub fn event_channel() -> (EventSender, EventReceiver) {
    let (sender, receiver) = unbounded_channel();
    (EventSender(sender), EventReceiver(receiver))
}

impl EventSender {
    /// A handler that sends the arguments of its events.
    pub fn handler(&self) -> impl Fn(Arguments) + Send + Sync + use<> + 'static {
        let sender = self.0.clone();
        // A test that has received enough drops its end.
        move |arguments| drop(sender.send(arguments.detach()))
    }
}

impl EventReceiver {
    /// The arguments of the next event.
    ///
    /// # Panics
    ///
    /// If none comes in time.
    pub async fn next(&mut self) -> Arguments {
        let next = within("an event", self.0.recv()).await;
        next.expect("the handler still exists")
    }

    /// The first argument of the next event.
    ///
    /// # Panics
    ///
    /// If none comes in time, or it is something else.
    pub async fn first<T: DeserializeOwned>(&mut self) -> T {
        let arguments = self.next().await;
        let first = arguments.first();
        first.unwrap_or_else(|error| panic!("{}: {error}", arguments.text()))
    }

    /// The events that came and were not taken yet.
    pub fn drain(&mut self) -> Vec<Arguments> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}
