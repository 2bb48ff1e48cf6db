use serde::de::DeserializeOwned;

use crate::client::ClientSocket;
use crate::client::simple::SimpleCall;
use crate::core::{Arguments, Delivery, Encoded, Text, WriteArguments};
use crate::error::Error;
use crate::handle::{any_answer, first_answer};

/// The verbs of a [`SimpleClient`](crate::client::SimpleClient) in one namespace: they wait while it is not joined.
///
/// ```no_run
/// # use socketio_driver::client::SimpleClient;
/// # async fn run(client: SimpleClient) -> Result<(), Box<dyn std::error::Error>> {
/// let news = client.in_ns("/news");
/// news.emit("subscribe", "rust").await?;
/// let readers: u32 = news.call("readers", &()).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SimpleSocket(Result<ClientSocket, Error>);

impl SimpleSocket {
    pub(super) const fn new(socket: Result<ClientSocket, Error>) -> Self {
        Self(socket)
    }

    /// Sends `event` as soon as the namespace is joined and the server is [ready](ClientSocket::ready) for it: who emits
    /// faster than the server reads waits. A tuple makes several arguments, `&()` none, everything else one.
    ///
    /// # Errors
    /// [`Error::Disconnected`] when the namespace is not joined and will not be by itself; otherwise as
    /// [`ClientSocket::emit`].
    pub async fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        let sent = self.encoded(event, arguments);
        let (socket, packet) = sent?;
        loop {
            socket.ready().await?;
            match socket.send_packet(&packet, Delivery::Reliable) {
                // It was lost in between.
                Err(Error::NotConnected) => {}
                sent => return sent,
            }
        }
    }

    /// Sends `event` as soon as the namespace is joined, and waits for the first argument of the server's
    /// acknowledgement; see [`SimpleCall`].
    pub fn call<T: DeserializeOwned>(
        &self,
        event: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) -> SimpleCall<T> {
        SimpleCall::new(self.encoded(event, arguments), first_answer)
    }

    /// Sends `event` as soon as the namespace is joined, and waits for all arguments of the server's acknowledgement;
    /// see [`SimpleCall`].
    pub fn emit_with_ack<A: WriteArguments + ?Sized>(
        &self,
        event: &str,
        arguments: &A,
    ) -> SimpleCall<Arguments> {
        SimpleCall::new(self.encoded(event, arguments), any_answer)
    }

    /// The id of the socket in this namespace; `None` while it is not joined.
    pub fn id(&self) -> Option<Text> {
        self.0.as_ref().ok()?.id()
    }

    /// Whether the namespace is joined.
    pub fn connected(&self) -> bool {
        self.0.as_ref().is_ok_and(ClientSocket::connected)
    }

    fn encoded<A: WriteArguments + ?Sized>(
        &self,
        event: &str,
        arguments: &A,
    ) -> Result<(ClientSocket, Encoded), Error> {
        let socket = self.0.clone()?;
        let packet = socket.encode(event, arguments)?;
        Ok((socket, packet))
    }
}
