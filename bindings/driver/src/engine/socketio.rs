//! The Socket.IO server on the driver's loop.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::bundle::Bundles;
use super::http_requests::{self, ApplicationRequest, AwaitedBody};
use super::instance::{EventJob, Instance, ItemOf, Machine, Next, Notice, forward_to_core};
use super::runtime::{Listener, Runtime};
use super::serve::{host_instance, serve_instance};
use super::server::{ServerInstance, ServerMachine, forward_server_to_core, server_instance, server_machine};
use super::shard::Shard;
use super::strand::{Strand, StrandId, Strands, Work};
use super::strand_table::StrandTable;
use super::work::{mark_over, run_before, run_beside};
use crate::core::{
    self, AckToken, ClientBundle, Config, ConnId, CoreEvent, EngineConfig, Limits, OutBuf, Peer, Reason,
    RefusalContext, RequestError, RequestHead, RequestId, Response, SocketId, SocketIo, Wire,
};
use crate::encoding;
use crate::error::Error;
use crate::handle::{Server, Socket};
use crate::handler::{
    ConnectContext, DisconnectContext, EventOutcome, HandlerContext, LifecycleOutcome, Step,
};
use crate::inner::Inner;
use crate::refusal::Refusal;
use crate::refused::{Refused, RefusedHook};
use crate::router::{Admission, Fallback, Gate, Verdict};

/// Serves connections of `listener` until the server is [shut down](Server::shutdown): what a binding's `serve`
/// does with its runtime.
///
/// # Errors
/// When the server is served already, its client bundle cannot be read, or the listener fails for good.
pub async fn serve<R: Runtime, L: Listener<R>>(runtime: R, listener: L, server: Server) -> io::Result<()> {
    let inner = Arc::clone(server.inner());
    let machine = build(&runtime, &inner)?;
    serve_instance(runtime, listener, inner, machine).await
}

/// Begins to serve without a listener: requests come from a host, through [`Server::handle`].
///
/// The future, which has to be run, ends when the server was [shut down](Server::shutdown) and the last connection
/// is gone or the time for that is over. Dropping it ends everything at once.
///
/// # Errors
/// When the server is served already, or its client bundle cannot be read.
pub fn host<R: Runtime>(
    runtime: R,
    server: &Server,
) -> io::Result<impl Future<Output = ()> + Send + 'static + use<R>> {
    let inner = Arc::clone(server.inner());
    let machine = build(&runtime, &inner)?;
    host_instance(runtime, inner, machine)
}

fn build<R: Runtime>(runtime: &R, inner: &Arc<Inner>) -> io::Result<SocketMachine> {
    let router = inner.router();
    let mut config: Config = router.config().clone();
    let prefix = config.engine.path.as_str();
    let bundles = router.client_bundle().map(|path| Bundles::load(path, prefix));
    let bundles = bundles.transpose()?;
    if bundles.is_some() {
        config.engine.client_bundle = ClientBundle::Present;
    }
    let mut core = core::Server::new(config, runtime.seed()?, runtime.now());
    let namespaces: Result<Vec<_>, _> = router.namespaces().map(|name| core.add_namespace(name)).collect();
    inner.begin(namespaces.map_err(io::Error::other)?, bundles);
    Ok(SocketMachine {
        core,
        inner: Arc::downgrade(inner),
        strands: StrandTable::new(),
        woken: VecDeque::new(),
    })
}

/// The core of a Socket.IO server, and which strand belongs to which socket.
pub(crate) struct SocketMachine {
    pub(crate) core: core::Server,
    inner: Weak<Inner>,
    strands: StrandTable<SocketId>,
    /// Who has waited for a client to be ready.
    woken: VecDeque<Waker>,
}

/// What handlers have to be called for.
#[derive(Debug)]
pub(crate) enum SocketJob {
    /// Ask the guards, let the client in or not, run `on_connect`.
    Join,
    /// Do not let the client in: too many strands are under way.
    RefuseOverLimit,
    /// Run an event's handler.
    Event(EventJob<AckToken>),
    /// Run `on_disconnect`; the strand ends with it.
    Disconnect(Reason),
}

impl super::instance::Job for SocketJob {
    fn detach(&mut self) {
        if let Self::Event(event) = self {
            event.detach();
        }
    }

    fn is_last(&self) -> bool {
        matches!(self, Self::Disconnect(_))
    }

    fn size(&self) -> usize {
        match self {
            Self::Event(event) => event.size(),
            Self::Join | Self::RefuseOverLimit | Self::Disconnect(_) => 0,
        }
    }
}

impl SocketMachine {
    /// The strand of a socket that was let in or asks to be.
    pub(crate) fn strand_of(&self, socket: SocketId) -> Option<StrandId> {
        self.strands.get(socket)
    }

    fn enter(
        &mut self,
        socket: SocketId,
        namespace: core::NamespaceId,
        strands: &mut Strands<Self>,
    ) -> Option<StrandId> {
        let inner = self.inner.upgrade()?;
        let handle = Socket::new(
            inner,
            socket,
            namespace,
            self.core.sid(socket)?,
            self.core.handshake(socket)?,
        );
        let strand = strands.insert(Strand::new(handle));
        self.strands.insert(socket, strand);
        Some(strand)
    }

    /// Whoever waits for the client of a socket looks again.
    fn wake_waiting(&mut self, socket: SocketId) {
        if let Some(inner) = self.inner.upgrade() {
            self.woken.extend(inner.ready_waiters().take(socket));
        }
    }

    fn notice(&mut self, event: CoreEvent, strands: &mut Strands<Self>) -> Option<Notice<Self>> {
        Some(match event {
            CoreEvent::Connect { socket, namespace } => {
                // Those of clients that are gone count while a guard or handler of theirs runs.
                let has_room = strands.len() < self.core.engine_config().limits.sockets;
                let job = if has_room {
                    SocketJob::Join
                } else {
                    SocketJob::RefuseOverLimit
                };
                Notice::Job(self.enter(socket, namespace, strands)?, job)
            }
            CoreEvent::Event {
                socket,
                name,
                arguments,
                ack,
                ..
            } => {
                let event = EventJob { name, arguments, ack };
                Notice::Job(self.strand_of(socket)?, SocketJob::Event(event))
            }
            CoreEvent::Disconnected { socket, reason, .. } => {
                self.wake_waiting(socket);
                Notice::Job(self.strand_of(socket)?, SocketJob::Disconnect(reason))
            }
            CoreEvent::Acked { ack, outcome } => {
                let outcome = outcome.map(|arguments| arguments.detach());
                Notice::Wake(self.inner.upgrade()?.calls().complete(ack, outcome)?)
            }
            CoreEvent::Ready { socket } => {
                self.wake_waiting(socket);
                return None;
            }
            CoreEvent::Handshake { request } => Notice::Request(ApplicationRequest::Handshake(request)),
            CoreEvent::Request { request, head } => {
                Notice::Request(ApplicationRequest::Request(request, head))
            }
            CoreEvent::RequestBody { request, body } => {
                Notice::Request(ApplicationRequest::Body(request, body))
            }
            CoreEvent::Refused { peer, error, context } => {
                self.inner.upgrade()?.refused_hook()?;
                Notice::Refused(Refused::new(peer, error, context))
            }
            _ => return None,
        })
    }
}

impl Machine for SocketMachine {
    type Wire = Wire<SocketIo>;
    type Subject = Socket;
    type Job = SocketJob;

    server_machine!();

    fn forget(&mut self, strand: StrandId, subject: &Socket) {
        self.strands.forget(subject.socket_id(), strand);
    }
}

impl ServerMachine for SocketMachine {
    type Codec = SocketIo;

    fn config(&self) -> &EngineConfig {
        self.core.engine_config()
    }

    forward_server_to_core!();
}

impl ServerInstance for Inner {
    fn gate(&self) -> Option<&Gate> {
        self.router().gate()
    }

    fn fallback(&self) -> Option<&Fallback> {
        self.router().fallback()
    }

    fn refused_hook(&self) -> Option<&RefusedHook> {
        self.router().refused_hook()
    }

    fn bundles(&self) -> Option<&Bundles> {
        self.bundles()
    }
}

impl Instance for Inner {
    server_instance!(SocketMachine);

    fn may_overtake(&self, work: &Work<SocketMachine>) -> bool {
        match work.job {
            SocketJob::Join | SocketJob::RefuseOverLimit => false,
            SocketJob::Event(_) => !self.router().is_serial(work.subject.namespace_id()),
            SocketJob::Disconnect(_) => true,
        }
    }

    fn run(self: &Arc<Self>, work: Work<SocketMachine>, task: &mut Context<'_>) -> Next {
        let Work {
            strand,
            subject: socket,
            job,
        } = work;
        match job {
            SocketJob::Event(event) => {
                let is_serial = self.router().is_serial(socket.namespace_id());
                let suspended = match self.router().event(event.into_context(socket), task) {
                    Step::Done(outcome) => {
                        conclude(self, outcome);
                        return Next::Go;
                    }
                    Step::Pending(suspended) => suspended,
                };
                let owned = Arc::clone(self);
                let rest = async move { conclude(&owned, suspended.await) };
                if is_serial {
                    run_before(self, strand, rest)
                } else {
                    run_beside(self, strand, rest)
                }
            }
            SocketJob::Join => {
                let mut joining = Box::pin(join(Arc::clone(self), strand, socket));
                match joining.as_mut().poll(task) {
                    Poll::Ready(()) => Next::Go,
                    Poll::Pending => run_before(self, strand, joining),
                }
            }
            SocketJob::RefuseOverLimit => {
                refuse_over_limit(self, &socket);
                mark_over(self, strand);
                Next::Go
            }
            SocketJob::Disconnect(reason) => {
                mark_over(self, strand);
                match self
                    .router()
                    .disconnect(DisconnectContext::new(socket, reason), task)
                {
                    Step::Done(outcome) => {
                        conclude_lifecycle(self, outcome);
                        Next::Go
                    }
                    Step::Pending(suspended) => {
                        let owned = Arc::clone(self);
                        run_beside(self, strand, async move {
                            conclude_lifecycle(&owned, suspended.await)
                        })
                    }
                }
            }
        }
    }
}

/// Refuses a client because of [`Limits::sockets`].
fn refuse_over_limit(inner: &Arc<Inner>, socket: &Socket) {
    let refusal = Refusal::new("Too many sockets");
    // A namespace that clients can ask for can also be written, so encoding does not fail.
    let Ok(packet) = encoding::refusal(socket.namespace_name(), &refusal) else {
        return;
    };
    let has_hook = inner.refused_hook().is_some();
    // A poisoned shard has no sockets any more.
    let _ = inner.shard().with(inner, |state, now| {
        state.machine.core.refuse(now, socket.socket_id(), &packet);
        if has_hook {
            let error = RequestError::Forbidden("Too many sockets".to_owned());
            state.refuse(Refused::new(
                socket.handshake().peer,
                error,
                RefusalContext::TooManySockets,
            ));
        }
    });
}

/// Asks the guards, tells the core, and runs `on_connect`.
async fn join(inner: Arc<Inner>, strand: StrandId, socket: Socket) {
    let id = socket.socket_id();
    let is_in = match Admission::new(socket.clone()).await {
        Verdict::Admit => inner.with_core(|core, now| core.accept(now, id)).unwrap_or(false),
        Verdict::Refuse(refusal) => {
            // A namespace that clients can ask for can also be written, so encoding does not fail.
            if let Ok(packet) = encoding::refusal(socket.namespace_name(), &refusal) {
                let _ = inner.with_core(|core, now| core.refuse(now, id, &packet));
            }
            false
        }
    };
    if !is_in {
        return mark_over(&inner, strand);
    }
    let mut context = Some(ConnectContext::new(socket));
    let step = poll_fn(|task| match context.take() {
        Some(context) => Poll::Ready(inner.router().connect(context, task)),
        None => Poll::Pending,
    });
    let outcome = finished(step.await).await;
    conclude_lifecycle(&inner, outcome);
}

async fn finished<C: HandlerContext>(step: Step<C>) -> C::Outcome {
    match step {
        Step::Done(outcome) => outcome,
        Step::Pending(suspended) => suspended.await,
    }
}

fn conclude(inner: &Arc<Inner>, outcome: EventOutcome) {
    match outcome {
        EventOutcome::Nothing => {}
        EventOutcome::Reply { token, packet } => {
            // When the client is gone there is nobody to miss the acknowledgement.
            let _ = inner.with_core(|core, now| core.ack(now, token, &packet));
        }
        EventOutcome::Failed(report) => inner.router().report(&report),
    }
}

fn conclude_lifecycle(inner: &Arc<Inner>, outcome: LifecycleOutcome) {
    if let LifecycleOutcome::Failed(report) = outcome {
        inner.router().report(&report);
    }
}
