use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::error::{ErrorReport, Stage};
use crate::extract::SocketData;
use crate::handle::Socket;
use crate::handler::{GuardContext, GuardOutcome, Step, Suspended};
use crate::refusal::Refusal;

/// What a client is told whose guard failed: what went wrong is none of its business.
const GUARD_FAILED: &str = "not allowed";

/// Whether a client may join.
#[derive(Debug)]
pub enum Verdict {
    /// It may; what the guards learned is kept with its socket.
    Admit,
    /// It may not, and is told why.
    Refuse(Refusal),
}

/// The guards of a namespace asking, one after the other, whether a client may join; a future of the answer.
///
/// Failures of guards are reported to the error hook here. Guards that need not wait allocate nothing.
#[must_use = "nobody is admitted unless this is polled"]
pub struct Admission {
    socket: Socket,
    data: Option<SocketData>,
    next: usize,
    waiting: Option<Suspended<GuardContext>>,
}

impl Admission {
    /// For a client that asks to join.
    pub fn new(socket: Socket) -> Self {
        Self {
            socket,
            data: None,
            next: 0,
            waiting: None,
        }
    }

    fn refuse(&self, mut refusal: Refusal) -> Verdict {
        if let Err(error) = refusal.check() {
            let (stage, socket, error) = (Stage::Guard, self.socket.clone(), error.into());
            self.socket.inner().router().report(&ErrorReport {
                stage,
                socket,
                event: None,
                error,
            });
        }
        Verdict::Refuse(refusal)
    }

    /// The next guard's outcome; `None` when all have been asked.
    fn poll_guard(&mut self, task: &mut Context<'_>) -> Poll<Option<GuardOutcome>> {
        if self.waiting.is_none() {
            let context = GuardContext::new(self.socket.clone(), self.data.clone());
            let step = self.socket.inner().router().guard(self.next, context, task);
            self.next += 1;
            match step {
                None => return Poll::Ready(None),
                Some(Step::Done(outcome)) => return Poll::Ready(Some(outcome)),
                // It was polled just now: polling again at once would only cost.
                Some(Step::Pending(suspended)) => {
                    self.waiting = Some(suspended);
                    return Poll::Pending;
                }
            }
        }
        let Some(suspended) = &mut self.waiting else {
            return Poll::Ready(None);
        };
        let outcome = ready!(Pin::new(suspended).poll(task));
        self.waiting = None;
        Poll::Ready(Some(outcome))
    }
}

impl Future for Admission {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Verdict> {
        while let Some(outcome) = ready!(self.poll_guard(task)) {
            match outcome {
                GuardOutcome::Admitted(None) => {}
                GuardOutcome::Admitted(data) => self.data = data,
                GuardOutcome::Refused(refusal) => return Poll::Ready(self.refuse(refusal)),
                GuardOutcome::Failed(report) => {
                    self.socket.inner().router().report(&report);
                    return Poll::Ready(Verdict::Refuse(Refusal::new(GUARD_FAILED)));
                }
            }
        }
        if let Some(data) = self.data.take() {
            self.socket.set_data(data);
        }
        Poll::Ready(Verdict::Admit)
    }
}
