use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::client::ConnectionEvent;
use crate::client::hub::Hub;

/// What happens to a client's connection, from the moment [`Client::events`](crate::client::Client::events) was
/// called; a [`Stream`].
///
/// It does not keep the client alive, and ends when the client is gone. At most 256 events wait here: beyond that the
/// oldest are dropped, and [`ConnectionEvent::Lagged`] says how many.
///
/// ```no_run
/// # use socketio_driver::client::{Client, ConnectionEvent};
/// # async fn watch(client: Client) {
/// let mut events = client.events();
/// while let Some(event) = events.next().await {
///     match event {
///         ConnectionEvent::Reconnecting { attempt, delay } => println!("attempt {attempt} in {delay:?}"),
///         ConnectionEvent::Closed { reason } => println!("closed: {reason}"),
///         _ => {}
///     }
/// }
/// # }
/// ```
#[must_use = "a stream does nothing unless it is polled"]
pub struct ConnectionEvents {
    hub: Hub,
    number: u64,
}

impl ConnectionEvents {
    pub(crate) fn new(hub: &Hub) -> Self {
        Self {
            hub: hub.clone(),
            number: hub.subscribe(),
        }
    }

    /// The next event; `None` when the client is gone. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        poll_fn(|task| self.hub.poll_event(self.number, task.waker())).await
    }
}

impl Stream for ConnectionEvents {
    type Item = ConnectionEvent;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<ConnectionEvent>> {
        self.hub.poll_event(self.number, task.waker())
    }
}

impl Drop for ConnectionEvents {
    fn drop(&mut self) {
        self.hub.unsubscribe(self.number);
    }
}

impl fmt::Debug for ConnectionEvents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ConnectionEvents").finish_non_exhaustive()
    }
}
