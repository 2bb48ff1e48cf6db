//! What handlers heard, waited for by the test.

use serde::de::DeserializeOwned;
use socketio_tokio::Arguments;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::within;

/// Gives what it is given to its [`Heard`].
#[derive(Clone, Debug)]
pub struct Ear(UnboundedSender<Arguments>);

/// The arguments of the events that came, in order.
#[derive(Debug)]
pub struct Heard(UnboundedReceiver<Arguments>);

/// An ear, and what it hears.
#[must_use]
pub fn ear() -> (Ear, Heard) {
    let (sender, receiver) = unbounded_channel();
    (Ear(sender), Heard(receiver))
}

impl Ear {
    /// A handler that hears.
    pub fn hear(&self) -> impl Fn(Arguments) + Send + Sync + use<> + 'static {
        let sender = self.0.clone();
        // A test that hears enough drops its end.
        move |arguments| drop(sender.send(arguments.detach()))
    }
}

impl Heard {
    /// The arguments of the next event.
    ///
    /// # Panics
    ///
    /// If none comes in time.
    pub async fn next(&mut self) -> Arguments {
        let next = within("an event", self.0.recv()).await;
        next.expect("the handler lives")
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

    /// What came and was not taken yet.
    pub fn so_far(&mut self) -> Vec<Arguments> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}
