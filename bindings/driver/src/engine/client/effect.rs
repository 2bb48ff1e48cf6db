//! What a client's core needs done outside the lock: asking the application, making connections. Each is a task.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::super::link::Link;
use super::super::runtime::{BoxStream, Handlers};
use super::super::shard::Task;
use crate::client::inner::ClientInner;
use crate::core::{ClientEmitError, ConnId, NamespaceId};
use crate::handler::catch;
use crate::net::Endpoint;

/// What is done on no particular connection.
pub(crate) enum Effect {
    /// Ask the application.
    Ask(Question),
    /// Make a connection and run it.
    Dial {
        connection: ConnId,
        endpoint: Option<Arc<Endpoint>>,
        runner: Arc<Runner>,
    },
    /// An event that had waited can not be sent.
    Undeliverable(NamespaceId, ClientEmitError),
    /// A client that nobody holds wants to connect.
    Close,
}

/// What the application is asked: with a namespace for the auth, otherwise where an attempt goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(super) number: u64,
    pub(super) namespace: Option<NamespaceId>,
}

/// Runs a connection whose byte stream is there, with the runtime's type forgotten.
pub(crate) type Runner = dyn Fn(Link<ClientInner>, BoxStream) -> Task + Send + Sync;

impl Effect {
    /// Carries it out, outside the lock: what takes long becomes a task.
    pub(super) fn perform(self, inner: &Arc<ClientInner>) {
        let owned = Arc::clone(inner);
        match self {
            Self::Ask(question) => inner.shard().spawn_handlers(ask(owned, question)),
            Self::Dial {
                connection,
                endpoint,
                runner,
            } => inner.shard().spawn(dial(owned, connection, endpoint, runner)),
            Self::Undeliverable(namespace, error) => match inner.shard().handlers() {
                Handlers::InPlace => inner.undeliverable(namespace, error),
                Handlers::Apart => inner
                    .shard()
                    .spawn_handlers(async move { owned.undeliverable(namespace, error) }),
            },
            Self::Close => {
                // A poisoned shard makes no connections.
                let _ = inner
                    .shard()
                    .with(inner, |state, now| state.machine.core.close(now));
            }
        }
    }
}

/// Asks the application and hands the answer on, unless it is no longer wanted.
async fn ask(inner: Arc<ClientInner>, question: Question) {
    match question.namespace {
        None => {
            let asked = while_wanted(&inner, question, inner.target()).await;
            let Some(answer) = asked else { return };
            // A poisoned shard makes no connections.
            let _ = inner.shard().with(&inner, |state, now| {
                state.machine.answer_target(now, question, answer);
            });
        }
        Some(namespace) => {
            let asked = while_wanted(&inner, question, inner.auth(namespace)).await;
            let Some(answer) = asked else { return };
            let _ = inner.shard().with(&inner, |state, now| {
                state.machine.answer_auth(now, question, answer);
            });
        }
    }
}

/// What the application answers, a panic or taking too long as an error; `None` when nobody wants to know any more.
async fn while_wanted<T>(
    inner: &Arc<ClientInner>,
    question: Question,
    answer: impl Future<Output = Result<T, String>>,
) -> Option<Result<T, String>> {
    let (mut answer, config) = (pin!(answer), inner.config());
    let (timeout, setting) = match question.namespace {
        None => (config.engine.connect_timeout, "connect_timeout"),
        Some(_) => (config.join_timeout, "join_timeout"),
    };
    let mut timeout = inner.sleep(timeout);
    poll_fn(|task| {
        let waker = task.waker().clone();
        let watched = inner
            .shard()
            .with(inner, |state, _| state.machine.watch(question, waker));
        if !matches!(watched, Ok(Ok(_))) {
            return Poll::Ready(None);
        }
        match catch(|| Ok(answer.as_mut().poll(task))) {
            Ok(Poll::Pending) => timeout
                .as_mut()
                .poll(task)
                .map(|()| Some(Err(format!("a callback did not answer within {setting}")))),
            Ok(Poll::Ready(answer)) => Poll::Ready(Some(answer)),
            Err(error) => Poll::Ready(Some(Err(error.to_string()))),
        }
    })
    .await
}

/// Makes a connection, unless it is no longer wanted, and runs it to its end.
async fn dial(
    inner: Arc<ClientInner>,
    connection: ConnId,
    endpoint: Option<Arc<Endpoint>>,
    runner: Arc<Runner>,
) {
    let entered = inner.shard().with(&inner, |state, _| {
        state.enter(connection);
        state.machine.core.wire()
    });
    let Ok(wire) = entered else { return };
    // However this ends, the core hears of it.
    let mut link = Link::new(Arc::clone(&inner), connection, wire);
    let Some(endpoint) = endpoint else { return };
    let connecting = catch(|| Ok(inner.connector().connect(&endpoint)));
    let mut connecting = match connecting {
        Ok(connecting) => connecting,
        Err(error) => {
            link.fail(std::io::Error::other(error.to_string()));
            return;
        }
    };
    let connected = poll_fn(|task| {
        if !link.is_wanted(task) {
            return Poll::Ready(None);
        }
        match catch(|| Ok(connecting.as_mut().poll(task))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(connected)) => Poll::Ready(Some(connected)),
            Err(error) => Poll::Ready(Some(Err(std::io::Error::other(error.to_string())))),
        }
    })
    .await;
    drop(connecting);
    let stream = match connected {
        None => return,
        Some(Ok(stream)) => stream,
        Some(Err(error)) => {
            link.fail(error);
            return;
        }
    };
    let is_open = inner.shard().with(&inner, |state, now| {
        let core = &mut state.machine.core;
        // A connection that nobody wants must be lost, not forgotten at once: its place would be taken by another
        // while the link still has it.
        core.handle_timeout(now);
        core.is_wanted(connection) && core.handle_open(now, connection)
    });
    if is_open.unwrap_or(false) {
        runner(link, stream).await;
    }
}

impl Link<ClientInner> {
    /// Whether the connection is still wanted; the task is woken when it no longer is.
    fn is_wanted(&mut self, task: &Context<'_>) -> bool {
        // In this order: from then on the core's word that it is not wakes the task.
        if self.watch(task).is_err() {
            return false;
        }
        let (inner, id) = (self.instance(), self.id());
        let is_wanted = inner
            .shard()
            .with(inner, |state, _| state.machine.core.is_wanted(id));
        is_wanted.unwrap_or(false)
    }
}
