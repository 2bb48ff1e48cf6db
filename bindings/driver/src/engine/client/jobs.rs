//! What a client's handlers are called for, and how they are run.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::Context;

use super::super::instance::{EventJob, Instance, Job, Next};
use super::super::shard::Shard;
use super::super::strand::Work;
use super::super::work::reopen;
use super::effect::Effect;
use super::machine::ClientMachine;
use crate::client::ClientReason;
use crate::client::inner::ClientInner;
use crate::core::ClientAckToken;
use crate::error::Error;

/// What handlers have to be called for.
#[derive(Debug)]
pub(crate) enum ClientJob {
    /// Run `on_connect`.
    Connect,
    /// Run an event's handler.
    Event(EventJob<ClientAckToken>),
    /// Run `on_disconnect`; the strand goes on with the next `Connect`.
    Disconnect(Box<ClientReason>),
}

impl Job for ClientJob {
    fn detach(&mut self) {
        if let Self::Event(event) = self {
            event.detach();
        }
    }

    fn is_last(&self) -> bool {
        matches!(self, Self::Disconnect(_))
    }

    fn size(&self) -> usize {
        match self {
            Self::Event(event) => event.size(),
            Self::Connect | Self::Disconnect(_) => 0,
        }
    }
}

impl Instance for ClientInner {
    type Machine = ClientMachine;
    type Requests = ();

    fn shard(&self) -> &Shard<ClientMachine> {
        self.shard()
    }

    fn may_overtake(&self, work: &Work<ClientMachine>) -> bool {
        match work.job {
            ClientJob::Connect => false,
            ClientJob::Event(_) => !self.router().is_serial(work.subject),
            ClientJob::Disconnect(_) => true,
        }
    }

    fn run(self: &Arc<Self>, work: Work<ClientMachine>, task: &mut Context<'_>) -> Next {
        if let ClientJob::Disconnect(_) = work.job {
            reopen(self, work.strand);
        }
        self.run_job(work, task)
    }

    fn answer(self: &Arc<Self>, (): &mut (), request: Infallible) -> Result<(), Error> {
        match request {}
    }

    fn perform(self: &Arc<Self>, effect: Effect) {
        effect.perform(self);
    }
}
