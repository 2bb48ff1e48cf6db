use std::fmt;

use serde::de::DeserializeOwned;

use crate::core::{Arguments, WriteArguments};
use crate::error::{Error, ExtractError};
use crate::extract::{Ack, Event};

/// An event of the server, as [`SimpleClient::recv`](crate::client::SimpleClient::recv) gives it.
///
/// ```no_run
/// # use socketio_driver::client::SimpleClient;
/// # async fn run(client: SimpleClient) -> Result<(), Box<dyn std::error::Error>> {
/// let event = client.recv().await?;
/// if event.name() == "ask" {
///     let number: i64 = event.arg()?;
///     event.ack(&(number + 1))?;
/// }
/// # Ok(()) }
/// ```
pub struct Incoming {
    namespace: String,
    event: Event,
    ack: Ack,
}

impl Incoming {
    pub(crate) fn new(namespace: String, event: Event, ack: Ack) -> Self {
        Self {
            namespace,
            event: event.detach(),
            ack,
        }
    }

    /// The namespace it came in.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.event.name()
    }

    /// The first argument.
    ///
    /// # Errors
    /// When there is none, or it has another shape.
    pub fn arg<T: DeserializeOwned>(&self) -> Result<T, ExtractError> {
        self.event.arg()
    }

    /// All arguments: a tuple, or any type that reads from a list.
    ///
    /// # Errors
    /// When they have another shape.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, ExtractError> {
        self.event.args()
    }

    /// All arguments, unparsed.
    pub fn arguments(&self) -> &Arguments {
        self.event.arguments()
    }

    /// Whether the server waits for an acknowledgement.
    pub fn wants_ack(&self) -> bool {
        self.ack.is_wanted()
    }

    /// Sends the acknowledgement; a tuple makes several arguments. Nothing is sent when the server does not wait for
    /// one.
    ///
    /// # Errors
    /// When `arguments` cannot be serialised, or the connection the event came on is gone.
    pub fn ack<A: WriteArguments + ?Sized>(self, arguments: &A) -> Result<(), Error> {
        self.ack.send(arguments)
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Incoming")
            .field("namespace", &self.namespace)
            .field("name", &self.name())
            .field("arguments", self.arguments())
            .field("wants_ack", &self.wants_ack())
            .finish()
    }
}
