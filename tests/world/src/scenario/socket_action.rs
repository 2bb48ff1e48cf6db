//! What the server does to its sockets: each action is noted at the time of its call.

use socketio_driver::{Broadcast, Error, Socket};
use socketio_model::{Delivery, DisconnectCause, Fact, Namespace, Room, Side, SocketId};

use super::call_setup::may_end_unsent;
use super::record::namespace_of;
use super::server_app::ServerApp;
use super::{BroadcastSetup, CallSetup, Content, SocketAction};

/// The names of the rooms.
pub(super) const ROOMS: [&str; 4] = ["red", "blue", "green", "grey"];

/// The name of a room.
pub(super) fn room_name(room: Room) -> &'static str {
    ROOMS[usize::from(room.0) % ROOMS.len()]
}

impl ServerApp {
    pub(super) fn perform(&self, socket: &Socket, action: &SocketAction) {
        let socket_id = self.socket_id(socket);
        match action {
            SocketAction::Emit(content, delivery) => self.emit(socket, *content, *delivery),
            SocketAction::Broadcast(broadcast_setup) => {
                let namespace = namespace_of(socket.namespace().name());
                self.broadcast(socket.broadcast(), namespace, broadcast_setup, Some(socket_id));
            }
            SocketAction::EmitWithAck(call_setup) => {
                let (app, socket, call_setup) = (self.clone(), socket.clone(), *call_setup);
                self.host()
                    .run(async move { app.emit_with_ack(socket, call_setup).await });
            }
            SocketAction::Join(room) => self.join(socket, socket_id, *room),
            SocketAction::Leave(room) => {
                if socket.leave(room_name(*room)).is_ok() {
                    self.note(Fact::RoomLeft(socket_id, *room));
                }
            }
            SocketAction::Disconnect => {
                self.note(Fact::DisconnectCaused(socket_id, DisconnectCause::ByServer));
                let _ = socket.disconnect();
            }
            SocketAction::DisconnectClient => {
                self.note_client_disconnect(socket, socket_id);
                let _ = socket.disconnect_client();
            }
        }
    }

    /// Notes that all sockets of this client's connection end; those of its earlier connections do so anyway.
    fn note_client_disconnect(&self, socket: &Socket, socket_id: SocketId) {
        // On a socket that has disconnected it does nothing, although its last handlers still run.
        if !socket.connected() {
            return;
        }
        self.note(Fact::DisconnectCaused(socket_id, DisconnectCause::ByServer));
        let sockets = self.record().sockets();
        let Some(own) = sockets.get(&socket_id) else {
            return;
        };
        for (other, entry) in &sockets {
            let is_own = entry.client_index == own.client_index && *other != socket_id;
            if is_own && entry.socket.handshake().peer == socket.handshake().peer {
                self.note(Fact::DisconnectCaused(*other, DisconnectCause::ByServer));
            }
        }
    }

    pub(super) fn join(&self, socket: &Socket, socket_id: SocketId, room: Room) {
        if socket.join(room_name(room)).is_ok() {
            self.note(Fact::RoomJoined(socket_id, room));
        }
    }

    pub(super) fn emit(&self, socket: &Socket, content: Content, delivery: Delivery) {
        let message = self.record().next_message();
        let sent = content.emit_to(socket, message, delivery);
        if sent.is_ok() {
            self.note(Fact::ServerSent(self.socket_id(socket), message, delivery));
        } else if socket.connected() {
            self.record()
                .fail(format!("an event to a connected socket was refused: {sent:?}"));
        }
    }

    pub(super) fn broadcast(
        &self,
        mut broadcast: Broadcast,
        namespace: Namespace,
        broadcast_setup: &BroadcastSetup,
        except_socket: Option<SocketId>,
    ) {
        let message = self.record().next_message();
        for room in &broadcast_setup.to {
            broadcast = broadcast.to(room_name(*room));
        }
        for room in &broadcast_setup.except {
            broadcast = broadcast.except(room_name(*room));
        }
        self.note(Fact::Broadcast(socketio_model::Broadcast {
            namespace,
            to: broadcast_setup.to.clone(),
            except: broadcast_setup.except.clone(),
            except_socket,
            message,
            delivery: broadcast_setup.delivery,
        }));
        match broadcast_setup
            .content
            .emit_to(&broadcast, message, broadcast_setup.delivery)
        {
            // A server that is not serving has no members.
            Ok(()) | Err(Error::NotServing) => {}
            Err(error) => self.record().fail(format!("a broadcast was refused: {error}")),
        }
    }

    pub(super) async fn emit_with_ack(&self, socket: Socket, call_setup: CallSetup) {
        let message = self.record().next_message();
        let call = socket.call(call_setup.event(), &message.0);
        let socket_id = self.socket_id(&socket);
        let world = &self.record().world;
        let unsent = call_setup
            .run(Side::Server, socket_id, message, call, world, |fact| {
                self.note(fact)
            })
            .await;
        if let Some(outcome) = unsent
            && !may_end_unsent(&outcome, socket.connected())
        {
            self.record().fail(format!(
                "a call by the server ended at once: {message:?} to {socket_id:?}: {outcome:?}"
            ));
        }
    }
}
