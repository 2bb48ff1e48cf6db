//! The model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::call::Call;
use crate::offline::{Buffer, OfflineBuffers};
use crate::socket::{ConnectionState, Socket};
use crate::stream::{Certainty, Stream};
use crate::{
    AnswerExpectation, Broadcast, CallOutcome, ClientId, Delivery, DisconnectCause, Fact, Message, Namespace,
    Room, Side, SocketId, Violation,
};

/// What the network between server and clients guarantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// Connections are lost only where a [`Fact::DisconnectCaused`] says so.
    Reliable,
    /// Any connection may be lost at any time.
    None,
}

/// What is connected, sent and expected so far; see the [crate](crate).
#[derive(Debug)]
pub struct Model {
    guarantee: Guarantee,
    /// The longest time until a dead peer is detected.
    detection_time: Duration,
    /// By how much later than it happens a fact may be noted.
    tolerance: Duration,
    sockets: BTreeMap<SocketId, Socket>,
    /// Sockets that have a cause to disconnect, until both sides have.
    disconnecting: BTreeSet<SocketId>,
    calls: BTreeMap<(Side, Message), Call>,
    buffers: OfflineBuffers,
    /// Broadcasts to whole namespaces that were noted within the tolerance, each with its time.
    recent_broadcasts: Vec<(Duration, Broadcast)>,
}

impl Model {
    /// A model without sockets. `detection_time` is ping interval plus ping timeout plus the longest `on_connect`. Times
    /// are exact, unless [`with_tolerance`](Self::with_tolerance) says otherwise.
    #[must_use]
    pub const fn new(guarantee: Guarantee, detection_time: Duration) -> Self {
        Self {
            guarantee,
            detection_time,
            tolerance: Duration::ZERO,
            sockets: BTreeMap::new(),
            disconnecting: BTreeSet::new(),
            calls: BTreeMap::new(),
            buffers: OfflineBuffers::new(),
            recent_broadcasts: Vec::new(),
        }
    }

    /// Facts may be noted so much later than they happen.
    #[must_use]
    pub const fn with_tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Notes a fact of the time `at`, which never goes back.
    ///
    /// # Errors
    /// The rule that is violated, by this fact or by something that should have happened before.
    pub fn note(&mut self, at: Duration, fact: &Fact) -> Result<(), Violation> {
        self.check_detection(at)?;
        match *fact {
            Fact::ServerConnecting { .. }
            | Fact::ServerConnected(_)
            | Fact::ServerDisconnected(_)
            | Fact::ClientConnected(_)
            | Fact::ClientDisconnected(_)
            | Fact::DisconnectCaused(..)
            | Fact::Killed(..) => self.change_connection(at, fact),
            Fact::RoomJoined(..) | Fact::RoomLeft(..) | Fact::RoomClosed(..) => {
                self.move_between_rooms(fact);
                Ok(())
            }
            Fact::ServerSent(socket_id, message, delivery) => {
                self.socket(socket_id)
                    .to_client
                    .expect(message, certainty(delivery));
                Ok(())
            }
            Fact::Broadcast(ref broadcast) => {
                self.broadcast(at, broadcast);
                Ok(())
            }
            Fact::ClientReceived(socket_id, message) => self.receive(socket_id, Side::Client, message, fact),
            Fact::ClientSent(socket_id, message, delivery) => {
                self.socket(socket_id)
                    .to_server
                    .expect(message, certainty(delivery));
                Ok(())
            }
            Fact::ServerReceived(socket_id, message) => {
                self.send_buffer_of(socket_id, message);
                self.receive(socket_id, Side::Server, message, fact)
            }
            Fact::Buffered(..) | Fact::BufferSent(..) | Fact::BufferedNotSent(..) | Fact::BuffersLost(..) => {
                self.change_buffer(fact)
            }
            Fact::CallStarted { .. } => {
                self.call_started(fact);
                Ok(())
            }
            Fact::CallEnded {
                caller,
                message,
                outcome,
            } => self.call_ended(at, caller, message, outcome, fact),
        }
    }

    /// The members of a room, or of the whole namespace: sockets whose `on_connect` has begun and whose `on_disconnect`
    /// has not.
    #[must_use]
    pub fn members(&self, namespace: Namespace, room: Option<Room>) -> BTreeSet<SocketId> {
        let members = self.sockets.iter().filter(|(_, socket)| {
            let is_in = room.is_none_or(|room| socket.rooms.contains(&room));
            socket.server.is_open() && socket.namespace == Some(namespace) && is_in
        });
        members.map(|(socket_id, _)| *socket_id).collect()
    }

    /// The rooms of a socket.
    #[must_use]
    pub fn rooms(&self, socket_id: SocketId) -> BTreeSet<Room> {
        self.sockets
            .get(&socket_id)
            .map_or_else(BTreeSet::new, |socket| socket.rooms.clone())
    }

    /// How many messages a client has buffered for a namespace, at most: some of them may have been sent.
    #[must_use]
    pub fn buffered(&self, client: ClientId, namespace: Namespace) -> usize {
        self.buffers.len(client, namespace)
    }

    /// How many calls of a side have not ended.
    #[must_use]
    pub fn open_calls(&self, side: Side) -> usize {
        let open = |((caller, _), call): &(&(Side, Message), &Call)| *caller == side && !call.has_ended;
        self.calls.iter().filter(open).count()
    }

    /// For when nothing has happened for long before `at`: sockets that stay have received everything they should.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_idle(&self, at: Duration) -> Result<(), Violation> {
        self.check_detection(at)?;
        if self.guarantee == Guarantee::None {
            return Ok(());
        }
        let stays = |socket: &Socket| {
            // A client may have given up before it received the CONNECT packet.
            let is_given_up = socket.client == ConnectionState::NotYetConnected && !socket.server.is_open();
            !socket.has_cause() && !is_given_up
        };
        for (socket_id, socket) in self.sockets.iter().filter(|(_, socket)| stays(socket)) {
            if let Some(side) = socket.side_where(|state| !state.is_open()) {
                return Err(Violation::SidesDisagree(*socket_id, side));
            }
            check_missing(*socket_id, socket)?;
        }
        Ok(())
    }

    /// For when all clients have disconnected: no socket is left, everything that could not be lost was received, and
    /// all calls have ended.
    ///
    /// # Errors
    /// What is left or missing.
    pub fn check_finished(&self) -> Result<(), Violation> {
        for (socket_id, socket) in &self.sockets {
            if let Some(side) = socket.side_where(ConnectionState::is_open) {
                return Err(Violation::SidesDisagree(*socket_id, side));
            }
            if self.guarantee == Guarantee::Reliable && socket.client != ConnectionState::NotYetConnected {
                check_missing(*socket_id, socket)?;
            }
        }
        if let Some((client, message)) = self.buffers.first_left() {
            return Err(Violation::LostSilently(client, message));
        }
        match self.calls.iter().find(|(_, call)| !call.has_ended) {
            Some(((caller, message), _)) => Err(Violation::CallNotEnded(*caller, *message)),
            None => Ok(()),
        }
    }

    fn change_connection(&mut self, at: Duration, fact: &Fact) -> Result<(), Violation> {
        match *fact {
            Fact::ServerConnecting { socket_id, namespace } => {
                self.server_connecting(at, socket_id, namespace, fact)
            }
            Fact::ServerConnected(socket_id) => self.transition(
                socket_id,
                Side::Server,
                ConnectionState::Connecting,
                ConnectionState::Connected,
                fact,
            ),
            Fact::ServerDisconnected(socket_id) => self.disconnected(socket_id, Side::Server, fact),
            Fact::ClientConnected(socket_id) => self.client_connected(socket_id, fact),
            Fact::ClientDisconnected(socket_id) => self.disconnected(socket_id, Side::Client, fact),
            Fact::DisconnectCaused(socket_id, cause) => {
                self.socket(socket_id).add_cause(cause, at);
                self.disconnecting.insert(socket_id);
                Ok(())
            }
            Fact::Killed(side, socket_id) => {
                *self.socket(socket_id).state(side) = ConnectionState::Killed;
                self.calls
                    .retain(|(caller, _), call| *caller != side || call.socket_id != socket_id);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn change_buffer(&mut self, fact: &Fact) -> Result<(), Violation> {
        match *fact {
            Fact::Buffered(client, namespace, message) => self.buffers.push(client, namespace, message),
            Fact::BufferSent(client, namespace, Some(socket_id)) => {
                let buffer = self.buffers.take(client, namespace);
                self.send_buffer(socket_id, buffer);
            }
            Fact::BufferSent(client, namespace, None) => self.buffers.make_uncertain(client, namespace),
            Fact::BufferedNotSent(client, namespace) if !self.buffers.remove_oldest(client, namespace) => {
                return Err(Violation::WrongState(fact.clone()));
            }
            Fact::BuffersLost(client) => self.buffers.forget(client),
            _ => {}
        }
        Ok(())
    }

    fn send_buffer(&mut self, socket_id: SocketId, buffer: Buffer) {
        let socket = self.socket(socket_id);
        for (message, certainty) in buffer {
            socket.to_server.expect(message, certainty);
        }
    }

    /// The server may receive what a client had buffered before the client's `on_connect` begins.
    fn send_buffer_of(&mut self, socket_id: SocketId, message: Message) {
        let socket = self.socket(socket_id);
        if let (ConnectionState::NotYetConnected, Some(namespace)) = (socket.client, socket.namespace) {
            let buffer = self.buffers.take_with(namespace, message);
            self.send_buffer(socket_id, buffer);
        }
    }

    fn move_between_rooms(&mut self, fact: &Fact) {
        match *fact {
            Fact::RoomJoined(socket_id, room) => {
                self.socket(socket_id).rooms.insert(room);
            }
            Fact::RoomLeft(socket_id, room) => {
                self.socket(socket_id).rooms.remove(&room);
            }
            Fact::RoomClosed(namespace, room) => {
                let in_namespace = |socket: &&mut Socket| socket.namespace == Some(namespace);
                for socket in self.sockets.values_mut().filter(in_namespace) {
                    socket.rooms.remove(&room);
                }
            }
            _ => {}
        }
    }

    fn call_started(&mut self, fact: &Fact) {
        if let Fact::CallStarted {
            caller,
            socket_id,
            message,
            at,
            timeout,
            expectation,
        } = *fact
        {
            let call = Call {
                socket_id,
                deadline: at + timeout,
                expectation,
                has_ended: false,
            };
            self.calls.insert((caller, message), call);
        }
    }

    fn socket(&mut self, socket_id: SocketId) -> &mut Socket {
        let empty = || Socket::new(Stream::default(), Stream::default());
        self.sockets.entry(socket_id).or_insert_with(empty)
    }

    fn transition(
        &mut self,
        socket_id: SocketId,
        side: Side,
        from: ConnectionState,
        to: ConnectionState,
        fact: &Fact,
    ) -> Result<(), Violation> {
        let state = self.socket(socket_id).state(side);
        if *state != from {
            return Err(Violation::WrongState(fact.clone()));
        }
        *state = to;
        Ok(())
    }

    /// A broadcast noted within the tolerance before may have come before or after the socket was connected:
    /// `on_connect` runs when everything that came with the CONNECT packet has been handled.
    fn server_connecting(
        &mut self,
        at: Duration,
        socket_id: SocketId,
        namespace: Namespace,
        fact: &Fact,
    ) -> Result<(), Violation> {
        self.transition(
            socket_id,
            Side::Server,
            ConnectionState::NotYetConnected,
            ConnectionState::Connecting,
            fact,
        )?;
        self.forget_broadcasts(at);
        let simultaneous: Vec<Message> = self
            .recent_broadcasts
            .iter()
            .filter(|(_, broadcast)| broadcast.namespace == namespace)
            .map(|(_, broadcast)| broadcast.message)
            .collect();
        let socket = self.socket(socket_id);
        socket.namespace = Some(namespace);
        for message in simultaneous {
            socket.to_client.expect(message, Certainty::May);
        }
        Ok(())
    }

    fn client_connected(&mut self, socket_id: SocketId, fact: &Fact) -> Result<(), Violation> {
        if self.socket(socket_id).server == ConnectionState::NotYetConnected {
            return Err(Violation::WrongState(fact.clone()));
        }
        self.transition(
            socket_id,
            Side::Client,
            ConnectionState::NotYetConnected,
            ConnectionState::Connected,
            fact,
        )?;
        // It may have been taken out when the server's side ended.
        if self.socket(socket_id).has_cause() {
            self.disconnecting.insert(socket_id);
        }
        Ok(())
    }

    fn disconnected(&mut self, socket_id: SocketId, side: Side, fact: &Fact) -> Result<(), Violation> {
        let guarantee = self.guarantee;
        self.transition(
            socket_id,
            side,
            ConnectionState::Connected,
            ConnectionState::Disconnected,
            fact,
        )?;
        let socket = self.socket(socket_id);
        if side == Side::Server {
            socket.rooms.clear();
        }
        if !socket.server.is_open() && !socket.client.is_open() {
            self.disconnecting.remove(&socket_id);
        }
        let socket = self.socket(socket_id);
        // A client may give up before it receives the CONNECT packet.
        let is_known = socket.client != ConnectionState::NotYetConnected;
        if guarantee == Guarantee::Reliable && is_known && !socket.has_cause() {
            return Err(Violation::NoCause(fact.clone()));
        }
        Ok(())
    }

    fn broadcast(&mut self, at: Duration, broadcast: &Broadcast) {
        self.forget_broadcasts(at);
        if broadcast.to.is_empty() {
            self.recent_broadcasts.push((at, broadcast.clone()));
        }
        for (socket_id, socket) in &mut self.sockets {
            let is_target =
                broadcast.to.is_empty() || broadcast.to.iter().any(|room| socket.rooms.contains(room));
            let is_excepted = broadcast.except.iter().any(|room| socket.rooms.contains(room))
                || broadcast.except_socket == Some(*socket_id)
                // It is no member any more; its `on_disconnect` is about to run.
                || socket.is_caused_by(DisconnectCause::ByServer);
            let is_open = socket.server.is_open() && socket.namespace == Some(broadcast.namespace);
            if is_open && is_target && !is_excepted {
                socket
                    .to_client
                    .expect(broadcast.message, certainty(broadcast.delivery));
            }
        }
    }

    fn forget_broadcasts(&mut self, at: Duration) {
        let tolerance = self.tolerance;
        self.recent_broadcasts.retain(|(time, _)| *time + tolerance >= at);
    }

    fn receive(
        &mut self,
        socket_id: SocketId,
        recipient: Side,
        message: Message,
        fact: &Fact,
    ) -> Result<(), Violation> {
        let socket = self.socket(socket_id);
        if *socket.state(recipient) != ConnectionState::Connected {
            return Err(Violation::WrongState(fact.clone()));
        }
        let stream = match recipient {
            Side::Server => &mut socket.to_server,
            Side::Client => &mut socket.to_client,
        };
        let outcome = stream.receive(message, fact);
        // On an earlier socket of the same client.
        let was_received = |socket: &Socket| socket.to_server.has_received(message);
        match outcome {
            Err(Violation::WrongRecipient(_))
                if recipient == Side::Server && self.sockets.values().any(was_received) =>
            {
                Err(Violation::Duplicate(fact.clone()))
            }
            outcome => outcome,
        }
    }

    fn call_ended(
        &mut self,
        at: Duration,
        caller: Side,
        message: Message,
        outcome: CallOutcome,
        fact: &Fact,
    ) -> Result<(), Violation> {
        let violation = || Violation::WrongCallOutcome(fact.clone());
        let (guarantee, tolerance) = (self.guarantee, self.tolerance);
        let call = self.calls.get_mut(&(caller, message)).ok_or_else(violation)?;
        let (socket_id, deadline, expectation) = (call.socket_id, call.deadline, call.expectation);
        let is_first = !std::mem::replace(&mut call.has_ended, true);
        let socket = self.socket(socket_id);
        let was_handled = match caller {
            Side::Server => socket.to_client.has_received(message),
            Side::Client => socket.to_server.has_received(message),
        };
        // A client that has not received the CONNECT packet may have given up, or lost its connection.
        let may_be_lost = guarantee == Guarantee::None
            || socket.has_cause()
            || socket.client == ConnectionState::NotYetConnected;
        let is_possible = match outcome {
            CallOutcome::Answered(answer) => {
                was_handled && answer == message.0 && expectation != AnswerExpectation::Never
            }
            CallOutcome::TimedOut => {
                let is_due = (deadline..=deadline + tolerance).contains(&at);
                is_due && (expectation != AnswerExpectation::InTime || may_be_lost)
            }
            CallOutcome::Disconnected => at <= deadline + tolerance && may_be_lost,
        };
        if is_first && is_possible {
            Ok(())
        } else {
            Err(violation())
        }
    }

    /// Both sides of every socket that ended longer than the detection time ago have disconnected.
    fn check_detection(&self, at: Duration) -> Result<(), Violation> {
        for socket_id in &self.disconnecting {
            let Some(socket) = self.sockets.get(socket_id) else {
                continue;
            };
            let is_due = socket
                .ends_since()
                .is_some_and(|since| since + self.detection_time + self.tolerance < at);
            let late = socket.side_where(ConnectionState::is_open).filter(|_| is_due);
            if let Some(side) = late {
                return Err(Violation::NotDetected(*socket_id, side));
            }
        }
        Ok(())
    }
}

const fn certainty(delivery: Delivery) -> Certainty {
    match delivery {
        Delivery::Reliable => Certainty::Must,
        Delivery::Volatile => Certainty::May,
    }
}

fn check_missing(socket_id: SocketId, socket: &Socket) -> Result<(), Violation> {
    for (sender, stream) in [
        (Side::Server, &socket.to_client),
        (Side::Client, &socket.to_server),
    ] {
        if let Some(message) = stream.missing().filter(|_| !socket.may_lose(sender)) {
            return Err(Violation::Missing(socket_id, sender, message));
        }
    }
    Ok(())
}
