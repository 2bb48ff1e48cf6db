//! A client and its handlers.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use socketio_driver::client::{Client, ClientReason, Offline};
use socketio_driver::engine::Handlers;
use socketio_driver::{
    Ack, Arg, Args, Async, ClientSocket, Error, ErrorReport, NamespaceBuilder, Reply, Stage, State, engine,
};
use socketio_model::{ClientId, Delivery, DisconnectCause, Fact, Message, Side, SocketId};

use super::call_setup::may_end_unsent;
use super::events::{self, auth_of};
use super::record::{NAMESPACES, Record, namespace_index, namespace_of};
use super::{CallSetup, ClientSetup, Content, ContentKind};
use crate::{HandlersApart, Host};

/// The host of the first client; the others follow.
const FIRST_HOST: u8 = 10;

/// A client and its handlers, from its start to its end. Clones are handles to the same client, and do not keep it
/// running.
#[derive(Clone)]
pub(super) struct ClientApp(Arc<Inner>);

struct Inner {
    record: Arc<Record>,
    client: ClientId,
    offline: Offline,
    host: Host,
    /// False once its host was killed: what runs while its tasks are dropped is not noted.
    is_alive: AtomicBool,
    namespaces: Mutex<[NamespaceState; 2]>,
    /// The sockets that it has had.
    socket_ids: Mutex<Vec<SocketId>>,
}

/// The state of a client in one namespace.
#[derive(Clone, Default)]
struct NamespaceState {
    presence: Presence,
    socket: Option<ClientSocket>,
    /// Whether the application disconnected it, and has not connected it since.
    is_leaving: bool,
    /// At most as many bytes are buffered.
    buffered_bytes: usize,
}

/// Whether the handlers of a namespace may run.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Presence {
    /// Before `on_connect`, and from `on_disconnect` on.
    #[default]
    Disconnected,
    /// `on_connect` has begun when the socket had disconnected already, so that its id is not known.
    Unidentified,
    Connected(SocketId),
}

impl ClientApp {
    /// Starts a client.
    pub(super) fn start(
        record: &Arc<Record>,
        client_index: usize,
        setup: ClientSetup,
    ) -> Option<(Self, Client)> {
        let host = record.world.host(FIRST_HOST + client_index as u8);
        let app = Self(Arc::new(Inner {
            record: Arc::clone(record),
            client: record.next_client(),
            offline: setup.offline,
            host: host.clone(),
            is_alive: AtomicBool::new(true),
            namespaces: Mutex::default(),
            socket_ids: Mutex::default(),
        }));
        let failures = app.clone();
        let mut builder = Client::builder(record.scenario.route.url())
            .state(app.clone())
            .transports(setup.transports)
            .offline(setup.offline)
            .retry_initial(true)
            .on_error(move |report| failures.note_error(report));
        for name in NAMESPACES.iter().take(usize::from(setup.namespaces)) {
            builder = builder.namespace(name, |namespace| {
                register_handlers(namespace).auth(&auth_of(client_index))
            });
        }
        let started = match record.scenario.handlers {
            Handlers::InPlace => engine::start(host, builder),
            Handlers::Apart => engine::start(HandlersApart(host), builder),
        };
        match started {
            Ok(client) => Some((app, client)),
            Err(error) => {
                record.fail(error.to_string());
                None
            }
        }
    }

    pub(super) fn host(&self) -> &Host {
        &self.0.host
    }

    fn namespaces(&self) -> MutexGuard<'_, [NamespaceState; 2]> {
        self.0.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn socket_ids(&self) -> MutexGuard<'_, Vec<SocketId>> {
        self.0.socket_ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, fact: Fact) {
        if self.0.is_alive.load(Ordering::Relaxed) {
            self.0.record.note(fact);
        }
    }

    fn fail(&self, failure: String) {
        if self.0.is_alive.load(Ordering::Relaxed) {
            self.0.record.fail(failure);
        }
    }

    /// Its socket's id in a namespace, if `on_connect` has begun and `on_disconnect` has not.
    pub(super) fn socket_id(&self, namespace_index: usize) -> Option<SocketId> {
        match self.presence(namespace_index) {
            Presence::Connected(socket_id) => Some(socket_id),
            Presence::Disconnected | Presence::Unidentified => None,
        }
    }

    fn presence(&self, namespace_index: usize) -> Presence {
        self.namespaces()[namespace_index].presence
    }

    /// Its socket in a namespace, once it has been connected.
    pub(super) fn socket(&self, namespace_index: usize) -> Option<ClientSocket> {
        self.namespaces()[namespace_index].socket.clone()
    }

    /// The application is about to disconnect it.
    pub(super) fn mark_leaving(&self, namespace_index: usize) {
        self.namespaces()[namespace_index].is_leaving = true;
        if let Some(socket_id) = self.socket_id(namespace_index) {
            self.note(Fact::DisconnectCaused(socket_id, DisconnectCause::ByClient));
        }
    }

    /// The application is about to connect it again.
    pub(super) fn mark_returning(&self, namespace_index: usize) {
        self.namespaces()[namespace_index].is_leaving = false;
    }

    /// Its connection ends, or may end, for another cause.
    pub(super) fn note_cause(&self, cause: DisconnectCause) {
        let socket_ids = [self.socket_id(0), self.socket_id(1)];
        for socket_id in socket_ids.into_iter().flatten() {
            self.note(Fact::DisconnectCaused(socket_id, cause));
        }
    }

    fn note_error(&self, report: &ErrorReport<ClientSocket>) {
        match report.stage() {
            Stage::Emit => {
                let namespace = namespace_of(report.namespace());
                self.note(Fact::BufferedNotSent(self.0.client, namespace));
            }
            _ => self.0.record.fail(report.to_string()),
        }
    }

    /// Its host is switched off.
    pub(super) fn kill(&self) {
        self.note(Fact::BuffersLost(self.0.client));
        let socket_ids = std::mem::take(&mut *self.socket_ids());
        for socket_id in socket_ids {
            // What it sent before it disconnected may still be in transit.
            self.note(Fact::DisconnectCaused(socket_id, DisconnectCause::ConnectionLost));
            self.note(Fact::Killed(Side::Client, socket_id));
        }
        self.0.is_alive.store(false, Ordering::Relaxed);
        self.0.record.world.kill(self.host());
    }

    /// Emits an event, and notes it if it was accepted.
    pub(super) fn emit(&self, socket: &ClientSocket, content: Content, delivery: Delivery) {
        let message = self.0.record.next_message();
        let sent = content.emit_to(socket, message, delivery);
        self.note_sent(socket, message, delivery, content.size, sent);
    }

    /// Asks the server to perform the action of a step.
    pub(super) fn request_action(&self, socket: &ClientSocket, step: usize) {
        let message = self.0.record.next_message();
        let sent = socket.emit(events::ACTION, &(message.0, step));
        self.note_sent(socket, message, Delivery::Reliable, 0, sent);
    }

    fn note_sent(
        &self,
        socket: &ClientSocket,
        message: Message,
        delivery: Delivery,
        size: usize,
        sent: Result<(), Error>,
    ) {
        let name = socket.namespace_name();
        let namespace = namespace_of(name);
        match (socket.id(), sent) {
            (Some(id), Ok(())) => {
                let socket_id = self.0.record.socket_id(id.as_str());
                // `on_connect` may not have begun yet.
                self.note_buffer_sent(name, Some(socket_id));
                self.note(Fact::ClientSent(socket_id, message, delivery));
            }
            (Some(_), Err(error)) => self.0.record.fail(format!(
                "{message:?} was refused although the namespace is connected: {error}"
            )),
            // Volatile events are dropped.
            (None, _) if delivery == Delivery::Volatile => {}
            (None, Ok(())) => {
                self.namespaces()[namespace_index(name)].buffered_bytes += most_buffered_bytes(size);
                self.note(Fact::Buffered(self.0.client, namespace, message));
            }
            (None, Err(error)) if !self.may_refuse(socket, size, &error) => self.fail(format!(
                "an event was refused although its client buffers events: {message:?} of {:?}: {error}",
                self.0.client
            )),
            (None, Err(_)) => {}
        }
    }

    fn note_buffer_sent(&self, name: &str, socket_id: Option<SocketId>) {
        if socket_id.is_some() {
            self.namespaces()[namespace_index(name)].buffered_bytes = 0;
        }
        self.note(Fact::BufferSent(self.0.client, namespace_of(name), socket_id));
    }

    /// Whether the client can refuse a reliable event in this namespace, which is not connected.
    fn may_refuse(&self, socket: &ClientSocket, size: usize, error: &Error) -> bool {
        let Offline::Buffer { packets, bytes } = self.0.offline else {
            return true;
        };
        let name = socket.namespace_name();
        match error {
            Error::BufferFull => {
                let buffered_bytes = self.namespaces()[namespace_index(name)].buffered_bytes;
                let (client, namespace) = (self.0.client, namespace_of(name));
                let buffered = self
                    .0
                    .record
                    .with_model(|model| model.buffered(client, namespace));
                buffered >= packets || buffered_bytes + most_buffered_bytes(size) > bytes
            }
            Error::NotConnected => {
                let is_leaving = self.namespaces()[namespace_index(name)].is_leaving;
                is_leaving || !will_connect(socket)
            }
            _ => false,
        }
    }

    pub(super) async fn emit_with_ack(&self, socket: ClientSocket, call_setup: CallSetup) {
        let Some(id) = socket.id() else { return };
        let message = self.0.record.next_message();
        let call = socket.call(call_setup.event(), &message.0);
        let socket_id = self.0.record.socket_id(id.as_str());
        let world = &self.0.record.world;
        let unsent = call_setup
            .run(Side::Client, socket_id, message, call, world, |fact| {
                self.note(fact)
            })
            .await;
        if let Some(outcome) = unsent
            && !may_end_unsent(&outcome, socket.connected())
        {
            self.fail(format!(
                "a call by the client ended at once: {message:?} on {socket_id:?}: {outcome:?}"
            ));
        }
    }

    fn note_received(&self, socket: &ClientSocket, number: u64) {
        match self.presence(namespace_index(socket.namespace_name())) {
            Presence::Connected(socket_id) => self.note(Fact::ClientReceived(socket_id, Message(number))),
            // What it may receive is not known.
            Presence::Unidentified => {}
            Presence::Disconnected => self.fail(format!(
                "an event was handled before on_connect or after on_disconnect: message {number} at {:?}",
                self.0.client
            )),
        }
    }
}

/// The most bytes that an event of this size takes: its second attachment has half as many, and there are numbers, names
/// and headers.
const fn most_buffered_bytes(size: usize) -> usize {
    size * 2 + 300
}

/// Whether a namespace connects by itself: the server has neither refused nor disconnected it.
fn will_connect(socket: &ClientSocket) -> bool {
    let mut task = Context::from_waker(Waker::noop());
    pin!(socket.ready()).poll(&mut task).is_pending()
}

fn register_handlers(
    namespace: NamespaceBuilder<Async, ClientSocket>,
) -> NamespaceBuilder<Async, ClientSocket> {
    namespace
        .on_connect(on_connect)
        .on(events::TEXT, on_text)
        .on(events::BINARY, on_binary)
        .on(events::CALL, on_call)
        .on(events::SLOW_CALL, on_slow_call)
        .on(events::NESTED_CALL, on_nested_call)
        .on(events::UNANSWERED_CALL, on_unanswered_call)
        .on_disconnect(on_disconnect)
}

fn on_connect(socket: ClientSocket, State(app): State<ClientApp>) {
    // Without an id it has disconnected already, and which socket this was is not known any more.
    let socket_id = socket.id().map(|id| app.0.record.socket_id(id.as_str()));
    let presence = socket_id.map_or(Presence::Unidentified, Presence::Connected);
    let (before, is_leaving) = {
        let own = &mut app.namespaces()[namespace_index(socket.namespace_name())];
        own.socket = Some(socket.clone());
        (std::mem::replace(&mut own.presence, presence), own.is_leaving)
    };
    if before != Presence::Disconnected {
        app.fail(format!("on_connect ran before on_disconnect: {:?}", app.0.client));
    }
    app.note_buffer_sent(socket.namespace_name(), socket_id);
    let Some(socket_id) = socket_id else { return };
    app.socket_ids().push(socket_id);
    app.note(Fact::ClientConnected(socket_id));
    if is_leaving {
        app.note(Fact::DisconnectCaused(socket_id, DisconnectCause::ByClient));
    }
    let greeting = Content {
        kind: ContentKind::Text,
        size: 5,
    };
    app.emit(&socket, greeting, Delivery::Reliable);
}

fn on_disconnect(socket: ClientSocket, State(app): State<ClientApp>, reason: ClientReason) {
    let before = {
        let own = &mut app.namespaces()[namespace_index(socket.namespace_name())];
        std::mem::take(&mut own.presence)
    };
    match before {
        Presence::Connected(socket_id) => {
            let record = &app.0.record;
            record.log(format!("{socket_id:?} disconnects at the client: {reason}"));
            app.note(Fact::ClientDisconnected(socket_id));
        }
        Presence::Unidentified => {}
        Presence::Disconnected => app.fail(format!(
            "on_disconnect ran without on_connect: {:?}: {reason}",
            app.0.client
        )),
    }
}

fn on_text(
    socket: ClientSocket,
    State(app): State<ClientApp>,
    Args((number, size, text)): Args<(u64, usize, String)>,
) {
    app.note_received(&socket, number);
    app.0.record.check_text(number, size, &text);
}

fn on_binary(
    socket: ClientSocket,
    State(app): State<ClientApp>,
    Args((number, size, first, second)): Args<(u64, usize, Bytes, Bytes)>,
) {
    app.note_received(&socket, number);
    app.0.record.check_binary(number, size, [&first, &second]);
}

fn on_call(socket: ClientSocket, State(app): State<ClientApp>, Arg(number): Arg<u64>) -> Reply<u64> {
    app.note_received(&socket, number);
    Reply(number)
}

async fn on_slow_call(
    socket: ClientSocket,
    State(app): State<ClientApp>,
    Arg(number): Arg<u64>,
) -> Reply<u64> {
    app.note_received(&socket, number);
    app.0.record.world.sleep(CallSetup::SLOW_ANSWER).await;
    Reply(number)
}

async fn on_nested_call(
    socket: ClientSocket,
    State(app): State<ClientApp>,
    Arg(number): Arg<u64>,
) -> Reply<u64> {
    app.note_received(&socket, number);
    app.emit_with_ack(socket, CallSetup::NESTED).await;
    Reply(number)
}

fn on_unanswered_call(socket: ClientSocket, State(app): State<ClientApp>, Arg(number): Arg<u64>, _: Ack) {
    app.note_received(&socket, number);
}
