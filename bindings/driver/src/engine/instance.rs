//! What the driver's loop needs to know of a server or a client: one loop serves Socket.IO and bare Engine.IO, both
//! sides.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use bytes::Bytes;

use super::shard::{Shard, Task};
use super::strand::{StrandId, Strands, Work};
use super::wires::ConnectionWire;
use crate::core::{Arguments, ConnId, EventName, Limits, OutBuf};
use crate::error::Error;
use crate::handle::Subject;
use crate::handler::EventContext;
use crate::refused::Refused;

/// A server or client as its handles share it: the lock, and what runs outside of it.
pub(crate) trait Instance: Send + Sync + Sized + 'static {
    /// What is behind the lock.
    type Machine: Machine;

    /// What a connection remembers of the requests that it brought.
    type Requests: Default + Send;

    /// The lock.
    fn shard(&self) -> &Shard<Self::Machine>;

    /// Runs one job, outside the lock.
    fn run(self: &Arc<Self>, work: Work<Self::Machine>, task: &mut Context<'_>) -> Next;

    /// Whether what comes after a job may begin while the job waits.
    fn may_overtake(&self, work: &Work<Self::Machine>) -> bool;

    /// Answers a request that a connection brought, outside the lock.
    fn answer(
        self: &Arc<Self>,
        requests: &mut Self::Requests,
        request: <Self::Machine as Machine>::Request,
    ) -> Result<(), Error>;

    /// Tells the application who was refused, outside the lock. Only servers refuse.
    fn notify_refused(&self, _: &Refused) {}

    /// Carries out what the core needs done, outside the lock and without waiting.
    fn perform(self: &Arc<Self>, effect: <Self::Machine as Machine>::Effect);
}

/// Whether the jobs after this one may run.
pub(crate) enum Next {
    Go,
    /// As many handlers as may wait for their futures; the next starts when one of them is done.
    Full,
    /// The rest of the job goes on as a task of its own, and its strand after it.
    After(Task),
}

/// A core behind the lock, with what the driver keeps beside it.
pub(crate) trait Machine: Send + Sized + 'static {
    /// One connection's bytes.
    type Wire: ConnectionWire;
    /// Whose strand it is; its handle.
    type Subject: Clone + Send;
    /// What handlers are called for.
    type Job: Job;
    /// What the application is asked about a connection, and answers on that connection's task.
    type Request: Send;
    /// What else has to be done for the core, on no particular task.
    type Effect: Send;

    fn limits(&self) -> &Limits;
    fn handle_item(&mut self, now: Instant, connection: ConnId, item: ItemOf<Self>);

    /// A connection is gone; `detail` says why if it failed.
    fn handle_lost(&mut self, now: Instant, connection: ConnId, detail: Option<String>);
    fn handle_timeout(&mut self, now: Instant);
    fn shutdown(&mut self, now: Instant);
    fn recycle(&mut self, buffer: OutBuf);
    fn poll_ready(&mut self) -> Option<ConnId>;
    fn poll_transmit(&mut self, connection: ConnId, wire: &mut Self::Wire);
    fn poll_timeout(&self) -> Option<Instant>;

    /// The next thing the core has to tell; new strands are entered into `strands`.
    fn poll_notice(&mut self, strands: &mut Strands<Self>) -> Option<Notice<Self>>;

    /// A strand is over: nothing refers to it any more.
    fn forget(&mut self, strand: StrandId, subject: &Self::Subject);

    /// Whether nothing is left to do after a shutdown, so that all tasks may end. Those of a server end with its
    /// serving.
    fn is_over(&self) -> bool {
        false
    }
}

/// What happens on the connections of a machine.
pub(crate) type ItemOf<M> = <<M as Machine>::Wire as ConnectionWire>::Item;

/// What handlers are called for.
pub(crate) trait Job: Send {
    /// Copies what the job keeps out of the read buffer it arrived in.
    fn detach(&mut self);

    /// Whether it stands for the end of everything before it, which therefore starts however many handlers wait.
    fn is_last(&self) -> bool;

    /// About how many bytes it keeps.
    fn size(&self) -> usize;
}

/// An event whose handler has to be called.
#[derive(Debug)]
pub(crate) struct EventJob<Token> {
    pub(crate) name: EventName,
    pub(crate) arguments: Arguments,
    pub(crate) ack: Option<Token>,
}

impl<Token> EventJob<Token> {
    pub(super) fn detach(&mut self) {
        self.name = self.name.detach();
        self.arguments = self.arguments.detach();
    }

    /// About how many bytes it keeps.
    pub(super) fn size(&self) -> usize {
        let attachments = self.arguments.attachments().iter().map(Bytes::len);
        self.arguments.text().len() + attachments.sum::<usize>()
    }

    /// What its handler is called with.
    pub(crate) fn into_context<S: Subject<Token = Token>>(self, socket: S) -> EventContext<S> {
        EventContext::new(socket, self.name, self.arguments, self.ack)
    }
}

/// What a core has to tell.
pub(crate) enum Notice<M: Machine> {
    /// A handler is to be called.
    Job(StrandId, M::Job),
    /// Somebody waited for this.
    Wake(Waker),
    /// Somebody was refused, and the application wants to know.
    Refused(Refused),
    /// The application has to be asked.
    Request(M::Request),
    /// Something has to be done for the core.
    Effect(M::Effect),
    /// Nobody needs to know.
    Nothing,
}

/// The verbs of [`Machine`] that all cores have under the same names, for a machine with a field `core`.
macro_rules! forward_to_core {
    () => {
        fn handle_item(&mut self, now: Instant, connection: ConnId, item: ItemOf<Self>) {
            self.core.handle_item(now, connection, item);
        }

        fn handle_timeout(&mut self, now: Instant) {
            self.core.handle_timeout(now);
        }

        fn recycle(&mut self, buffer: OutBuf) {
            self.core.recycle(buffer);
        }

        fn poll_ready(&mut self) -> Option<ConnId> {
            self.core.poll_ready()
        }

        fn poll_transmit(&mut self, connection: ConnId, wire: &mut Self::Wire) {
            self.core.poll_transmit(connection, wire);
        }

        fn poll_timeout(&self) -> Option<Instant> {
            self.core.poll_timeout()
        }
    };
}

pub(super) use forward_to_core;
