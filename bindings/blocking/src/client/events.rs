use std::time::Duration;

use socketio_driver::client::{ConnectionEvent, RecvError};

use crate::threads::{Timeout, wait_anyhow};

/// What happens to a client's connection, from the moment [`Client::events`](super::Client::events) was called: an
/// iterator that waits for the next event, and ends when the client is gone.
///
/// It does not keep the client alive. At most 256 events wait here: beyond that the oldest are dropped, and
/// [`ConnectionEvent::Lagged`] says how many.
///
/// ```no_run
/// # use socketio_blocking::{Client, client::ConnectionEvent};
/// # fn watch(client: Client) {
/// for event in client.events() {
///     match event {
///         ConnectionEvent::Reconnecting { attempt, delay } => println!("attempt {attempt} in {delay:?}"),
///         ConnectionEvent::Closed { reason } => println!("closed: {reason}"),
///         _ => {}
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
#[must_use = "events are only seen by who takes them"]
pub struct ConnectionEvents(socketio_driver::client::ConnectionEvents);

impl ConnectionEvents {
    pub(crate) const fn new(events: socketio_driver::client::ConnectionEvents) -> Self {
        Self(events)
    }

    /// Waits at most `timeout` for the next event.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`], and [`RecvError::Disconnected`] when the client is gone.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<ConnectionEvent, RecvError> {
        match wait_anyhow(self.0.next(), Timeout::of(timeout)) {
            Some(Some(event)) => Ok(event),
            Some(None) => Err(RecvError::Disconnected),
            None => Err(RecvError::TimedOut),
        }
    }
}

impl Iterator for ConnectionEvents {
    type Item = ConnectionEvent;

    fn next(&mut self) -> Option<ConnectionEvent> {
        wait_anyhow(self.0.next(), Timeout::Never).flatten()
    }
}
