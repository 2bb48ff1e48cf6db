//! The Engine.IO server on the driver's loop.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};
use std::time::Instant;

use super::bundle::Bundles;
use super::http_requests::{self, ApplicationRequest, AwaitedBody};
use super::instance::{Instance, ItemOf, Job, Machine, Next, Notice, forward_to_core};
use super::runtime::{Listener, Runtime};
use super::serve::serve_instance;
use super::server::{ServerInstance, ServerMachine, forward_server_to_core, server_instance, server_machine};
use super::shard::Shard;
use super::strand::{Strand, StrandId, Strands, Work};
use super::strand_table::StrandTable;
use super::work::mark_over;
use crate::bare::{EngineInner, EngineServer, Session};
use crate::core::{
    CloseReason, ConnId, EngineConfig, EngineCore, EngineEvent, EngineMessage, Limits, OutBuf, Peer, Plain,
    RequestHead, RequestId, Response, SessionId, Wire,
};
use crate::error::Error;
use crate::handler::catch;
use crate::refused::{Refused, RefusedHook};
use crate::router::{Fallback, Gate};

/// Serves connections of `listener` until the server is [shut down](EngineServer::shutdown): what a binding's
/// `serve_engine` does with its runtime.
///
/// # Errors
/// When the server is served already, or the listener fails for good.
pub async fn serve_engine<R: Runtime, L: Listener<R>>(
    runtime: R,
    listener: L,
    server: EngineServer,
) -> io::Result<()> {
    let inner = Arc::clone(server.inner());
    let core = EngineCore::new(inner.config().clone(), runtime.seed()?, runtime.now());
    let machine = EngineMachine {
        core,
        inner: Arc::downgrade(&inner),
        strands: StrandTable::new(),
        woken: VecDeque::new(),
    };
    serve_instance(runtime, listener, inner, machine).await
}

/// The core of an Engine.IO server, and which strand belongs to which session.
pub(crate) struct EngineMachine {
    pub(crate) core: EngineCore,
    inner: Weak<EngineInner>,
    strands: StrandTable<SessionId>,
    /// Who has waited for a client to be ready.
    woken: VecDeque<Waker>,
}

/// What handlers have to be called for.
#[derive(Debug)]
pub(crate) enum SessionJob {
    Open,
    Message(EngineMessage),
    Close(CloseReason),
}

impl Job for SessionJob {
    fn detach(&mut self) {
        if let Self::Message(message) = self {
            *message = message.detach();
        }
    }

    fn is_last(&self) -> bool {
        matches!(self, Self::Close(_))
    }

    fn size(&self) -> usize {
        match self {
            Self::Message(EngineMessage::Text(text)) => text.len(),
            Self::Message(EngineMessage::Binary(data)) => data.len(),
            Self::Open | Self::Close(_) => 0,
        }
    }
}

impl EngineMachine {
    fn strand_of(&self, session: SessionId) -> Option<StrandId> {
        self.strands.get(session)
    }

    fn enter(&mut self, session: SessionId, strands: &mut Strands<Self>) -> Option<StrandId> {
        let inner = self.inner.upgrade()?;
        let (sid, head) = (self.core.sid(session)?, self.core.head(session)?.clone());
        let handle = Session::new(inner, session, sid, head, self.core.peer(session)?);
        let strand = strands.insert(Strand::new(handle));
        self.strands.insert(session, strand);
        Some(strand)
    }

    /// Whoever waits for the client of a session looks again.
    fn wake_waiting(&mut self, session: SessionId) {
        if let Some(inner) = self.inner.upgrade() {
            self.woken.extend(inner.ready_waiters().take(session));
        }
    }

    fn notice(&mut self, event: EngineEvent, strands: &mut Strands<Self>) -> Option<Notice<Self>> {
        Some(match event {
            EngineEvent::Opened { session } => Notice::Job(self.enter(session, strands)?, SessionJob::Open),
            EngineEvent::Message { session, message } => {
                Notice::Job(self.strand_of(session)?, SessionJob::Message(message))
            }
            EngineEvent::Closed { session, reason } => {
                self.wake_waiting(session);
                Notice::Job(self.strand_of(session)?, SessionJob::Close(reason))
            }
            EngineEvent::Ready { session } => {
                self.wake_waiting(session);
                return None;
            }
            EngineEvent::Handshake { request } => Notice::Request(ApplicationRequest::Handshake(request)),
            EngineEvent::Request { request, head } => {
                Notice::Request(ApplicationRequest::Request(request, head))
            }
            EngineEvent::RequestBody { request, body } => {
                Notice::Request(ApplicationRequest::Body(request, body))
            }
            EngineEvent::Refused { peer, error, context } => {
                self.inner.upgrade()?.refused_hook()?;
                Notice::Refused(Refused::new(peer, error, context))
            }
            _ => return None,
        })
    }
}

impl Machine for EngineMachine {
    type Wire = Wire<Plain>;
    type Subject = Session;
    type Job = SessionJob;

    server_machine!();

    fn forget(&mut self, strand: StrandId, subject: &Session) {
        self.strands.forget(subject.id(), strand);
    }
}

impl ServerMachine for EngineMachine {
    type Codec = Plain;

    fn config(&self) -> &EngineConfig {
        self.core.config()
    }

    forward_server_to_core!();
}

impl ServerInstance for EngineInner {
    fn gate(&self) -> Option<&Gate> {
        self.handlers().gate.as_deref()
    }

    fn fallback(&self) -> Option<&Fallback> {
        self.handlers().fallback.as_deref()
    }

    fn refused_hook(&self) -> Option<&RefusedHook> {
        self.handlers().refused.as_deref()
    }

    fn bundles(&self) -> Option<&Bundles> {
        None
    }
}

impl Instance for EngineInner {
    server_instance!(EngineMachine);

    fn may_overtake(&self, _: &Work<EngineMachine>) -> bool {
        false
    }

    fn run(self: &Arc<Self>, work: Work<EngineMachine>, _: &mut Context<'_>) -> Next {
        let Work {
            strand,
            subject: session,
            job,
        } = work;
        let handlers = self.handlers();
        let called = catch(|| {
            match job {
                SessionJob::Open => (handlers.open)(&session),
                SessionJob::Message(message) => (handlers.message)(&session, message),
                SessionJob::Close(reason) => {
                    mark_over(self, strand);
                    (handlers.close)(&session, reason);
                }
            }
            Ok(())
        });
        if let Err(error) = called {
            // A closed stderr must not end the connection.
            let _ = writeln!(io::stderr(), "engineio: {error}");
        }
        Next::Go
    }
}
