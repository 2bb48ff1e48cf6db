//! Asking and answering, on behalf of either side.

use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use crate::client::ClientSocket;
use crate::core::{AckError, AckId, Arguments, Encoded, Retry};
use crate::error::{CallError, Error};
use crate::handle::Socket;

/// Who asks the other side.
#[derive(Clone, Debug)]
pub(crate) enum AnySocket {
    OfServer(Socket),
    OfClient(ClientSocket),
}

impl AnySocket {
    /// Sends a packet that wants an acknowledgement, and makes room for it.
    pub(crate) fn ask(&self, packet: &Encoded, timeout: Duration) -> Result<AckId, Error> {
        match self {
            Self::OfServer(socket) => {
                let inner = socket.inner();
                inner.with_core(|core, now| {
                    let ack = core.emit_with_ack(now, socket.socket_id(), packet, now + timeout)?;
                    inner.calls().register(ack);
                    Ok(ack)
                })?
            }
            Self::OfClient(socket) => {
                let inner = socket.inner()?;
                let namespace = inner.namespace_id(socket.position())?;
                inner.with_core(|core, now| {
                    let ack = core.emit_with_ack(now, namespace, packet, now + timeout)?;
                    inner.calls().register(ack);
                    Ok(ack)
                })?
            }
        }
    }

    /// Queues a packet that is sent until it is acknowledged, and makes room for the acknowledgement. Servers have no
    /// such queue.
    pub(crate) fn deliver(&self, packet: &Encoded, retry: Retry) -> Result<AckId, Error> {
        let Self::OfClient(socket) = self else {
            return Err(Error::NotConnected);
        };
        let inner = socket.inner()?;
        let namespace = inner.namespace_id(socket.position())?;
        inner.with_core(|core, now| {
            let ack = core.deliver(now, namespace, packet, retry)?;
            inner.calls().register(ack);
            Ok(ack)
        })?
    }

    fn poll_answer(&self, ack: AckId, waker: &Waker) -> Poll<Result<Arguments, AckError>> {
        match self {
            Self::OfServer(socket) => socket.inner().calls().poll(ack, waker),
            Self::OfClient(socket) => match socket.inner() {
                Ok(inner) => inner.calls().poll(ack, waker),
                Err(_) => Poll::Ready(Err(AckError::Disconnected)),
            },
        }
    }

    /// Nobody waits for the answer any more.
    fn give_up(&self, ack: AckId) {
        // What has ended has nothing left to forget.
        match self {
            Self::OfServer(socket) => {
                if socket.inner().calls().forget(ack) {
                    let _ = socket.inner().with_core(|core, _| core.forget_ack(ack));
                }
            }
            Self::OfClient(socket) => {
                if let Ok(inner) = socket.inner()
                    && inner.calls().forget(ack)
                {
                    let _ = inner.with_core(|core, _| core.forget_ack(ack));
                }
            }
        }
    }
}

/// A packet and the way to its acknowledgement. Dropping it gives up the answer.
#[derive(Debug)]
pub(crate) struct PendingCall {
    socket: AnySocket,
    state: State,
}

#[derive(Debug)]
enum State {
    Unsent(Result<Encoded, Error>),
    Waiting(AckId),
    Finished,
}

impl PendingCall {
    pub(crate) const fn new(socket: AnySocket, packet: Result<Encoded, Error>) -> Self {
        Self {
            socket,
            state: State::Unsent(packet),
        }
    }

    /// Sends the packet with `send` when it was not sent yet, and looks for the answer.
    pub(crate) fn poll(
        &mut self,
        task: &Context<'_>,
        send: impl FnOnce(&AnySocket, &Encoded) -> Result<AckId, Error>,
    ) -> Poll<Result<Arguments, CallError>> {
        let ack = match std::mem::replace(&mut self.state, State::Finished) {
            State::Unsent(packet) => match packet.and_then(|packet| send(&self.socket, &packet)) {
                Ok(ack) => ack,
                Err(error) => return Poll::Ready(Err(error.into())),
            },
            State::Waiting(ack) => ack,
            State::Finished => return Poll::Pending,
        };
        self.state = State::Waiting(ack);
        let outcome = ready!(self.socket.poll_answer(ack, task.waker()));
        self.state = State::Finished;
        Poll::Ready(outcome.map_err(CallError::from))
    }
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        if let State::Waiting(ack) = self.state {
            self.socket.give_up(ack);
        }
    }
}
