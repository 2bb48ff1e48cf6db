use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Session;
use crate::core::{
    CloseReason, EngineConfig, EngineCore, EngineMessage, Gate as GateMode, Peer, RequestHead, Response,
};
use crate::engine::{EngineMachine, Shard};
use crate::error::Error;
use crate::handle::SessionReadyWaiters;
use crate::refused::{Refused, RefusedHook};
use crate::router::{Fallback, Gate};

use bytes::Bytes;

/// An Engine.IO server. Clones are handles to the same server.
///
/// ```
/// use socketio_driver::bare::EngineServer;
///
/// let server = EngineServer::builder()
///     .on_message(|session, message| drop(session.send(&message)))
///     .build();
/// # let _ = server;
/// ```
#[derive(Clone, Debug)]
pub struct EngineServer(Arc<EngineInner>);

/// An Engine.IO server being described. Handlers run one at a time for each session, in the order of what they are
/// told; only in the blocking binding they may block.
#[must_use = "a builder does nothing until it is built"]
pub struct EngineServerBuilder {
    config: EngineConfig,
    handlers: Handlers,
}

pub(crate) struct EngineInner {
    config: EngineConfig,
    handlers: Handlers,
    shard: Shard<EngineMachine>,
    ready_waiters: SessionReadyWaiters,
}

/// What is called with a session and what happened to it.
type Handler<T> = dyn Fn(&Session, T) + Send + Sync;

pub(crate) struct Handlers {
    pub(crate) open: Box<dyn Fn(&Session) + Send + Sync>,
    pub(crate) message: Box<Handler<EngineMessage>>,
    pub(crate) close: Box<Handler<CloseReason>>,
    pub(crate) gate: Option<Box<Gate>>,
    pub(crate) fallback: Option<Box<Fallback>>,
    pub(crate) refused: Option<Box<RefusedHook>>,
}

impl EngineServer {
    /// Begins a server that does nothing.
    pub fn builder() -> EngineServerBuilder {
        EngineServerBuilder {
            config: EngineConfig::default(),
            handlers: Handlers {
                open: Box::new(|_| {}),
                message: Box::new(|_, _| {}),
                close: Box::new(|_, _| {}),
                gate: None,
                fallback: None,
                refused: None,
            },
        }
    }

    /// Ends the server: nobody new is let in, every session is closed, and what is queued is sent for at most
    /// `grace`, or a year. Returns at once; the binding's `serve_engine` returns when all is done. A second
    /// shutdown is `Ok`.
    pub fn shutdown(&self, grace: Duration) -> Result<(), Error> {
        self.0
            .shard
            .with(&self.0, |state, now| state.shut_down(now, grace))
    }

    pub(crate) const fn inner(&self) -> &Arc<EngineInner> {
        &self.0
    }
}

impl EngineServerBuilder {
    /// Replaces all settings; see [`EngineConfig`].
    pub fn config(mut self, config: EngineConfig) -> Self {
        self.config = config;
        self
    }

    /// Changes some settings.
    pub fn configure(mut self, change: impl FnOnce(&mut EngineConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Called when a session begins, before its messages.
    pub fn on_open(mut self, handler: impl Fn(&Session) + Send + Sync + 'static) -> Self {
        self.handlers.open = Box::new(handler);
        self
    }

    /// Called for each message.
    pub fn on_message(mut self, handler: impl Fn(&Session, EngineMessage) + Send + Sync + 'static) -> Self {
        self.handlers.message = Box::new(handler);
        self
    }

    /// Called once when a session has ended, after its messages.
    pub fn on_close(mut self, handler: impl Fn(&Session, CloseReason) + Send + Sync + 'static) -> Self {
        self.handlers.close = Box::new(handler);
        self
    }

    /// Asks `gate` before a session is opened; its `Err` is the message of the HTTP 403.
    pub fn gate(
        mut self,
        gate: impl Fn(&RequestHead, &Peer) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.config.gate = GateMode::Ask;
        self.handlers.gate = Some(Box::new(gate));
        self
    }

    /// Answers the HTTP requests that are not for Engine.IO, instead of 404.
    pub fn fallback(
        mut self,
        fallback: impl Fn(&RequestHead, Option<Bytes>) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.handlers.fallback = Some(Box::new(fallback));
        self
    }

    /// Calls `hook` with everybody who was refused; see [`on_refused`](crate::ServerBuilder::on_refused).
    pub fn on_refused(mut self, hook: impl Fn(&Refused) + Send + Sync + 'static) -> Self {
        self.handlers.refused = Some(Box::new(hook));
        self
    }

    /// Makes the server.
    pub fn build(self) -> EngineServer {
        let Self { config, handlers } = self;
        EngineServer(Arc::new(EngineInner {
            config,
            handlers,
            shard: Shard::new(),
            ready_waiters: SessionReadyWaiters::default(),
        }))
    }
}

impl EngineInner {
    pub(crate) const fn config(&self) -> &EngineConfig {
        &self.config
    }

    pub(crate) const fn handlers(&self) -> &Handlers {
        &self.handlers
    }

    pub(crate) const fn shard(&self) -> &Shard<EngineMachine> {
        &self.shard
    }

    pub(crate) const fn ready_waiters(&self) -> &SessionReadyWaiters {
        &self.ready_waiters
    }

    pub(crate) fn with_core<R>(
        self: &Arc<Self>,
        verbs: impl FnOnce(&mut EngineCore, Instant) -> R,
    ) -> Result<R, Error> {
        self.shard
            .with(self, |state, now| verbs(&mut state.machine.core, now))
    }
}

impl std::fmt::Debug for EngineInner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EngineServer").finish_non_exhaustive()
    }
}
