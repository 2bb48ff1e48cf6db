//! What is behind a client's lock: its core, and what the driver keeps about it.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::super::instance::{EventJob, ItemOf, Machine, Notice, forward_to_core};
use super::super::strand::{Strand, StrandId, Strands};
use super::super::strand_table::StrandTable;
use super::effect::{Effect, Question, Runner};
use super::jobs::ClientJob;
use crate::client::inner::ClientInner;
use crate::client::{ClientReason, ConnectionEvent};
use crate::core::{
    ClientCloseReason, ClientCore, ClientEvent, ClientReasonKind, ClientTarget, ClientWire, ConnId, Encoded,
    JoinError, Limits, NamespaceId, OutBuf, Rejoins, SocketIo, Text,
};
use crate::net::Endpoint;

/// The core of a Socket.IO client, its strands, and what the application was asked.
pub(crate) struct ClientMachine {
    pub(crate) core: ClientCore,
    inner: Weak<ClientInner>,
    /// Each namespace has one for the client's whole life.
    strands: StrandTable<NamespaceId>,
    /// What events of the core came to and was not taken yet.
    notices: VecDeque<Notice<Self>>,
    /// Runs connections once they are there.
    runner: Arc<Runner>,
    /// Where the connections of this attempt go.
    endpoint: Option<Arc<Endpoint>>,
    questions: Questions,
    history: ConnectionHistory,
    lifetime: Lifetime,
}

/// What the application is being asked, on tasks that end when nobody wants the answer any more.
#[derive(Default)]
struct Questions {
    last: u64,
    open: Vec<OpenQuestion>,
}

struct OpenQuestion {
    question: Question,
    waker: Option<Waker>,
}

/// What happened to the connection, as far as later events report it.
#[derive(Default)]
struct ConnectionHistory {
    stage: Stage,
    /// Why a byte stream or a callback of the application failed: the first time in an attempt, the last time on a
    /// connection.
    error_detail: Option<String>,
    /// The connection that was lost, until the core has said what follows.
    lost: Option<ClientReason>,
    /// The last failure, which closing may be the consequence of.
    last: Option<ClientReason>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing is wanted.
    #[default]
    Offline,
    /// Before the first namespace is joined.
    Connecting,
    /// There is a session, but no namespace is joined.
    Opened,
    /// At least one namespace was joined.
    Connected,
}

/// Whether the application has a handle that keeps the client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    Kept,
    Retired,
}

impl ClientMachine {
    pub(super) fn new(core: ClientCore, inner: &Arc<ClientInner>, runner: Arc<Runner>) -> Self {
        Self {
            core,
            inner: Arc::downgrade(inner),
            strands: StrandTable::new(),
            notices: VecDeque::new(),
            runner,
            endpoint: None,
            questions: Questions::default(),
            history: ConnectionHistory::default(),
            lifetime: Lifetime::Kept,
        }
    }

    /// The last handle is gone: closes, and makes no other connection.
    pub(crate) fn retire(&mut self, now: Instant) {
        self.lifetime = Lifetime::Retired;
        self.core.close(now);
    }

    /// The tasks are gone: nothing that has to wait for them can be waited for.
    pub(super) fn cut_short(&mut self, now: Instant) {
        self.retire(now);
        let flushed = self.core.config().engine.close_timeout + Duration::from_millis(1);
        self.core.handle_timeout(now + flushed);
    }

    /// The answer to [`Question::Target`]; where an attempt goes, or why it can not be made.
    pub(super) fn answer_target(
        &mut self,
        now: Instant,
        question: Question,
        answer: Result<(Endpoint, ClientTarget), String>,
    ) {
        if !self.close_question(question) {
            return;
        }
        match answer {
            Ok((endpoint, target)) => {
                self.endpoint = Some(Arc::new(endpoint));
                self.core.proceed(now, target);
            }
            Err(error) => {
                self.history.error_detail = Some(error);
                self.core.abandon(now);
            }
        }
    }

    /// The answer to [`Question::Auth`]; the packet that asks for the namespace, or why there is none.
    pub(super) fn answer_auth(&mut self, now: Instant, question: Question, answer: Result<Encoded, String>) {
        if !self.close_question(question) {
            return;
        }
        match (answer, question.namespace) {
            (Ok(packet), Some(namespace)) => self.core.join(now, namespace, &packet),
            (Err(error), Some(namespace)) => {
                self.history.error_detail = Some(error);
                self.core.forgo(now, namespace);
            }
            (_, None) => {}
        }
    }

    /// Whether the answer to a question is still wanted; if so `waker` is woken when it no longer is. The waker that
    /// was there comes back, to be dropped outside the lock.
    pub(super) fn watch(&mut self, question: Question, waker: Waker) -> Result<Option<Waker>, Waker> {
        let mut open = self.questions.open.iter_mut();
        match open.find(|open| open.question == question) {
            Some(open) => Ok(open.waker.replace(waker)),
            None => Err(waker),
        }
    }

    /// Whether the question was open; it no longer is.
    fn close_question(&mut self, question: Question) -> bool {
        let position = self
            .questions
            .open
            .iter()
            .position(|open| open.question == question);
        if let Some(position) = position {
            let closed = self.questions.open.swap_remove(position);
            self.notices.extend(closed.waker.map(Notice::Wake));
        }
        position.is_some()
    }

    fn ask(&mut self, namespace: Option<NamespaceId>) -> Question {
        self.questions.last += 1;
        let question = Question {
            number: self.questions.last,
            namespace,
        };
        self.withdraw(|open| open.namespace == namespace);
        self.questions.open.push(OpenQuestion {
            question,
            waker: None,
        });
        question
    }

    /// Wants no answers to these questions any more.
    fn withdraw(&mut self, is_meant: impl Fn(&Question) -> bool) {
        let withdrawn = self
            .questions
            .open
            .extract_if(.., |open| is_meant(&open.question));
        let wakers = withdrawn.filter_map(|open| open.waker);
        self.notices.extend(wakers.map(Notice::Wake));
    }

    fn publish(&mut self, inner: &ClientInner, event: &ConnectionEvent) {
        self.notices
            .extend(inner.hub().publish(event).into_iter().map(Notice::Wake));
    }

    fn strand_of(&mut self, namespace: NamespaceId, strands: &mut Strands<Self>) -> StrandId {
        self.strands.get(namespace).unwrap_or_else(|| {
            let strand = strands.insert(Strand::new(namespace));
            self.strands.insert(namespace, strand);
            strand
        })
    }

    fn name(&self, namespace: NamespaceId) -> Text {
        self.core.namespace_name(namespace).cloned().unwrap_or_default()
    }

    fn notice(&mut self, event: ClientEvent, strands: &mut Strands<Self>) -> Option<Notice<Self>> {
        let inner = self.inner.upgrade()?;
        match event {
            ClientEvent::Event {
                namespace,
                name,
                arguments,
                ack,
            } => {
                let strand = self.strand_of(namespace, strands);
                return Some(Notice::Job(
                    strand,
                    ClientJob::Event(EventJob { name, arguments, ack }),
                ));
            }
            ClientEvent::Acked { ack, outcome } => {
                let outcome = outcome.map(|arguments| arguments.detach());
                return Some(Notice::Wake(inner.calls().complete(ack, outcome)?));
            }
            ClientEvent::Ready { .. } => {
                let wakers = inner.hub().take_waiting();
                self.notices.extend(wakers.into_iter().map(Notice::Wake));
            }
            ClientEvent::Undeliverable { namespace, error } => {
                return Some(Notice::Effect(Effect::Undeliverable(namespace, error)));
            }
            ClientEvent::Joining { namespace } => {
                let question = self.ask(Some(namespace));
                return Some(Notice::Effect(Effect::Ask(question)));
            }
            ClientEvent::Joined { namespace, sid } => self.joined(&inner, namespace, sid, strands),
            ClientEvent::Refused { namespace, error } => self.refused(&inner, namespace, error),
            ClientEvent::Left {
                namespace,
                reason,
                rejoins,
            } => self.left(&inner, namespace, self.reason(reason, None, rejoins), strands),
            event => return self.connection_notice(&inner, event),
        }
        None
    }

    /// What concerns the connection as a whole.
    fn connection_notice(&mut self, inner: &ClientInner, event: ClientEvent) -> Option<Notice<Self>> {
        match event {
            ClientEvent::Attempt { attempt } => return Some(self.attempt(inner, attempt)),
            ClientEvent::Opened { .. } => {
                self.history.stage = Stage::Opened;
                self.history.error_detail = None;
            }
            ClientEvent::Upgraded => self.publish(inner, &ConnectionEvent::Upgraded),
            ClientEvent::UpgradeFailed(reason) => {
                let reason = self.reason(ClientReasonKind::Engine(reason), None, Rejoins::Never);
                // Why the probe failed does not explain what happens later.
                self.history.error_detail = None;
                self.publish(inner, &ConnectionEvent::UpgradeFailed { reason });
            }
            ClientEvent::Failed {
                reason,
                detail,
                attempt,
            } => {
                let detail = detail.map(|detail| detail.as_str().to_owned());
                self.failed(inner, reason, detail, attempt);
            }
            ClientEvent::Reconnecting { attempt, delay } => {
                self.tell_loss(inner, Rejoins::Later);
                self.publish(inner, &ConnectionEvent::Reconnecting { attempt, delay });
            }
            ClientEvent::Closed { reason } => self.closed(inner, reason),
            _ => {}
        }
        None
    }

    fn attempt(&mut self, inner: &ClientInner, attempt: u32) -> Notice<Self> {
        self.history = ConnectionHistory {
            stage: Stage::Connecting,
            ..ConnectionHistory::default()
        };
        if self.lifetime == Lifetime::Retired {
            return Notice::Effect(Effect::Close);
        }
        self.publish(inner, &ConnectionEvent::Connecting { attempt });
        Notice::Effect(Effect::Ask(self.ask(None)))
    }

    fn joined(&mut self, inner: &ClientInner, namespace: NamespaceId, id: Text, strands: &mut Strands<Self>) {
        if mem::replace(&mut self.history.stage, Stage::Connected) != Stage::Connected
            && let Some(transport) = self.core.transport()
        {
            self.publish(inner, &ConnectionEvent::Connected { transport });
        }
        let event = ConnectionEvent::Joined {
            namespace: self.name(namespace),
            id: id.detach(),
        };
        self.publish(inner, &event);
        let strand = self.strand_of(namespace, strands);
        self.notices.push_back(Notice::Job(strand, ClientJob::Connect));
    }

    fn refused(&mut self, inner: &ClientInner, namespace: NamespaceId, error: JoinError) {
        let (message, data) = match error {
            JoinError::Refused { message, data } => (message, data),
            JoinError::Abandoned => (self.history.error_detail.take().unwrap_or_default(), None),
            error => (error.to_string(), None),
        };
        let namespace = self.name(namespace);
        let event = ConnectionEvent::Refused {
            namespace,
            message,
            data,
        };
        self.publish(inner, &event);
    }

    fn left(
        &mut self,
        inner: &ClientInner,
        namespace: NamespaceId,
        reason: ClientReason,
        strands: &mut Strands<Self>,
    ) {
        let event = ConnectionEvent::Left {
            namespace: self.name(namespace),
            reason: reason.clone(),
        };
        self.publish(inner, &event);
        let strand = self.strand_of(namespace, strands);
        let job = ClientJob::Disconnect(Box::new(reason));
        self.notices.push_back(Notice::Job(strand, job));
    }

    fn failed(
        &mut self,
        inner: &ClientInner,
        kind: ClientReasonKind,
        detail: Option<String>,
        attempt: Option<u32>,
    ) {
        self.withdraw(|_| true);
        let reason = self.reason(kind, detail, Rejoins::Later);
        self.history.last = Some(reason.clone());
        match attempt {
            Some(attempt) => {
                let error = reason;
                self.publish(inner, &ConnectionEvent::AttemptFailed { attempt, error });
            }
            None => self.history.lost = Some(reason),
        }
        self.history.stage = Stage::Connecting;
    }

    fn closed(&mut self, inner: &ClientInner, kind: ClientReasonKind) {
        self.withdraw(|_| true);
        let failure = self.history.last.take().filter(|last| last.kind == kind);
        let reason = ClientReason::new(kind, failure.and_then(|last| last.detail), Rejoins::Never);
        if self.history.stage == Stage::Connected {
            self.history.lost = Some(reason.clone());
        }
        self.tell_loss(inner, Rejoins::Never);
        self.history.stage = Stage::Offline;
        self.publish(inner, &ConnectionEvent::Closed { reason });
    }

    /// Tells of a connection that was lost, now that it is known what follows.
    fn tell_loss(&mut self, inner: &ClientInner, rejoins: Rejoins) {
        if let Some(lost) = self.history.lost.take() {
            let event = ConnectionEvent::Disconnected {
                reason: ClientReason::new(lost.kind, lost.detail, rejoins),
                will_reconnect: rejoins == Rejoins::Later,
            };
            self.publish(inner, &event);
        }
    }

    /// A reason with everything that is known about it.
    fn reason(&self, kind: ClientReasonKind, detail: Option<String>, rejoins: Rejoins) -> ClientReason {
        let has_detail = matches!(
            kind,
            ClientReasonKind::Abandoned
                | ClientReasonKind::Engine(ClientCloseReason::DialFailed | ClientCloseReason::ConnectionLost)
        );
        let error_detail = || self.history.error_detail.clone().filter(|_| has_detail);
        ClientReason::new(kind, detail.or_else(error_detail), rejoins)
    }
}

impl Machine for ClientMachine {
    type Wire = ClientWire<SocketIo>;
    type Subject = NamespaceId;
    type Job = ClientJob;
    /// Servers ask nothing that has to be answered before the next item.
    type Request = std::convert::Infallible;
    type Effect = Effect;

    forward_to_core!();

    fn limits(&self) -> &Limits {
        &self.core.config().engine.limits
    }

    fn handle_lost(&mut self, now: Instant, connection: ConnId, detail: Option<String>) {
        match self.history.stage {
            Stage::Connecting => self.history.error_detail = self.history.error_detail.take().or(detail),
            Stage::Offline | Stage::Opened | Stage::Connected => self.history.error_detail = detail,
        }
        self.core.handle_lost(now, connection);
    }

    fn shutdown(&mut self, now: Instant) {
        self.cut_short(now);
    }

    fn poll_notice(&mut self, strands: &mut Strands<Self>) -> Option<Notice<Self>> {
        if let Some(notice) = self.notices.pop_front() {
            return Some(notice);
        }
        if let Some(event) = self.core.poll_event() {
            return Some(self.notice(event, strands).unwrap_or(Notice::Nothing));
        }
        let dial = self.core.poll_dial()?;
        let endpoint = self.endpoint.clone();
        Some(Notice::Effect(Effect::Dial {
            connection: dial.connection,
            endpoint,
            runner: Arc::clone(&self.runner),
        }))
    }

    fn forget(&mut self, strand: StrandId, subject: &NamespaceId) {
        self.strands.forget(*subject, strand);
    }

    fn is_over(&self) -> bool {
        self.lifetime == Lifetime::Retired && self.history.stage == Stage::Offline
    }
}
