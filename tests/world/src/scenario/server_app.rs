//! The server and its handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use socketio_driver::engine::Handlers;
use socketio_driver::{
    Ack, Arg, Args, Async, Auth, Limits, NamespaceBuilder, Refusal, Reply, Server, Socket, State, engine,
};
use socketio_model::{Delivery, DisconnectCause, Fact, Message, Room, Side, SocketId};

use super::events::{self, AuthFields, client_index_of};
use super::record::{ConnectedSocket, NAMESPACES, Record, namespace_of};
use super::{Action, Admission, CallSetup, Content, ContentKind, NetworkKind};
use crate::{HandlersApart, Host};

/// Where the server and the proxy listen.
pub(super) const PORT: u16 = 80;

/// Most bytes that are queued for a client in an unreliable network: few, so that the limit is reached by some clients.
pub(super) const MAX_QUEUED_BYTES: usize = 100_000;

/// A server and its handlers, from its start to its end. Clones are handles to the same server.
#[derive(Clone)]
pub(super) struct ServerApp(Arc<Inner>);

struct Inner {
    record: Arc<Record>,
    host: Host,
    /// False once its host was killed: what runs while its tasks are dropped is not noted.
    is_alive: AtomicBool,
}

impl ServerApp {
    /// Starts a server.
    pub(super) fn start(record: &Arc<Record>, host: &Host) -> (Self, Server) {
        let app = Self(Arc::new(Inner {
            record: Arc::clone(record),
            host: host.clone(),
            is_alive: AtomicBool::new(true),
        }));
        let (interval, timeout) = record.scenario.heartbeat;
        let failures = app.clone();
        let server = Server::builder()
            .state(app.clone())
            .ping_interval(interval)
            .ping_timeout(timeout)
            .limits(limits(record.scenario.network))
            .on_error(move |report| failures.record().fail(report.to_string()))
            .namespace(NAMESPACES[0], register_handlers)
            .namespace(NAMESPACES[1], register_handlers)
            .build();
        let (runtime, served) = (host.clone(), server.clone());
        match (host.listen(PORT), record.scenario.handlers) {
            (Ok(listener), Handlers::InPlace) => host.run(async move {
                let _ = engine::serve(runtime, listener, served).await;
            }),
            (Ok(listener), Handlers::Apart) => host.run(async move {
                let _ = engine::serve(HandlersApart(runtime), listener, served).await;
            }),
            (Err(_), _) => record.fail("the port is taken".to_owned()),
        }
        (app, server)
    }

    pub(super) fn record(&self) -> &Arc<Record> {
        &self.0.record
    }

    pub(super) fn host(&self) -> &Host {
        &self.0.host
    }

    pub(super) fn note(&self, fact: Fact) {
        if self.0.is_alive.load(Ordering::Relaxed) {
            self.record().note(fact);
        }
    }

    pub(super) fn socket_id(&self, socket: &Socket) -> SocketId {
        self.record().socket_id(socket.id().as_str())
    }

    /// Its host is switched off.
    pub(super) fn kill(&self) {
        for socket_id in self.record().sockets().into_keys() {
            self.note(Fact::DisconnectCaused(socket_id, DisconnectCause::ConnectionLost));
            self.record().remove_socket(socket_id);
        }
        for socket_id in self.record().socket_ids() {
            self.note(Fact::Killed(Side::Server, socket_id));
        }
        self.0.is_alive.store(false, Ordering::Relaxed);
        self.record().world.kill(self.host());
    }

    fn admission(&self, client_index: usize) -> Option<Admission> {
        let client = self.record().scenario.clients.get(client_index);
        client.map(|client| client.admission)
    }

    fn note_received(&self, socket: &Socket, number: u64) {
        self.note(Fact::ServerReceived(self.socket_id(socket), Message(number)));
    }
}

fn limits(network: NetworkKind) -> Limits {
    let mut limits = Limits::default();
    if network == NetworkKind::Unreliable {
        limits.queued_bytes = MAX_QUEUED_BYTES;
    }
    limits
}

fn register_handlers(namespace: NamespaceBuilder<Async>) -> NamespaceBuilder<Async> {
    namespace
        .guard(guard)
        .on_connect(on_connect)
        .on(events::TEXT, on_text)
        .on(events::BINARY, on_binary)
        .on(events::ACTION, on_action)
        .on(events::CALL, on_call)
        .on(events::SLOW_CALL, on_slow_call)
        .on(events::NESTED_CALL, on_nested_call)
        .on(events::UNANSWERED_CALL, on_unanswered_call)
        .on_disconnect(on_disconnect)
}

/// Admits clients as the scenario says.
async fn guard(State(app): State<ServerApp>, auth: Auth<AuthFields>) -> Result<(), Refusal> {
    let client_index = client_index_of(&auth);
    match app.admission(client_index) {
        Some(Admission::EverySecondTime)
            if app.record().count_connect_attempt(client_index).is_multiple_of(2) =>
        {
            Err("not now".into())
        }
        Some(Admission::Slow(time)) => {
            app.record().world.sleep(time / 2).await;
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn on_connect(socket: Socket, State(app): State<ServerApp>, auth: Auth<AuthFields>) {
    let socket_id = app.socket_id(&socket);
    let namespace = namespace_of(socket.namespace().name());
    let client_index = client_index_of(&auth);
    app.note(Fact::ServerConnecting { socket_id, namespace });
    let entry = ConnectedSocket {
        socket: socket.clone(),
        client_index,
        namespace,
    };
    app.record().add_socket(socket_id, entry);
    app.join(&socket, socket_id, Room(client_index as u8 % 4));
    let greeting = Content {
        kind: ContentKind::Text,
        size: 10,
    };
    app.emit(&socket, greeting, Delivery::Reliable);
    if let Some(Admission::Slow(time)) = app.admission(client_index) {
        app.record().world.sleep(time).await;
    }
    app.note(Fact::ServerConnected(socket_id));
}

fn on_disconnect(socket: Socket, State(app): State<ServerApp>) {
    let socket_id = app.socket_id(&socket);
    app.note(Fact::ServerDisconnected(socket_id));
    app.record().remove_socket(socket_id);
}

fn on_text(
    socket: Socket,
    State(app): State<ServerApp>,
    Args((number, size, text)): Args<(u64, usize, String)>,
) {
    app.note_received(&socket, number);
    app.record().check_text(number, size, &text);
}

fn on_binary(
    socket: Socket,
    State(app): State<ServerApp>,
    Args((number, size, first, second)): Args<(u64, usize, Bytes, Bytes)>,
) {
    app.note_received(&socket, number);
    app.record().check_binary(number, size, [&first, &second]);
}

/// Performs the action of a step.
fn on_action(socket: Socket, State(app): State<ServerApp>, Args((number, step)): Args<(u64, usize)>) {
    app.note_received(&socket, number);
    if let Some(Action::ServerActInHandler(action)) =
        app.record().scenario.steps.get(step).map(|step| &step.action)
    {
        app.perform(&socket, action);
    }
}

fn on_call(socket: Socket, State(app): State<ServerApp>, Arg(number): Arg<u64>) -> Reply<u64> {
    app.note_received(&socket, number);
    Reply(number)
}

async fn on_slow_call(socket: Socket, State(app): State<ServerApp>, Arg(number): Arg<u64>) -> Reply<u64> {
    app.note_received(&socket, number);
    app.record().world.sleep(CallSetup::SLOW_ANSWER).await;
    Reply(number)
}

async fn on_nested_call(socket: Socket, State(app): State<ServerApp>, Arg(number): Arg<u64>) -> Reply<u64> {
    app.note_received(&socket, number);
    app.emit_with_ack(socket, CallSetup::NESTED).await;
    Reply(number)
}

fn on_unanswered_call(socket: Socket, State(app): State<ServerApp>, Arg(number): Arg<u64>, _: Ack) {
    app.note_received(&socket, number);
}
