use super::admission::Excess;
use super::{Peer, RefusalContext, SessionId};
use crate::OutBuf;
use crate::eio::ConnId;
use crate::http::{Headers, RequestHead, Response};
use crate::timer::TimerId;
use crate::wire::Persistence;
use crate::ws::CloseCode;
use std::collections::VecDeque;

/// One request that waits for the application's answer. Stale once it was answered or its connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId {
    pub(super) connection: ConnId,
    pub(super) serial: u32,
}

impl RequestId {
    /// The connection the request came on.
    pub const fn connection(self) -> ConnId {
        self.connection
    }
}

pub(super) struct Connection {
    pub(super) peer: Peer,
    pub(super) role: Role,
    /// What the wire has to be told, oldest first.
    pub(super) commands: VecDeque<Command>,
    pub(super) listing: Listing,
    pub(super) timer: Option<TimerId>,
    /// The answer to a poll that is being written.
    pub(super) answer: Option<Answer>,
    /// Counts the requests, so that a late answer does not meet a later request.
    pub(super) serial: u32,
}

/// An answer to a poll that is not written to its end.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    /// Whose packets it carries.
    pub(super) session: SessionId,
    /// What is left of it, and counted at the session.
    pub(super) unwritten: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    Unlisted,
    /// In the ready list already.
    Listed,
}

/// What a connection is being used for.
pub(super) enum Role {
    /// Between requests.
    Idle,
    /// One more than may be open at once: its first request is turned away.
    Excess(Excess),
    /// The application answers.
    Foreign,
    /// The application decides about a handshake.
    Deciding(Box<RequestHead>),
    /// A poll waits for packets.
    Poll { session: SessionId, headers: Headers },
    /// A polling body comes in.
    Post { session: SessionId, headers: Headers },
    /// Carries a session.
    WebSocket(SessionId),
    /// A WebSocket on which an upgrade is being tried.
    Probe(SessionId),
    /// Has nothing more to say.
    Ending,
}

pub(super) enum Command {
    Respond(Box<Response>, Persistence),
    /// Answer a poll with the last packets of a session that is gone.
    Payload(Box<OutBuf>, Headers),
    ReadPayload,
    ReadBody(usize),
    AcceptWebSocket(Headers),
    Frames(Box<OutBuf>),
    Text(&'static [u8]),
    Close(Option<CloseCode>),
    /// The time for a request is over; if that can be answered, with these headers, it is told to the application, too.
    Expire(Option<RefusalContext>, Headers),
}

impl Command {
    /// Whether the wire writes the answer to a request because of it.
    pub(super) const fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Respond(..) | Self::Payload(..) | Self::AcceptWebSocket(_)
        )
    }
}

impl Connection {
    pub(super) fn new(peer: Peer, role: Role) -> Self {
        Self {
            peer,
            role,
            commands: VecDeque::new(),
            listing: Listing::Unlisted,
            timer: None,
            answer: None,
            serial: 0,
        }
    }
}
