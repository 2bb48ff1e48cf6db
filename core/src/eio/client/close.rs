//! How sessions end (protocol section 1.13).

use super::Client;
use super::deadlines::Due;
use super::event::{CloseReason, Event, Failure};
use super::session::{Carrier, Phase, Stage};
use crate::OutBuf;
use crate::eio::Watch;
use crate::timer::later;
use std::time::Instant;

impl<M> Client<M> {
    /// Ends the session: what is queued leaves first, within
    /// [`Config::close_timeout`](super::Config::close_timeout), and messages that arrive meanwhile are still
    /// told. On polling it has left when its last POST is answered, on WebSocket when the server has closed the
    /// connection. Ends an attempt at once.
    pub fn close(&mut self, now: Instant) {
        self.advance(now);
        let session = match &mut self.phase {
            Phase::Idle => return,
            Phase::Opening(_) => return self.end(CloseReason::ForcedClose),
            Phase::Open(session) => session,
        };
        if session.stage == Stage::Closing {
            return;
        }
        session.stage = Stage::Closing;
        let is_polling = matches!(session.carrier, Carrier::Polling(_));
        self.deadlines.disarm(Due::Heartbeat);
        let deadline = later(self.now, self.config.close_timeout);
        self.deadlines.arm(Due::Close, deadline);
        if is_polling {
            self.drop_probe();
            self.put_text(b"1");
        } else {
            self.flush();
        }
    }

    /// Ends the session, or the attempt to open one, at once, with a reason of the layer above. Nothing that is
    /// queued leaves.
    pub(crate) fn abort(&mut self, now: Instant, reason: CloseReason) {
        self.advance(now);
        self.end(reason);
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(&self.phase, Phase::Open(session) if session.stage == Stage::Closing)
    }

    /// There is no session and no attempt any more. Whatever ends a session that the application has closed, it
    /// ended because of that.
    pub(super) fn end(&mut self, failure: impl Into<Failure>) {
        let failure = if self.is_closing() {
            CloseReason::ForcedClose.into()
        } else {
            failure.into()
        };
        if matches!(core::mem::replace(&mut self.phase, Phase::Idle), Phase::Idle) {
            return;
        }
        self.deadlines.disarm_all();
        self.watch = Watch::Idle;
        self.unwant_all_but(None);
        let queue = core::mem::replace(&mut self.queue, OutBuf::new());
        self.recycle(queue);
        self.events.push_back(Event::Closed {
            reason: failure.reason,
            detail: failure.detail,
        });
    }
}
