use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::EngineInner;
use crate::core::{
    Delivery, EngineMessage, EngineSid, Peer, RequestHead, SendError, SessionId, Text, Transport,
};
use crate::error::Error;
use crate::handle::Ready;

/// One Engine.IO session. Clones are handles to the same session, and may outlive it.
#[derive(Clone)]
pub struct Session(Arc<SessionShared>);

struct SessionShared {
    inner: Arc<EngineInner>,
    id: SessionId,
    sid: EngineSid,
    head: RequestHead,
    peer: Peer,
}

impl Session {
    pub(crate) fn new(
        inner: Arc<EngineInner>,
        id: SessionId,
        sid: EngineSid,
        head: RequestHead,
        peer: Peer,
    ) -> Self {
        Self(Arc::new(SessionShared {
            inner,
            id,
            sid,
            head,
            peer,
        }))
    }

    pub(crate) fn inner(&self) -> &Arc<EngineInner> {
        &self.0.inner
    }

    pub(crate) fn id(&self) -> SessionId {
        self.0.id
    }

    /// The id its client uses as a credential: do not show it to others.
    pub fn sid(&self) -> EngineSid {
        self.0.sid
    }

    /// The head of the request that began the session: headers and query.
    pub fn head(&self) -> &RequestHead {
        &self.0.head
    }

    /// Who began the session.
    pub fn peer(&self) -> Peer {
        self.0.peer
    }

    /// What carries the session now; `None` when it has ended.
    pub fn transport(&self) -> Option<Transport> {
        self.0
            .inner
            .with_core(|core, _| core.transport(self.0.id))
            .ok()
            .flatten()
    }

    /// Sends a message. What happens when the client reads more slowly than is sent to it is told at
    /// [`Limits::queued_bytes`](crate::Limits::queued_bytes); whoever can wait calls [`ready`](Self::ready) before.
    ///
    /// # Errors
    /// When the session has ended, or its client does not read what is sent to it: then the session is closed.
    pub fn send(&self, message: &EngineMessage) -> Result<(), Error> {
        self.deliver(message, Delivery::Reliable)
    }

    /// Sends a text message; see [`send`](Self::send).
    pub fn send_text(&self, text: impl Into<Text>) -> Result<(), Error> {
        self.send(&EngineMessage::Text(text.into()))
    }

    /// Sends a binary message; see [`send`](Self::send).
    pub fn send_binary(&self, data: impl Into<Bytes>) -> Result<(), Error> {
        self.send(&EngineMessage::Binary(data.into()))
    }

    /// Sends a message if it can leave at once, and drops it otherwise.
    ///
    /// # Errors
    /// As for [`send`](Self::send); a dropped message is none.
    pub fn send_volatile(&self, message: &EngineMessage) -> Result<(), Error> {
        self.deliver(message, Delivery::Volatile)
    }

    /// Waits until the client is ready for more, so that it never gets more than it reads; see [`Ready`]. A handler
    /// cannot wait: clone the session into a task.
    pub fn ready(&self) -> Ready {
        Ready::of_session(self.clone())
    }

    /// Ends the session after what is queued for it.
    pub fn close(&self) -> Result<(), Error> {
        self.0.inner.with_core(|core, now| core.close(now, self.0.id))
    }

    fn deliver(&self, message: &EngineMessage, delivery: Delivery) -> Result<(), Error> {
        let sent = self
            .0
            .inner
            .with_core(|core, now| core.send(now, self.0.id, message, delivery))?;
        match sent {
            Ok(()) | Err(SendError::Dropped) => Ok(()),
            Err(SendError::QueueFull) => Err(Error::QueueFull),
            Err(_) => Err(Error::Disconnected),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The sid is a credential.
        formatter
            .debug_struct("Session")
            .field("peer", &self.0.peer)
            .finish_non_exhaustive()
    }
}
