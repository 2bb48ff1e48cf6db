//! Packets of an open session, and its heartbeat (protocol section 1.11).

use super::deadlines::Due;
use super::event::CloseReason;
use super::session::{Phase, Stage};
use super::{Client, Event};
use crate::timer::later;
use crate::wire::ClientItem;

impl<M> Client<M> {
    /// A packet that means the same on both transports.
    pub(super) fn receive(&mut self, item: ClientItem<M>) {
        match item {
            ClientItem::Message(message) => self.events.push_back(Event::Message(message)),
            ClientItem::Ping(_) => self.answer_ping(),
            ClientItem::Close => self.end(CloseReason::TransportClose),
            ClientItem::Malformed(error) => self.end(CloseReason::ParseError(error)),
            ClientItem::Open(_)
            | ClientItem::Pong(_)
            | ClientItem::Noop
            | ClientItem::Ignored
            | ClientItem::KeepAlive
            | ClientItem::Response(_)
            | ClientItem::ErrorBody(_)
            | ClientItem::End
            | ClientItem::Unanswered
            | ClientItem::Closed(_)
            | ClientItem::Failed(_) => {}
        }
    }

    /// The server is given all its time anew; nothing but a ping does that.
    pub(super) fn await_ping(&mut self) {
        if let Phase::Open(session) = &self.phase {
            let deadline = later(self.now, session.patience);
            self.deadlines.arm(Due::Heartbeat, deadline);
        }
    }

    fn answer_ping(&mut self) {
        let Phase::Open(session) = &self.phase else { return };
        if session.stage == Stage::Closing {
            return;
        }
        self.await_ping();
        // Who pings and does not read gets no more answers than other packets.
        if self.queue.len() < self.config.limits.queued_bytes {
            self.put_text(b"3");
        }
    }
}
