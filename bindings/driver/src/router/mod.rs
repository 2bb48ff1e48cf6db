//! What the builder makes: which handler runs for what. Immutable once built, so dispatch takes no lock and
//! allocates nothing.

mod admission;
mod builder;
mod kind;
mod namespace;
mod settings;
mod table;

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task;

use bytes::Bytes;

pub use admission::{Admission, Verdict};
pub use builder::ServerBuilder;
pub use kind::{Async, BindingKind, Blocking, Kind, RunsFutures, RunsOn};
pub use namespace::NamespaceBuilder;
pub(crate) use namespace::describe as describe_namespace;
pub(crate) use table::{ErrorHook, Routes, StateMap, Table, print_report};

use crate::core::{Config, NamespaceId, Peer, RequestHead, Response};
use crate::error::ErrorReport;
use crate::handle::Side;
use crate::handler::{ConnectContext, DisconnectContext, EventContext, GuardContext, Step};
use crate::refused::RefusedHook;

pub(crate) type Gate = dyn Fn(&RequestHead, &Peer) -> Result<(), String> + Send + Sync;
pub(crate) type Fallback = dyn Fn(&RequestHead, Option<Bytes>) -> Response + Send + Sync;
/// All handlers, hooks and settings of a server.
pub struct Router {
    kind: BindingKind,
    config: Config,
    /// `/` first.
    table: Table,
    gate: Option<Box<Gate>>,
    fallback: Option<Box<Fallback>>,
    refused_hook: Option<Box<RefusedHook>>,
    client_bundle: Option<PathBuf>,
}

impl Router {
    /// The kind of binding the server was built for.
    pub fn kind(&self) -> BindingKind {
        self.kind
    }

    /// The settings of the core.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The names of the namespaces, `/` first, in the order in which the core must be told of them.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.table.names()
    }

    /// Whether the handlers of this namespace run strictly one at a time for each client.
    pub fn is_serial(&self, namespace: NamespaceId) -> bool {
        self.table.is_serial(namespace.index())
    }

    /// Runs the observers and then the event's handler, or `on_any` if it has none.
    pub fn event(&self, context: EventContext, task: &mut task::Context<'_>) -> Step<EventContext> {
        self.table.event(context, task)
    }

    /// Runs `on_connect`. No event of the socket may be handled before it is done.
    pub fn connect(&self, context: ConnectContext, task: &mut task::Context<'_>) -> Step<ConnectContext> {
        self.table.connect(context, task)
    }

    /// Runs `on_disconnect`.
    pub fn disconnect(
        &self,
        context: DisconnectContext,
        task: &mut task::Context<'_>,
    ) -> Step<DisconnectContext> {
        self.table.disconnect(context, task)
    }

    /// Tells the error hook; what the hook throws is dropped.
    pub fn report(&self, report: &ErrorReport) {
        self.table.report(report)
    }

    /// Asks the gate whether a handshake may go on; the error is the message of the refusal.
    pub fn gate(&self) -> Option<&Gate> {
        self.gate.as_deref()
    }

    /// What answers HTTP requests that are not for Socket.IO.
    pub fn fallback(&self) -> Option<&Fallback> {
        self.fallback.as_deref()
    }

    /// What is called with everybody who was refused.
    pub(crate) fn refused_hook(&self) -> Option<&RefusedHook> {
        self.refused_hook.as_deref()
    }

    /// The file or directory of the client bundle that is served under the Socket.IO path.
    pub fn client_bundle(&self) -> Option<&Path> {
        self.client_bundle.as_deref()
    }

    /// The position of the namespace called `name`.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.table.find(name)
    }

    /// The name of the namespace at `position`.
    pub(crate) fn name(&self, position: usize) -> &str {
        self.table.name(position)
    }

    pub(crate) fn state<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.table.state()
    }

    pub(crate) fn guard(
        &self,
        index: usize,
        context: GuardContext,
        task: &mut task::Context<'_>,
    ) -> Option<Step<GuardContext>> {
        let handler = self.table.routes(context.socket.position())?.entry.get(index)?;
        Some(handler.call(context, task))
    }
}

#[cfg(test)]
mod tests;
