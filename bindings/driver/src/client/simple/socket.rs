use std::future::poll_fn;
use std::task::Poll;

use serde::de::DeserializeOwned;

use crate::client::ClientSocket;
use crate::client::hub::Course;
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

    /// Sends `event` as soon as the namespace is joined. A tuple makes several arguments, `&()` none, everything else
    /// one.
    ///
    /// # Errors
    /// [`Error::Disconnected`] when the namespace is not joined and will not be by itself; otherwise as
    /// [`ClientSocket::emit`].
    pub async fn emit<A: WriteArguments + ?Sized>(&self, event: &str, arguments: &A) -> Result<(), Error> {
        let sent = self.encoded(event, arguments);
        let (socket, packet) = sent?;
        loop {
            match socket.send_packet(&packet, Delivery::Reliable) {
                Err(Error::NotConnected) => rejoined(&socket).await?,
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

/// Waits until the namespace of `socket` is joined.
///
/// # Errors
/// [`Error::Disconnected`] when it will not be by itself.
pub(super) async fn rejoined(socket: &ClientSocket) -> Result<(), Error> {
    // Only the hub is kept while waiting, so that a client that ends wakes who waits.
    let mut watch = socket.inner()?.hub().watch();
    poll_fn(|task| {
        // Before the core is asked, so that whatever changes after that wakes.
        let end = watch.poll(task.waker(), |standing| {
            matches!(standing.course, Course::Over(_)).then_some(Error::Disconnected)
        });
        if let Poll::Ready(error) = end {
            return Poll::Ready(Err(error));
        }
        let look = socket.with_core(|core, namespace, _| (core.is_joined(namespace), core.wants(namespace)));
        match look {
            Ok((true, _)) => Poll::Ready(Ok(())),
            Ok((false, true)) => Poll::Pending,
            Ok((false, false)) => Poll::Ready(Err(Error::Disconnected)),
            Err(error) => Poll::Ready(Err(error)),
        }
    })
    .await
}
