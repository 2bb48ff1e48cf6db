//! What an intermediary does that a wire does not.

use std::ops::Range;
use std::time::Duration;

use socketio_core::http::StatusCode;

use crate::chance::Chance;

/// An HTTP intermediary as it is configured; [`Default`] is one that only passes things on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intermediary {
    /// When bodies are passed on.
    pub buffering: Buffering,
    /// What becomes of connections of clients between two requests.
    pub clients: Cuts,
    /// What becomes of connections to the server between two requests.
    pub servers: Cuts,
    /// What becomes of requests for a WebSocket.
    pub upgrades: Upgrades,
    /// On which connections requests reach the server.
    pub lines: Lines,
    /// How long the server may take to begin its answer before the client gets 504; for ever if there is none.
    pub deadline: Option<Duration>,
    /// Whether connections of clients stay after an answer.
    pub persistence: Persistence,
    /// How messages are written.
    pub dialect: Dialect,
}

/// When bodies are passed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Buffering {
    /// Piece by piece.
    #[default]
    Streamed,
    /// Requests once they are complete, as nginx does; answers once they are complete and after this delay.
    Whole(Range<Duration>),
}

/// What becomes of connections between two requests. [`Default`] leaves them alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// One that has rested so long is closed; none if there is no time.
    pub after: Option<Duration>,
    /// Whether clients are told of that time, in a `Keep-Alive` header.
    pub notice: Notice,
    /// Once in so many requests that come on a connection which has served before, the connection ends just then, and
    /// nobody answers the request; never for 0.
    pub at_request: u64,
    /// Which requests can meet that.
    pub struck: Struck,
    /// How the connection ends then.
    pub manner: Manner,
}

/// Whether clients are told how long connections may rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notice {
    /// They are not.
    #[default]
    None,
    /// They are.
    Header,
}

/// Which requests can be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Struck {
    /// Polls.
    #[default]
    Polls,
    /// Polls and POSTs.
    All,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// By a FIN; nothing was answered.
    #[default]
    End,
    /// By a RST; nobody can say what was answered.
    Reset,
}

/// What becomes of requests for a WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrades {
    /// They are passed on, and then bytes both ways.
    #[default]
    Passed,
    /// They are answered with this status.
    Refused(StatusCode),
    /// They are passed on as requests like any other, without the headers that ask for it.
    Stripped,
    /// They are never answered.
    Swallowed,
    /// They are passed on, and both connections end when the server agrees.
    Unanswered,
    /// They are passed on, and both connections end after so many pieces were copied.
    Dropped(u32),
}

/// On which connections requests reach the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lines {
    /// On one for each connection of a client.
    #[default]
    Paired,
    /// On a new one for each request.
    Fresh,
    /// On any that rests, whoever was served on it before; at most so many are kept.
    Shared(usize),
}

/// Whether connections of clients stay after an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// They do.
    #[default]
    KeepAlive,
    /// They do not: every answer says `Connection: close`.
    Close,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// How the names of headers are written.
    pub case: Case,
    /// What stands before the bodies of requests.
    pub requests: Coding,
    /// What stands before the bodies of answers.
    pub answers: Coding,
    /// Which headers are added.
    pub traces: Traces,
}

/// How the names of headers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// As they came.
    #[default]
    Kept,
    /// `content-length`
    Lower,
    /// `CONTENT-LENGTH`
    Upper,
}

/// How bodies are delimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    /// As they came.
    #[default]
    Kept,
    /// In chunks.
    Chunked,
}

/// Which headers are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Traces {
    /// None.
    #[default]
    None,
    /// `Via` and `X-Forwarded-For`.
    Added,
}

/// What an intermediary may take from those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toll {
    /// Nothing but time.
    Nothing,
    /// Sessions: they end for a reason that both sides hear.
    Sessions,
}

/// A client sends no POST on a connection that has rested for 4 s; so much longer it is on its way at most.
const SAFE_REST: Duration = Duration::from_secs(5);
/// What a poll may take longer than the time between two pings.
const POLL_MARGIN: Duration = Duration::from_secs(3);

impl Intermediary {
    /// Any: each quirk in one of three, by chance.
    #[must_use]
    pub fn drawn(chance: &mut Chance) -> Self {
        let mut drawn = Self::default();
        if chance.once_in(3) {
            let most = Duration::from_millis(chance.in_range(1..1_500));
            drawn.buffering = Buffering::Whole(Duration::ZERO..most);
        }
        if chance.once_in(3) {
            drawn.clients = Cuts::drawn(chance);
        }
        if chance.once_in(3) {
            drawn.servers = Cuts::drawn(chance);
        }
        if chance.once_in(3) {
            drawn.upgrades = Upgrades::drawn(chance);
        }
        drawn.lines = *chance.pick(&[Lines::Paired, Lines::Fresh, Lines::Shared(3), Lines::Shared(50)]);
        if chance.once_in(6) {
            drawn.deadline = Some(Duration::from_secs(chance.in_range(1..60)));
        }
        if chance.once_in(6) {
            drawn.persistence = Persistence::Close;
        }
        drawn.dialect = Dialect {
            case: *chance.pick(&[Case::Kept, Case::Lower, Case::Upper]),
            requests: *chance.pick(&[Coding::Kept, Coding::Chunked]),
            answers: *chance.pick(&[Coding::Kept, Coding::Chunked]),
            traces: *chance.pick(&[Traces::None, Traces::Added]),
        };
        drawn
    }

    /// What it may take from clients whose server pings at this interval.
    #[must_use]
    pub fn toll(&self, ping_interval: Duration) -> Toll {
        let delay = match &self.buffering {
            Buffering::Streamed => Duration::ZERO,
            Buffering::Whole(delay) => delay.end,
        };
        let is_impatient = self
            .deadline
            .is_some_and(|deadline| deadline < ping_interval + POLL_MARGIN + delay);
        let surprises = self.clients.notice == Notice::None
            && self.persistence == Persistence::KeepAlive
            && self.clients.after.is_some_and(|after| after < SAFE_REST);
        let strikes = self.clients.at_request > 0
            && (self.clients.manner == Manner::Reset || self.clients.struck == Struck::All);
        let breaks = self.servers.at_request > 0 || matches!(self.upgrades, Upgrades::Dropped(1..));
        if is_impatient || surprises || strikes || breaks {
            Toll::Sessions
        } else {
            Toll::Nothing
        }
    }
}

impl Cuts {
    fn drawn(chance: &mut Chance) -> Self {
        let after = [0, 1, 2, 5, 7, 20].map(Duration::from_secs);
        let after = *chance.pick(&after);
        Self {
            after: (!after.is_zero()).then_some(after),
            notice: *chance.pick(&[Notice::None, Notice::Header]),
            at_request: *chance.pick(&[0, 2, 5, 20]),
            struck: *chance.pick(&[Struck::Polls, Struck::All]),
            manner: *chance.pick(&[Manner::End, Manner::Reset]),
        }
    }
}

impl Upgrades {
    fn drawn(chance: &mut Chance) -> Self {
        let pieces = chance.in_range(0..9) as u32;
        *chance.pick(&[
            Self::Refused(StatusCode::BAD_REQUEST),
            Self::Refused(StatusCode::BAD_GATEWAY),
            Self::Stripped,
            Self::Swallowed,
            Self::Unanswered,
            Self::Dropped(pieces),
        ])
    }
}
