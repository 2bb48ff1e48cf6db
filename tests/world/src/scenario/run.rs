//! Runs a scenario.

use std::sync::Arc;
use std::time::Duration;

use socketio_driver::client::{Client, Offline};
use socketio_driver::{ClientSocket, Error, Server, Transport};
use socketio_model::{DisconnectCause, Fact, Model, Namespace};

use super::audit::{audit, audit_empty, audit_idle};
use super::client_app::ClientApp;
use super::record::{NAMESPACES, Record};
use super::route::{Route, SERVER_HOST};
use super::server_app::ServerApp;
use super::socket_action::room_name;
use super::{Action, CallSetup, ClientSetup, NetworkKind, Scenario, SocketAction, Step};
use crate::proxy::Proxy;
use crate::{NetworkConditions, Statistics, World};

/// How long a shutdown waits for the connections.
const GRACE: Duration = Duration::from_secs(5);
/// Longer than anything takes except waiting for a dead peer: full windows, handlers, open polls, request and idle
/// timeouts.
const SETTLE_TIME: Duration = Duration::from_secs(100);

/// Gives the first failure, the log, what the network did, and how long it took.
pub(super) async fn run(
    world: World,
    scenario: Scenario,
) -> (Option<String>, Vec<String>, Statistics, Duration) {
    let mut run = Run::new(world, scenario);
    let steps = run.record.scenario.steps.clone();
    for (number, step) in steps.iter().enumerate() {
        if step.pause > Duration::ZERO {
            run.record.world.sleep(step.pause).await;
        }
        run.record.log(format!("{step:?}"));
        run.step(number, step).await;
        audit(&run.record, &run.server);
        if run.record.has_failed() {
            break;
        }
    }
    if !run.record.has_failed() {
        run.finish().await;
    }
    let elapsed = run.record.world.elapsed();
    let statistics = run.record.world.statistics();
    let (failure, log) = run.record.finish();
    (failure, log, statistics, elapsed)
}

/// A scenario while it runs.
struct Run {
    record: Arc<Record>,
    server_app: ServerApp,
    server: Server,
    proxy: Option<Proxy>,
    clients: Vec<RunningClient>,
}

/// A client of the scenario, its handlers, and its handle.
struct RunningClient {
    client_index: usize,
    setup: ClientSetup,
    app: ClientApp,
    handle: Client,
    /// The clients before it on its host, whose handles were dropped.
    previous: Vec<ClientApp>,
}

impl Run {
    fn new(world: World, scenario: Scenario) -> Self {
        world.set_clock(scenario.clock);
        let host = world.host(SERVER_HOST);
        for address in Route::addresses(&world) {
            world.set_conditions(address, scenario.network.conditions());
        }
        let record = Record::new(world, scenario);
        let (server_app, server) = ServerApp::start(&record, &host);
        let proxy = record
            .scenario
            .route
            .start_proxy(&record.world)
            .unwrap_or_else(|error| {
                record.fail(error.to_string());
                None
            });
        let setups = record.scenario.clients.iter().enumerate();
        let clients =
            setups.filter_map(|(client_index, setup)| RunningClient::new(&record, client_index, *setup));
        Self {
            clients: clients.collect(),
            record,
            server_app,
            server,
            proxy,
        }
    }

    async fn step(&mut self, number: usize, step: &Step) {
        let count = self.clients.len().max(1);
        let Some(client) = self.clients.get_mut(step.client_index % count) else {
            return;
        };
        let namespace_index = usize::from(step.namespace_index % client.setup.namespaces);
        let socket = client.socket(namespace_index);
        match &step.action {
            Action::ClientEmit(content, delivery) => {
                if let Some(socket) = socket {
                    client.app.emit(&socket, *content, *delivery);
                }
            }
            Action::ServerActInHandler(_) => {
                if let Some(socket) = socket {
                    client.app.request_action(&socket, number);
                }
            }
            Action::ClientEmitWithAck(call_setup) => {
                // It must not hold what keeps the client running.
                if let Some(socket) = client.app.socket(namespace_index) {
                    let (app, call_setup) = (client.app.clone(), *call_setup);
                    let host = app.host().clone();
                    host.run(async move { app.emit_with_ack(socket, call_setup).await });
                }
            }
            Action::LeaveNamespace => client.leave(namespace_index),
            Action::RejoinNamespace => client.rejoin(namespace_index),
            Action::Disconnect => client.disconnect(),
            Action::Reconnect => client.reconnect(),
            Action::ReplaceClient => client.replace(&self.record),
            Action::KillClient => client.kill(&self.record).await,
            Action::SilenceClient => client.silence(&self.record),
            Action::ServerAct(action) => {
                let client_index = client.client_index;
                self.perform(client_index, Namespace(namespace_index as u8), action);
            }
            Action::Broadcast(broadcast_setup) => {
                let all = self.server.of(NAMESPACES[namespace_index]).to([""; 0]);
                self.server_app
                    .broadcast(all, Namespace(namespace_index as u8), broadcast_setup, None);
            }
            Action::CloseRoom(room) => {
                let namespace = self.server.of(NAMESPACES[namespace_index]);
                if namespace.close_room(room_name(*room)).is_ok() {
                    self.server_app
                        .note(Fact::RoomClosed(Namespace(namespace_index as u8), *room));
                }
            }
            Action::KillServer(outage) => self.kill_server(*outage).await,
            Action::ShutDownServer(outage) => self.shut_down_server(*outage).await,
        }
    }

    /// Does something to the newest socket of a client in a namespace.
    fn perform(&self, client_index: usize, namespace: Namespace, action: &SocketAction) {
        let sockets = self.record.sockets();
        let own = sockets
            .values()
            .rfind(|entry| entry.client_index == client_index && entry.namespace == namespace);
        if let Some(entry) = own {
            self.server_app.perform(&entry.socket, action);
        }
    }

    async fn kill_server(&mut self, outage: Duration) {
        self.server_app.kill();
        self.record.world.sleep(outage).await;
        self.start_server();
    }

    async fn shut_down_server(&mut self, outage: Duration) {
        let sockets = self.record.sockets();
        let transports: Vec<_> = sockets
            .iter()
            .map(|(socket_id, entry)| (*socket_id, entry.socket.transport()))
            .collect();
        match self.server.shutdown(GRACE) {
            Ok(()) => {}
            // It does not serve yet.
            Err(Error::NotServing) => return,
            Err(error) => self.record.fail(error.to_string()),
        }
        for (socket_id, transport) in transports {
            self.server_app
                .note(Fact::DisconnectCaused(socket_id, DisconnectCause::ByServer));
            if transport == Some(Transport::Polling) {
                // What is queued while no poll is open is lost.
                self.server_app.note(Fact::DisconnectCaused(
                    socket_id,
                    DisconnectCause::ConnectionMayBeLost,
                ));
            }
        }
        self.record.world.sleep(outage).await;
        self.start_server();
    }

    fn start_server(&mut self) {
        let host = self.server_app.host().clone();
        (self.server_app, self.server) = ServerApp::start(&self.record, &host);
    }

    /// Waits until nothing is under way, disconnects all clients, and shuts the server down; nothing may be left.
    async fn finish(&mut self) {
        let world = self.record.world.clone();
        for address in Route::addresses(&world) {
            world.set_conditions(address, NetworkConditions::typical());
        }
        let (interval, timeout) = self.record.scenario.heartbeat;
        match (self.record.scenario.network, &self.record.scenario.route) {
            (NetworkKind::Unreliable, _) | (_, Route::Proxied(_)) => {
                world.sleep(interval + timeout + SETTLE_TIME).await;
                // It need not be idle: a connection may have been lost just now.
                audit(&self.record, &self.server);
            }
            (_, Route::Direct) => {
                world
                    .sleep(CallSetup::LONGEST_TIMEOUT + Duration::from_secs(1))
                    .await;
                audit_idle(&self.record, &self.server);
            }
        }
        let idle = self.record.with_model(|model| model.check_idle(world.elapsed()));
        if let Err(violation) = idle {
            self.record.fail(violation.to_string());
        }
        for client in self.clients.drain(..) {
            client.disconnect();
        }
        world.sleep(interval + timeout + SETTLE_TIME).await;
        let links = world.load();
        if links != (0, 0) {
            self.record.fail(format!(
                "all clients have disconnected, and there are connections and bytes: {links:?}"
            ));
        }
        audit_empty(&self.record, &self.server);
        if let Err(error) = self.server.shutdown(GRACE) {
            self.record.fail(error.to_string());
        }
        if let Some(proxy) = self.proxy.take() {
            proxy.close();
        }
        world.sleep(GRACE + SETTLE_TIME).await;
        let tasks = world.tasks();
        if tasks != 1 {
            self.record
                .fail(format!("the server has ended, and tasks are left: {}", tasks - 1));
        }
        if let Err(violation) = self.record.with_model(Model::check_finished) {
            self.record.fail(violation.to_string());
        }
    }
}

impl RunningClient {
    fn new(record: &Arc<Record>, client_index: usize, setup: ClientSetup) -> Option<Self> {
        let (app, handle) = ClientApp::start(record, client_index, setup)?;
        Some(Self {
            client_index,
            setup,
            app,
            handle,
            previous: Vec::new(),
        })
    }

    fn namespaces(&self) -> std::ops::Range<usize> {
        0..usize::from(self.setup.namespaces)
    }

    /// Its socket in a namespace, if it can accept events: one that buffers them can before it was ever connected.
    fn socket(&self, namespace_index: usize) -> Option<ClientSocket> {
        match self.setup.offline {
            Offline::Buffer { .. } => self.handle.of(NAMESPACES[namespace_index]).ok(),
            Offline::Refuse | Offline::Drop => self.app.socket(namespace_index),
        }
    }

    fn leave(&self, namespace_index: usize) {
        self.app.mark_leaving(namespace_index);
        if let Ok(socket) = self.handle.of(NAMESPACES[namespace_index]) {
            socket.disconnect();
        }
    }

    fn disconnect(&self) {
        for namespace_index in self.namespaces() {
            self.app.mark_leaving(namespace_index);
        }
        self.handle.disconnect();
    }

    fn reconnect(&self) {
        self.namespaces()
            .for_each(|namespace_index| self.join(namespace_index));
        self.handle.connect();
    }

    fn rejoin(&self, namespace_index: usize) {
        self.leave(namespace_index);
        self.join(namespace_index);
    }

    fn join(&self, namespace_index: usize) {
        self.app.mark_returning(namespace_index);
        if let Ok(socket) = self.handle.of(NAMESPACES[namespace_index]) {
            socket.connect();
        }
    }

    /// Drops the handle, which disconnects the client, and starts another.
    fn replace(&mut self, record: &Arc<Record>) {
        for namespace_index in self.namespaces() {
            self.app.mark_leaving(namespace_index);
        }
        if let Some((app, handle)) = ClientApp::start(record, self.client_index, self.setup) {
            self.previous.push(std::mem::replace(&mut self.app, app));
            self.handle = handle;
        }
    }

    async fn kill(&mut self, record: &Arc<Record>) {
        self.previous.drain(..).for_each(|previous| previous.kill());
        self.app.kill();
        record.world.sleep(Duration::from_millis(1)).await;
        if let Some((app, handle)) = ClientApp::start(record, self.client_index, self.setup) {
            (self.app, self.handle) = (app, handle);
        }
    }

    /// Over polling the client may survive: its next poll may get a new connection, which is not silent.
    fn silence(&self, record: &Record) {
        let cause = match self.handle.transport() {
            Some(Transport::WebSocket) => DisconnectCause::ConnectionLost,
            _ => DisconnectCause::ConnectionMayBeLost,
        };
        self.app.note_cause(cause);
        // The client may not have received the CONNECT packet of some sockets yet.
        for (socket_id, entry) in record.sockets() {
            if entry.client_index == self.client_index {
                record.note(Fact::DisconnectCaused(socket_id, cause));
            }
        }
        record.world.silence(self.app.host());
    }
}
