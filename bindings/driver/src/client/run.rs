//! Running a client's handlers, outside the lock and in the order of their strands.

use std::sync::Arc;
use std::task::Context;

use crate::client::inner::ClientInner;
use crate::client::{ClientReason, ClientSocket};
use crate::core::{ClientEmitError, NamespaceId};
use crate::engine::{ClientJob, ClientMachine, Next, StrandId, Work, run_before, run_beside};
use crate::error::{ErrorReport, HandlerError, Stage};
use crate::handler::{ConnectContext, DisconnectContext, EventContext, EventOutcome, LifecycleOutcome, Step};

impl ClientInner {
    /// Runs one job of the strand of its namespace.
    pub(crate) fn run_job(self: &Arc<Self>, work: Work<ClientMachine>, task: &mut Context<'_>) -> Next {
        let Work {
            strand,
            subject: namespace,
            job,
        } = work;
        let Some(socket) = self.socket(namespace.index()).cloned() else {
            return Next::Go;
        };
        match job {
            ClientJob::Event(event) => self.run_event(strand, namespace, event.into_context(socket), task),
            ClientJob::Connect => self.run_connect(strand, socket, task),
            ClientJob::Disconnect(reason) => self.run_disconnect(strand, socket, *reason, task),
        }
    }

    /// An event that had waited for its namespace cannot be sent after all: the application hears of it as of a
    /// handler that failed.
    pub(crate) fn undeliverable(&self, namespace: NamespaceId, error: ClientEmitError) {
        if let Some(socket) = self.socket(namespace.index()).cloned() {
            self.router().report(&ErrorReport {
                stage: Stage::Emit,
                socket,
                event: None,
                error: HandlerError::Undelivered(error.into()),
            });
        }
    }

    fn run_event(
        self: &Arc<Self>,
        strand: StrandId,
        namespace: NamespaceId,
        context: EventContext<ClientSocket>,
        task: &mut Context<'_>,
    ) -> Next {
        let suspended = match self.router().event(context, task) {
            Step::Done(outcome) => {
                self.conclude(outcome);
                return Next::Go;
            }
            Step::Pending(suspended) => suspended,
        };
        let owned = Arc::clone(self);
        let rest = async move { owned.conclude(suspended.await) };
        if self.router().is_serial(namespace) {
            run_before(self, strand, rest)
        } else {
            run_beside(self, strand, rest)
        }
    }

    /// Nothing of the namespace begins before `on_connect` has finished.
    fn run_connect(self: &Arc<Self>, strand: StrandId, socket: ClientSocket, task: &mut Context<'_>) -> Next {
        match self.router().connect(ConnectContext::new(socket), task) {
            Step::Done(outcome) => {
                self.conclude_lifecycle(outcome);
                Next::Go
            }
            Step::Pending(suspended) => {
                let owned = Arc::clone(self);
                run_before(self, strand, async move {
                    owned.conclude_lifecycle(suspended.await);
                })
            }
        }
    }

    fn run_disconnect(
        self: &Arc<Self>,
        strand: StrandId,
        socket: ClientSocket,
        reason: ClientReason,
        task: &mut Context<'_>,
    ) -> Next {
        match self
            .router()
            .disconnect(DisconnectContext::new(socket, reason), task)
        {
            Step::Done(outcome) => {
                self.conclude_lifecycle(outcome);
                Next::Go
            }
            Step::Pending(suspended) => {
                let owned = Arc::clone(self);
                run_beside(self, strand, async move {
                    owned.conclude_lifecycle(suspended.await);
                })
            }
        }
    }

    fn conclude(self: &Arc<Self>, outcome: EventOutcome<ClientSocket>) {
        match outcome {
            EventOutcome::Nothing => {}
            EventOutcome::Reply { token, packet } => {
                // When the connection is gone there is nobody to miss the acknowledgement.
                let _ = self.with_core(|core, now| core.ack(now, token, &packet));
            }
            EventOutcome::Failed(report) => self.router().report(&report),
        }
    }

    fn conclude_lifecycle(&self, outcome: LifecycleOutcome<ClientSocket>) {
        if let LifecycleOutcome::Failed(report) = outcome {
            self.router().report(&report);
        }
    }
}
