//! How a client begins and ends.

use std::io;
use std::sync::Arc;

use super::super::connection::Connection;
use super::super::runtime::{Handlers, Runtime};
use super::super::serve::install;
use super::super::timer;
use super::effect::Runner;
use super::machine::ClientMachine;
use crate::client::inner::ClientInner;
use crate::core::ClientCore;

/// Gives a client its core, its timer and `runtime`'s tasks, and lets it connect; `handlers` says where its handlers
/// run.
///
/// # Errors
/// When it was started before, the system has no randomness to give, or a namespace has no name that can be written.
pub(crate) fn start_client<R: Runtime>(
    runtime: R,
    inner: &Arc<ClientInner>,
    handlers: Handlers,
) -> io::Result<()> {
    let now = runtime.now();
    let mut core = ClientCore::new(inner.config().clone(), runtime.seed()?, now);
    let mut namespaces = Vec::new();
    for name in inner.namespace_names() {
        namespaces.push(core.add_namespace(now, name).map_err(io::Error::other)?);
    }
    inner.begin(namespaces);
    let connections = runtime.clone();
    let runner: Arc<Runner> =
        Arc::new(move |link, stream| Box::pin(Connection::new(link, connections.clone(), stream)));
    install(&runtime, inner, ClientMachine::new(core, inner, runner), handlers)?;
    let end = End(Arc::clone(inner));
    let timed = timer::run(runtime.clone(), Arc::clone(inner));
    runtime.spawn(async move {
        let _end = end;
        timed.await;
    });
    let connected = inner
        .shard()
        .with(inner, |state, now| state.machine.core.connect(now));
    connected.map_err(io::Error::other)
}

/// The last handle is gone: what is queued leaves, the connection is closed, and then all tasks end.
pub(crate) fn retire(inner: &Arc<ClientInner>) {
    // A client that was never started, or whose shard is poisoned, has ended.
    let _ = inner.shard().with(inner, |state, now| state.retire(now));
}

/// The timer's task is over, because the client is or because the runtime is gone; then nothing else will run either.
struct End(Arc<ClientInner>);

impl Drop for End {
    fn drop(&mut self) {
        // A poisoned shard has no connections any more.
        let _ = self.0.shard().with(&self.0, super::super::state::State::abort);
        for waker in self.0.hub().end() {
            waker.wake();
        }
    }
}
